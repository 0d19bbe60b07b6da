#pragma once

#include "base/clock.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace distributo::coordinator::core {

/// Something that is due at a time. Nobody takes a timer back: whoever it was for knows by the
/// serial whether it still counts.
struct Timer {
    enum class Kind : std::uint8_t {
        wake,             ///< of a task; serial: TaskSide::wake_timer
        deadline,         ///< of a task; serial: TaskSide::deadline_timer
        requeue,          ///< of a host, which is the slot; serial: Host::requeue_timer
        silence,          ///< of a host, which is the slot; serial: Host::silence_timer
        capability,       ///< of a host, which is the slot; serial: Offer::pause_timer
        quarantine,       ///< of a host, which is the slot; serial: Quarantine::timer
        return_of_hosts,  ///< serial: Impl::return_timer
    };
    base::TimePoint at;
    std::uint64_t serial = 0;
    std::uint32_t slot = 0;
    Kind kind = Kind::wake;
};

/// Timers, earliest first. Adding and taking cost the logarithm of their number.
class TimerHeap {
public:
    /// `counts(timer)` says whether a timer still counts; asked for all of them when the heap has
    /// doubled, so that those which do not cannot pile up.
    template <typename Counts>
    void add(const Timer& timer, Counts counts) {
        if (heap_.size() >= sweep_at_) {
            std::erase_if(heap_, [&](const Timer& old) { return !counts(old); });
            std::make_heap(heap_.begin(), heap_.end(), later);
            sweep_at_ = std::max(smallest_sweep, 2 * heap_.size());
        }
        heap_.push_back(timer);
        std::push_heap(heap_.begin(), heap_.end(), later);
    }
    [[nodiscard]] base::TimePoint next() const noexcept {
        return heap_.empty() ? base::TimePoint::max() : heap_.front().at;
    }
    Timer take() {
        std::pop_heap(heap_.begin(), heap_.end(), later);
        const Timer timer = heap_.back();
        heap_.pop_back();
        return timer;
    }
    [[nodiscard]] std::size_t size() const noexcept { return heap_.size(); }

private:
    static constexpr std::size_t smallest_sweep = 1024;
    static bool later(const Timer& a, const Timer& b) noexcept { return a.at > b.at; }

    std::vector<Timer> heap_;
    std::size_t sweep_at_ = smallest_sweep;
};

}  // namespace distributo::coordinator::core
