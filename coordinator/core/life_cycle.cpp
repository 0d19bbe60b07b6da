#include "coordinator/core/scheduler_impl.hpp"
#include "wire/limits.hpp"

#include <algorithm>
#include <utility>

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

/// A moment of wall time on the monotonic clock, kept away from the ends of its range.
TimePoint to_monotonic(base::WallTime when, TimePoint now, base::WallTime wall) {
    constexpr std::chrono::milliseconds longest{wire::limits::max_duration_ms};
    return now + std::clamp(when - wall, std::chrono::milliseconds::zero(), longest);
}

std::uint64_t install_key_of(std::string_view type, std::string_view install) {
    const std::hash<std::string_view> hash;
    const std::uint64_t key = hash(type) * 0x9E3779B97F4A7C15ULL ^ hash(install);
    return key == 0 ? 1 : key;
}

}  // namespace

void Scheduler::Impl::set_state(Task& task, TaskState state) {
    --count_of(counts, task.state);
    ++count_of(counts, state);
    task.state = state;
}

TaskSide& Scheduler::Impl::side_of(Task& task) {
    if (!task.side)
        task.side = std::make_unique<TaskSide>();
    return *task.side;
}

TaskTexts& Scheduler::Impl::texts_of(Task& task) {
    auto& texts = side_of(task).texts;
    if (!texts)
        texts = std::make_unique<TaskTexts>();
    return *texts;
}

void Scheduler::Impl::use_queue(Slot slot, TypeIndex type) {
    Task& task = tasks[slot];
    const TaskOptions* options = tasks.options(slot);
    static const wire::Labels no_labels;
    static const std::vector<HostIndex> no_hosts;
    bool added = false;
    const auto index =
        queues.find_or_add(type,
                           options ? options->version_range : std::string_view(),
                           options ? options->requires_confinement : wire::Confinement(),
                           options ? options->requires_labels : no_labels,
                           task.side ? task.side->excluded : no_hosts,
                           added);
    ++queues[index].users;
    if (task.queue != no_queue)
        --queues[task.queue].users;
    task.queue = index;
    if (!added)
        return;
    seat_all(index);
    for (const auto unused : queues.unused()) {
        unseat_all(unused);
        queues.remove(unused);
    }
}

void Scheduler::Impl::exclude(Slot slot, HostIndex host) {
    Task& task = tasks[slot];
    auto& excluded = side_of(task).excluded;
    const auto place = std::lower_bound(excluded.begin(), excluded.end(), host);
    if (place != excluded.end() && *place == host)
        return;
    excluded.insert(place, host);
    use_queue(slot, queues[task.queue].type);
}

void Scheduler::Impl::enqueue(Slot slot, Place place, TimePoint now) {
    Task& task = tasks[slot];
    set_state(task, TaskState::pending);
    task.since = now;
    Queue& queue = queues[task.queue];
    ++queues.type_at(queue.type).pending;
    if (place == Place::front)
        queue.push_front(tasks, slot);
    else
        queue.push_back(tasks, slot);
    activate(task.queue);
}

void Scheduler::Impl::stop_waiting(Slot slot) {
    Task& task = tasks[slot];
    if (task.state == TaskState::pending) {
        Queue& queue = queues[task.queue];
        queue.remove(tasks, slot);
        --queues.type_at(queue.type).pending;
    }
    if (task.side)
        task.side->wake_timer = 0;
}

void Scheduler::Impl::wait_until(Slot slot, TaskState state, TimePoint at) {
    Task& task = tasks[slot];
    set_state(task, state);
    TaskSide& side = side_of(task);
    side.wake_at = at;
    side.wake_timer = ++last_serial;
    add_timer({at, last_serial, slot, Timer::Kind::wake});
}

void Scheduler::Impl::hold(Slot slot, std::string reason) {
    set_state(tasks[slot], TaskState::held);
    texts_of(tasks[slot]).hold_reason = std::move(reason);
}

void Scheduler::Impl::ask_to_stop(Slot slot, std::string_view reason) {
    set_state(tasks[slot], TaskState::cancelling);
    actions.cancels.push_back({tasks[slot].host, token_of(slot), reason});
}

void Scheduler::Impl::finish(
    Slot slot, TaskState end, wire::FailReason reason, Attempt attempt, std::string_view result) {
    Task& task = tasks[slot];
    --count_of(counts, task.state);
    counts.payload_bytes -= task.payload.size();
    task.recording = true;
    task.end = end;
    if (task.side)
        task.side->deadline_timer = 0;
    actions.outcomes.push_back(
        {task.id, end, reason, base::Bytes::copy(result), std::move(attempt)});
}

