#include "coordinator/store/sqlite/schema.hpp"

#include <array>
#include <cstddef>

namespace distributo::coordinator::store {
namespace {

using base::Errc;

// "dist" as a number: says in the file's header what kind of file it is.
constexpr int application_id = 0x64697374;

// One entry per version, each from the one before it. An entry that was released never changes.
constexpr std::array migrations = {
    R"sql(
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE term(term INTEGER PRIMARY KEY, first_id INTEGER NOT NULL);
CREATE TABLE name(id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, text TEXT NOT NULL,
    UNIQUE(kind, text));

CREATE TABLE task(id INTEGER PRIMARY KEY, type INTEGER NOT NULL, created INTEGER NOT NULL,
    payload BLOB NOT NULL, "group" INTEGER, parent INTEGER, options TEXT);
CREATE TABLE outcome(id INTEGER PRIMARY KEY, sequence INTEGER NOT NULL, state INTEGER NOT NULL,
    reason INTEGER NOT NULL, attempt INTEGER NOT NULL, status INTEGER NOT NULL,
    charge INTEGER NOT NULL, host INTEGER, host_id INTEGER, version INTEGER,
    finished INTEGER NOT NULL, lasted INTEGER NOT NULL,
    wait_us INTEGER NOT NULL, setup_us INTEGER NOT NULL, install_us INTEGER NOT NULL,
    execute_us INTEGER NOT NULL, result BLOB, message TEXT);
CREATE TABLE blob(name TEXT PRIMARY KEY, holders INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE recorded(first INTEGER PRIMARY KEY, tasks BLOB NOT NULL);

CREATE TABLE attempt(task INTEGER NOT NULL, number INTEGER NOT NULL, term INTEGER NOT NULL,
    status INTEGER NOT NULL, charge INTEGER NOT NULL, excludes_host INTEGER NOT NULL,
    host INTEGER, host_id INTEGER, version INTEGER, started INTEGER NOT NULL, finished INTEGER NOT NULL, retry_at INTEGER NOT NULL,
    wait_us INTEGER NOT NULL, setup_us INTEGER NOT NULL, install_us INTEGER NOT NULL,
    execute_us INTEGER NOT NULL, message TEXT,
    PRIMARY KEY(task, number)) WITHOUT ROWID;
CREATE TABLE control(task INTEGER NOT NULL, part INTEGER NOT NULL, term INTEGER NOT NULL,
    kind INTEGER NOT NULL, after_attempt INTEGER NOT NULL, asked INTEGER NOT NULL, reason TEXT,
    PRIMARY KEY(task, part)) WITHOUT ROWID;

CREATE TABLE given_id(text TEXT PRIMARY KEY, task INTEGER NOT NULL, number INTEGER) WITHOUT ROWID;
CREATE INDEX given_number ON given_id(number) WHERE number IS NOT NULL;
CREATE TABLE unique_key(text TEXT PRIMARY KEY, task INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE submission(key TEXT PRIMARY KEY, content TEXT NOT NULL, created INTEGER NOT NULL,
    tasks BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX submission_created ON submission(created);
CREATE TABLE host(host_id TEXT PRIMARY KEY, name TEXT NOT NULL, present INTEGER NOT NULL,
    quarantined_until INTEGER NOT NULL, quarantines INTEGER NOT NULL, reason TEXT) WITHOUT ROWID;

CREATE TABLE tally(name INTEGER PRIMARY KEY, kind INTEGER NOT NULL, total INTEGER NOT NULL,
    completed INTEGER NOT NULL, failed INTEGER NOT NULL, cancelled INTEGER NOT NULL,
    expired INTEGER NOT NULL, newest INTEGER NOT NULL);
CREATE INDEX tally_newest ON tally(kind, newest);
CREATE TABLE block(block INTEGER PRIMARY KEY, created_min INTEGER NOT NULL,
    created_max INTEGER NOT NULL);
CREATE TABLE mark(name INTEGER NOT NULL, state INTEGER NOT NULL, block INTEGER NOT NULL,
    PRIMARY KEY(name, state, block)) WITHOUT ROWID;
CREATE INDEX mark_block ON mark(block);
)sql",
    R"sql(
ALTER TABLE task ADD COLUMN generator INTEGER;
CREATE TABLE extension(number INTEGER PRIMARY KEY, kind INTEGER NOT NULL, name TEXT NOT NULL,
    definition TEXT NOT NULL, paused INTEGER NOT NULL, removed INTEGER NOT NULL);
CREATE TABLE cursor(extension INTEGER PRIMARY KEY, checkpoint BLOB NOT NULL,
    sequence INTEGER NOT NULL, tasks INTEGER NOT NULL, duplicates INTEGER NOT NULL,
    outcomes INTEGER NOT NULL, ended INTEGER NOT NULL);
)sql",
};
static_assert(migrations.size() == schema_version);

// One connection writes and checkpoints, so the automatic checkpoint, which would make a commit
// wait for it, is off. Debian's default overwrites deleted rows, which costs a tenth of the CPU.
constexpr auto settings = R"sql(
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA fullfsync = 1;
PRAGMA wal_autocheckpoint = 0;
PRAGMA journal_size_limit = 67108864;
PRAGMA cache_size = -65536;
PRAGMA secure_delete = OFF;
PRAGMA temp_store = MEMORY;
PRAGMA mmap_size = 0;
PRAGMA trusted_schema = OFF;
PRAGMA foreign_keys = OFF;
)sql";

}  // namespace

base::Result<void> prepare_schema(const Database& database, const std::string& file) {
    const auto made_by = database.number("PRAGMA application_id");
    auto version = database.number("PRAGMA user_version");
    const bool empty = database.number("SELECT COUNT(*) FROM sqlite_schema") == 0;
    if (made_by != application_id && !(empty && made_by == 0 && version == 0))
        return base::error(Errc::io,
                           file + " is a database, but not one of Distributo",
                           "move it away, or name another directory with --data-dir");
    if (version > schema_version)
        return base::error(Errc::unavailable,
                           file + " was written by a newer version of Distributo: its format is " +
                               std::to_string(version) + ", this version knows up to " +
                               std::to_string(schema_version),
                           "start the newer version, or restore a backup made before the upgrade");
    database.execute(settings);
    for (; version < schema_version; ++version)
        database.execute("BEGIN IMMEDIATE;" +
                         std::string(migrations[static_cast<std::size_t>(version)]) +
                         "PRAGMA application_id = " + std::to_string(application_id) +
                         "; PRAGMA user_version = " + std::to_string(version + 1) + "; COMMIT;");
    return {};
}

}  // namespace distributo::coordinator::store
