#include "coordinator/core/task_table.hpp"

#include <utility>

namespace distributo::coordinator::core {

std::string_view TypeNames::intern(std::string_view name) {
    if (const auto known = names_.find(name); known != names_.end())
        return *known;
    if (names_.size() >= max_names)
        return {};
    return *names_.emplace(name).first;
}

Slot TaskTable::insert(NewTask& fresh) {
    auto& page = pages_[fresh.id / page_size];
    if (!page) {
        page = std::make_unique<Page>();
        order_.emplace_hint(order_.end(), fresh.id / page_size);
    }
    Slot& place = page->slots[fresh.id % page_size];
    if (place != no_slot)
        return no_slot;
    const Slot slot = free_ != no_slot ? free_ : used_;
    if (slot == used_) {
        if (slot % chunk_size == 0)
            chunks_.push_back(std::make_unique<Chunk>());
        ++used_;
    } else {
        free_ = (*this)[slot].next;
    }
    place = slot;
    ++page->used;
    ++size_;
    Task& task = (*this)[slot];
    task = Task{};
    task.id = fresh.id;
    task.payload = std::move(fresh.payload);
    task.attempts = fresh.attempts_before;
    task.has_rest = fresh.options || fresh.generator != 0;
    rest(slot).created = fresh.created;
    rest(slot).group = no_group;
    rest(slot).generator = fresh.generator;
    if (fresh.options)
        rest(slot).options = std::move(fresh.options);
    return slot;
}

void TaskTable::remove(Slot slot) {
    Task& task = (*this)[slot];
    const auto page = pages_.find(task.id / page_size);
    page->second->slots[task.id % page_size] = no_slot;
    if (--page->second->used == 0) {
        order_.erase(page->first);
        pages_.erase(page);
    }
    --size_;
    task.id = 0;
    task.payload = {};
    if (task.has_rest)
        rest(slot).options.reset();
    task.has_rest = false;
    if (task.side) {
        const auto first_counter = task.side->first_counter;
        task.side.reset();
        if (first_counter != 0) {
            task.side = std::make_unique<TaskSide>();
            task.side->first_counter = first_counter;
        }
    }
    task.next = free_;
    free_ = slot;
}

Slot TaskTable::find(TaskId id) const {
    const auto page = pages_.find(id / page_size);
    return page == pages_.end() ? no_slot : page->second->slots[id % page_size];
}

void TaskList::push_back(TaskTable& tasks, Slot slot) noexcept {
    Task& task = tasks[slot];
    task.previous = last;
    task.next = no_slot;
    if (last == no_slot)
        first = slot;
    else
        tasks[last].next = slot;
    last = slot;
    ++size;
}

void TaskList::push_front(TaskTable& tasks, Slot slot) noexcept {
    Task& task = tasks[slot];
    task.previous = no_slot;
    task.next = first;
    if (first == no_slot)
        last = slot;
    else
        tasks[first].previous = slot;
    first = slot;
    ++size;
}

void TaskList::remove(TaskTable& tasks, Slot slot) noexcept {
    const Task& task = tasks[slot];
    if (task.previous == no_slot)
        first = task.next;
    else
        tasks[task.previous].next = task.next;
    if (task.next == no_slot)
        last = task.previous;
    else
        tasks[task.next].previous = task.previous;
    --size;
}

}  // namespace distributo::coordinator::core
