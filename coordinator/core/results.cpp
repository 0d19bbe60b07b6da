#include "coordinator/core/scheduler_impl.hpp"
#include "wire/limits.hpp"

#include <algorithm>
#include <utility>

namespace distributo::coordinator::core {

using base::Duration;
using base::TimePoint;
using wire::AttemptStatus;
using wire::FailReason;

namespace {

std::string_view cut(std::string_view text, std::size_t length) {
    if (text.size() <= length)
        return text;
    while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0U) == 0x80U)
        --length;
    return text.substr(0, length);
}

}  // namespace

Duration doubled(Duration first, std::uint32_t times, Duration limit) {
    Duration result = first;
    for (std::uint32_t i = 0; i < times && result < limit; ++i)
        result *= 2;
    return std::min(result, limit);
}

std::string interrupted_text(std::uint32_t times) {
    return "interrupted " + std::to_string(times) + " times without getting to an end";
}

/// A token says at most one thing about one task:
/// current: its host still has the lease. late: the lease ended without a report and nobody got a
/// newer one. being_recorded: its end is on the way to the store and answered from there.
/// superseded: a newer token of the same task exists or existed, or it is not this host's.
/// told_before: everything else; the host must not keep it, there is nothing left to do about it.
Scheduler::Impl::Standing Scheduler::Impl::standing(HostIndex host,
                                                    const wire::Token& token,
                                                    Slot& slot) const {
    if (token.term != term)
        return adopted_standing(host, token, slot);
    if (token.counter == 0 || token.counter > last_counter)
        return Standing::superseded;
    const Task* task = tasks.at(token.slot);
    if (!task)
        return Standing::superseded;
    if (task->counter != token.counter) {
        const auto first = task->side ? task->side->first_counter : 0;
        const bool same_task = first != 0 && token.counter >= first;
        return same_task && token.counter < task->counter ? Standing::superseded
                                                          : Standing::told_before;
    }
    if (task->host != host || !hosts.get(host))
        return Standing::superseded;
    slot = token.slot;
    return last_standing(*task);
}

Scheduler::Impl::Standing Scheduler::Impl::adopted_standing(HostIndex index,
                                                            const wire::Token& token,
                                                            Slot& slot) const {
    const Host* host = hosts.get(index);
    if (!host)
        return Standing::superseded;
    slot = adopted_slot(*host, token);
    if (slot != no_slot)
        return last_standing(tasks[slot]);
    const auto known = host->adopted.find(token);
    if (known == host->adopted.end() || !known->second.told)
        return Standing::superseded;
    const Slot claimed = tasks.find(known->second.task);
    const TaskSide* const side = claimed != no_slot ? tasks[claimed].side.get() : nullptr;
    const bool is_owed = side && side->owed.host == index && side->owed.token == token;
    return is_owed ? Standing::being_recorded : Standing::told_before;
}

Scheduler::Impl::Standing Scheduler::Impl::last_standing(const Task& task) {
    if (task.leased)
        return Standing::current;
    if (task.id != 0 && task.answer)
        return Standing::being_recorded;
    if (task.reported)
        return Standing::told_before;
    if (task.id == 0 || task.recording)
        return Standing::superseded;
    return task.lost ? Standing::late : Standing::told_before;
}

void Scheduler::host_result(HostIndex host,
                            const wire::ResultItem& item,
                            TimePoint now,
                            base::WallTime wall) {
    Impl& s = *impl_;
    s.known_now = now;
    s.known_wall = wall;
    host_heard(host, now);
    Slot slot = no_slot;
    switch (s.standing(host, item.token, slot)) {
        case Impl::Standing::current:
            s.accept(slot, item, now);
            break;
        case Impl::Standing::late:
            s.accept_late(slot, item, now);
            break;
        case Impl::Standing::being_recorded:
            break;
        case Impl::Standing::told_before:
            s.actions.acks.push_back({host, {item.token, false}});
            break;
        case Impl::Standing::superseded:
            s.actions.acks.push_back({host, {item.token, true}});
            break;
    }
}

