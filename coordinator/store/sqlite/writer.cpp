#include "coordinator/store/sqlite/writer.hpp"

#include <algorithm>
#include <chrono>

namespace distributo::coordinator::store {
namespace {

using base::Errc;

// A start reads what lies above the floor, at about a million rows per second.
constexpr std::uint64_t commits_per_floor = 1000;
// Retention writes a row of `recorded` anew for every slice that it forgets of it.
constexpr std::size_t longest_record = 3000;

}  // namespace

Writer::Writer(const Database& database, const BlobFiles& files, const Start& start)
    : database_(database),
      start_(start),
      names_(database),
      tallies_(database),
      marks_(database),
      blobs_(database, files),
      pruner_(database, names_, tallies_, marks_, blobs_),
      records_(database),
      committed_sequence_(start.sequence),
      committed_floor_(start.live_floor),
      begin_(database.prepare("BEGIN IMMEDIATE")),
      commit_(database.prepare("COMMIT")),
      roll_back_(database.prepare("ROLLBACK")),
      insert_task_(database.prepare("INSERT INTO task VALUES(?, ?, ?, ?, ?, ?, ?, ?)")),
      insert_outcome_(database.prepare("INSERT INTO outcome VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
                                       "?, ?, ?, ?, ?, ?, ?, ?)")),
      insert_recorded_(database.prepare("INSERT INTO recorded VALUES(?, ?)")),
      insert_attempt_(database.prepare(R"sql(
        INSERT INTO attempt VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT(task, number) DO UPDATE SET status = excluded.status,
            charge = excluded.charge, excludes_host = excluded.excludes_host,
            host = excluded.host, host_id = excluded.host_id, version = excluded.version,
            started = excluded.started, finished = excluded.finished,
            retry_at = excluded.retry_at, wait_us = excluded.wait_us,
            setup_us = excluded.setup_us, install_us = excluded.install_us,
            execute_us = excluded.execute_us, message = excluded.message)sql")),
      insert_control_(database.prepare(R"sql(
        INSERT INTO control VALUES(?1, (SELECT count(*) FROM control WHERE task = ?1), ?2, ?3, ?4,
            ?5, ?6))sql")),
      insert_host_(database.prepare("INSERT OR REPLACE INTO host VALUES(?, ?, ?, ?, ?, ?)")),
      delete_host_(database.prepare("DELETE FROM host WHERE host_id = ?")),
      put_extension_(database.prepare("INSERT OR REPLACE INTO extension VALUES(?, ?, ?, ?, ?, ?)")),
      put_cursor_(database.prepare("INSERT OR REPLACE INTO cursor VALUES(?, ?, ?, ?, ?, ?, ?)")),
      find_given_id_(database.prepare("SELECT task FROM given_id WHERE text = ?")),
      insert_given_id_(database.prepare("INSERT INTO given_id VALUES(?, ?, ?)")),
      find_unique_key_(database.prepare("SELECT task FROM unique_key WHERE text = ?")),
      insert_unique_key_(database.prepare("INSERT INTO unique_key VALUES(?, ?)")),
      delete_unique_key_(database.prepare("DELETE FROM unique_key WHERE text = ?")),
      find_submission_(
          database.prepare("SELECT content, created, tasks FROM submission WHERE key = ?")),
      insert_submission_(database.prepare("INSERT OR REPLACE INTO submission VALUES(?, ?, ?, ?)")),
      find_result_file_(
          database.prepare("SELECT result FROM outcome WHERE id = ? AND typeof(result) = 'text'")),
      delete_outcome_(database.prepare("DELETE FROM outcome WHERE id = ?")),
      put_meta_(database.prepare("INSERT OR REPLACE INTO meta VALUES(?, ?)")) {
    read_unique_keys();
}

void Writer::recovered(const core::NewTask& task) {
    const auto group = task.options ? names_.id(NameKind::group, task.options->group) : 0;
    live_.add(task.id, {names_.id(NameKind::type, task.type), group});
    live_.begin();
}

void Writer::begin() {
    live_.begin();
    begin_.run();
}

void Writer::commit() {
    write_outcomes();
    write_recorded();
    tallies_.flush();
    marks_.flush();
    if (++commits_ % commits_per_floor == 0)
        write_floor(live_.floor(start_.next_id));
    commit_.run();
    committed_sequence_ = start_.sequence;
    committed_floor_ = start_.live_floor;
    tallies_.committed();
    pruner_.committed();
}

void Writer::roll_back() {
    // What failed may have ended the transaction already.
    try {
        roll_back_.run();
    } catch (const DatabaseError&) {
    }
    ended_.clear();
    recorded_.clear();
    start_.sequence = committed_sequence_;
    start_.live_floor = committed_floor_;
    live_.roll_back();
    names_.forget();
    tallies_.roll_back();
    marks_.forget();
    blobs_.roll_back();
    pruner_.roll_back();
    read_unique_keys();
}

bool Writer::prune(const Retention& retention, base::WallTime now) {
    return pruner_.prune(retention, now, {start_.next_id, start_.sequence + 1});
}

bool Writer::clean_files(bool idle) {
    return blobs_.clean(std::chrono::steady_clock::now(), idle);
}

void Writer::leave() {
    begin_.run();
    write_floor(live_.floor(start_.next_id));
    commit_.run();
}

void Writer::write_floor(TaskId floor) {
    start_.live_floor = floor;
    put_meta_.run("live_floor", floor);
}

Committed Writer::apply(const Transaction& transaction) {
    Committed committed;
    for (const auto& failed : transaction.attempts)
        if (live_.contains(failed.id))
            attempt(failed.id, failed.attempt);
    for (const auto& asked : transaction.controls)
        if (live_.contains(asked.id))
            control(asked);
    // An end makes room for a task with the same unique key, which may be its own follow-up; a task
    // may also be stored together with its end.
    std::vector<const core::Outcome*> of_new_tasks;
    for (const auto& outcome : transaction.outcomes)
        if (!end(outcome) && !transaction.submits.empty())
            of_new_tasks.push_back(&outcome);
    write_submits(transaction, committed);
    for (const auto* outcome : of_new_tasks)
        end(*outcome);
    for (const auto& record : transaction.hosts)
        host(record);
    for (const auto& record : transaction.extensions)
        extension(record);
    for (const auto& one : transaction.cursors)
        if (refusing_ && one.feeds)
            committed.submits_refused = true;
        else
            cursor(one);
    return committed;
}

void Writer::extension(const core::ExtensionRecord& record) {
    put_extension_.run(
        record.number, record.kind, record.name, record.definition, record.paused, record.removed);
}

void Writer::cursor(const core::Cursor& cursor) {
    put_cursor_.run(cursor.extension,
                    Blob{cursor.checkpoint},
                    cursor.sequence,
                    cursor.tasks,
                    cursor.duplicates,
                    cursor.outcomes,
                    cursor.ended);
}

void Writer::host(const core::HostRecord& record) {
    if (!record.present && record.quarantines == 0 && record.quarantined_until == base::WallTime{})
        return delete_host_.run(record.host_id);
    insert_host_.run(record.host_id,
                     record.name,
                     record.present,
                     record.quarantined_until,
                     record.quarantines,
                     record.quarantine_reason);
}

void Writer::control(const core::Control& control) {
    insert_control_.run(
        control.id, start_.term, control.kind, control.after_attempt, control.when, control.reason);
}

void Writer::attempt(TaskId id, const core::Attempt& attempt) {
    // An attempt that was given up may come back: what is recorded last of a number counts. Its
    // term stays, because the boots since then may have given out a number each.
    insert_attempt_.run(id,
                        attempt.number,
                        start_.term,
                        attempt.status,
                        attempt.charge,
                        attempt.excludes_host,
                        names_.id(NameKind::host, attempt.host),
                        names_.id(NameKind::host_id, attempt.host_id),
                        names_.id(NameKind::version, attempt.version),
                        attempt.started,
                        attempt.finished,
                        attempt.retry_at,
                        attempt.times.wait_us,
                        attempt.times.setup_us,
                        attempt.times.install_us,
                        attempt.times.execute_us,
                        attempt.message);
}

bool Writer::end(const core::Outcome& outcome) {
    const auto task = live_.remove(outcome.id);
    if (task.type == 0)
        return false;
    if (!unique_keys_.empty())
        drop_unique_key(outcome.id);
    const auto sequence = ++start_.sequence;
    if (recorded_.empty())
        first_recorded_ = sequence;
    recorded_.add(sequence, outcome.id);
    if (recorded_.bytes().size() > longest_record)
        write_recorded();
    ended_.push_back({&outcome, sequence, task});
    tallies_.ended(task.type, task.group, outcome.state);
    return true;
}

void Writer::write_recorded() {
    if (!recorded_.empty())
        insert_recorded_.run(first_recorded_, Blob{recorded_.bytes()});
    recorded_.clear();
}

void Writer::write_outcomes() {
    // In order of id, neighbours of one page are written together.
    std::ranges::sort(ended_, {}, [](const Ended& ended) { return ended.outcome->id; });
    for (const auto& ended : ended_)
        write_outcome(ended);
    ended_.clear();
}

void Writer::write_outcome(const Ended& ended) {
    const auto& outcome = *ended.outcome;
    const auto& attempt = outcome.attempt;
    const auto host = names_.id(NameKind::host, attempt.host);
    const auto host_id = names_.id(NameKind::host_id, attempt.host_id);
    const auto version = names_.id(NameKind::version, attempt.version);
    std::string file;
    if (outcome.result.size() > longest_inline_result)
        file = blobs_.add(outcome.result.view());
    insert_outcome_.bind(outcome.id)
        .bind(ended.sequence)
        .bind(outcome.state)
        .bind(outcome.reason)
        .bind(attempt.number)
        .bind(attempt.status)
        .bind(attempt.charge)
        .bind(host)
        .bind(host_id)
        .bind(version)
        .bind(attempt.finished)
        .bind((attempt.finished - attempt.started).count())
        .bind(attempt.times.wait_us)
        .bind(attempt.times.setup_us)
        .bind(attempt.times.install_us)
        .bind(attempt.times.execute_us);
    if (file.empty())
        insert_outcome_.bind(Blob{outcome.result.view()});
    else
        insert_outcome_.bind(file);
    insert_outcome_.bind(attempt.message).finish();
    const auto state = static_cast<int>(outcome.state);
    marks_.mark(any_name, state, outcome.id);
    marks_.mark(ended.task.type, state, outcome.id);
    if (host != 0)
        marks_.mark(host, any_state, outcome.id);
}

std::string Writer::result_file(TaskId id) {
    auto rows = find_result_file_.query(id);
    return rows.next() ? std::string(rows.text(0)) : std::string();
}

base::Result<TaskRecord> Writer::reopen(TaskId id, base::WallTime now) {
    write_outcomes();
    auto record = records_.find(id);
    if (!record)
        return base::error(Errc::not_found, "no such task");
    if (!record->outcome)
        return base::error(Errc::conflict, "the task has not ended");
    const auto* options = record->task.options.get();
    if (options && !options->unique_key.empty()) {
        if (const TaskId other = holder(find_unique_key_, options->unique_key); other != 0)
            return base::error(
                Errc::conflict,
                "another task with the unique key '" + options->unique_key + "' has not ended",
                "retry it when that one has ended");
        take_unique_key(id, options->unique_key);
    }
    auto past = records_.past(*record, start_.term);
    const auto& last = record->outcome->attempt;
    if (last.number != 0)
        attempt(id, last);
    const core::Control again{id, core::Control::Kind::retry, {}, now, past.before};
    control(again);
    past.controls.push_back(again);
    if (const auto file = result_file(id); !file.empty())
        blobs_.release(file);
    delete_outcome_.run(id);

    const LiveTask task{names_.id(NameKind::type, record->task.type),
                        options ? names_.id(NameKind::group, options->group) : 0};
    tallies_.reopened(task.type, task.group, record->outcome->state);
    live_.add(id, task);
    if (id < start_.live_floor)
        write_floor(id);
    record->outcome.reset();
    record->sequence = 0;
    record->task.attempts_before = past.before;
    record->attempts = std::move(past.attempts);
    record->controls = std::move(past.controls);
    return std::move(*record);
}

}  // namespace distributo::coordinator::store
