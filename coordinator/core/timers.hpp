#pragma once

#include "base/clock.hpp"
#include "coordinator/core/task_table.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace distributo::coordinator::core {

/// One thing that is due at a time. Nothing is ever taken out before: whoever handles it looks
/// whether it still applies, by `stamp`.
struct Timer {
    enum class Kind : std::uint8_t {
        wake,        ///< scheduled or retrying becomes pending; stamp: task id
        deadline,    ///< stamp: task id
        requeue,     ///< a lease on a broken connection ends; stamp: token counter
        lease,       ///< a host may have been silent too long; slot: host index
        capability,  ///< a paused type may be tried again; slot: host index
    };
    base::TimePoint at;
    std::uint64_t stamp = 0;
    std::uint64_t episode = 0;  ///< requeue: which disconnect of the host
    std::uint32_t slot = 0;
    Kind kind = Kind::wake;
};

/// A binary heap of timers, earliest first.
class Timers {
public:
    void add(const Timer& timer) {
        heap_.push_back(timer);
        std::push_heap(heap_.begin(), heap_.end(), later);
    }
    [[nodiscard]] base::TimePoint next() const {
        return heap_.empty() ? base::TimePoint::max() : heap_.front().at;
    }
    Timer pop() {
        std::pop_heap(heap_.begin(), heap_.end(), later);
        const Timer timer = heap_.back();
        heap_.pop_back();
        return timer;
    }

private:
    static bool later(const Timer& a, const Timer& b) { return a.at > b.at; }
    std::vector<Timer> heap_;
};

}  // namespace distributo::coordinator::core
