#include "coordinator/core/task_table.hpp"

namespace distributo::coordinator::core {

Slot TaskTable::insert(TaskId id) {
    Slot slot = size_;
    if (!free_.empty()) {
        slot = free_.back();
        free_.pop_back();
    } else {
        if (size_ % chunk_size == 0)
            chunks_.push_back(std::make_unique<Task[]>(chunk_size));
        ++size_;
    }
    (*this)[slot].id = id;
    by_id_.emplace(id, slot);
    return slot;
}

void TaskTable::remove(Slot slot) {
    by_id_.erase((*this)[slot].id);
    (*this)[slot] = Task();
    free_.push_back(slot);
}

Slot TaskTable::find(TaskId id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? no_slot : found->second;
}

void TaskList::push_back(TaskTable& tasks, Slot slot) {
    Task& task = tasks[slot];
    task.previous = last;
    task.next = no_slot;
    (last == no_slot ? first : tasks[last].next) = slot;
    last = slot;
    ++size;
}

void TaskList::push_front(TaskTable& tasks, Slot slot) {
    Task& task = tasks[slot];
    task.previous = no_slot;
    task.next = first;
    (first == no_slot ? last : tasks[first].previous) = slot;
    first = slot;
    ++size;
}

void TaskList::remove(TaskTable& tasks, Slot slot) {
    Task& task = tasks[slot];
    (task.previous == no_slot ? first : tasks[task.previous].next) = task.next;
    (task.next == no_slot ? last : tasks[task.next].previous) = task.previous;
    task.previous = task.next = no_slot;
    --size;
}

}  // namespace distributo::coordinator::core
