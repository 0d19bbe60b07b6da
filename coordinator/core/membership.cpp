#include "coordinator/core/scheduler_impl.hpp"

#include <algorithm>
#include <utility>

namespace distributo::coordinator::core {

using base::TimePoint;
using wire::Verdict;

HostIndex Scheduler::host_joined(HostJoin join,
                                 TimePoint now,
                                 base::WallTime wall,
                                 std::vector<wire::TokenVerdict>& verdicts) {
    Impl& s = *impl_;
    s.known_now = now;
    s.known_wall = wall;
    Host& host = s.hosts.find_or_add(join.hello.host_id);
    s.leave_types(host);
    const bool rebooted = host.hello.boot_id != join.hello.boot_id;
    const bool renamed = host.hello.name != join.hello.name;
    if (!std::exchange(host.connected, true))
        ++s.connected_hosts;
    host.draining = host.silent = host.backed_up = host.gone = false;
    host.hello = std::move(join.hello);
    host.peer = std::move(join.peer);
    host.heard = now;
    host.requeue_timer = 0;
    host.connected_at = wall;
    host.slots = std::max<std::uint32_t>(1, host.hello.slots);
    host.slot_share = host_capacity / host.slots;
    if (s.proofs)
        host.digest = s.proofs->host_digest(host.hello.host_id);
    host.capabilities.sequence = 0;  // each connection counts its own
    const bool was_awaited = std::exchange(host.awaited, false);
    host.recorded |= was_awaited;
    if (!host.present || renamed)
        s.record(host, true);
    if (rebooted)
        s.replace_offers(host, {});
    s.reconcile(host, rebooted, now, verdicts);
    host.hello.running = {};
    host.hello.finished = {};
    s.join_types(host);
    s.watch_silence(host);
    if (was_awaited && --s.awaited_hosts == 0)
        s.end_waiting(now);
    return host.index;
}

void Scheduler::host_committed(HostIndex index, std::uint64_t serial, TimePoint) {
    Host* host = impl_->hosts.get(index);
    if (!host || !host->present || host->record_serial != serial)
        return;
    host->recorded = true;
    impl_->join_types(*host);
}

void Scheduler::Impl::record(Host& host, bool present) {
    host.present = present;
    host.record_serial = ++last_serial;
    actions.hosts.push_back({host.index,
                             host.record_serial,
                             {.host_id = host.hello.host_id,
                              .name = host.hello.name,
                              .present = present,
                              .quarantined_until = host.quarantine.until_wall,
                              .quarantines = host.quarantine.times,
                              .quarantine_reason = host.quarantine.reason}});
}

void Scheduler::Impl::forget(Host& host) {
    if (host.present)
        record(host, false);
    hosts.forget(host);
}

Slot Scheduler::Impl::own_slot(const Host& host, const wire::Token& token) const {
    const Task* task = tasks.at(token.slot);
    if (!task || task->id == 0 || task->recording || task->counter == 0 ||
        task->counter != token.counter || task->host != host.index)
        return no_slot;
    return token.slot;
}

Offer* Scheduler::Impl::offer_for(Host& host, const Queue& queue) {
    Offer* offer = host.best_offer(queue.type, queue.versions, queue.confinement);
    if (!offer)
        offer = host.assume_offer(queue.type);
    if (offer && offer->credit == 0 && offer->in_flight == 0)
        host.set_credit(*offer, host.slots);  // until it says otherwise
    return offer;
}

Verdict Scheduler::Impl::recognise(Host& host, const wire::Claim& claim, TimePoint now) {
    const Slot slot =
        claim.token.term == term ? own_slot(host, claim.token) : claimed(host, claim, now);
    if (slot == no_slot)
        return Verdict::cancel;
    Task& task = tasks[slot];
    if (task.lost && task.state == TaskState::pending)
        if (Offer* const offer = offer_for(host, queues[task.queue]))
            resume_lease(slot, host, *offer, now);
    if (!task.leased)
        return Verdict::cancel;
    task.listed = true;
    return Verdict::keep;
}

void Scheduler::Impl::reconcile(Host& host,
                                bool rebooted,
                                TimePoint now,
                                std::vector<wire::TokenVerdict>& verdicts) {
    keep_adopted(host);
    for (const auto& claim : host.hello.running) {
        const auto& token = claim.token;
        verdicts.push_back({token, recognise(host, claim, now)});
        if (verdicts.back().verdict != Verdict::keep)
            continue;
        // The message may have been lost with the connection; a verdict would ask for no report.
        const Task& task = tasks[held(host.index, token)];
        if (task.state == TaskState::cancelling && task.side && !task.side->stop.empty())
            actions.cancels.push_back({host.index, token, task.side->stop});
    }
    for (const auto& claim : host.hello.finished)
        (void)recognise(host, claim, now);
    // An assignment that never arrived is nobody's fault; one that ended with its process may be.
    const Charge charge = rebooted ? Charge::lost : Charge::none;
    for (Slot slot = host.leases.last; slot != no_slot;) {
        Task& task = tasks[slot];
        const Slot previous = task.previous;
        const bool listed = task.listed;
        task.listed = false;
        if (!listed)
            lose_lease(slot,
                       charge,
                       rebooted ? "the host was restarted" : "the host does not know the task",
                       now);
        slot = previous;
    }
}

void Scheduler::host_capabilities(HostIndex index, wire::Capabilities offer, TimePoint now) {
    Impl& s = *impl_;
    Host* host = s.hosts.get(index);
    if (!host || host->gone || offer.sequence < host->capabilities.sequence)
        return;
    host_heard(index, now);
    s.leave_types(*host);
    s.replace_offers(*host, std::move(offer));
    host->capabilities_at = now;
    s.join_types(*host);
}

void Scheduler::Impl::replace_offers(Host& host, wire::Capabilities offer) {
    const auto old = std::exchange(host.capabilities, std::move(offer));
    std::vector<std::pair<Offer*, const wire::Capability*>> before;
    for (const auto& one : host.offers)
        if (one && std::exchange(one->offered, false))
            before.emplace_back(one.get(), &old.types[one->capability]);
    for (std::uint32_t i = 0; i < host.capabilities.types.size(); ++i) {
        const auto& capability = host.capabilities.types[i];
        if (queues.find_type(capability.type) == no_type &&
            queues.type_count() >= TypeNames::max_names)
            continue;
        const auto type = queues.type(capability.type);
        Offer* const fresh = host.claim_offer(type, Version(capability.version));
        if (!fresh || std::exchange(fresh->offered, true))
            continue;
        fresh->capability = i;
        fresh->confinement = {.isolation = wire::isolation_rank(capability.isolation),
                              .layers = capability.sandbox};
        host.set_credit(*fresh, capability.credit);
        const bool same = std::any_of(before.begin(), before.end(), [&](const auto& one) {
            return one.first == fresh && one.second->digest == capability.digest;
        });
        if (same)
            continue;
        // Another library deserves another chance, and finds its own installs only.
        fresh->paused = false;
        fresh->install_failures = 0;
        if (std::any_of(before.begin(), before.end(), [&](const auto& one) {
                return one.first->type == type;
            }))
            host.warm.clear();
    }
    for (const auto& [one, capability] : before)
        host.drop_if_unused(*one);
}

void Scheduler::host_credit(HostIndex index, const wire::Credit& credit, TimePoint now) {
    Impl& s = *impl_;
    Host* host = s.hosts.get(index);
    const auto type = s.queues.find_type(credit.type);
    if (!host || host->gone || type == no_type)
        return;
    host_heard(index, now);
    const auto offers = host->types.find(type);
    Offer* offer = offers == host->types.end() ? nullptr : offers->second.highest;
    for (; offer; offer = offer->lower)
        if (credit.version.empty() || credit.version == offer->version.text())
            host->set_credit(*offer, credit.credit);
    s.unpark(*host);
}

void Scheduler::host_heard(HostIndex index, TimePoint now) {
    Host* host = impl_->hosts.get(index);
    if (!host || !host->connected)
        return;
    host->heard = now;
    if (std::exchange(host->silent, false)) {
        impl_->join_types(*host);
        impl_->watch_silence(*host);
    }
}

void Scheduler::host_draining(HostIndex index, TimePoint now) {
    Impl& s = *impl_;
    Host* host = s.hosts.get(index);
    if (!host || !host->connected)
        return;
    host_heard(index, now);
    s.leave_types(*host);
    host->draining = true;
}

void Scheduler::host_backed_up(HostIndex index, bool backed_up, TimePoint) {
    Impl& s = *impl_;
    Host* host = s.hosts.get(index);
    if (!host || !host->connected)
        return;
    host->backed_up = backed_up;
    s.unpark(*host);
}

void Scheduler::host_disconnected(HostIndex index, TimePoint now) {
    Impl& s = *impl_;
    Host* host = s.hosts.get(index);
    if (!host || !host->connected)
        return;
    s.leave_types(*host);
    host->connected = false;
    host->disconnected = now;
    host->patience = s.lease();
    --s.connected_hosts;
    if (host->silent)
        return s.forget(*host);
    s.requeue_due(*host, now);
}

void Scheduler::host_left(HostIndex index, TimePoint now) {
    Impl& s = *impl_;
    Host* host = s.hosts.get(index);
    if (!host || host->gone)
        return;
    s.leave_types(*host);
    if (std::exchange(host->connected, false))
        --s.connected_hosts;
    s.lose_all_leases(*host, Charge::none, "the host left", now);
    s.forget(*host);
}

void Scheduler::Impl::watch_silence(Host& host) {
    if (host.silence_timer != 0)
        return;
    host.silence_timer = ++last_serial;
    add_timer({host.heard + lease(), last_serial, host.index, Timer::Kind::silence});
}

void Scheduler::Impl::fall_silent(Host& host, TimePoint now) {
    leave_types(host);
    // A host that hangs but is still connected should not work for nothing when it goes on.
    if (host.connected)
        for (Slot slot = host.leases.first; slot != no_slot; slot = tasks[slot].next)
            actions.cancels.push_back({host.index, token_of(slot), "the lease has ended"});
    lose_all_leases(host, Charge::lost, "nothing was heard from the host during its lease", now);
    if (host.connected)
        host.silent = true;
    else
        forget(host);
}

}  // namespace distributo::coordinator::core
