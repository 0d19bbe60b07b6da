#include "given.hpp"

#include <distributo/plugin.hpp>

#include <sqlite3.h>

namespace directory {

void Given::Close::operator()(sqlite3* database) const {
    sqlite3_close(database);
}

void Given::Close::operator()(sqlite3_stmt* statement) const {
    sqlite3_finalize(statement);
}

Given::Given(const std::string& file, std::uint64_t last) {
    sqlite3* opened = nullptr;
    const int status = sqlite3_open(file.c_str(), &opened);
    database_.reset(opened);
    if (status != SQLITE_OK) {
        fail();
    }
    // What is committed here must be there when the coordinator's own commit is.
    execute(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
        "CREATE TABLE IF NOT EXISTS given(path TEXT NOT NULL, number INTEGER NOT NULL,"
        " modified INTEGER NOT NULL, size INTEGER NOT NULL, PRIMARY KEY(path, number))"
        " WITHOUT ROWID;"
        "DELETE FROM given WHERE number > " +
        std::to_string(last) +
        ";"
        // Of each file only its last version counts.
        "DELETE FROM given WHERE EXISTS (SELECT 1 FROM given AS later"
        " WHERE later.path = given.path AND later.number > given.number);");
    find_ = prepare("SELECT modified, size FROM given WHERE path = ? ORDER BY number DESC LIMIT 1");
    insert_ = prepare("INSERT INTO given(path, number, modified, size) VALUES(?, ?, ?, ?)");
}

void Given::fail() const {
    throw distributo::retry("cannot keep which files were given: " +
                            std::string(sqlite3_errmsg(database_.get())));
}

void Given::execute(const std::string& sql) {
    if (sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
        fail();
    }
}

Given::Statement Given::prepare(const char* sql) {
    sqlite3_stmt* made = nullptr;
    if (sqlite3_prepare_v2(database_.get(), sql, -1, &made, nullptr) != SQLITE_OK) {
        fail();
    }
    return Statement(made);
}

bool Given::has(const std::string& path, const Version& version) {
    sqlite3_bind_text(find_.get(), 1, path.data(), static_cast<int>(path.size()), SQLITE_STATIC);
    const bool same =
        sqlite3_step(find_.get()) == SQLITE_ROW &&
        version == Version{sqlite3_column_int64(find_.get(), 0),
                           static_cast<std::uint64_t>(sqlite3_column_int64(find_.get(), 1))};
    sqlite3_reset(find_.get());
    return same;
}

void Given::add(const std::string& path, const Version& version, std::uint64_t number) {
    if (!open_) {
        execute("BEGIN");
        open_ = true;
    }
    sqlite3_stmt* const row = insert_.get();
    sqlite3_bind_text(row, 1, path.data(), static_cast<int>(path.size()), SQLITE_STATIC);
    sqlite3_bind_int64(row, 2, static_cast<std::int64_t>(number));
    sqlite3_bind_int64(row, 3, version.modified_ns);
    sqlite3_bind_int64(row, 4, static_cast<std::int64_t>(version.size));
    const int status = sqlite3_step(row);
    sqlite3_reset(row);
    if (status != SQLITE_DONE) {
        fail();
    }
}

void Given::commit() {
    if (open_) {
        execute("COMMIT");
        open_ = false;
    }
}

void Given::roll_back() {
    if (open_) {
        open_ = false;
        execute("ROLLBACK");
    }
}

}  // namespace directory
