#include "coordinator/core/scheduler_impl.hpp"

#include <algorithm>

namespace distributo::coordinator::core {

using base::TimePoint;
using wire::AttemptStatus;
using wire::FailReason;

namespace {

/// Installed contents remembered per host; what is forgotten is only preferred no longer.
constexpr std::size_t max_warm = 4096;

bool is_held_by_host(TaskState state) {
    return state == TaskState::running || state == TaskState::cancelling;
}

}  // namespace

/// The task that this host may report on with this token: the host holds or last held it, nobody
/// got a newer token, and its end is not being recorded.
Slot Scheduler::Impl::slot_of(HostIndex host, const wire::Token& token) const {
    if (token.term != term || token.slot >= tasks.size() || token.counter == 0)
        return no_slot;
    const Task& task = tasks[token.slot];
    const bool current = task.id != 0 && task.token_counter == token.counter && task.host == host;
    return current ? token.slot : no_slot;
}

bool Scheduler::holds(HostIndex host, const wire::Token& token, TaskId& id) const {
    const Slot slot = impl_->slot_of(host, token);
    if (slot == no_slot || !impl_->tasks[slot].leased)
        return false;
    id = impl_->tasks[slot].id;
    return true;
}

void Scheduler::host_phase(HostIndex host, const wire::PhaseItem& item, TimePoint) {
    const Slot slot = impl_->slot_of(host, item.token);
    if (slot == no_slot || !impl_->tasks[slot].leased)
        return;
    impl_->tasks[slot].phase = item.phase;
    impl_->actions.changed.push_back(impl_->tasks[slot].id);
}

void Scheduler::host_progress(HostIndex host, const wire::ProgressItem& item, TimePoint) {
    const Slot slot = impl_->slot_of(host, item.token);
    if (slot == no_slot || !impl_->tasks[slot].leased)
        return;
    TaskExtra& extra = impl_->extra_of(impl_->tasks[slot]);
    extra.progress = item.fraction;
    extra.progress_text = item.text;
    impl_->actions.changed.push_back(impl_->tasks[slot].id);
}

Attempt Scheduler::Impl::attempt_of(Slot slot,
                                    const wire::ResultItem& item,
                                    TimePoint now,
                                    base::WallTime wall) const {
    const Task& task = tasks[slot];
    Attempt attempt;
    attempt.number = task.attempts;
    if (const Host* host = hosts.get(task.host))
        attempt.host = host->hello.name;
    attempt.status = item.status;
    attempt.message = item.message;
    attempt.finished = wall;
    attempt.started =
        wall - std::chrono::duration_cast<std::chrono::milliseconds>(now - task.since);
    attempt.times = item.times;
    return attempt;
}

void Scheduler::host_result(HostIndex host,
                            const wire::ResultItem& item,
                            TimePoint now,
                            base::WallTime wall) {
    Impl& s = *impl_;
    s.wall_clock = wall;
    const Slot slot = s.slot_of(host, item.token);
    if (slot == no_slot) {
        // Either a newer lease exists, or this result was recorded before: the host may forget it.
        s.actions.acks.push_back({host, {item.token, true}});
        return;
    }
    Task& task = s.tasks[slot];
    if (task.recording) {
        // A repeat is acknowledged when the first one is durable; a task that ended otherwise
        // (cancelled while it waited) takes no result any more.
        if (!task.reported)
            s.actions.acks.push_back({host, {item.token, true}});
        return;
    }
    if (!is_held_by_host(task.state) && item.status != AttemptStatus::ok) {
        // The lease was given up and this attempt has been charged; only a success is still news.
        s.actions.acks.push_back({host, {item.token, true}});
        return;
    }
    s.accept(slot, item, now, wall);
}

void Scheduler::Impl::accept(Slot slot,
                             const wire::ResultItem& item,
                             TimePoint now,
                             base::WallTime wall) {
    Task& task = tasks[slot];
    Host& host = *hosts.get(task.host);
    Attempt attempt = attempt_of(slot, item, now, wall);
    if (task.leased)
        end_lease(slot);
    else
        withdraw(slot);

    if (item.status == AttemptStatus::ok) {
        if (task.extra && task.extra->install_hash != 0) {
            if (host.warm.size() >= max_warm)
                host.warm.clear();
            host.warm.insert(task.extra->install_hash);
        }
        if (const auto offer = host.offers.find(queues[task.queue].type);
            offer != host.offers.end())
            offer->second.install_failures = 0;
        task.reported = true;
        finish(slot,
               TaskState::completed,
               FailReason::none,
               base::Bytes::copy(item.result),
               std::move(attempt));
        return;
    }
    if (item.status != AttemptStatus::interrupted && item.status != AttemptStatus::cancelled)
        ++host.failed;
    extra_of(task).last_error = attempt.message;
    if (task.state == TaskState::cancelling) {
        task.reported = true;
        finish(slot,
               task.expired ? TaskState::expired : TaskState::cancelled,
               FailReason::none,
               {},
               std::move(attempt));
        return;
    }
    fail_attempt(slot, item, attempt, now);
}

void Scheduler::Impl::fail_attempt(Slot slot,
                                   const wire::ResultItem& item,
                                   const Attempt& attempt,
                                   TimePoint now) {
    Task& task = tasks[slot];
    const auto give_up = [&](FailReason reason) {
        task.reported = true;
        finish(slot, TaskState::failed, reason, {}, attempt);
    };
    const TaskOptions* options = options_of(task);
    const std::uint32_t budget =
        options && options->max_attempts != 0 ? options->max_attempts : settings.max_attempts;
    const bool by_handler = item.status == AttemptStatus::retry ||
                            item.status == AttemptStatus::retry_elsewhere ||
                            item.status == AttemptStatus::timeout;
    if (item.status == AttemptStatus::permanent)
        return give_up(FailReason::permanent);
    if (by_handler && ++task.failures >= budget)
        return give_up(item.status == AttemptStatus::timeout ? FailReason::timeout
                                                             : FailReason::attempts_exhausted);
    if (item.status == AttemptStatus::crashed && ++task.crashes >= settings.max_crashes)
        return give_up(FailReason::poison);
    if (item.status == AttemptStatus::install_failed) {
        extra_of(task).install_failures.insert(task.host);
        pause_capability(slot, now);
        if (extra_of(task).install_failures.size() >= settings.install_failure_hosts)
            return give_up(FailReason::install_failed);
    }

    actions.failed_attempts.push_back({task.id, attempt});
    actions.acks.push_back({task.host, {token_of(slot), false}});
    actions.changed.push_back(task.id);
    if (item.status == AttemptStatus::retry_elsewhere) {
        TaskExtra& extra = extra_of(task);
        extra.excluded.insert(hosts.get(task.host)->hello.host_id);
        task.queue = queues.find_or_add(queues[task.queue].type,
                                        options ? options->requires_labels : wire::Labels(),
                                        extra.excluded,
                                        hosts);
    }
    if (by_handler)
        return retry_later(slot, item.retry_after_ms, now);
    if (item.status == AttemptStatus::crashed)
        extra_of(task).crashed_on = task.host;
    const bool interrupted =
        item.status == AttemptStatus::interrupted || item.status == AttemptStatus::cancelled;
    if (interrupted && ++task.interruptions >= settings.max_interruptions)
        return hold(slot, "interrupted " + std::to_string(task.interruptions) + " times");
    enqueue(slot, true, now);
}

/// Full jitter: anywhere between now and a limit that doubles with every failure.
void Scheduler::Impl::retry_later(Slot slot, std::int64_t retry_after_ms, TimePoint now) {
    base::Duration delay = std::chrono::milliseconds(retry_after_ms);
    if (retry_after_ms <= 0) {
        const int doublings = std::clamp<int>(tasks[slot].failures - 1, 0, 20);
        const base::Duration limit = std::min<base::Duration>(
            settings.backoff_limit, settings.backoff_base * (1LL << doublings));
        delay = base::Duration(
            std::uniform_int_distribution<base::Duration::rep>(0, limit.count())(random));
    }
    wait_until(slot, TaskState::retrying, now + delay);
}

/// A failed install is the host's fault: it does not get tasks of that type for a while.
void Scheduler::Impl::pause_capability(Slot slot, TimePoint now) {
    const Task& task = tasks[slot];
    Host& host = *hosts.get(task.host);
    const auto found = host.offers.find(queues[task.queue].type);
    if (found == host.offers.end())
        return;
    Offer& offer = found->second;
    const int doublings = std::min<int>(static_cast<int>(offer.install_failures), 20);
    ++offer.install_failures;
    offer.off_until =
        now + std::min<base::Duration>(settings.capability_off_limit,
                                       settings.capability_off_base * (1LL << doublings));
    timers.add({offer.off_until, 0, 0, host.index, Timer::Kind::capability});
}

}  // namespace distributo::coordinator::core
