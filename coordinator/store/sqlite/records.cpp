#include "coordinator/store/sqlite/records.hpp"

#include "coordinator/store/sqlite/options_text.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace distributo::coordinator::store {
namespace {

wire::PhaseTimes phase_times(const Rows& rows, int first) {
    return {rows.as<std::uint64_t>(first),
            rows.as<std::uint64_t>(first + 1),
            rows.as<std::uint64_t>(first + 2),
            rows.as<std::uint64_t>(first + 3)};
}

// Columns of select_tasks().
enum TaskColumn {
    task_id,
    task_type,
    task_created,
    task_payload,
    task_parent,
    task_options,
    task_generator,
    outcome_sequence,
    outcome_state,
    outcome_reason,
    outcome_attempt,
    outcome_status,
    outcome_charge,
    outcome_host,
    outcome_host_id,
    outcome_version,
    outcome_finished,
    outcome_lasted,
    outcome_times,
    outcome_message = outcome_times + 4,
    outcome_result,
};

}  // namespace

std::string select_tasks() {
    return R"sql(
        SELECT t.id, t.type, t.created, t.payload, t.parent, t.options,
            t.generator, o.sequence, o.state, o.reason, o.attempt, o.status, o.charge, o.host, o.host_id,
            o.version, o.finished, o.lasted, o.wait_us, o.setup_us, o.install_us, o.execute_us,
            o.message, o.result
        FROM task t LEFT JOIN outcome o ON o.id = t.id )sql";
}

Records::Records(const Database& database, std::optional<BlobFiles> files)
    : names_(database),
      files_(std::move(files)),
      find_(database.prepare(select_tasks() + "WHERE t.id = ?")),
      attempts_(database.prepare(R"sql(
        SELECT number, term, status, charge, excludes_host, host, host_id, version, started,
            finished, retry_at, wait_us, setup_us, install_us, execute_us, message
        FROM attempt WHERE task = ? ORDER BY number)sql")),
      controls_(database.prepare(R"sql(
        SELECT term, kind, after_attempt, asked, reason FROM control WHERE task = ?
        ORDER BY part)sql")),
      submitted_in_(database.prepare("SELECT max(term) FROM term WHERE first_id <= ?")) {}

core::NewTask Records::task(const Rows& rows) {
    core::NewTask task;
    task.id = rows.as<TaskId>(task_id);
    task.type = names_.text(rows.integer(task_type));
    task.created = rows.time(task_created);
    task.payload = base::Bytes::copy(rows.text(task_payload));
    task.parent = rows.as<TaskId>(task_parent);
    task.generator = rows.as<core::ExtensionNumber>(task_generator);
    if (rows.null(task_options))
        return task;
    auto options = options_from_text(rows.text(task_options));
    if (!options)
        throw DatabaseError(
            SQLITE_CORRUPT,
            "the options of task " + std::to_string(task.id) + " are not what was written");
    task.options = std::make_shared<core::TaskOptions>(std::move(*options));
    return task;
}

TaskRecord Records::record(const Rows& rows) {
    TaskRecord record;
    record.task = task(rows);
    if (!rows.null(outcome_sequence)) {
        record.sequence = rows.as<std::uint64_t>(outcome_sequence);
        record.outcome = outcome(rows, record.task.id);
    }
    return record;
}

core::Outcome Records::outcome(const Rows& rows, TaskId id) {
    core::Outcome outcome;
    outcome.id = id;
    outcome.state = rows.as<wire::TaskState>(outcome_state);
    outcome.reason = rows.as<wire::FailReason>(outcome_reason);
    const auto result = rows.text(outcome_result);
    if (!rows.is_text(outcome_result))
        outcome.result = base::Bytes::copy(result);
    else if (files_)
        outcome.result = files_->read(std::string(result));
    auto& attempt = outcome.attempt;
    attempt.number = rows.as<std::uint32_t>(outcome_attempt);
    attempt.status = rows.as<wire::AttemptStatus>(outcome_status);
    attempt.charge = rows.as<core::Charge>(outcome_charge);
    attempt.host = names_.text(rows.integer(outcome_host));
    attempt.host_id = names_.text(rows.integer(outcome_host_id));
    attempt.version = names_.text(rows.integer(outcome_version));
    attempt.finished = rows.time(outcome_finished);
    attempt.started = attempt.finished - std::chrono::milliseconds(rows.integer(outcome_lasted));
    attempt.times = phase_times(rows, outcome_times);
    attempt.message = rows.text(outcome_message);
    return outcome;
}

std::optional<TaskRecord> Records::find(TaskId id) {
    auto rows = find_.query(id);
    if (!rows.next())
        return std::nullopt;
    return record(rows);
}

PastAttempts Records::past(TaskId id, std::uint32_t term) {
    PastAttempts past;
    {
        auto rows = submitted_in_.query(id);
        if (rows.next())
            past.before = term - rows.as<std::uint32_t>(0);
    }
    read_attempts(past, id, term);
    read_controls(past, id, term);
    return past;
}

PastAttempts Records::past(const TaskRecord& record, std::uint32_t term) {
    auto past = this->past(record.task.id, term);
    if (!record.outcome)
        return past;
    const auto& last = record.outcome->attempt;
    past.before = std::max(past.before, last.number);
    if (last.number == 0)
        return past;
    // An attempt that was given up first may have ended the task after all.
    auto place = std::ranges::lower_bound(past.attempts, last.number, {}, &core::Attempt::number);
    if (place != past.attempts.end() && place->number == last.number)
        *place = last;
    else
        past.attempts.insert(place, last);
    return past;
}

void Records::read_attempts(PastAttempts& past, TaskId id, std::uint32_t term) {
    auto rows = attempts_.query(id);
    while (rows.next()) {
        auto& attempt = past.attempts.emplace_back();
        attempt.number = rows.as<std::uint32_t>(0);
        past.before = std::max(past.before, attempt.number + term - rows.as<std::uint32_t>(1));
        attempt.status = rows.as<wire::AttemptStatus>(2);
        attempt.charge = rows.as<core::Charge>(3);
        attempt.excludes_host = rows.integer(4) != 0;
        attempt.host = names_.text(rows.integer(5));
        attempt.host_id = names_.text(rows.integer(6));
        attempt.version = names_.text(rows.integer(7));
        attempt.started = rows.time(8);
        attempt.finished = rows.time(9);
        attempt.retry_at = rows.time(10);
        attempt.times = phase_times(rows, 11);
        attempt.message = rows.text(15);
    }
}

void Records::read_controls(PastAttempts& past, TaskId id, std::uint32_t term) {
    auto rows = controls_.query(id);
    while (rows.next()) {
        auto& control = past.controls.emplace_back();
        control.id = id;
        const auto since = term - rows.as<std::uint32_t>(0);
        control.kind = rows.as<core::Control::Kind>(1);
        control.after_attempt = rows.as<std::uint32_t>(2);
        past.before = std::max(past.before, control.after_attempt + since);
        control.when = rows.time(3);
        control.reason = rows.text(4);
    }
}

}  // namespace distributo::coordinator::store
