#include "coordinator/store/sqlite/live_tasks.hpp"

#include <algorithm>
#include <utility>

namespace distributo::coordinator::store {

using core::TaskId;

LiveTask* LiveTasks::find(TaskId id) {
    const auto number = id / page_size;
    if (number != last_number_) {
        const auto page = pages_.find(number);
        if (page == pages_.end())
            return nullptr;
        last_number_ = number;
        last_ = page->second.get();
    }
    return &last_->tasks[id % page_size];
}

bool LiveTasks::contains(TaskId id) const {
    const auto page = pages_.find(id / page_size);
    return page != pages_.end() && page->second->tasks[id % page_size].type != 0;
}

void LiveTasks::put(TaskId id, LiveTask task) {
    LiveTask* place = find(id);
    if (!place) {
        const auto number = id / page_size;
        last_ = pages_.try_emplace(number, std::make_unique<Page>()).first->second.get();
        last_number_ = number;
        lowest_page_ = size_ == 0 ? number : std::min(lowest_page_, number);
        place = &last_->tasks[id % page_size];
    }
    if (place->type == 0) {
        ++last_->count;
        ++size_;
    }
    *place = task;
}

LiveTask LiveTasks::take(TaskId id) {
    LiveTask* place = find(id);
    if (!place || place->type == 0)
        return {};
    const auto task = std::exchange(*place, {});
    --size_;
    if (--last_->count == 0) {
        pages_.erase(last_number_);
        last_number_ = ~std::uint64_t{0};
    }
    return task;
}

void LiveTasks::add(TaskId id, LiveTask task) {
    put(id, task);
    changes_.push_back({id, {}});
}

LiveTask LiveTasks::remove(TaskId id) {
    const auto task = take(id);
    if (task.type != 0)
        changes_.push_back({id, task});
    return task;
}

TaskId LiveTasks::floor(TaskId end) {
    if (size_ == 0)
        return end;
    // The ids of a store that was restored have jumped: it may be too far to walk.
    for (auto steps = pages_.size(); !pages_.contains(lowest_page_); ++lowest_page_)
        if (steps-- == 0) {
            lowest_page_ = ~std::uint64_t{0};
            for (const auto& [number, page] : pages_)
                lowest_page_ = std::min(lowest_page_, number);
            break;
        }
    return lowest_page_ * page_size;
}

void LiveTasks::roll_back() {
    for (auto change = changes_.rbegin(); change != changes_.rend(); ++change)
        if (change->removed.type == 0)
            take(change->id);
        else
            put(change->id, change->removed);
    changes_.clear();
}

}  // namespace distributo::coordinator::store
