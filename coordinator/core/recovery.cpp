#include "coordinator/core/scheduler_impl.hpp"

#include <algorithm>
#include <utility>

namespace distributo::coordinator::core {

using base::TimePoint;

void Scheduler::await_hosts(std::vector<HostRecord> records,
                            TimePoint until,
                            TimePoint now,
                            base::WallTime wall) {
    Impl& s = *impl_;
    s.known_now = now;
    s.known_wall = wall;
    for (auto& record : records) {
        Host& host = s.hosts.know(record.host_id);
        host.hello.name = std::move(record.name);
        host.present = record.present;
        s.recall_quarantine(host, record, now, wall);
        if (record.present && !std::exchange(host.awaited, true))
            ++s.awaited_hosts;
    }
    if (s.awaited_hosts == 0)
        return;
    s.return_until = until;
    s.return_timer = ++s.last_serial;
    s.add_timer({until, s.return_timer, 0, Timer::Kind::return_of_hosts});
}

void Scheduler::Impl::end_waiting(TimePoint now) {
    return_timer = 0;
    for (const auto& host : hosts.all())
        if (host && std::exchange(host->awaited, false))
            record(*host, false);
    awaited_hosts = 0;
    // Older than whatever was submitted meanwhile, and in their own order.
    while (awaited.size > 0) {
        const Slot slot = awaited.last;
        Task& task = tasks[slot];
        awaited.remove(tasks, slot);
        task.awaited = false;
        if (task.state == TaskState::pending) {
            task.since = now;
            link(slot, Place::front);
        } else {
            finish(slot,
                   task.expired ? TaskState::expired : TaskState::cancelled,
                   wire::FailReason::none,
                   {});
        }
    }
}

void Scheduler::recover(RecoveredTask recovered, TimePoint now, base::WallTime wall) {
    static const TaskHistory no_history;
    Impl& s = *impl_;
    s.known_now = now;
    s.known_wall = wall;
    const Slot slot = s.admit(recovered.task, now);
    if (slot == no_slot)
        return;
    const TaskHistory& history = recovered.history ? *recovered.history : no_history;
    if (recovered.history)
        s.take_over(slot, history);
    if (s.start_deadline(slot, now, wall))
        s.place_recovered(slot, history, now, wall);
}

void Scheduler::Impl::take_over(Slot slot, const TaskHistory& history) {
    Task& task = tasks[slot];
    TaskSide& side = side_of(task);
    side.failures = history.failures;
    side.crashes = history.crashes;
    side.install_failures = history.install_failures;
    side.interruptions = history.interruptions;
    side.lost = history.lost;
    side.recorded = history.last_attempt;
    task.suspect = history.crashes > 0;
    task.lost = history.last_lost;
    side.charged_lost = history.last_lost && history.last_charged;
    if (!history.last_error.empty())
        texts_of(task).last_error = history.last_error;
    if (history.excluded_hosts.empty())
        return;
    for (const auto& id : history.excluded_hosts)
        side.excluded.push_back(hosts.know(id).index);
    std::sort(side.excluded.begin(), side.excluded.end());
    use_queue(slot, queues[task.queue].type);
}

void Scheduler::Impl::place_recovered(Slot slot,
                                      const TaskHistory& history,
                                      TimePoint now,
                                      base::WallTime wall) {
    Task& task = tasks[slot];
    const TaskOptions* options = tasks.options(slot);
    if (history.held)
        return hold(slot, history.hold_reason);
    if (history.interruptions >= settings.max_interruptions)
        return hold(slot, interrupted_text(history.interruptions));
    if (history.cancelling) {
        set_state(slot, TaskState::cancelling);
        side_of(task).stop = "cancelled";
        if (return_timer == 0)
            return finish(slot, TaskState::cancelled, wire::FailReason::none, {});
    } else if (history.retry_at > wall) {
        return wait_until(slot, TaskState::retrying, to_monotonic(history.retry_at, now, wall));
    } else if (options && options->not_before && *options->not_before > wall && !history.released) {
        return wait_until(
            slot, TaskState::scheduled, to_monotonic(*options->not_before, now, wall));
    } else if (return_timer == 0) {
        return enqueue(slot, Place::back, now);
    } else {
        ++queues.type_at(queues[task.queue].type).pending;
    }
    task.awaited = true;
    awaited.push_back(tasks, slot);
}

Slot Scheduler::Impl::adopted_slot(const Host& host, const wire::Token& token) const {
    const auto known = host.adopted.find(token);
    if (known == host.adopted.end())
        return no_slot;
    const Slot slot = tasks.find(known->second.task);
    if (slot == no_slot)
        return no_slot;
    const Task& task = tasks[slot];
    return task.side && task.side->foreign.token == token && task.host == host.index ? slot
                                                                                     : no_slot;
}

void Scheduler::Impl::keep_adopted(Host& host) {
    const auto before = std::exchange(host.adopted, {});
    if (before.empty())
        return;
    for (const auto* claims : {&host.hello.running, &host.hello.finished})
        for (const auto& claim : *claims)
            if (const auto known = before.find(claim.token); known != before.end())
                host.adopted.insert(*known);
}

bool Scheduler::Impl::may_claim(const Task& task, std::uint32_t attempt) const {
    // One that was given out by this boot is newer than all that others gave out.
    if (task.recording || task.counter != 0 || attempt > task.attempts)
        return false;
    const auto recorded = task.side ? task.side->recorded : 0;
    if (task.answer && (attempt <= recorded || task.side->owed.host != no_host))
        return false;
    if (attempt < recorded || (attempt == recorded && !task.lost))
        return false;
    if (!task.side || !task.side->foreign.in_use())
        return true;
    // A held task is claimed without a lease; an older attempt does not take its place either.
    const auto claimed = task.side->foreign.attempt;
    return attempt > claimed || (attempt == claimed && !task.leased);
}

Slot Scheduler::Impl::claimed(Host& host, const wire::Claim& claim, TimePoint now) {
    const auto& [token, lease] = claim;
    if (host.adopted.contains(token)) {
        const Slot slot = adopted_slot(host, token);
        return slot != no_slot && !tasks[slot].recording ? slot : no_slot;
    }
    if (!proofs || token.counter == 0 || token.term > term || lease.task == 0 ||
        lease.attempt == 0 || lease.proof != proofs->proof(host.digest, lease.task, lease.attempt))
        return no_slot;
    const Slot slot = tasks.find(lease.task);
    if (slot == no_slot || !may_claim(tasks[slot], lease.attempt))
        return no_slot;
    Offer* const offer = offer_for(host, queues[tasks[slot].queue]);
    if (!offer)
        return no_slot;
    adopt(slot, host, *offer, claim, now);
    return slot;
}

void Scheduler::Impl::adopt(
    Slot slot, Host& host, Offer& offer, const wire::Claim& claim, TimePoint now) {
    Task& task = tasks[slot];
    if (task.leased) {
        actions.cancels.push_back({task.host, token_of(slot), "a newer attempt runs elsewhere"});
        ++offer.in_flight;  // or it would go with the last lease that uses it
        end_lease(slot);
        --offer.in_flight;
    }
    const auto state = task.state;
    TaskSide& side = side_of(task);
    // What an older attempt has failed with is on its way to the store.
    if (task.answer)
        side.owed = {task.host, token_of(slot)};
    task.answer = task.reported = false;
    task.host = host.index;
    side.foreign = {claim.token, claim.lease.attempt};
    side.charged_lost &= claim.lease.attempt == side.recorded;
    host.adopted[claim.token] = {task.id, false};
    if (state == TaskState::held) {
        task.lost = true;  // what it has done counts, but it is not to go on
        return;
    }
    resume_lease(slot, host, offer, now);
    if (state == TaskState::cancelling)
        set_state(slot, TaskState::cancelling);
}

}  // namespace distributo::coordinator::core
