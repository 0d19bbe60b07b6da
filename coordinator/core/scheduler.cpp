#include "coordinator/core/scheduler.hpp"

#include "coordinator/core/scheduler_impl.hpp"

#include <algorithm>

namespace distributo::coordinator::core {

using base::TimePoint;
using wire::FailReason;

std::string_view TypeNames::intern(std::string_view name) {
    if (const auto known = names_.find(std::string(name)); known != names_.end())
        return *known;
    if (names_.size() >= max_names)
        return {};
    return *names_.emplace(name).first;
}

void Actions::clear() {
    assigns.clear();
    cancels.clear();
    acks.clear();
    outcomes.clear();
    failed_attempts.clear();
    changed.clear();
    shown_ids.clear();
}

bool Actions::empty() const noexcept {
    return assigns.empty() && cancels.empty() && acks.empty() && outcomes.empty() &&
           failed_attempts.empty() && changed.empty();
}

Scheduler::Scheduler(const Settings& settings, std::uint32_t term, std::uint32_t random_seed)
    : impl_(std::make_unique<Impl>(settings, term, random_seed)) {}

Scheduler::~Scheduler() = default;

Actions& Scheduler::actions() noexcept {
    return impl_->actions;
}

void Scheduler::tick(TimePoint now, base::WallTime wall) {
    Impl& s = *impl_;
    s.wall_clock = wall;
    while (s.timers.next() <= now) {
        const Timer timer = s.timers.pop();
        switch (timer.kind) {
            case Timer::Kind::wake:
                s.on_wake(timer, now);
                break;
            case Timer::Kind::deadline:
                s.on_deadline(timer);
                break;
            case Timer::Kind::requeue:
                s.on_requeue(timer, now);
                break;
            case Timer::Kind::lease:
                s.on_lease(timer, now);
                break;
            case Timer::Kind::capability:
                if (Host* host = s.hosts.get(timer.slot))
                    s.host_has_room(*host);
                break;
        }
    }
}

void Scheduler::Impl::on_wake(const Timer& timer, TimePoint now) {
    Task& task = tasks[timer.slot];
    const bool waits = task.state == TaskState::scheduled || task.state == TaskState::retrying;
    if (task.id != timer.stamp || task.recording || !waits || task.extra->wake_at != timer.at)
        return;
    actions.changed.push_back(task.id);
    enqueue(timer.slot, false, now);
}

void Scheduler::Impl::on_deadline(const Timer& timer) {
    Task& task = tasks[timer.slot];
    if (task.id != timer.stamp || task.recording)
        return;
    actions.changed.push_back(task.id);
    if (task.state == TaskState::running) {
        task.expired = true;
        ask_to_stop(timer.slot, "its deadline has passed");
    } else if (task.state != TaskState::cancelling) {
        withdraw(timer.slot);
        finish(timer.slot, TaskState::expired, FailReason::none, {}, {});
    }
}

void Scheduler::Impl::on_requeue(const Timer& timer, TimePoint now) {
    const Task& task = tasks[timer.slot];
    if (task.id == 0 || task.token_counter != timer.stamp || !task.leased)
        return;
    const Host* host = hosts.get(task.host);
    if (host->state == Host::State::disconnected && host->disconnects == timer.episode)
        lose_lease(timer.slot, true, now);
}

/// A host that has been silent for its whole lease is gone; one that spoke gets a new date.
void Scheduler::Impl::on_lease(const Timer& timer, TimePoint now) {
    Host* host = hosts.get(timer.slot);
    if (!host)
        return;
    host->lease_armed = false;
    if (host->state == Host::State::gone)
        return;
    if (now - host->heard < lease()) {
        arm_lease(*host);
        return;
    }
    if (host->state == Host::State::ready)
        --ready_hosts;
    host->state = Host::State::gone;
    withdraw_offers(*host);
    release_all(*host, true, now);
}

TimePoint Scheduler::next_tick() const {
    return impl_->timers.next();
}

base::Duration Scheduler::Impl::heartbeat() const {
    const std::uint32_t rate = std::max<std::uint32_t>(settings.heartbeats_per_second, 1);
    return std::max<base::Duration>(settings.heartbeat_floor,
                                    std::chrono::seconds(ready_hosts / rate));
}

base::Duration Scheduler::Impl::lease() const {
    return std::max<base::Duration>(settings.lease_floor, 3 * heartbeat());
}

base::Duration Scheduler::heartbeat() const {
    return impl_->heartbeat();
}
base::Duration Scheduler::lease() const {
    return impl_->lease();
}
std::uint32_t Scheduler::term() const noexcept {
    return impl_->term;
}
const Counts& Scheduler::counts() const noexcept {
    return impl_->counts;
}

}  // namespace distributo::coordinator::core
