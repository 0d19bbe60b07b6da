#include "coordinator/store/task_table.hpp"

#include <algorithm>
#include <utility>

namespace distributo::coordinator::store {
namespace {

constexpr std::size_t worth_compacting = 4096;

}  // namespace

void TaskTable::append(TaskRow row) {
    highest_ = row.id;
    rows_.push_back(std::move(row));
}

TaskTable::Index TaskTable::lower_bound(TaskId id) const {
    if (rows_.empty() || id > highest_)
        return rows_.size();
    const TaskId lowest = rows_.front().id;
    if (id <= lowest)
        return 0;
    // A row stands at (id - lowest) minus the gaps before it, so only that range needs a search.
    const auto gaps = rows_.back().id - lowest + 1 - rows_.size();
    const auto high = std::min<std::uint64_t>(id - lowest, rows_.size() - 1);
    const auto low = id - lowest > gaps ? std::min<std::uint64_t>(id - lowest - gaps, high) : 0;
    const auto at = [&](std::uint64_t index) {
        return rows_.begin() + static_cast<std::ptrdiff_t>(index);
    };
    const auto found = std::lower_bound(
        at(low), at(high), id, [](const TaskRow& row, TaskId wanted) { return row.id < wanted; });
    return static_cast<Index>(found - rows_.begin());
}

TaskRow* TaskTable::find(TaskId id) {
    const auto index = lower_bound(id);
    if (index == rows_.size() || rows_[index].id != id || rows_[index].dropped)
        return nullptr;
    return &rows_[index];
}

void TaskTable::drop(TaskId id) {
    TaskRow* row = find(id);
    if (!row)
        return;
    row->payload = {};
    row->options.reset();
    row->dropped = true;
    ++dropped_;
    while (!rows_.empty() && rows_.front().dropped) {
        rows_.pop_front();
        --dropped_;
    }
    if (dropped_ > worth_compacting && dropped_ > rows_.size() / 2) {
        std::erase_if(rows_, [](const TaskRow& one) { return one.dropped; });
        dropped_ = 0;
    }
}

TaskTable::Index TaskTable::last_below(TaskId before) const {
    const auto index = lower_bound(before);
    return index == 0 ? none : index - 1;
}

}  // namespace distributo::coordinator::store
