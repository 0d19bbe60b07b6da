#pragma once

#include "base/clock.hpp"

#include <array>
#include <cstdint>

namespace distributo::coordinator::engine {

/// How often something happened in the last ten seconds.
class RateMeter {
public:
    void count(std::uint64_t times, base::TimePoint now) {
        move_to(second_of(now));
        slots_[static_cast<std::size_t>(second_ % slots_.size())] += times;
    }
    /// Per second, over the ten seconds before this one.
    [[nodiscard]] double rate(base::TimePoint now) const {
        RateMeter moved = *this;
        moved.move_to(second_of(now));
        std::uint64_t total = 0;
        for (std::size_t i = 0; i < slots_.size(); ++i)
            total += i == moved.second_ % slots_.size() ? 0 : moved.slots_[i];
        return static_cast<double>(total) / static_cast<double>(slots_.size() - 1);
    }

private:
    [[nodiscard]] static std::uint64_t second_of(base::TimePoint time) {
        return static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count());
    }
    void move_to(std::uint64_t second) {
        for (std::size_t i = 0; second_ < second && i < slots_.size(); ++i)
            slots_[static_cast<std::size_t>(++second_ % slots_.size())] = 0;
        second_ = second;
    }

    std::array<std::uint64_t, 11> slots_{};  // by second; the one that goes on included
    std::uint64_t second_ = 0;
};

}  // namespace distributo::coordinator::engine
