#include "host/phase_machine.hpp"

namespace distributo::host {
namespace {

using base::TimePoint;
using runtime::CallResult;
using wire::AttemptStatus;

/// A task whose process keeps vanishing without its doing goes back after this many tries here.
constexpr std::uint32_t most_reruns = 10;

/// What the coordinator hears; crashed and aborted have been dealt with before.
AttemptStatus status_of(const Task& task, CallResult::Status status) noexcept {
    if (task.given_back && status != CallResult::Status::ok)
        return AttemptStatus::interrupted;
    switch (status) {
        case CallResult::Status::ok:
            return AttemptStatus::ok;
        case CallResult::Status::retry:
            return AttemptStatus::retry;
        case CallResult::Status::retry_elsewhere:
            return AttemptStatus::retry_elsewhere;
        case CallResult::Status::permanent:
            return AttemptStatus::permanent;
        case CallResult::Status::timeout:
            return AttemptStatus::timeout;
        case CallResult::Status::cancelled:
            // A plugin that gives up although nobody asked has failed, and may be tried again.
            return task.cancelled ? AttemptStatus::cancelled : AttemptStatus::retry;
        case CallResult::Status::crashed:
            return AttemptStatus::crashed;
        case CallResult::Status::aborted:
            break;
    }
    return AttemptStatus::interrupted;
}

}  // namespace

void PhaseMachine::call_started(runtime::CallId call, TimePoint now) {
    const auto slot = tasks_.slot_of(call);
    if (slot != no_slot && tasks_[slot].phase == wire::Phase::setup)
        enter(tasks_[slot], wire::Phase::execute, now);
}

void PhaseMachine::call_ended(CallResult&& result, TimePoint now) {
    const auto slot = tasks_.slot_of(result.call);
    if (slot == no_slot)
        return;  // abandoned before
    Task& task = tasks_[slot];
    const bool installing = task.stage == Stage::installing;
    if (!installing && task.stage != Stage::executing)
        return;
    auto& calls = plugins_[task.plugin].calls;
    if (result.status <= CallResult::Status::permanent)
        ++calls.answered;
    else if (result.status == CallResult::Status::crashed)
        ++calls.crashed;
    vacate(task);
    if (installing)
        install_ended(slot, result, now);
    else
        execute_ended(slot, result, now);
}

void PhaseMachine::call_unstartable(runtime::CallId call, std::string_view why, TimePoint now) {
    const auto slot = tasks_.slot_of(call);
    if (slot == no_slot)
        return;
    finish(slot, AttemptStatus::install_failed, why, now);
}

void PhaseMachine::execute_ended(std::uint32_t slot, CallResult& result, TimePoint now) {
    Task& task = tasks_[slot];
    const bool suspect_again = result.suspect && task.alone;
    if (result.status == CallResult::Status::aborted && !suspect_again)
        return run_again(slot, result, now);
    if (suspect_again) {
        result.status = CallResult::Status::crashed;
        ++plugins_[task.plugin].calls.crashed;
    }

    if (result.status <= CallResult::Status::permanent) {
        auto& type = types_[task.type];
        type.meter.sample(result.elapsed_us + type.info.overhead_us);
        type.touched = true;
    }
    if (result.elapsed_us > 0) {
        // What the plugin did not use was spent waiting for a thread of the runner.
        const auto inside = std::chrono::microseconds(result.elapsed_us);
        const auto start = now - inside;
        if (start > task.since) {
            task.times.wait_us += static_cast<std::uint64_t>((start - task.since).count()) / 1000;
            task.since = start;
        }
    }
    finish(slot,
           {.status = status_of(task, result.status),
            .result = std::move(result.result),
            .message = std::move(result.message),
            .detail = std::move(result.detail),
            .emitted = std::move(result.emitted),
            .retry_after_ms = result.retry_after_ms},
           now);
}

void PhaseMachine::run_again(std::uint32_t slot, const CallResult& result, TimePoint now) {
    Task& task = tasks_[slot];
    if (task.cancelled)
        return finish(slot, AttemptStatus::cancelled, "cancelled", now);
    if (task.given_back || closed_ || ++task.reruns > most_reruns)
        return finish(slot, AttemptStatus::interrupted, result.message, now);
    if (result.suspect)
        task.alone = true;
    requeue(slot, now);
}

void PhaseMachine::requeue(std::uint32_t slot, TimePoint now) {
    Task& task = tasks_[slot];
    const auto index = choose(types_[task.type].info.name, task.version_range);
    if (index == no_slot)
        return finish(slot,
                      AttemptStatus::interrupted,
                      "the plugin was removed from this host before the task could run",
                      now);
    assign_to(task, index);
    task.stage = Stage::queued;
    task.plugin = 0;
    task.install_entry = no_slot;  // another version of the plugin may run it: another key
    enter(task, wire::Phase::assigned, now);
    types_[index].queue.push_front(tasks_, slot);
}

// ---- installs --------------------------------------------------------------------------------

/// An install is there: the task that waited for it is executed, unless that is not wanted any
/// more.
void PhaseMachine::go_on(std::uint32_t slot, TimePoint now) {
    const Task& task = tasks_[slot];
    if (task.cancelled)
        return finish(slot, AttemptStatus::cancelled, "cancelled", now);
    if (task.given_back || closed_)
        return finish(slot, AttemptStatus::interrupted, "this host takes no more tasks", now);
    requeue(slot, now);
}

/// What is not good any more is removed, and the first one that needs it installs anew.
void PhaseMachine::verify_ended(std::uint32_t slot, const CallResult& result, TimePoint now) {
    const Task& task = tasks_[slot];
    auto& entry = installs_[task.install_entry];
    const bool good = result.status == CallResult::Status::ok;
    // Nothing was said about it: it is asked again.
    const bool unknown = !good && (result.status == CallResult::Status::aborted || task.cancelled ||
                                   task.given_back);
    entry.verifying = false;
    entry.unverified = unknown;
    entry.state = good || unknown ? InstallTable::State::ready : InstallTable::State::absent;
    if (entry.state == InstallTable::State::absent)
        actions_.remove_install(entry.key);
    release_waiting(entry, now);
    go_on(slot, now);
}

void PhaseMachine::install_ended(std::uint32_t slot, CallResult& result, TimePoint now) {
    Task& task = tasks_[slot];
    auto& entry = installs_[task.install_entry];
    if (entry.verifying)
        return verify_ended(slot, result, now);
    if (result.status == CallResult::Status::ok) {
        if (auto kept = actions_.keep_install(entry.key); !kept)
            return fail_install(slot, kept.error().message, now);
        entry.state = InstallTable::State::ready;
        entry.unverified = false;
        release_waiting(entry, now);
        return go_on(slot, now);
    }

    const bool lost = result.status == CallResult::Status::aborted;
    if (!lost && !task.cancelled && !task.given_back)
        return fail_install(slot,
                            result.status == CallResult::Status::crashed
                                ? "install crashed: " + result.message
                                : "install failed: " + result.message,
                            now);
    actions_.drop_install(entry.key);
    entry.state = InstallTable::State::absent;
    release_waiting(entry, now);  // the first of them installs next
    if (!lost || task.cancelled)
        return finish(slot,
                      task.cancelled ? AttemptStatus::cancelled : AttemptStatus::interrupted,
                      "ended during install",
                      now);
    if (result.suspect && ++task.reruns > 1)
        return finish(
            slot, AttemptStatus::install_failed, "install crashed: " + result.message, now);
    result.suspect = false;
    run_again(slot, result, now);
}

void PhaseMachine::fail_install(std::uint32_t slot, const std::string& why, TimePoint now) {
    auto& entry = installs_[tasks_[slot].install_entry];
    actions_.drop_install(entry.key);
    entry.state = InstallTable::State::absent;
    auto waiting = std::move(entry.waiting);
    entry.waiting.clear();
    finish(slot, AttemptStatus::install_failed, why, now);
    for (const auto other : waiting)
        finish(other, AttemptStatus::install_failed, why, now);
}

void PhaseMachine::release_waiting(InstallTable::Entry& entry, TimePoint now) {
    auto waiting = std::move(entry.waiting);
    entry.waiting.clear();
    for (auto slot = waiting.rbegin(); slot != waiting.rend(); ++slot)
        requeue(*slot, now);
}

// ---- the end ---------------------------------------------------------------------------------

void PhaseMachine::finish(std::uint32_t slot, Outcome&& outcome, TimePoint now) {
    Task& task = tasks_[slot];
    enter(task, task.phase, now);
    outcome.token = task.token;
    outcome.lease = task.lease;
    outcome.times = task.times;
    const auto type = task.type;
    if (task.plugin != 0)
        outcome.version = types_[type].info.version;
    const bool disowned = task.disowned;
    vacate(task);
    tasks_.release(slot);
    --types_[type].users;
    forget_if_unused(type);
    if (!disowned)
        actions_.finish(std::move(outcome));
}

void PhaseMachine::finish(std::uint32_t slot,
                          AttemptStatus status,
                          std::string_view message,
                          TimePoint now) {
    Outcome outcome;
    outcome.status = status;
    outcome.message = message;
    finish(slot, std::move(outcome), now);
}

}  // namespace distributo::host
