#include "coordinator/core/scheduler_impl.hpp"

#include <algorithm>
#include <utility>

namespace distributo::coordinator::core {

using base::TimePoint;

wire::Token Scheduler::Impl::token_of(Slot slot) const {
    const Task& task = tasks[slot];
    if (task.side && task.side->foreign.in_use())
        return task.side->foreign.token;
    return {term, slot, task.counter};
}

Slot Scheduler::Impl::held(HostIndex host, const wire::Token& token) const {
    if (token.term != term) {
        const Host* from = hosts.get(host);
        const Slot slot = from ? adopted_slot(*from, token) : no_slot;
        return slot != no_slot && tasks[slot].leased ? slot : no_slot;
    }
    const Task* task = tasks.at(token.slot);
    const bool current =
        task && task->leased && task->counter == token.counter && task->host == host;
    return current ? token.slot : no_slot;
}

base::WallTime Scheduler::Impl::wall_at(TimePoint time) const {
    return known_wall + std::chrono::duration_cast<std::chrono::milliseconds>(time - known_now);
}

Attempt Scheduler::Impl::attempt_of(const Task& task,
                                    wire::AttemptStatus status,
                                    std::string_view message,
                                    TimePoint now) const {
    Attempt attempt;
    attempt.number = attempt_number(task);
    if (const Host* host = hosts.get(task.host)) {
        attempt.host = host->hello.name;
        attempt.host_id = host->hello.host_id;
        if (task.leased)
            attempt.version = host->offers[task.offer]->version.text();
    }
    attempt.status = status;
    attempt.message = message;
    attempt.started = wall_at(task.since);
    attempt.finished = wall_at(now);
    return attempt;
}

void Scheduler::Impl::begin_lease(Slot slot, Host& host, Offer& offer) {
    Task& task = tasks[slot];
    stop_waiting(slot);
    set_state(slot, TaskState::running);
    task.leased = true;
    task.lost = false;
    task.reported = false;
    task.offer = offer.number & ((1U << offer_bits) - 1U);
    host.leases.push_back(tasks, slot);
    ++offer.in_flight;
    host.load += offer.weight;
    ++queues.type_at(offer.type).running;
}

void Scheduler::Impl::resume_lease(Slot slot, Host& host, Offer& offer, TimePoint now) {
    // Its charge goes with the report that may still come.
    Task& task = tasks[slot];
    if (task.side && std::exchange(task.side->charged_lost, false))
        --task.side->lost;
    begin_lease(slot, host, offer);
    task.since = now;
}

void Scheduler::Impl::end_lease(Slot slot) {
    Task& task = tasks[slot];
    Host& host = *hosts.get(task.host);
    host.leases.remove(tasks, slot);
    task.leased = false;
    Offer& offer = *host.offers[task.offer];
    --offer.in_flight;
    host.load -= offer.weight;
    --queues.type_at(offer.type).running;
    host.drop_if_unused(offer);
    unpark(host);
}

void Scheduler::Impl::lose_lease(Slot slot, Charge charge, std::string_view why, TimePoint now) {
    Task& task = tasks[slot];
    Attempt attempt = attempt_of(task, wire::AttemptStatus::interrupted, why, now);
    attempt.charge = charge;
    ++hosts.get(task.host)->failed;
    end_lease(slot);
    if (task.expired)
        return finish(slot, TaskState::expired, wire::FailReason::none, std::move(attempt));
    if (task.state == TaskState::cancelling)
        return finish(slot, TaskState::cancelled, wire::FailReason::none, std::move(attempt));
    if (charge == Charge::lost && ++side_of(task).lost >= settings.max_lost)
        return finish(slot, TaskState::failed, wire::FailReason::lost, std::move(attempt));
    keep_attempt(task, std::move(attempt));
    task.lost = true;
    task.side->charged_lost = charge == Charge::lost;
    enqueue(slot, Place::front, now);
}

void Scheduler::Impl::lose_all_leases(Host& host,
                                      Charge charge,
                                      std::string_view why,
                                      TimePoint now) {
    // Each goes to the front of its queue, so from the last to the first they keep their order.
    while (host.leases.size > 0)
        lose_lease(host.leases.last, charge, why, now);
}

void Scheduler::Impl::requeue_due(Host& host, TimePoint now) {
    host.requeue_timer = 0;
    // The last lease is the youngest, so the least was invested in it and it is due first.
    while (host.leases.size > 0) {
        const Slot slot = host.leases.last;
        const auto invested = host.disconnected - tasks[slot].since;
        const auto due =
            host.disconnected + std::clamp(invested,
                                           settings.requeue_floor,
                                           std::max(settings.requeue_floor, host.patience));
        if (due > now) {
            host.requeue_timer = ++last_serial;
            return add_timer({due, last_serial, host.index, Timer::Kind::requeue});
        }
        lose_lease(
            slot, Charge::lost, "the connection to the host broke and it did not come back", now);
    }
}

bool Scheduler::holds(HostIndex host, const wire::Token& token, TaskId& id) const {
    const Slot slot = impl_->held(host, token);
    if (slot == no_slot)
        return false;
    id = impl_->tasks[slot].id;
    return true;
}

void Scheduler::host_phase(HostIndex host, const wire::PhaseItem& item, TimePoint now) {
    host_heard(host, now);
    if (const Slot slot = impl_->held(host, item.token); slot != no_slot)
        impl_->tasks[slot].phase = item.phase;
}

void Scheduler::host_progress(HostIndex host, const wire::ProgressItem& item, TimePoint now) {
    host_heard(host, now);
    const Slot slot = impl_->held(host, item.token);
    if (slot == no_slot)
        return;
    Task& task = impl_->tasks[slot];
    Impl::side_of(task).progress = item.fraction;
    if (!item.text.empty() || task.side->texts)
        Impl::texts_of(task).progress = item.text;
}

}  // namespace distributo::coordinator::core
