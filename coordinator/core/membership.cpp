#include "coordinator/core/scheduler_impl.hpp"

#include <algorithm>

namespace distributo::coordinator::core {

using base::TimePoint;
using wire::FailReason;

void Scheduler::Impl::end_lease(Slot slot) {
    Task& task = tasks[slot];
    Host& host = *hosts.get(task.host);
    host.leases.remove(tasks, slot);
    task.leased = false;
    if (const auto found = host.offers.find(queues[task.queue].type); found != host.offers.end()) {
        Offer& offer = found->second;
        --offer.in_flight;
        host.load -= std::min(host.load, offer.weight);
    }
    host_has_room(host);
}

/// Everything that waits for this host may have its turn again.
void Scheduler::Impl::host_has_room(Host& host) {
    if (!host.takes_tasks())
        return;
    for (const auto& [type, offer] : host.offers)
        if (offer.offered)
            for (const std::uint32_t queue : queues.of_type(type))
                activate(queue);
}

void Scheduler::Impl::recompute_load(Host& host) {
    host.load = 0;
    for (const auto& [type, offer] : host.offers)
        host.load += offer.in_flight * offer.weight;
}

void Scheduler::Impl::lose_lease(Slot slot, bool charged, TimePoint now) {
    Task& task = tasks[slot];
    end_lease(slot);
    Attempt attempt = attempt_of(slot, {}, now, wall_clock);
    attempt.status = wire::AttemptStatus::interrupted;
    attempt.message = charged ? "its host was lost" : "its host left";
    if (task.state == TaskState::cancelling) {
        finish(slot,
               task.expired ? TaskState::expired : TaskState::cancelled,
               FailReason::none,
               {},
               std::move(attempt));
        return;
    }
    if (charged)
        extra_of(task).last_error = attempt.message;
    if (charged && ++task.lost >= settings.max_lost) {
        finish(slot, TaskState::failed, FailReason::lost, {}, std::move(attempt));
        return;
    }
    actions.failed_attempts.push_back({task.id, std::move(attempt)});
    actions.changed.push_back(task.id);
    enqueue(slot, true, now);
}

void Scheduler::Impl::release_all(Host& host, bool charged, TimePoint now) {
    // From the youngest on, because each goes to the front of its queue.
    while (host.leases.last != no_slot)
        lose_lease(host.leases.last, charged, now);
}

/// A host that came back still runs a task whose lease was given up, and nobody else got it.
void Scheduler::Impl::adopt(Host& host, Slot slot, TimePoint now) {
    Task& task = tasks[slot];
    withdraw(slot);
    set_state(task, TaskState::running);
    task.since = now;
    task.leased = true;
    host.leases.push_back(tasks, slot);
    ++host.offers[std::string(queues[task.queue].type)].in_flight;
}

void Scheduler::Impl::withdraw_offers(Host& host) {
    for (auto& [type, offer] : host.offers)
        if (offer.offered) {
            offer.offered = false;
            queues.update_hosts(type, hosts);
        }
}

void Scheduler::Impl::arm_lease(Host& host) {
    if (host.lease_armed)
        return;
    host.lease_armed = true;
    timers.add({host.heard + lease(), 0, 0, host.index, Timer::Kind::lease});
}

HostIndex Scheduler::host_joined(HostJoin join,
                                 TimePoint now,
                                 base::WallTime wall,
                                 std::vector<wire::TokenVerdict>& verdicts) {
    Impl& s = *impl_;
    s.wall_clock = wall;
    Host& host = s.hosts.find_or_add(join.hello.host_id);
    s.withdraw_offers(host);
    if (host.state != Host::State::ready || host.hello.host_id.empty())
        ++s.ready_hosts;
    host.state = Host::State::ready;
    host.backed_up = false;
    host.hello = std::move(join.hello);
    host.peer = std::move(join.peer);
    host.capabilities = {};
    host.sequence = 0;
    host.heard = now;
    host.connected = wall;
    s.arm_lease(host);

    std::unordered_set<Slot> kept;
    const auto keep = [&](const wire::Token& token) {
        const Slot slot = s.slot_of(host.index, token);
        if (slot == no_slot || s.tasks[slot].recording)
            return no_slot;
        if (!s.tasks[slot].leased)
            s.adopt(host, slot, now);
        kept.insert(slot);
        return slot;
    };
    for (const wire::Token& token : host.hello.finished)
        keep(token);
    for (const wire::Token& token : host.hello.running) {
        const Slot slot = keep(token);
        const bool go_on = slot != no_slot && s.tasks[slot].state == TaskState::running;
        verdicts.push_back({token, go_on ? wire::Verdict::keep : wire::Verdict::cancel});
    }
    for (Slot slot = host.leases.last; slot != no_slot;) {
        const Slot before = s.tasks[slot].previous;
        if (!kept.contains(slot))
            s.lose_lease(slot, true, now);
        slot = before;
    }
    s.recompute_load(host);
    return host.index;
}

void Scheduler::host_capabilities(HostIndex index, wire::Capabilities offer, TimePoint) {
    Impl& s = *impl_;
    Host* host = s.hosts.get(index);
    if (!host || offer.sequence < host->sequence)
        return;
    s.withdraw_offers(*host);
    host->sequence = offer.sequence;
    for (const wire::Capability& capability : offer.types) {
        Offer& entry = host->offers[capability.type];
        entry.offered = true;
        entry.credit = capability.credit;
        entry.weight = capability.credit == 0
                           ? host_capacity
                           : (host_capacity + capability.credit - 1) / capability.credit;
        s.queues.update_hosts(capability.type, s.hosts);
    }
    host->capabilities = std::move(offer);
    s.recompute_load(*host);
    s.host_has_room(*host);
}

void Scheduler::host_credit(HostIndex index, const wire::Credit& credit, TimePoint) {
    Impl& s = *impl_;
    Host* host = s.hosts.get(index);
    if (!host)
        return;
    const auto found = host->offers.find(credit.type);
    if (found == host->offers.end() || !found->second.offered)
        return;
    found->second.credit = credit.credit;
    if (credit.credit != 0)
        found->second.weight = (host_capacity + credit.credit - 1) / credit.credit;
    s.recompute_load(*host);
    s.host_has_room(*host);
}

void Scheduler::host_heard(HostIndex index, TimePoint now) {
    if (Host* host = impl_->hosts.get(index))
        host->heard = now;
}

void Scheduler::host_draining(HostIndex index, TimePoint) {
    Host* host = impl_->hosts.get(index);
    if (!host || host->state != Host::State::ready)
        return;
    host->state = Host::State::draining;
    --impl_->ready_hosts;
}

void Scheduler::host_backed_up(HostIndex index, bool backed_up, TimePoint) {
    Host* host = impl_->hosts.get(index);
    if (!host)
        return;
    host->backed_up = backed_up;
    impl_->host_has_room(*host);
}

void Scheduler::host_disconnected(HostIndex index, TimePoint now) {
    Impl& s = *impl_;
    Host* host = s.hosts.get(index);
    if (!host || host->state == Host::State::gone || host->state == Host::State::disconnected)
        return;
    if (host->state == Host::State::ready)
        --s.ready_hosts;
    host->state = Host::State::disconnected;
    ++host->disconnects;
    s.withdraw_offers(*host);
    // What has run for long deserves more patience: at most as much as repeating it would cost.
    for (Slot slot = host->leases.first; slot != no_slot; slot = s.tasks[slot].next) {
        const Task& task = s.tasks[slot];
        const base::Duration patience =
            std::clamp<base::Duration>(now - task.since, s.settings.requeue_floor, lease());
        s.timers.add(
            {now + patience, task.token_counter, host->disconnects, slot, Timer::Kind::requeue});
    }
}

void Scheduler::host_left(HostIndex index, TimePoint now) {
    Impl& s = *impl_;
    Host* host = s.hosts.get(index);
    if (!host || host->state == Host::State::gone)
        return;
    if (host->state == Host::State::ready)
        --s.ready_hosts;
    host->state = Host::State::gone;
    s.withdraw_offers(*host);
    s.release_all(*host, false, now);
}

}  // namespace distributo::coordinator::core