void Scheduler::Impl::expire(Slot slot) {
    Task& task = tasks[slot];
    if (waits(task.state)) {
        stop_waiting(slot);
        return finish(slot, TaskState::expired, wire::FailReason::none, {});
    }
    task.expired = true;
    if (task.state == TaskState::running)
        ask_to_stop(slot, "the task's deadline has passed");
}

base::Result<void> Scheduler::check_room(std::uint64_t count, std::uint64_t bytes) const {
    const Impl& s = *impl_;
    const auto refuse = [](std::string what, std::uint64_t limit) {
        return base::error(Errc::limit,
                           "the queue is full: " + std::move(what) + ", at most " +
                               std::to_string(limit) + " are kept",
                           "submit again when some have ended, or add hosts");
    };
    if (s.tasks.size() + count > s.settings.max_tasks)
        return refuse(std::to_string(s.tasks.size()) + " tasks have not ended",
                      s.settings.max_tasks);
    if (s.counts.payload_bytes + bytes > s.settings.max_payload_bytes)
        return refuse("their payloads take " + std::to_string(s.counts.payload_bytes) + " bytes",
                      s.settings.max_payload_bytes);
    return {};
}

void Scheduler::add(NewTask fresh, TimePoint now, base::WallTime wall) {
    Impl& s = *impl_;
    s.known_now = now;
    s.known_wall = wall;
    const Slot slot = s.tasks.insert(fresh);
    if (slot == no_slot)
        return;
    Task& task = s.tasks[slot];
    task.since = now;
    s.counts.payload_bytes += task.payload.size();
    ++s.counts.pending;
    s.use_queue(slot, s.queues.type(fresh.type));
    if (!task.has_options)
        return s.enqueue(slot, Impl::Place::back, now);

    const TaskOptions& options = *s.tasks.options(slot);
    if (!options.install.empty())
        Impl::side_of(task).install_key = install_key_of(fresh.type, options.install.view());
    if (options.deadline && *options.deadline <= wall)
        return s.finish(slot, TaskState::expired, wire::FailReason::none, {});
    if (options.deadline) {
        TaskSide& side = Impl::side_of(task);
        side.deadline = to_monotonic(*options.deadline, now, wall);
        side.deadline_timer = ++s.last_serial;
        s.add_timer({side.deadline, s.last_serial, slot, Timer::Kind::deadline});
    }
    if (options.not_before && *options.not_before > wall)
        s.wait_until(slot, TaskState::scheduled, to_monotonic(*options.not_before, now, wall));
    else
        s.enqueue(slot, Impl::Place::back, now);
}

base::Result<void> Scheduler::cancel(TaskId id, TimePoint) {
    Impl& s = *impl_;
    const Slot slot = s.tasks.find(id);
    if (slot == no_slot)
        return base::error(Errc::not_found, "no task of this number waits or runs");
    const Task& task = s.tasks[slot];
    if (task.recording)
        return base::error(Errc::conflict, "the task has ended; its end is being recorded");
    if (task.state == TaskState::running) {
        s.ask_to_stop(slot, "cancelled");
    } else if (waits(task.state)) {
        s.stop_waiting(slot);
        s.finish(slot, TaskState::cancelled, wire::FailReason::none, {});
    }
    return {};
}

base::Result<void> Scheduler::release(TaskId id, TimePoint now) {
    Impl& s = *impl_;
    const Slot slot = s.tasks.find(id);
    if (slot == no_slot)
        return base::error(Errc::not_found, "no task of this number waits or runs");
    Task& task = s.tasks[slot];
    if (task.recording || !waits(task.state) || task.state == TaskState::pending)
        return base::error(Errc::conflict,
                           "expected a task that is retrying, held or scheduled, this one is " +
                               std::string(to_string(task.state)));
    s.stop_waiting(slot);
    if (task.state == TaskState::held) {
        task.side->interruptions = 0;
        task.side->texts->hold_reason.clear();
    }
    s.enqueue(slot, Impl::Place::back, now);
    return {};
}

void Scheduler::committed(std::span<const TaskId> ids, TimePoint) {
    Impl& s = *impl_;
    for (const TaskId id : ids) {
        const Slot slot = s.tasks.find(id);
        if (slot == no_slot || !s.tasks[slot].recording)
            continue;
        const Task& task = s.tasks[slot];
        ++count_of(s.counts, task.end);
        if (task.answer) {
            s.actions.acks.push_back({task.host, {s.token_of(slot), false}});
            Host* host = s.hosts.get(task.host);
            if (host && task.end == TaskState::completed)
                ++host->completed;
        }
        --s.queues[task.queue].users;
        s.actions.changed.push_back(id);
        s.tasks.remove(slot);
    }
}

}  // namespace distributo::coordinator::core
