#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace distributo::base {

/// Counts of values by magnitude, for quantiles that are right within 13 %, in constant memory and
/// without a pass over the values. Two of them add up exactly, so hosts can be summed.
///
/// 0 … 7 have a bucket each; from there on every power of two has four, up to 2^33 (in
/// microseconds: two and a half hours). What is larger counts as that. Not thread-safe.
class Histogram {
public:
    static constexpr std::size_t bucket_count = 128;

    void add(std::uint64_t value) noexcept { add_to(bucket_of(value), 1); }
    /// Ignores a bucket that does not exist.
    void add_to(std::size_t bucket, std::uint64_t count) noexcept {
        if (bucket >= bucket_count)
            return;
        buckets_[bucket] += count;
        total_ += count;
    }
    void add(const Histogram& other) noexcept {
        for (std::size_t i = 0; i < bucket_count; ++i)
            add_to(i, other.buckets_[i]);
    }

    [[nodiscard]] std::uint64_t count() const noexcept { return total_; }
    [[nodiscard]] const std::array<std::uint64_t, bucket_count>& buckets() const noexcept {
        return buckets_;
    }
    /// A value that about `fraction` of all values do not exceed; 0 when there are none.
    [[nodiscard]] std::uint64_t quantile(double fraction) const noexcept {
        const auto wanted = std::max<std::uint64_t>(
            1, static_cast<std::uint64_t>(fraction * static_cast<double>(total_) + 0.5));
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < bucket_count; ++i)
            if (seen += buckets_[i]; seen >= wanted)
                return middle_of(i);
        return 0;
    }

    [[nodiscard]] static constexpr std::size_t bucket_of(std::uint64_t value) noexcept {
        if (value < exact)
            return static_cast<std::size_t>(value);
        const auto octave = static_cast<std::size_t>(std::bit_width(value)) - 1;
        const auto quarter = static_cast<std::size_t>(value >> (octave - 2)) & 3U;
        return std::min(exact + (octave - 3) * 4 + quarter, bucket_count - 1);
    }

private:
    static constexpr std::size_t exact = 8;

    [[nodiscard]] static constexpr std::uint64_t middle_of(std::size_t bucket) noexcept {
        if (bucket < exact)
            return bucket;
        const auto octave = (bucket - exact) / 4 + 3;
        const std::uint64_t width = std::uint64_t{1} << (octave - 2);
        return (std::uint64_t{1} << octave) + (bucket - exact) % 4 * width + width / 2;
    }

    std::array<std::uint64_t, bucket_count> buckets_{};
    std::uint64_t total_ = 0;
};

}  // namespace distributo::base
