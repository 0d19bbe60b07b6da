#include "tests/simulation/oracle.hpp"

#include <algorithm>
#include <utility>

namespace distributo::simulation {

using wire::AttemptStatus;
using wire::TaskState;

namespace {

std::string name(core::TaskId task, std::uint32_t attempt) {
    return "attempt " + std::to_string(attempt) + " of task " + std::to_string(task);
}

std::string name(core::TaskId task) {
    return "task " + std::to_string(task);
}

}  // namespace

Oracle::AttemptFacts* Oracle::TaskFacts::attempt(std::uint32_t number) {
    const auto found = std::ranges::find(attempts, number, &AttemptFacts::number);
    return found == attempts.end() ? nullptr : &*found;
}

Oracle::TaskFacts& Oracle::facts(core::TaskId task) {
    if (task >= facts_.size())
        facts_.resize(task + 1);
    return facts_[task];
}

void Oracle::fail(std::string invariant, std::string what) {
    if (!violation_)
        violation_ = Violation{std::move(invariant), std::move(what)};
}

core::TaskId Oracle::task_of(std::uint32_t request) const {
    const auto found = answered_.find({request, 0});
    return found == answered_.end() ? 0 : found->second;
}

std::vector<core::TaskId> Oracle::live_tasks() const {
    std::vector<core::TaskId> live;
    for (core::TaskId id = 1; id < facts_.size(); ++id)
        if (facts_[id].live)
            live.push_back(id);
    return live;
}

std::string Oracle::result_of(core::TaskId task, std::uint32_t attempt, RunId run) {
    return "[" + std::to_string(task) + "," + std::to_string(attempt) + "," + std::to_string(run) +
           "]";
}

// ---- the disk ----

void Oracle::durable(const Write& write) {
    if (const auto* reopened = std::get_if<Reopened>(&write)) {
        auto& task = facts(reopened->id);
        task.live = true;
        task.failures = task.crashes = task.install_failures = 0;
        unshown_ -= task.shown ? 0 : 1;
        task.shown = false;
        extensions_.reopened(reopened->id);
        ++task.generation;
        ++live_;
        if (!task.unique_key.empty())
            key_holders_[task.unique_key] = reopened->id;
        return;
    }
    const auto* written = std::get_if<Stored>(&write);
    if (!written)
        return;
    const auto& transaction = written->transaction;
    for (const auto& failed : transaction.attempts)
        recorded(failed);
    for (const auto& host : transaction.hosts)
        present_hosts_[host.host_id] = host.present;
    std::vector<const core::Outcome*> of_new_tasks;
    for (const auto& outcome : transaction.outcomes)
        if (facts(outcome.id).stored)
            ended(outcome);
        else
            of_new_tasks.push_back(&outcome);
    auto duplicate = written->duplicates.begin();
    for (std::size_t i = 0; i < transaction.submits.size(); ++i) {
        if (duplicate != written->duplicates.end() && duplicate->index == i)
            ++duplicate;
        else
            stored(transaction.submits[i]);
    }
    for (const auto* outcome : of_new_tasks)
        ended(*outcome);
    check_follow_ups(transaction);
    extensions_.kept(transaction);
}

void Oracle::check_follow_ups(const store::Transaction& transaction) {
    for (const auto& outcome : transaction.outcomes) {
        if (outcome.state != TaskState::completed ||
            emitted_by(scenario_, facts(outcome.id).payload).empty())
            continue;
        const auto count =
            std::ranges::count(transaction.submits, outcome.id, &core::NewTask::parent);
        if (count != 1)
            fail("I2",
                 name(outcome.id) + " is stored with " + std::to_string(count) +
                     " follow-up tasks instead of one");
    }
}

void Oracle::stored(const core::NewTask& task) {
    auto& known = facts(task.id);
    if (std::exchange(known.stored, true))
        return fail("I4", "the number of " + name(task.id) + " was given to two tasks");
    known.live = true;
    ++stored_;
    ++live_;
    known.payload = task.payload.view();
    known.max_attempts = scenario_.settings.max_attempts;
    if (task.options && task.options->max_attempts != 0)
        known.max_attempts = task.options->max_attempts;
    extensions_.stored(task);
    if (task.options)
        known.unique_key = task.options->unique_key;
    if (task.options && !task.options->given_id.empty() &&
        !given_ids_.insert(task.options->given_id).second)
        fail("P9", name(task.id) + " has the id of another one");
    if (!known.unique_key.empty()) {
        auto& holder = key_holders_[known.unique_key];
        if (holder != 0 && facts(holder).live)
            fail("P9", name(holder) + " and " + name(task.id) + " live with one unique key");
        holder = task.id;
    } else if (task.parent == 0 && task.generator == 0 && ++copies_[known.payload] > 1) {
        fail("P9", name(task.id) + " repeats a submit that was stored before");
    }
}

void Oracle::recorded(const core::FailedAttempt& failed) {
    auto* attempt = facts(failed.id).attempt(failed.attempt.number);
    if (!attempt)
        return fail("I2", name(failed.id, failed.attempt.number) + " is recorded, nobody got it");
    attempt->recorded = true;
    const bool given_up = failed.attempt.status == AttemptStatus::interrupted &&
                          failed.attempt.charge != core::Charge::interruption;
    if (given_up)
        return;
    if (std::exchange(attempt->reported, true))
        return fail("I12", name(failed.id, failed.attempt.number) + " is charged a second time");
    charge(failed.id, failed.attempt);
}

void Oracle::charge(core::TaskId id, const core::Attempt& attempt) {
    if (attempt.charge == core::Charge::none)
        return;  // the task was held when it was reported
    auto& task = facts(id);
    const auto count = [&](std::uint32_t& used, std::uint32_t budget) {
        if (++used >= budget)
            fail("I12", name(id, attempt.number) + " used up a budget, but the task goes on");
    };
    switch (attempt.status) {
        case AttemptStatus::retry:
        case AttemptStatus::retry_elsewhere:
        case AttemptStatus::timeout:
            return count(task.failures, task.max_attempts);
        case AttemptStatus::crashed:
            return count(task.crashes, scenario_.settings.max_crashes);
        case AttemptStatus::install_failed:
            return count(task.install_failures, scenario_.settings.install_failure_hosts);
        default:
            return;
    }
}

void Oracle::check_budget(const TaskFacts& task, const core::Outcome& outcome) {
    const auto check = [&](std::uint32_t used, std::uint32_t budget) {
        if (used + 1 != budget)
            fail("I12",
                 name(outcome.id) + " ended after " + std::to_string(used + 1) +
                     " failures, its budget is " + std::to_string(budget));
    };
    switch (outcome.reason) {
        case wire::FailReason::attempts_exhausted:
        case wire::FailReason::timeout:
            return check(task.failures, task.max_attempts);
        case wire::FailReason::poison:
            return check(task.crashes, scenario_.settings.max_crashes);
        case wire::FailReason::install_failed:
            return check(task.install_failures, scenario_.settings.install_failure_hosts);
        default:
            return;
    }
}

void Oracle::ended(const core::Outcome& outcome) {
    auto& task = facts(outcome.id);
    if (!task.stored)
        return fail("I2", name(outcome.id) + " ended, but was never stored");
    if (!std::exchange(task.live, false))
        return fail("I3", name(outcome.id) + " ended a second time");
    --live_;
    ++unshown_;
    ++task.ends;
    extensions_.ended(outcome);
    check_budget(task, outcome);
    if (outcome.attempt.number != 0)
        check_deciding_attempt(task, outcome);
    else if (outcome.state == TaskState::completed)
        fail("I2", name(outcome.id) + " is completed without an attempt");
}

void Oracle::check_deciding_attempt(TaskFacts& task, const core::Outcome& outcome) {
    const auto number = outcome.attempt.number;
    auto* attempt = task.attempt(number);
    if (!attempt)
        return fail("I2", name(outcome.id, number) + " decided, nobody got it");
    attempt->recorded = attempt->decided = true;
    if (outcome.state == TaskState::completed &&
        (attempt->run == 0 || outcome.result.view() != result_of(outcome.id, number, attempt->run)))
        fail("I2", name(outcome.id, number) + " is recorded with a result that it did not give");
    // I6, adapted: assignments are not written, so after a restart of the coordinator an attempt of
    // an earlier boot may decide although a newer one was handed out before the restart. One that
    // was handed out since then excludes it.
    for (const auto& other : task.attempts)
        if (other.number > number && other.boot == boot_)
            return fail("I6", name(outcome.id, number) + " decided although there is a newer one");
}

// ---- what leaves the coordinator ----

void Oracle::assigned(const std::string& host_id,
                      core::TaskId id,
                      std::uint32_t number,
                      const wire::Token& token) {
    auto& task = facts(id);
    if (!present_hosts_[host_id])
        return fail("I5", name(id, number) + " went to a host before that host was recorded");
    if (!task.stored)
        return fail("I5", name(id, number) + " was handed out before its submit was durable");
    for (const auto& earlier : task.attempts) {
        if (earlier.number >= number)
            return fail("I4",
                        name(id, number) + " was handed out after number " +
                            std::to_string(earlier.number));
        // What makes I4 hold without writing assignments: at most one unrecorded attempt per boot.
        if (earlier.boot == boot_ && !earlier.recorded)
            return fail("I5",
                        name(id, number) + " was handed out before number " +
                            std::to_string(earlier.number) + " was recorded");
    }
    if (!task.live)
        return fail("I3", name(id, number) + " was handed out after the task's end was durable");
    if (task.cancel_confirmed)
        return fail("I3", name(id, number) + " was handed out after a cancel was confirmed");
    if (task.hold_confirmed)
        return fail("I3", name(id, number) + " was handed out although the task is held");
    task.attempts.push_back({number, boot_, task.generation});
    if (!tokens_.try_emplace({token.term, token.counter}, TokenFacts{id, number}).second)
        fail("I4", "a token was used twice, the second time for " + name(id, number));
}

void Oracle::result_acknowledged(const wire::AckItem& item) {
    const auto token = tokens_.find({item.token.term, item.token.counter});
    if (token == tokens_.end())
        return fail("I4", "a token is acknowledged that nobody has");
    const auto [id, number, status] = token->second;
    auto& task = facts(id);
    const auto* attempt = task.attempt(number);
    // Something else decided, or a person asked for another generation: nothing is left to do.
    if (!task.live || attempt->generation != task.generation)
        return;
    if (!item.stale && !attempt->recorded)
        return fail("I5", name(id, number) + " was acknowledged before it was durable");
    if (status != AttemptStatus::ok || attempt->decided)
        return;
    if (!item.stale)
        return fail("I7", "the result of " + name(id, number) + " was acknowledged and not kept");
    // A result is thrown away only because a newer attempt exists.
    if (task.attempts.back().number == number)
        fail("I7", "the result of " + name(id, number) + " was thrown away, nothing replaces it");
}

void Oracle::submit_answered(std::uint32_t request, const std::vector<engine::Submitted>& answers) {
    const auto protection = scenario_.requests[request].protection;
    for (std::size_t i = 0; i < answers.size(); ++i) {
        const auto& answer = answers[i];
        if (answer.kind == engine::Submitted::Kind::conflict)
            return fail("P9", "request " + std::to_string(request) + " got a conflict");
        if (!facts(answer.id).stored)
            return fail("I5", name(answer.id) + " was accepted before it was durable");
        const auto [known, added] = answered_.try_emplace({request, i}, answer.id);
        if (!added && known->second != answer.id && protection != Protection::unique_key)
            return fail("P9",
                        "request " + std::to_string(request) + " got " + name(known->second) +
                            ", then " + name(answer.id));
    }
}

void Oracle::order_given(core::TaskId id, Step::Kind kind) {
    auto& task = facts(id);
    if (kind == Step::Kind::retry || kind == Step::Kind::release) {
        // It may take effect at any time from now on, whoever hears of it.
        task.may_come_back = true;
        task.cancel_confirmed = task.hold_confirmed = false;
    }
}

void Oracle::order_confirmed(core::TaskId id, Step::Kind kind, TaskState state) {
    auto& task = facts(id);
    if (task.may_come_back)
        return;
    if (kind == Step::Kind::cancel)
        task.cancel_confirmed = state == TaskState::cancelled || state == TaskState::cancelling;
    if (kind == Step::Kind::hold)
        task.hold_confirmed = state == TaskState::held;
}

void Oracle::result_shown(const store::TaskRecord& record) {
    auto& task = facts(record.task.id);
    if (record.sequence <= last_shown_)
        return fail("I11", "the sink saw number " + std::to_string(record.sequence) + " late");
    last_shown_ = record.sequence;
    if (task.ends == 0)
        return fail("I5", "the end of " + name(record.task.id) + " was shown before it is durable");
    if (task.live)
        return;  // it was opened again since it was looked up
    unshown_ -= std::exchange(task.shown, true) ? 0 : 1;
}

// ---- what hosts do ----

RunId Oracle::run_began(core::TaskId id, std::uint32_t number) {
    auto* attempt = facts(id).attempt(number);
    ++runs_;
    if (!attempt)
        fail("I4", name(id, number) + " runs, nobody handed it out");
    else if (std::exchange(attempt->run, runs_) != 0)
        fail("I4", name(id, number) + " runs a second time");
    return runs_;
}

void Oracle::run_ended(const wire::Token& token, AttemptStatus status) {
    tokens_[{token.term, token.counter}].status = status;
}

// ---- checks ----

void Oracle::check_counts(const core::Counts& counts) {
    if (counts.live() != live_)
        fail("I10",
             "the coordinator knows " + std::to_string(counts.live()) + " live tasks, " +
                 std::to_string(live_) + " are stored");
}

void Oracle::check_end() {
    for (core::TaskId id = 1; id < facts_.size(); ++id) {
        if (facts_[id].live)
            return fail("I1", name(id) + " never came to an end");
        if (facts_[id].stored && !facts_[id].shown)
            return fail("I11", "the sink never saw the end of " + name(id));
    }
    extensions_.check_end();
    // I8: restarts of the coordinator alone make nobody do anything twice.
    if (scenario_.profile == Profile::restarts && runs_ != stored_)
        fail("I8", std::to_string(runs_) + " runs for " + std::to_string(stored_) + " tasks");
}

}  // namespace distributo::simulation
