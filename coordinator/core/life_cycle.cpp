#include "coordinator/core/scheduler_impl.hpp"
#include "wire/limits.hpp"

#include <algorithm>
#include <utility>

namespace distributo::coordinator::core {

using base::Errc;
using base::TimePoint;

namespace {

std::uint64_t& count_of(Counts& counts, TaskState state) {
    static constexpr std::uint64_t Counts::*by_state[] = {&Counts::scheduled,
                                                          &Counts::pending,
                                                          &Counts::running,
                                                          &Counts::retrying,
                                                          &Counts::held,
                                                          &Counts::cancelling,
                                                          &Counts::completed,
                                                          &Counts::failed,
                                                          &Counts::cancelled,
                                                          &Counts::expired};
    return counts.*by_state[static_cast<std::size_t>(state)];
}

std::uint64_t install_key_of(std::string_view type, std::string_view install) {
    const std::hash<std::string_view> hash;
    const std::uint64_t key = hash(type) * 0x9E3779B97F4A7C15ULL ^ hash(install);
    return key == 0 ? 1 : key;
}

}  // namespace

TimePoint to_monotonic(base::WallTime when, TimePoint now, base::WallTime wall) {
    constexpr std::chrono::milliseconds longest{wire::limits::max_duration_ms};
    return now + std::clamp(when - wall, std::chrono::milliseconds::zero(), longest);
}

void Scheduler::Impl::set_state(Slot slot, TaskState state) {
    Task& task = tasks[slot];
    --count_of(counts, task.state);
    ++count_of(counts, state);
    auto& of_type = queues.type_at(queues[task.queue].type).live;
    --of_type[task.state];
    ++of_type[state];
    if (const auto group = task.has_rest ? tasks.group(slot) : no_group; group != no_group) {
        --groups[group][task.state];
        ++groups[group][state];
    }
    if (task.has_rest && tasks.generator(slot) != 0)
        generators.move(tasks.generator(slot), task.state, state);
    task.state = state;
}

void Scheduler::Impl::leave_counts(Slot slot) {
    const Task& task = tasks[slot];
    --queues.type_at(queues[task.queue].type).live[task.state];
    if (tasks.group(slot) != no_group)
        groups.leave(tasks.group(slot), task.state);
    if (tasks.generator(slot) != 0)
        generators.leave(tasks.generator(slot), task.state);
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
    set_state(slot, TaskState::pending);
    task.since = now;
    ++queues.type_at(queues[task.queue].type).pending;
    if (is_settling(task))
        task.side->to_front = place == Place::front;
    else
        link(slot, place);
}

void Scheduler::Impl::link(Slot slot, Place place) {
    const Task& task = tasks[slot];
    Queue& queue = queues[task.queue];
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
        --queues.type_at(queue.type).pending;
        if (!task.awaited && !is_settling(task))
            queue.remove(tasks, slot);
    }
    if (task.awaited) {
        awaited.remove(tasks, slot);
        task.awaited = false;
    }
    if (task.side)
        task.side->wake_timer = 0;
}

void Scheduler::Impl::wait_until(Slot slot, TaskState state, TimePoint at) {
    Task& task = tasks[slot];
    set_state(slot, state);
    TaskSide& side = side_of(task);
    side.wake_at = at;
    side.wake_timer = ++last_serial;
    add_timer({at, last_serial, slot, Timer::Kind::wake});
}

void Scheduler::Impl::hold(Slot slot, std::string reason) {
    set_state(slot, TaskState::held);
    texts_of(tasks[slot]).hold_reason = std::move(reason);
}

void Scheduler::Impl::ask_to_stop(Slot slot, std::string_view reason) {
    set_state(slot, TaskState::cancelling);
    side_of(tasks[slot]).stop = reason;
    actions.cancels.push_back({tasks[slot].host, token_of(slot), reason});
}

void Scheduler::Impl::settle(Slot slot) {
    Task& task = tasks[slot];
    if (!is_settling(task) || --task.side->unrecorded > 0)
        return;
    if (const auto owed = std::exchange(task.side->owed, {}); owed.host != no_host)
        actions.acks.push_back({owed.host, {owed.token, false}});
    if (task.recording)
        return;
    if (task.answer) {
        task.answer = false;
        actions.acks.push_back({task.host, {token_of(slot), false}});
    }
    if (task.state == TaskState::pending && !task.awaited)
        link(slot, task.side->to_front ? Place::front : Place::back);
}

void Scheduler::Impl::record_control(Task& task,
                                     Control::Kind kind,
                                     std::string reason,
                                     TimePoint now) {
    ++side_of(task).unrecorded;
    actions.controls.push_back({task.id, kind, std::move(reason), wall_at(now), task.attempts});
}

