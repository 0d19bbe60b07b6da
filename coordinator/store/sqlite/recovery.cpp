#include "coordinator/store/sqlite/recovery.hpp"

#include "base/ids.hpp"
#include "coordinator/store/history.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string>
#include <unordered_set>

namespace distributo::coordinator::store {
namespace {

constexpr std::size_t identity_bytes = 16;
constexpr std::size_t key_bytes = 16;

std::int64_t number_of(const Database& database, std::string_view key) {
    auto find = database.prepare("SELECT value FROM meta WHERE key = ?");
    auto rows = find.query(key);
    return rows.next() ? rows.integer(0) : 0;
}

std::string text_of(const Database& database, std::string_view key) {
    auto find = database.prepare("SELECT value FROM meta WHERE key = ?");
    auto rows = find.query(key);
    return rows.next() ? std::string(rows.text(0)) : std::string();
}

std::array<std::uint64_t, 2> key_from(std::string_view hexadecimal) {
    constexpr std::size_t half = key_bytes;  // digits
    std::array<std::uint64_t, 2> key{};
    for (std::size_t i = 0; i < key.size() && hexadecimal.size() >= (i + 1) * half; ++i) {
        const auto digits = hexadecimal.substr(i * half, half);
        std::from_chars(digits.data(), digits.data() + digits.size(), key[i], 16);
    }
    return key;
}

std::uint64_t newest_sequence(const Database& database) {
    auto sequence = static_cast<std::uint64_t>(number_of(database, "sequence"));
    auto newest = database.prepare("SELECT tasks FROM recorded ORDER BY first DESC LIMIT 1");
    auto rows = newest.query();
    if (rows.next()) {
        PairReader pairs(rows.text(0));
        while (const auto pair = pairs.next())
            sequence = std::max(sequence, pair->first);
    }
    return sequence;
}

/// When tasks were submitted, for ids that ascend.
class Terms {
public:
    explicit Terms(const Database& database) {
        auto all = database.prepare("SELECT term, first_id FROM term ORDER BY term");
        auto rows = all.query();
        while (rows.next())
            terms_.push_back({rows.as<std::uint32_t>(0), rows.as<TaskId>(1)});
    }
    [[nodiscard]] std::uint32_t of(TaskId id) {
        while (at_ + 1 < terms_.size() && terms_[at_ + 1].second <= id)
            ++at_;
        return terms_[at_].first;
    }

private:
    std::vector<std::pair<std::uint32_t, TaskId>> terms_;
    std::size_t at_ = 0;
};

/// Live tasks of which more is known than their submit.
std::unordered_set<TaskId> with_a_past(const Database& database, TaskId floor) {
    std::unordered_set<TaskId> found;
    auto all = database.prepare(
        "SELECT task FROM attempt WHERE task >= ?1 UNION SELECT task FROM control "
        "WHERE task >= ?1");
    auto rows = all.query(floor);
    while (rows.next())
        found.insert(rows.as<TaskId>(0));
    return found;
}

void read_live(const Database& database,
               const Writer::Start& start,
               Writer& writer,
               std::vector<core::RecoveredTask>& live) {
    Terms terms(database);
    // Both ascend by id, so this is one pass over either instead of a look-up per task.
    auto all_tasks = database.prepare(
        "SELECT id, type, created, payload, parent, options, generator FROM task WHERE id >= ? "
        "ORDER BY id");
    auto all_ended = database.prepare("SELECT id FROM outcome WHERE id >= ? ORDER BY id");
    auto tasks = all_tasks.query(start.live_floor);
    auto ended = all_ended.query(start.live_floor);
    bool more_ended = ended.next();
    while (tasks.next()) {
        const auto id = tasks.as<TaskId>(0);
        while (more_ended && ended.as<TaskId>(0) < id)
            more_ended = ended.next();
        if (more_ended && ended.as<TaskId>(0) == id)
            continue;
        auto& found = live.emplace_back();
        found.task = writer.records().task(tasks);
        found.task.attempts_before = start.term - terms.of(id);
        writer.recovered(found.task);
    }
}

void read_histories(const Database& database,
                    const Writer::Start& start,
                    Writer& writer,
                    std::vector<core::RecoveredTask>& live) {
    const auto past_of = with_a_past(database, start.live_floor);
    if (past_of.empty())
        return;
    for (auto& found : live) {
        if (!past_of.contains(found.task.id))
            continue;
        const auto past = writer.records().past(found.task.id, start.term);
        found.task.attempts_before = past.before;
        found.history =
            std::make_unique<core::TaskHistory>(fold_history(past.attempts, past.controls));
    }
}

std::vector<core::HostRecord> read_hosts(const Database& database) {
    std::vector<core::HostRecord> hosts;
    auto all = database.prepare(
        "SELECT host_id, name, present, quarantined_until, quarantines, reason FROM host");
    auto rows = all.query();
    while (rows.next()) {
        auto& host = hosts.emplace_back();
        host.host_id = rows.text(0);
        host.name = rows.text(1);
        host.present = rows.integer(2) != 0;
        host.quarantined_until = rows.time(3);
        host.quarantines = rows.as<std::uint32_t>(4);
        host.quarantine_reason = rows.text(5);
    }
    return hosts;
}

std::vector<core::ExtensionRecord> read_extensions(const Database& database) {
    std::vector<core::ExtensionRecord> extensions;
    auto all = database.prepare(
        "SELECT number, kind, name, definition, paused, removed FROM extension ORDER BY number");
    auto rows = all.query();
    while (rows.next()) {
        auto& extension = extensions.emplace_back();
        extension.number = rows.as<core::ExtensionNumber>(0);
        extension.kind = rows.as<core::ExtensionKind>(1);
        extension.name = rows.text(2);
        extension.definition = rows.text(3);
        extension.paused = rows.integer(4) != 0;
        extension.removed = rows.integer(5) != 0;
    }
    return extensions;
}

std::vector<core::Cursor> read_cursors(const Database& database) {
    std::vector<core::Cursor> cursors;
    auto all = database.prepare(
        "SELECT extension, checkpoint, sequence, tasks, duplicates, outcomes, ended FROM cursor "
        "ORDER BY extension");
    auto rows = all.query();
    while (rows.next()) {
        auto& cursor = cursors.emplace_back();
        cursor.extension = rows.as<core::ExtensionNumber>(0);
        cursor.checkpoint = rows.text(1);
        cursor.sequence = rows.as<std::uint64_t>(2);
        cursor.tasks = rows.as<std::uint64_t>(3);
        cursor.duplicates = rows.as<std::uint64_t>(4);
        cursor.outcomes = rows.as<std::uint64_t>(5);
        cursor.ended = rows.integer(6) != 0;
    }
    return cursors;
}

/// Whatever the store gave out after the backup, which has no record of it, is not given out again:
/// neither ids, nor sequences, nor attempt numbers, nor leases.
void skip_what_is_unknown(const Database& database, Writer::Start& start, std::int64_t made_at) {
    // More than any store gives out per millisecond; and some for clocks that are wrong.
    constexpr std::uint64_t per_millisecond = 1000;
    constexpr std::uint64_t at_least = 1'000'000'000;
    // Every boot, and so every term, stands for one more attempt of a task.
    constexpr std::int64_t milliseconds_per_attempt = 60'000;
    constexpr std::int64_t attempts_at_least = 1000;
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count();
    const auto passed = std::max(std::int64_t{0}, now - made_at);
    const auto skipped = at_least + static_cast<std::uint64_t>(passed) * per_millisecond;
    start.next_id += skipped;
    start.sequence += skipped;
    start.term += static_cast<std::uint32_t>(attempts_at_least + passed / milliseconds_per_attempt);
    database.prepare("INSERT OR REPLACE INTO meta VALUES('sequence', ?)").run(start.sequence);
    // With another identity no host brings anything back, so nobody has to be waited for.
    database.execute(
        "DELETE FROM meta WHERE key IN ('backup', 'identity', 'lease_key');"
        "UPDATE host SET present = 0");
}

}  // namespace

Writer::Start begin_term(const Database& database) {
    Writer::Start start;
    start.term = static_cast<std::uint32_t>(number_of(database, "term")) + 1;
    start.live_floor = static_cast<TaskId>(number_of(database, "live_floor"));
    start.sequence = newest_sequence(database);
    start.next_id =
        static_cast<TaskId>(std::max({std::int64_t{1},
                                      number_of(database, "next_id"),
                                      database.number("SELECT max(id) + 1 FROM task"),
                                      database.number("SELECT max(first_id) FROM term")}));
    auto put = database.prepare("INSERT OR REPLACE INTO meta VALUES(?, ?)");
    database.execute("BEGIN IMMEDIATE");
    if (const auto made_at = number_of(database, "backup"); made_at != 0)
        skip_what_is_unknown(database, start, made_at);
    put.run("term", start.term);
    database.prepare("INSERT INTO term VALUES(?, ?)").run(start.term, start.next_id);
    if (text_of(database, "identity").empty()) {
        put.run("identity", base::random_hex(identity_bytes));
        put.run("lease_key", base::random_hex(key_bytes));
    }
    database.execute("COMMIT");
    return start;
}

Recovered recover(const Database& database, const Writer::Start& start, Writer& writer) {
    Recovered recovered;
    recovered.coordinator_id = text_of(database, "identity");
    recovered.lease_key = key_from(text_of(database, "lease_key"));
    recovered.term = start.term;
    recovered.next_id = start.next_id;
    recovered.kept = writer.kept();
    recovered.live.reserve(recovered.kept.live());
    read_live(database, start, writer, recovered.live);
    read_histories(database, start, writer, recovered.live);
    recovered.hosts = read_hosts(database);
    recovered.extensions = read_extensions(database);
    recovered.cursors = read_cursors(database);
    auto reserved = database.prepare("SELECT number FROM given_id WHERE number IS NOT NULL");
    auto rows = reserved.query();
    while (rows.next())
        recovered.reserved.push_back(rows.as<TaskId>(0));
    return recovered;
}

}  // namespace distributo::coordinator::store
