#include "base/log.hpp"
#include "coordinator/engine/engine_impl.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace distributo::coordinator::engine {

const Engine::Impl::Moment& Engine::Impl::event() {
    if (std::exchange(turn_wanted, true))
        return moment;
    moment = {clock.now(), clock.wall()};
    later([this] { turn(); });
    return moment;
}

void Engine::Impl::turn() {
    turn_wanted = false;
    const auto now = clock.now();
    if (scheduler->next_tick() <= now)
        scheduler->tick(now, clock.wall());
    scheduler->dispatch(now);
    carry_out();
    commit();
    if (prune_due <= now)
        prune(now);
    flush_hosts();
    if (!load_watches.empty())
        wake_generators();
    wake_expired(now);
    arm_timer(now);
}

HostPort* Engine::Impl::port(HostIndex host) {
    if (host >= hosts.size() || !hosts[host].port)
        return nullptr;
    if (!std::exchange(hosts[host].unflushed, true))
        unflushed.push_back(host);
    return hosts[host].port;
}

void Engine::Impl::carry_out() {
    auto& actions = scheduler->actions();
    if (actions.empty())
        return;
    // Nothing may leave any more; hosts keep their results for the next start.
    if (!healthy)
        return actions.clear();
    for (const auto& assign : actions.assigns)
        if (HostPort* to = port(assign.host))
            to->assign(assign.item);
    for (const auto& cancel : actions.cancels)
        if (HostPort* to = port(cancel.host))
            to->cancel({cancel.token, cancel.reason});
    open.outcomes.reserve(open.outcomes.size() + actions.outcomes.size());
    boarding.ended.reserve(open.outcomes.capacity());
    for (auto& outcome : actions.outcomes) {
        // Who ends without having run has no attempt that says when.
        if (outcome.attempt.number == 0)
            outcome.attempt.finished = clock.wall();
        boarding.ended.push_back(outcome.id);
        open.outcomes.push_back(std::move(outcome));
    }
    for (auto& attempt : actions.failed_attempts) {
        boarding.attempts.push_back(attempt.id);
        open.attempts.push_back(std::move(attempt));
    }
    for (auto& control : actions.controls) {
        boarding.controls.push_back(control.id);
        open.controls.push_back(std::move(control));
    }
    for (auto& change : actions.hosts) {
        boarding.hosts.emplace_back(change.host, change.serial);
        open.hosts.push_back(std::move(change.record));
    }
    for (const auto& ack : actions.acks)
        acknowledge(ack);
    actions.clear();
}

void Engine::Impl::acknowledge(const core::Actions::Ack& ack) {
    // The host throws such a result away because something else decided: that must be durable.
    if (ack.item.stale && (!open.empty() || !flights.empty())) {
        Flight& after = open.empty() ? flights.back() : boarding;
        after.stale.push_back(ack);
    } else if (HostPort* to = port(ack.host)) {
        to->ack(ack.item);
    }
}

void Engine::Impl::commit() {
    if (open.empty() && boarding.groups.empty())
        return;
    if (!healthy) {
        open = {};
        auto lost = std::exchange(boarding, {});
        return stop_serving(lost);
    }
    flights.push_back(std::exchange(boarding, {}));
    flights.back().begun = clock.now();
    store->commit(std::exchange(open, {}),
                  [this](base::Result<store::Committed> answer) { committed(std::move(answer)); });
}

void Engine::Impl::committed(base::Result<store::Committed> answered) {
    Flight flight = std::move(flights.front());
    flights.pop_front();
    unstored_tasks -= flight.tasks.size();
    unstored_bytes -= flight.bytes;
    if (!answered)
        store_broke(answered.error());
    if (!healthy)
        return stop_serving(flight);
    take_in(flight, *answered);
    const auto now = clock.now();
    for (const auto& ack : flight.stale)
        if (HostPort* to = port(ack.host))
            to->ack(ack.item);
    for (const auto& [host, serial] : flight.hosts)
        scheduler->host_committed(host, serial, now);
    scheduler->attempts_committed(flight.attempts, now);
    scheduler->controls_committed(flight.controls, now);
    if (!flight.ended.empty())
        scheduler->committed(flight.ended, now);
    ends.count(flight.ended.size(), now);
    // Work leaves before receipts: a host's socket is the longer way.
    turn();
    answer(flight, *answered);
    for (const auto& then : flight.afterwards)
        then({});
    if (!task_waits.empty())
        for (const TaskId id : flight.ended)
            for (const auto& wake : task_waits.take(id))
                wake(false);
    if (!result_waits.empty() && !flight.ended.empty())
        for (const auto& wake : result_waits.take(0))
            wake(false);
}

void Engine::Impl::store_broke(const base::Error& error) {
    if (!std::exchange(healthy, false))
        return;
    store_error = error;
    base::log::error("store.failed", {{"error", error.message}, {"hint", error.hint}});
}

base::Error Engine::Impl::store_failed() const {
    return base::error(base::Errc::unavailable,
                       "the task store failed: " + store_error.message,
                       "see the coordinator's log, then restart it");
}

void Engine::Impl::stop_serving(Flight& flight) {
    for (auto& group : flight.groups)
        group.done(store_failed());
    for (const auto& then : flight.afterwards)
        then(store_failed());
    if (!flights.empty() || !on_store_failed)
        return;
    turn();  // whoever came meanwhile is answered, too
    boost::asio::post(
        io, [tell = std::exchange(on_store_failed, nullptr), why = store_error] { tell(why); });
}

void Engine::Impl::after_commit(Afterwards then) {
    turn();
    if (healthy && !flights.empty()) {
        flights.back().afterwards.push_back(std::move(then));
        return;
    }
    later(
        [this, then = std::move(then)] { then(healthy ? base::Result<void>() : store_failed()); });
}

void Engine::Impl::flush_hosts() {
    // A port may come back with host_backed_up or host_gone, but never marks another one.
    for (const HostIndex host : std::exchange(unflushed, {})) {
        hosts[host].unflushed = false;
        if (hosts[host].port)
            hosts[host].port->flush();
    }
}

void Engine::Impl::wake_expired(base::TimePoint now) {
    if (task_waits.next_deadline() <= now)
        for (const auto& wake : task_waits.take_expired(now))
            wake(true);
    if (result_waits.next_deadline() <= now)
        for (const auto& wake : result_waits.take_expired(now))
            wake(true);
}

base::TimePoint Engine::Impl::next_due() const {
    return std::min({scheduler->next_tick(),
                     task_waits.next_deadline(),
                     result_waits.next_deadline(),
                     prune_due});
}

void Engine::Impl::arm_timer(base::TimePoint now) {
    const auto due = next_due();
    // Firing early is harmless and rare, setting the timer is not free: it is only moved forward.
    if (by_hand || due >= timer_due)
        return;
    timer_due = due;
    timer.expires_after(std::max(base::Duration::zero(), due - now));
    timer.async_wait([this, here = std::weak_ptr(alive)](const boost::system::error_code& failed) {
        if (failed || here.expired())
            return;
        timer_due = base::TimePoint::max();
        turn();
    });
}

}  // namespace distributo::coordinator::engine
