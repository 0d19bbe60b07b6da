#pragma once

#include "base/clock.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

struct sqlite3;
struct sqlite3_stmt;

namespace distributo::coordinator::store {

/// SQLite refused something. Thrown by everything below; the store's threads catch it.
class DatabaseError : public std::runtime_error {
public:
    DatabaseError(int code, const std::string& what, int system_error = 0)
        : std::runtime_error(what), code_(code), system_error_(system_error) {}
    [[nodiscard]] int code() const noexcept { return code_; }  ///< extended result code
    [[nodiscard]] bool is_full() const noexcept;     ///< no room on the disk; nothing is broken
    [[nodiscard]] bool is_damage() const noexcept;   ///< the file is not what was written
    [[nodiscard]] bool is_timeout() const noexcept;  ///< interrupted, by us
    [[nodiscard]] bool lacks_descriptors() const noexcept;  ///< too many files are open

private:
    int code_;
    int system_error_;
};

/// What is bound as a BLOB instead of a text. Does not own it.
struct Blob {
    std::string_view bytes;
};

class Statement;

/// The rows of a query that runs; ends it when it goes. Texts live until next().
class Rows {
public:
    explicit Rows(Statement& statement) noexcept : statement_(&statement) {}
    Rows(Rows&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
    Rows(const Rows&) = delete;
    Rows& operator=(const Rows&) = delete;
    Rows& operator=(Rows&&) = delete;
    ~Rows();

    bool next();
    [[nodiscard]] bool null(int column) const;
    [[nodiscard]] bool is_text(int column) const;  ///< and not a BLOB
    [[nodiscard]] std::int64_t integer(int column) const;
    /// The same as an unsigned number, or as an enumeration.
    template <typename T>
    [[nodiscard]] T as(int column) const {
        return static_cast<T>(integer(column));
    }
    [[nodiscard]] base::WallTime time(int column) const {
        return base::WallTime(std::chrono::milliseconds(integer(column)));
    }
    [[nodiscard]] std::string_view text(int column) const;  ///< of a BLOB, too

private:
    Statement* statement_;
};

/// A prepared statement, kept for the life of its connection. Same thread as that.
class Statement {
public:
    Statement(sqlite3* connection, std::string_view sql);

    /// Runs it to its end. What is bound must live during the call only.
    template <typename... Arguments>
    void run(const Arguments&... arguments) {
        bind_all(arguments...);
        finish();
    }
    /// Begins it; texts that are bound must live as long as the rows.
    template <typename... Arguments>
    [[nodiscard]] Rows query(const Arguments&... arguments) {
        bind_all(arguments...);
        return Rows(*this);
    }
    /// Binds one more, for statements with many columns; ends with finish().
    template <typename T>
    Statement& bind(const T& value) {
        ++bound_;
        if constexpr (std::is_null_pointer_v<T>)
            bind_null(bound_);
        else if constexpr (std::is_same_v<T, Blob>)
            bind_blob(bound_, value.bytes);
        else if constexpr (std::is_same_v<T, base::WallTime>)
            bind_integer(bound_, value.time_since_epoch().count());
        else if constexpr (std::is_enum_v<T> || std::is_integral_v<T>)
            bind_integer(bound_, static_cast<std::int64_t>(value));
        else
            bind_text(bound_, value);
        return *this;
    }
    void finish();

private:
    friend class Rows;
    struct Free {
        void operator()(sqlite3_stmt* statement) const noexcept;
    };
    template <typename... Arguments>
    void bind_all(const Arguments&... arguments) {
        bound_ = 0;
        (bind(arguments), ...);
    }
    void bind_null(int index);
    void bind_integer(int index, std::int64_t value);
    void bind_text(int index, std::string_view text);
    void bind_blob(int index, std::string_view bytes);
    bool step();
    void reset() noexcept;

    std::unique_ptr<sqlite3_stmt, Free> statement_;
    int bound_ = 0;
};

/// One connection. Used by one thread at a time, except for interrupt().
class Database {
public:
    enum class Mode { write, read };
    /// `vfs`: name of the file layer; empty: the system's.
    Database(const std::string& file, Mode mode, const std::string& vfs = {});

    [[nodiscard]] Statement prepare(std::string_view sql) const {
        return Statement(connection_.get(), sql);
    }
    /// Any number of statements without parameters.
    void execute(const std::string& sql) const;
    /// The first column of the first row; 0 when there is none.
    [[nodiscard]] std::int64_t number(std::string_view sql) const;
    [[nodiscard]] std::int64_t last_row() const noexcept;
    /// Rows that the last statement inserted, deleted or updated.
    [[nodiscard]] int changes() const noexcept;
    /// Closing must not write what may not be written any more.
    void leave_log_on_close() const noexcept;
    /// After every commit, `pages` is how many pages the write-ahead log has.
    void count_log_pages(int* pages) const noexcept;
    /// Copies of the write-ahead log into the file what can be copied now; gives the pages that
    /// are still in it.
    int checkpoint() const;
    /// Ends what runs on this connection. Any thread.
    void interrupt() const noexcept;
    /// Calls `expired` every thousand operations and interrupts when it gives non-zero.
    void watch(int (*expired)(void*), void* argument) const noexcept;
    [[nodiscard]] sqlite3* handle() const noexcept { return connection_.get(); }

private:
    struct Close {
        void operator()(sqlite3* connection) const noexcept;
    };
    std::unique_ptr<sqlite3, Close> connection_;
};

}  // namespace distributo::coordinator::store
