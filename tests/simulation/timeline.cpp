#include "tests/simulation/timeline.hpp"

#include <algorithm>
#include <utility>

namespace distributo::simulation {

void Timeline::at(base::TimePoint when, std::function<void()> what) {
    heap_.push_back({std::max(when, now_), ++last_order_, std::move(what)});
    std::push_heap(heap_.begin(), heap_.end());
}

bool Timeline::run_next() {
    if (heap_.empty())
        return false;
    std::pop_heap(heap_.begin(), heap_.end());
    const Entry next = std::move(heap_.back());
    heap_.pop_back();
    now_ = next.when;
    ++events_;
    next.what();
    return true;
}

}  // namespace distributo::simulation
