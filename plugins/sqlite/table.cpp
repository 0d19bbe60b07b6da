#include "table.hpp"

#include "support/outcome_json.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>

namespace sqlite {

namespace {

/// Another program may write for a moment; one that reads is never in the way.
constexpr int busy_ms = 5000;

constexpr std::size_t max_name = 64;   // of the table that the configuration names
constexpr std::size_t max_type = 100;  // of the part that comes from a type
constexpr std::string_view progress_table = "distributo_sink";

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_word(char c) {
    return is_letter(c) || (c >= '0' && c <= '9');
}

std::string small(std::string text) {
    for (char& c : text) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return text;
}

/// May the same call succeed later, without anybody changing the configuration?
bool passes(int code) {
    switch (code & 0xFF) {
        case SQLITE_BUSY:
        case SQLITE_CANTOPEN:
        case SQLITE_FULL:
        case SQLITE_IOERR:
        case SQLITE_LOCKED:
        case SQLITE_NOMEM:
        case SQLITE_PERM:
        case SQLITE_READONLY:
            return true;
        default:
            return false;
    }
}

/// An empty text is NULL: there is nothing to say. The text must live until the statement ran.
void bind(const Statement& statement, int& column, std::string_view text) {
    ++column;
    if (text.empty()) {
        sqlite3_bind_null(statement.get(), column);
    } else {
        sqlite3_bind_text64(
            statement.get(), column, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
    }
}

void bind(const Statement& statement, int& column, std::uint64_t number) {
    sqlite3_bind_int64(statement.get(), ++column, static_cast<sqlite3_int64>(number));
}

}  // namespace

void Finish::operator()(sqlite3* database) const {
    sqlite3_close(database);
}

void Finish::operator()(sqlite3_stmt* statement) const {
    sqlite3_finalize(statement);
}

void require_table_name(const std::string& name) {
    const std::string known = small(name);
    if (name.empty() || name.size() > max_name || !is_letter(name.front()) ||
        !std::all_of(name.begin(), name.end(), is_word) || known.starts_with("sqlite_") ||
        known == progress_table) {
        throw distributo::permanent(
            "config.table: expected 1 to " + std::to_string(max_name) +
            " of A-Z a-z 0-9 _ that begin with a letter or _, not with sqlite_, and are not " +
            std::string(progress_table) + "; got \"" + name + "\"");
    }
}

std::string table_of_type(const std::string& base, std::string_view type) {
    std::string name = base + "_";
    for (const char c : type.substr(0, max_type)) {
        name.push_back(is_word(c) ? c : '_');
    }
    return name;
}

Database::Database(const std::string& path) {
    std::error_code error;
    path_ = std::filesystem::absolute(path, error).lexically_normal().string();
    if (path.empty() || error || path.find('\0') != std::string::npos) {
        throw distributo::permanent("config.database: expected the path of a file, got \"" + path +
                                    "\"");
    }
    if (std::filesystem::is_directory(path_, error)) {
        throw distributo::permanent("config.database: " + path_ +
                                    " is a directory, expected a file");
    }
    sqlite3* opened = nullptr;
    const int code = sqlite3_open_v2(
        path_.c_str(),
        &opened,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
        nullptr);
    database_.reset(opened);
    if (code != SQLITE_OK) {
        fail(code);
    }
    sqlite3_busy_timeout(opened, busy_ms);
    run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
}

void Database::fail(int code) const {
    const std::string message =
        path_ + ": " + (database_ ? sqlite3_errmsg(database_.get()) : sqlite3_errstr(code));
    throw passes(code) ? distributo::retry(message) : distributo::permanent(message);
}

void Database::run(const std::string& sql) {
    const int code = sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) {
        fail(code);
    }
}

Statement Database::prepare(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(
        database_.get(), sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) {
        fail(code);
    }
    return Statement(statement);
}

bool Database::step(const Statement& statement) {
    const int code = sqlite3_step(statement.get());
    if (code == SQLITE_ROW) {
        return true;
    }
    sqlite3_reset(statement.get());
    if (code != SQLITE_DONE) {
        fail(code);
    }
    return false;
}

Transaction::Transaction(Database& database) : database_(database) {
    database_.run("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
    if (open_) {
        try {
            database_.run("ROLLBACK");
        } catch (const distributo::Failure&) {
            return;  // SQLite has rolled back itself
        }
    }
}

void Transaction::commit() {
    database_.run("COMMIT");
    open_ = false;
}

Table::Table(Database& database, const std::string& name) : database_(database) {
    const std::string quoted = '"' + name + '"';
    database_.run("CREATE TABLE IF NOT EXISTS " + quoted +
                  " (sequence INTEGER PRIMARY KEY, id TEXT NOT NULL, type TEXT NOT NULL,"
                  " state TEXT NOT NULL, reason TEXT, error TEXT, attempt INTEGER NOT NULL,"
                  " task_group TEXT, generator TEXT, dedupe_key TEXT, host TEXT, host_id TEXT,"
                  " created TEXT, finished TEXT, payload TEXT, result TEXT)");
    insert_ = database_.prepare(
        "INSERT INTO " + quoted +
        " (sequence, id, type, state, reason, error, attempt, task_group, generator, dedupe_key,"
        " host, host_id, created, finished, payload, result)"
        " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (sequence) DO NOTHING");
}

void Table::insert(const distributo::Outcome& outcome) {
    const std::string created = support::time_text(outcome.created);
    const std::string finished = support::time_text(outcome.finished);
    int column = 0;
    bind(insert_, column, outcome.sequence);
    bind(insert_, column, outcome.task_id);
    bind(insert_, column, outcome.task_type);
    bind(insert_, column, outcome.state);
    bind(insert_, column, outcome.reason);
    bind(insert_, column, outcome.message);
    bind(insert_, column, std::uint64_t{outcome.attempt});
    for (const std::string_view text : {outcome.group,
                                        outcome.generator,
                                        outcome.dedupe_key,
                                        outcome.host_name,
                                        outcome.host_id,
                                        std::string_view(created),
                                        std::string_view(finished),
                                        outcome.payload,
                                        outcome.result}) {
        bind(insert_, column, text);
    }
    static_cast<void>(database_.step(insert_));
}

Progress::Progress(Database& database, const std::string& name) : database_(database) {
    const std::string table(progress_table);
    database_.run("CREATE TABLE IF NOT EXISTS " + table +
                  " (name TEXT PRIMARY KEY, sequence INTEGER NOT NULL)");
    // `name` has passed require_table_name(): nothing in it could end the text.
    read_ = database_.prepare("SELECT sequence FROM " + table + " WHERE name = '" + name + "'");
    write_ =
        database_.prepare("INSERT INTO " + table + " VALUES ('" + name +
                          "', ?) ON CONFLICT (name) DO UPDATE SET sequence = excluded.sequence");
}

std::uint64_t Progress::read() {
    std::uint64_t sequence = 0;
    while (database_.step(read_)) {
        sequence = static_cast<std::uint64_t>(sqlite3_column_int64(read_.get(), 0));
    }
    return sequence;
}

void Progress::write(std::uint64_t sequence) {
    int column = 0;
    bind(write_, column, sequence);
    static_cast<void>(database_.step(write_));
}

}  // namespace sqlite
