#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <functional>
#include <vector>

namespace distributo::simulation {

/// The simulated time, and what is going to happen in it.
class Timeline final : public base::Clock {
public:
    [[nodiscard]] base::TimePoint now() const override { return now_; }
    [[nodiscard]] base::WallTime wall() const override {
        return base::WallTime(std::chrono::milliseconds(1'800'000'000'000)) + wall_shift_ +
               std::chrono::floor<std::chrono::milliseconds>(now_.time_since_epoch());
    }
    /// Somebody sets the wall clock; the other one does not care.
    void shift_wall(std::chrono::milliseconds by) { wall_shift_ += by; }

    /// What is due at the same time happens in the order of the calls.
    void at(base::TimePoint when, std::function<void()> what);
    void in(base::Duration delay, std::function<void()> what) { at(now_ + delay, std::move(what)); }
    /// Moves to the next event and lets it happen. False: there is none.
    bool run_next();
    [[nodiscard]] std::uint64_t events() const noexcept { return events_; }

private:
    struct Entry {
        base::TimePoint when;
        std::uint64_t order = 0;
        std::function<void()> what;
        friend bool operator<(const Entry& a, const Entry& b) noexcept {
            return a.when != b.when ? a.when > b.when : a.order > b.order;
        }
    };

    base::TimePoint now_{std::chrono::hours(1)};
    std::chrono::milliseconds wall_shift_{};
    std::vector<Entry> heap_;
    std::uint64_t last_order_ = 0;
    std::uint64_t events_ = 0;
};

}  // namespace distributo::simulation
