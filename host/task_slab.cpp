#include "host/task_slab.hpp"

namespace distributo::host {
namespace {

std::uint64_t microseconds(base::Duration duration) noexcept {
    const auto count = std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
    return count > 0 ? static_cast<std::uint64_t>(count) : 0;
}

}  // namespace

void enter(Task& task, wire::Phase phase, base::TimePoint now) {
    const auto spent = microseconds(now - task.since);
    switch (task.phase) {
        case wire::Phase::assigned:
            task.times.wait_us += spent;
            break;
        case wire::Phase::setup:
            task.times.setup_us += spent;
            break;
        case wire::Phase::install:
            task.times.install_us += spent;
            break;
        case wire::Phase::execute:
            task.times.execute_us += spent;
            break;
    }
    task.phase = phase;
    task.since = now;
}

std::uint32_t TaskSlab::create() {
    if (free_ == no_slot) {
        tasks_.emplace_back();
        free_ = slots() - 1;
    }
    const auto slot = free_;
    Task& task = tasks_[slot];
    free_ = task.next;
    task.next = no_slot;
    ++task.generation;
    ++live_;
    return slot;
}

void TaskSlab::release(std::uint32_t slot) {
    Task& task = tasks_[slot];
    task.id.clear();
    task.payload.clear();
    task.install.clear();
    // A slot keeps the memory of ordinary payloads for its next task, not that of a giant one.
    if (task.payload.capacity() > 4096)
        task.payload.shrink_to_fit();
    if (task.install.capacity() > 4096)
        task.install.shrink_to_fit();
    task.reruns = 0;
    task.install_entry = no_slot;
    task.cost = 0;
    task.plugin = 0;
    task.stage = Stage::free;
    task.phase = task.reported = wire::Phase::assigned;
    task.alone = task.cancelled = task.disowned = task.given_back = false;
    task.deadline = {};
    task.times = {};
    task.next = free_;
    free_ = slot;
    --live_;
}

std::uint32_t TaskSlab::slot_of(runtime::CallId call) const noexcept {
    const auto slot = static_cast<std::uint32_t>(call);
    const bool current = slot < tasks_.size() && tasks_[slot].stage != Stage::free &&
                         tasks_[slot].generation == static_cast<std::uint32_t>(call >> 32U);
    return current ? slot : no_slot;
}

std::uint32_t TaskSlab::slot_of(const wire::Token& token) const noexcept {
    for (std::uint32_t slot = 0; slot < tasks_.size(); ++slot)
        if (tasks_[slot].stage != Stage::free && tasks_[slot].token == token)
            return slot;
    return no_slot;
}

void TaskQueue::push_back(TaskSlab& tasks, std::uint32_t slot) noexcept {
    tasks[slot].next = no_slot;
    (empty() ? head_ : tasks[tail_].next) = slot;
    tail_ = slot;
}

void TaskQueue::push_front(TaskSlab& tasks, std::uint32_t slot) noexcept {
    tasks[slot].next = head_;
    if (empty())
        tail_ = slot;
    head_ = slot;
}

std::uint32_t TaskQueue::pop_front(TaskSlab& tasks) noexcept {
    const auto slot = head_;
    head_ = tasks[slot].next;
    tasks[slot].next = no_slot;
    return slot;
}

void TaskQueue::remove(TaskSlab& tasks, std::uint32_t slot) noexcept {
    std::uint32_t before = no_slot;
    for (auto at = head_; at != no_slot; before = at, at = tasks[at].next) {
        if (at != slot)
            continue;
        (before == no_slot ? head_ : tasks[before].next) = tasks[at].next;
        if (tail_ == at)
            tail_ = before;
        tasks[at].next = no_slot;
        return;
    }
}

}  // namespace distributo::host