void Scheduler::Impl::accept(Slot slot, const wire::ResultItem& item, TimePoint now) {
    Task& task = tasks[slot];
    task.reported = true;
    task.answer = true;
    Host& host = *hosts.get(task.host);
    if (item.token.term != term)
        host.adopted[item.token].told = true;
    if (item.status != AttemptStatus::ok)
        ++host.failed;
    else
        count_success(host);
    if (!task.expired && item.status != AttemptStatus::ok) {
        if (task.leased && task.state != TaskState::cancelling)
            return apply_failure(slot, item, now);
        // A late report of a permanent failure, or the answer to a cancel.
    }
    Attempt attempt =
        attempt_of(task, item.status, cut(item.message, wire::limits::error_length), now);
    attempt.times = item.times;
    if (!item.version.empty())
        attempt.version = item.version;
    if (item.status == AttemptStatus::ok)
        remember_warm(task, host);
    const bool was_leased = task.leased;
    if (was_leased)
        end_lease(slot);
    else
        stop_waiting(slot);
    if (task.expired)
        return finish(slot, TaskState::expired, FailReason::none, std::move(attempt));
    if (item.status == AttemptStatus::ok)
        return finish(
            slot, TaskState::completed, FailReason::none, std::move(attempt), item.result);
    if (was_leased)
        return finish(slot, TaskState::cancelled, FailReason::none, std::move(attempt));
    finish(slot, TaskState::failed, FailReason::permanent, std::move(attempt));
}

void Scheduler::Impl::accept_late(Slot slot, const wire::ResultItem& item, TimePoint now) {
    Task& task = tasks[slot];
    if (item.status == AttemptStatus::ok || item.status == AttemptStatus::permanent)
        return accept(slot, item, now);
    // Its end was already charged as a lost lease, unless an earlier boot gave it and the task was
    // held when it was claimed: then it is recorded, and charged to nothing.
    if (!task.side || task.side->recorded < attempt_number(task))
        record_late(slot, item, now);
    if (is_settling(task))
        task.answer = true;
    else
        actions.acks.push_back({task.host, {item.token, false}});
}

void Scheduler::Impl::record_late(Slot slot, const wire::ResultItem& item, TimePoint now) {
    Task& task = tasks[slot];
    task.reported = true;
    task.lost = false;  // or its lease would be resumed when its host comes back
    const bool was_pending = task.state == TaskState::pending;
    if (was_pending)
        stop_waiting(slot);
    keep_attempt(task,
                 attempt_of(task, item.status, cut(item.message, wire::limits::error_length), now));
    if (was_pending)
        enqueue(slot, Place::front, now);
}

void Scheduler::Impl::apply_failure(Slot slot, const wire::ResultItem& item, TimePoint now) {
    Task& task = tasks[slot];
    const auto message = cut(item.message, wire::limits::error_length);
    Attempt attempt = attempt_of(task, item.status, message, now);
    attempt.times = item.times;
    if (!item.version.empty())
        attempt.version = item.version;
    texts_of(task).last_error = message;
    end_lease(slot);
    if (item.status == AttemptStatus::crashed || item.status == AttemptStatus::install_failed)
        count_blame(*hosts.get(task.host), task.id, message, now);
    switch (item.status) {
        case AttemptStatus::ok:
            break;
        case AttemptStatus::permanent:
            finish(slot, TaskState::failed, FailReason::permanent, std::move(attempt));
            break;
        case AttemptStatus::retry_elsewhere:
            exclude(slot, task.host);
            attempt.excludes_host = true;
            [[fallthrough]];
        case AttemptStatus::retry:
        case AttemptStatus::timeout:
            count_failure(slot, item, std::move(attempt), now);
            break;
        case AttemptStatus::crashed:
            count_crash(slot, std::move(attempt), now);
            break;
        case AttemptStatus::install_failed:
            count_failed_install(slot, std::move(attempt), now);
            break;
        case AttemptStatus::cancelled:
        case AttemptStatus::interrupted:
            count_interruption(slot, std::move(attempt), now);
            break;
    }
}

