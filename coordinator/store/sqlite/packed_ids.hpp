#pragma once

#include "coordinator/core/task.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace distributo::coordinator::store {

/// Pairs of numbers as a short string: each as its difference from the pair before, zigzag, seven
/// bits per byte. Ids that nearly rise by one take one or two bytes.
class PairPacker {
public:
    void add(std::uint64_t first, std::uint64_t second);
    [[nodiscard]] const std::string& bytes() const noexcept { return bytes_; }
    [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }
    void clear() noexcept { *this = {}; }

private:
    std::string bytes_;
    std::uint64_t first_ = 0;
    std::uint64_t second_ = 0;
};

/// Reads what PairPacker made. Bytes that it did not make end the pairs early.
class PairReader {
public:
    using Pair = std::pair<std::uint64_t, std::uint64_t>;
    explicit PairReader(std::string_view bytes) noexcept : bytes_(bytes) {}
    [[nodiscard]] std::optional<Pair> next() noexcept;

private:
    bool take(std::uint64_t& value) noexcept;

    std::string_view bytes_;
    Pair last_{};
};

}  // namespace distributo::coordinator::store
