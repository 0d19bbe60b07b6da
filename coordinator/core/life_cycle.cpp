#include "coordinator/core/scheduler_impl.hpp"

#include <algorithm>

namespace distributo::coordinator::core {

using base::Errc;
using base::TimePoint;

namespace {

std::uint64_t& count_of(Counts& counts, TaskState state) {
    switch (state) {
        case TaskState::scheduled:
            return counts.scheduled;
        case TaskState::pending:
            return counts.pending;
        case TaskState::running:
            return counts.running;
        case TaskState::retrying:
            return counts.retrying;
        case TaskState::held:
            return counts.held;
        case TaskState::cancelling:
            return counts.cancelling;
        case TaskState::completed:
            return counts.completed;
        case TaskState::failed:
            return counts.failed;
        case TaskState::cancelled:
            return counts.cancelled;
        case TaskState::expired:
            break;
    }
    return counts.expired;
}

/// A point of wall time on the monotonic clock; one that has passed is now.
TimePoint to_monotonic(base::WallTime when, TimePoint now, base::WallTime wall) {
    return when <= wall ? now : now + (when - wall);
}

}  // namespace

void Scheduler::Impl::set_state(Task& task, TaskState state) {
    --count_of(counts, task.state);
    ++count_of(counts, state);
    task.state = state;
}

TaskExtra& Scheduler::Impl::extra_of(Task& task) {
    if (!task.extra)
        task.extra = std::make_unique<TaskExtra>();
    return *task.extra;
}

void Scheduler::Impl::enqueue(Slot slot, bool front, TimePoint now) {
    Task& task = tasks[slot];
    set_state(task, TaskState::pending);
    task.since = now;
    if (front)
        queues.push_front(tasks, slot);
    else
        queues.push_back(tasks, slot);
    activate(task.queue);
}

void Scheduler::Impl::wait_until(Slot slot, TaskState state, TimePoint at) {
    Task& task = tasks[slot];
    set_state(task, state);
    extra_of(task).wake_at = at;
    timers.add({at, task.id, 0, slot, Timer::Kind::wake});
}

void Scheduler::Impl::withdraw(Slot slot) {
    if (tasks[slot].state == TaskState::pending)
        queues.remove(tasks, slot);
}

void Scheduler::Impl::finish(
    Slot slot, TaskState state, wire::FailReason reason, base::Bytes result, Attempt attempt) {
    Task& task = tasks[slot];
    task.recording = true;
    task.end = state;
    actions.outcomes.push_back({task.id, state, reason, std::move(result), std::move(attempt)});
}

void Scheduler::Impl::hold(Slot slot, std::string reason) {
    Task& task = tasks[slot];
    set_state(task, TaskState::held);
    extra_of(task).hold_reason = std::move(reason);
}

void Scheduler::Impl::ask_to_stop(Slot slot, std::string_view reason) {
    Task& task = tasks[slot];
    set_state(task, TaskState::cancelling);
    actions.cancels.push_back({task.host, token_of(slot), reason});
}

void Scheduler::add(NewTask task, TimePoint now, base::WallTime wall) {
    Impl& s = *impl_;
    s.wall_clock = wall;
    const Slot slot = s.tasks.insert(task.id);
    Task& record = s.tasks[slot];
    record.payload = std::move(task.payload);
    record.created = task.created;
    record.since = now;
    record.attempts = task.attempts_before;
    s.counts.payload_bytes += record.payload.size();
    ++s.counts.pending;  // of the default state; set_state moves it on

    const TaskOptions* options = task.options.get();
    if (options) {
        TaskExtra& extra = s.extra_of(record);
        extra.options = std::move(task.options);
        if (!options->install.empty())
            extra.install_hash = std::hash<std::string_view>()(options->install.view()) ^
                                 std::hash<std::string_view>()(task.type);
        record.priority = static_cast<std::int16_t>(std::clamp(options->priority, -32'000, 32'000));
        record.queue = s.queues.find_or_add(task.type, options->requires_labels, {}, s.hosts);
        if (options->deadline) {
            extra.deadline_at = to_monotonic(*options->deadline, now, wall);
            s.timers.add({extra.deadline_at, task.id, 0, slot, Timer::Kind::deadline});
        }
        if (options->not_before && *options->not_before > wall) {
            s.wait_until(slot, TaskState::scheduled, to_monotonic(*options->not_before, now, wall));
            return;
        }
    } else {
        record.queue = s.queues.find_or_add(task.type, {}, {}, s.hosts);
    }
    s.enqueue(slot, false, now);
}

base::Result<void> Scheduler::check_room(std::uint64_t count, std::uint64_t bytes) const {
    const Impl& s = *impl_;
    if (s.counts.live() + count > s.settings.max_tasks)
        return base::error(Errc::limit,
                           "the queue is full: " + std::to_string(s.counts.live()) +
                               " tasks wait or run, at most " +
                               std::to_string(s.settings.max_tasks),
                           "submit again later, or add hosts");
    if (s.counts.payload_bytes + bytes > s.settings.max_payload_bytes)
        return base::error(Errc::limit,
                           "the queue is full: payloads take " +
                               std::to_string(s.counts.payload_bytes) + " bytes, at most " +
                               std::to_string(s.settings.max_payload_bytes),
                           "submit again later, or add hosts");
    return {};
}

base::Result<void> Scheduler::cancel(TaskId id, TimePoint) {
    Impl& s = *impl_;
    const Slot slot = s.tasks.find(id);
    if (slot == no_slot)
        return base::error(Errc::not_found, "no such task is waiting or running");
    Task& task = s.tasks[slot];
    if (task.recording)
        return base::error(Errc::conflict, "the task has just ended");
    if (task.state == TaskState::cancelling)
        return {};
    if (task.state == TaskState::running) {
        s.ask_to_stop(slot, "cancelled");
    } else {
        s.withdraw(slot);
        s.finish(slot, TaskState::cancelled, wire::FailReason::none, {}, {});
    }
    s.actions.changed.push_back(id);
    return {};
}

base::Result<void> Scheduler::release(TaskId id, TimePoint now) {
    Impl& s = *impl_;
    const Slot slot = s.tasks.find(id);
    if (slot == no_slot)
        return base::error(Errc::not_found, "no such task is waiting");
    Task& task = s.tasks[slot];
    const bool waits = task.state == TaskState::retrying || task.state == TaskState::held ||
                       task.state == TaskState::scheduled;
    if (!waits || task.recording)
        return base::error(Errc::conflict, "the task is not retrying, held or scheduled");
    if (task.state == TaskState::held)
        task.interruptions = 0;
    s.extra_of(task).wake_at = TimePoint::max();
    s.enqueue(slot, false, now);
    s.actions.changed.push_back(id);
    return {};
}

void Scheduler::committed(std::span<const TaskId> ids, TimePoint) {
    Impl& s = *impl_;
    for (const TaskId id : ids) {
        const Slot slot = s.tasks.find(id);
        if (slot == no_slot || !s.tasks[slot].recording)
            continue;
        Task& task = s.tasks[slot];
        if (task.reported)
            s.actions.acks.push_back({task.host, {s.token_of(slot), false}});
        if (Host* host = s.hosts.get(task.host); host && task.end == TaskState::completed)
            ++host->completed;
        s.counts.payload_bytes -= task.payload.size();
        s.set_state(task, task.end);
        s.actions.changed.push_back(id);
        s.tasks.remove(slot);
    }
}

}  // namespace distributo::coordinator::core