void Scheduler::Impl::count_failure(Slot slot,
                                    const wire::ResultItem& item,
                                    Attempt&& attempt,
                                    TimePoint now) {
    Task& task = tasks[slot];
    const bool timed_out = item.status == AttemptStatus::timeout;
    if (task.side->deadline <= now)
        return finish(slot, TaskState::expired, FailReason::none, std::move(attempt));
    const TaskOptions* options = tasks.options(slot);
    const auto budget =
        options && options->max_attempts != 0 ? options->max_attempts : settings.max_attempts;
    if (++task.side->failures >= budget)
        return finish(slot,
                      TaskState::failed,
                      timed_out ? FailReason::timeout : FailReason::attempts_exhausted,
                      std::move(attempt));
    const std::chrono::milliseconds asked{
        std::clamp<std::int64_t>(item.retry_after_ms, 0, wire::limits::max_duration_ms)};
    const Duration wait = asked.count() > 0 ? Duration(asked) : backoff(task.side->failures);
    attempt.charge = Charge::failure;
    attempt.retry_at = wall_at(now + wait);
    keep_attempt(task, std::move(attempt));
    wait_until(slot, TaskState::retrying, now + wait);
}

void Scheduler::Impl::count_crash(Slot slot, Attempt&& attempt, TimePoint now) {
    Task& task = tasks[slot];
    if (++task.side->crashes >= settings.max_crashes)
        return finish(slot, TaskState::failed, FailReason::poison, std::move(attempt));
    attempt.charge = Charge::crash;
    attempt.excludes_host = true;
    keep_attempt(task, std::move(attempt));
    task.suspect = true;
    exclude(slot, task.host);
    enqueue(slot, Place::front, now);
}

void Scheduler::Impl::count_failed_install(Slot slot, Attempt&& attempt, TimePoint now) {
    Task& task = tasks[slot];
    Host& host = *hosts.get(task.host);
    if (const auto& offer = host.offers[task.offer])  // gone when it was withdrawn meanwhile
        pause(host, *offer, now);
    if (++task.side->install_failures >= settings.install_failure_hosts)
        return finish(slot, TaskState::failed, FailReason::install_failed, std::move(attempt));
    attempt.charge = Charge::install;
    attempt.excludes_host = true;
    keep_attempt(task, std::move(attempt));
    exclude(slot, task.host);
    enqueue(slot, Place::front, now);
}

void Scheduler::Impl::count_interruption(Slot slot, Attempt&& attempt, TimePoint now) {
    Task& task = tasks[slot];
    attempt.charge = Charge::interruption;
    keep_attempt(task, std::move(attempt));
    if (++task.side->interruptions < settings.max_interruptions)
        return enqueue(slot, Place::front, now);
    hold(slot, interrupted_text(task.side->interruptions));
}

void Scheduler::Impl::keep_attempt(Task& task, Attempt&& attempt) {
    TaskSide& side = side_of(task);
    side.recorded = attempt.number;
    ++side.unrecorded;
    actions.failed_attempts.push_back({task.id, std::move(attempt)});
}

void Scheduler::Impl::pause(Host& host, Offer& offer, TimePoint now) {
    // What was already on its way to the host fails for the same reason and says nothing new.
    if (offer.paused)
        return;
    offer.paused = true;
    offer.off_until = now + doubled(settings.capability_off_base,
                                    offer.install_failures,
                                    settings.capability_off_limit);
    ++offer.install_failures;
    offer.pause_timer = ++last_serial;
    add_timer({offer.off_until, last_serial, host.index, Timer::Kind::capability});
}

Duration Scheduler::Impl::backoff(std::uint32_t failures) {
    const Duration limit =
        doubled(settings.backoff_base, failures > 0 ? failures - 1 : 0, settings.backoff_limit);
    return Duration(std::uniform_int_distribution<Duration::rep>(0, limit.count())(random));
}

}  // namespace distributo::coordinator::core
