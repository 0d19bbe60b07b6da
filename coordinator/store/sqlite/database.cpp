#include "coordinator/store/sqlite/database.hpp"

#include <sqlite3.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace distributo::coordinator::store {
namespace {

constexpr int primary(int code) noexcept {
    return code & 0xff;
}

[[noreturn]] void fail(sqlite3* connection, int code) {
    const int extended = connection ? sqlite3_extended_errcode(connection) : code;
    std::string what = connection ? sqlite3_errmsg(connection) : sqlite3_errstr(code);
    what += " (SQLite code " + std::to_string(extended);
    const int number = connection ? sqlite3_system_errno(connection) : 0;
    if (number != 0)
        what += std::string(", ") + std::strerror(number);
    throw DatabaseError(extended, what + ')', number);
}

void check(sqlite3* connection, int code) {
    if (code != SQLITE_OK)
        fail(connection, code);
}

}  // namespace

bool DatabaseError::is_full() const noexcept {
    // The memory that connections share is a file, too; SQLite has no own code when it cannot grow.
    return primary(code_) == SQLITE_FULL || code_ == SQLITE_IOERR_SHMSIZE ||
           (code_ == SQLITE_IOERR_WRITE && system_error_ == EDQUOT);
}
bool DatabaseError::is_damage() const noexcept {
    return primary(code_) == SQLITE_CORRUPT || primary(code_) == SQLITE_NOTADB;
}
bool DatabaseError::is_timeout() const noexcept {
    return primary(code_) == SQLITE_INTERRUPT;
}

bool DatabaseError::lacks_descriptors() const noexcept {
    return system_error_ == EMFILE || system_error_ == ENFILE;
}

Rows::~Rows() {
    if (statement_)
        statement_->reset();
}
bool Rows::next() {
    return statement_->step();
}
bool Rows::null(int column) const {
    return sqlite3_column_type(statement_->statement_.get(), column) == SQLITE_NULL;
}
bool Rows::is_text(int column) const {
    return sqlite3_column_type(statement_->statement_.get(), column) == SQLITE_TEXT;
}
std::int64_t Rows::integer(int column) const {
    return sqlite3_column_int64(statement_->statement_.get(), column);
}
std::string_view Rows::text(int column) const {
    auto* statement = statement_->statement_.get();
    // The order matters: the bytes are those of the form that was asked for last.
    const void* bytes = sqlite3_column_blob(statement, column);
    const int size = sqlite3_column_bytes(statement, column);
    return {static_cast<const char*>(bytes), bytes ? static_cast<std::size_t>(size) : 0};
}

Statement::Statement(sqlite3* connection, std::string_view sql) {
    sqlite3_stmt* made = nullptr;
    check(connection,
          sqlite3_prepare_v3(connection,
                             sql.data(),
                             static_cast<int>(sql.size()),
                             SQLITE_PREPARE_PERSISTENT,
                             &made,
                             nullptr));
    statement_.reset(made);
}

void Statement::Free::operator()(sqlite3_stmt* statement) const noexcept {
    sqlite3_finalize(statement);
}

void Statement::bind_null(int index) {
    check(nullptr, sqlite3_bind_null(statement_.get(), index));
}
void Statement::bind_integer(int index, std::int64_t value) {
    check(nullptr, sqlite3_bind_int64(statement_.get(), index, value));
}
void Statement::bind_text(int index, std::string_view text) {
    const char* bytes = text.data() ? text.data() : "";
    check(nullptr,
          sqlite3_bind_text64(
              statement_.get(), index, bytes, text.size(), SQLITE_STATIC, SQLITE_UTF8));
}
void Statement::bind_blob(int index, std::string_view bytes) {
    const char* start = bytes.data() ? bytes.data() : "";
    check(nullptr,
          sqlite3_bind_blob64(statement_.get(), index, start, bytes.size(), SQLITE_STATIC));
}

bool Statement::step() {
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW)
        return true;
    if (code != SQLITE_DONE)
        fail(sqlite3_db_handle(statement_.get()), code);
    return false;
}

void Statement::reset() noexcept {
    sqlite3_reset(statement_.get());
    bound_ = 0;
}

void Statement::finish() {
    const Rows done(*this);
    while (step()) {
    }
}

Database::Database(const std::string& file, Mode mode, const std::string& vfs) {
    const int flags =
        mode == Mode::read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    sqlite3* made = nullptr;
    const int code = sqlite3_open_v2(file.c_str(),
                                     &made,
                                     flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                                     vfs.empty() ? nullptr : vfs.c_str());
    connection_.reset(made);
    check(made, code);
    sqlite3_db_config(made, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    if (mode == Mode::read)
        leave_log_on_close();
}

void Database::Close::operator()(sqlite3* connection) const noexcept {
    sqlite3_close_v2(connection);
}

void Database::execute(const std::string& sql) const {
    check(connection_.get(),
          sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr));
}

std::int64_t Database::number(std::string_view sql) const {
    auto statement = prepare(sql);
    auto rows = statement.query();
    return rows.next() ? rows.integer(0) : 0;
}

std::int64_t Database::last_row() const noexcept {
    return sqlite3_last_insert_rowid(connection_.get());
}

int Database::changes() const noexcept {
    return sqlite3_changes(connection_.get());
}

void Database::leave_log_on_close() const noexcept {
    sqlite3_db_config(connection_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

void Database::count_log_pages(int* pages) const noexcept {
    sqlite3_wal_hook(
        connection_.get(),
        [](void* counter, sqlite3*, const char*, int in_log) {
            *static_cast<int*>(counter) = in_log;
            return SQLITE_OK;
        },
        pages);
}

int Database::checkpoint() const {
    int in_log = 0;
    int copied = 0;
    check(connection_.get(),
          sqlite3_wal_checkpoint_v2(
              connection_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &in_log, &copied));
    return in_log - copied;
}

void Database::interrupt() const noexcept {
    sqlite3_interrupt(connection_.get());
}

void Database::watch(int (*expired)(void*), void* argument) const noexcept {
    // A thousand operations of its virtual machine take some ten microseconds.
    constexpr int operations = 1000;
    sqlite3_progress_handler(connection_.get(), operations, expired, argument);
}

}  // namespace distributo::coordinator::store
