#include "coordinator/core/scheduler_impl.hpp"

#include <algorithm>

namespace distributo::coordinator::core {

using base::Duration;
using base::TimePoint;

namespace {

Offer* paused_by(const Host& host, const Timer& timer) {
    for (const auto& offer : host.offers)
        if (offer && offer->paused && offer->pause_timer == timer.serial)
            return offer.get();
    return nullptr;
}

}  // namespace

void Scheduler::Impl::add_timer(const Timer& timer) {
    timers.add(timer, [this](const Timer& old) { return counts_still(old); });
}

bool Scheduler::Impl::counts_still(const Timer& timer) const {
    if (timer.kind == Timer::Kind::wake || timer.kind == Timer::Kind::deadline) {
        const Task* task = tasks.at(timer.slot);
        if (!task || task->id == 0 || !task->side)
            return false;
        return timer.serial == (timer.kind == Timer::Kind::wake ? task->side->wake_timer
                                                                : task->side->deadline_timer);
    }
    if (timer.kind == Timer::Kind::return_of_hosts)
        return return_timer == timer.serial;
    const Host* host = hosts.get(timer.slot);
    if (!host)
        return false;
    if (timer.kind == Timer::Kind::quarantine)
        return host->quarantine.timer == timer.serial;
    if (timer.kind == Timer::Kind::silence)
        return host->silence_timer == timer.serial;
    if (timer.kind == Timer::Kind::requeue)
        return host->requeue_timer == timer.serial;
    return paused_by(*host, timer) != nullptr;
}

void Scheduler::Impl::run(const Timer& timer, TimePoint now) {
    switch (timer.kind) {
        case Timer::Kind::wake:
            stop_waiting(timer.slot);
            enqueue(timer.slot, Place::back, now);
            break;
        case Timer::Kind::deadline:
            tasks[timer.slot].side->deadline_timer = 0;
            expire(timer.slot);
            break;
        case Timer::Kind::requeue:
            requeue_due(*hosts.get(timer.slot), now);
            break;
        case Timer::Kind::silence: {
            Host& host = *hosts.get(timer.slot);
            host.silence_timer = 0;
            if (host.heard + lease() <= now)
                fall_silent(host, now);
            else
                watch_silence(host);
            break;
        }
        case Timer::Kind::capability: {
            Host& host = *hosts.get(timer.slot);
            paused_by(host, timer)->paused = false;
            unpark(host);
            break;
        }
        case Timer::Kind::quarantine:
            end_quarantine(*hosts.get(timer.slot));
            break;
        case Timer::Kind::return_of_hosts:
            end_waiting(now);
            break;
    }
}

void Scheduler::tick(TimePoint now, base::WallTime wall) {
    Impl& s = *impl_;
    s.known_now = now;
    s.known_wall = wall;
    while (s.timers.next() <= now) {
        const Timer timer = s.timers.take();
        if (s.counts_still(timer))
            s.run(timer, now);
    }
}

TimePoint Scheduler::next_tick() const {
    return impl_->timers.next();
}

Duration Scheduler::Impl::heartbeat() const {
    const Duration paced = Duration(std::chrono::seconds(connected_hosts)) /
                           std::max<std::int64_t>(1, settings.heartbeats_per_second);
    return std::max(settings.heartbeat_floor, paced);
}

Duration Scheduler::Impl::lease() const {
    return std::max(settings.lease_floor, 3 * heartbeat());
}

Duration Scheduler::heartbeat() const {
    return impl_->heartbeat();
}

Duration Scheduler::lease() const {
    return impl_->lease();
}

}  // namespace distributo::coordinator::core