void Scheduler::Impl::finish(
    Slot slot, TaskState end, wire::FailReason reason, Attempt&& attempt, std::string_view result) {
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

Slot Scheduler::Impl::admit(NewTask& fresh, TimePoint now) {
    const Slot slot = tasks.insert(fresh);
    if (slot == no_slot)
        return no_slot;
    Task& task = tasks[slot];
    task.since = now;
    counts.payload_bytes += task.payload.size();
    ++counts.pending;
    use_queue(slot, queues.type(fresh.type));
    ++queues.type_at(queues[task.queue].type).live[TaskState::pending];
    const TaskOptions* options = tasks.options(slot);
    if (options && !options->group.empty())
        tasks.group(slot) = groups.enter(options->group);
    if (fresh.generator != 0)
        generators.enter(fresh.generator);
    if (options && !options->install.empty())
        side_of(task).install_key = install_key_of(fresh.type, options->install.view());
    return slot;
}

bool Scheduler::Impl::start_deadline(Slot slot, TimePoint now, base::WallTime wall) {
    const TaskOptions* options = tasks.options(slot);
    if (!options || !options->deadline)
        return true;
    if (*options->deadline <= wall) {
        finish(slot, TaskState::expired, wire::FailReason::none, {});
        return false;
    }
    TaskSide& side = side_of(tasks[slot]);
    side.deadline = to_monotonic(*options->deadline, now, wall);
    side.deadline_timer = ++last_serial;
    add_timer({side.deadline, last_serial, slot, Timer::Kind::deadline});
    return true;
}

void Scheduler::add(NewTask fresh, TimePoint now, base::WallTime wall) {
    Impl& s = *impl_;
    s.known_now = now;
    s.known_wall = wall;
    const Slot slot = s.admit(fresh, now);
    if (slot == no_slot)
        return;
    if (fresh.attempts_before != 0)  // what ran before it was opened again cannot be claimed
        Impl::side_of(s.tasks[slot]).recorded = fresh.attempts_before;
    if (!s.start_deadline(slot, now, wall))
        return;
    const TaskOptions* options = s.tasks.options(slot);
    if (options && options->not_before && *options->not_before > wall)
        s.wait_until(slot, TaskState::scheduled, to_monotonic(*options->not_before, now, wall));
    else
        s.enqueue(slot, Impl::Place::back, now);
}

base::Result<void> Scheduler::cancel(TaskId id, TimePoint now) {
    Impl& s = *impl_;
    const Slot slot = s.tasks.find(id);
    if (slot == no_slot)
        return base::error(Errc::not_found, "no task of this number waits or runs");
    Task& task = s.tasks[slot];
    if (task.recording)
        return base::error(Errc::conflict, "the task has ended; its end is being recorded");
    if (task.state == TaskState::running) {
        s.set_state(slot, TaskState::cancelling);
        s.record_control(task, Control::Kind::cancel, {}, now);
    } else if (waits(task.state)) {
        s.stop_waiting(slot);
        s.finish(slot, TaskState::cancelled, wire::FailReason::none, {});
    }
    return {};
}

base::Result<void> Scheduler::hold(TaskId id, std::string reason, TimePoint now) {
    Impl& s = *impl_;
    const Slot slot = s.tasks.find(id);
    if (slot == no_slot)
        return base::error(Errc::not_found, "no task of this number waits or runs");
    Task& task = s.tasks[slot];
    if (task.recording || !waits(task.state))
        return base::error(Errc::conflict,
                           "expected a task that waits, this one is " +
                               std::string(to_string(task.recording ? task.end : task.state)));
    s.stop_waiting(slot);
    s.record_control(task, Control::Kind::hold, reason, now);
    s.hold(slot, std::move(reason));
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
    if (task.state == TaskState::held)
        task.side->texts->hold_reason.clear();
    s.record_control(task, Control::Kind::release, {}, now);
    task.side->interruptions = 0;
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
        s.leave_counts(slot);
        --s.queues[task.queue].users;
        s.actions.changed.push_back(id);
        s.tasks.remove(slot);
    }
}

void Scheduler::attempts_committed(std::span<const TaskId> ids, TimePoint) {
    for (const TaskId id : ids)
        if (const Slot slot = impl_->tasks.find(id); slot != no_slot)
            impl_->settle(slot);
}

void Scheduler::controls_committed(std::span<const TaskId> ids, TimePoint now) {
    Impl& s = *impl_;
    attempts_committed(ids, now);
    for (const TaskId id : ids) {
        const Slot slot = s.tasks.find(id);
        if (slot == no_slot)
            continue;
        const Task& task = s.tasks[slot];
        if (!task.leased || task.state != TaskState::cancelling || !task.side->stop.empty())
            continue;
        task.side->stop = "cancelled";
        s.actions.cancels.push_back({task.host, s.token_of(slot), task.side->stop});
    }
}

}  // namespace distributo::coordinator::core
