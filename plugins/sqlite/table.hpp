#pragma once

#include <distributo/sink.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

/// Outcomes in SQLite. Everything here throws a distributo::Failure and is for one thread.
namespace sqlite {

/// Throws a permanent Failure unless the name can stand in SQL and be nobody else's.
void require_table_name(const std::string& name);

/// The table for a type of task: `base`, "_", and the type's letters and digits, everything else
/// being "_". Two types may share one; rows say their type.
[[nodiscard]] std::string table_of_type(const std::string& base, std::string_view type);

struct Finish {
    void operator()(sqlite3* database) const;
    void operator()(sqlite3_stmt* statement) const;
};
using Statement = std::unique_ptr<sqlite3_stmt, Finish>;

/// An open database whose transactions survive a power cut.
class Database {
public:
    /// Creates it when it is not there; its folder must exist.
    explicit Database(const std::string& path);

    /// Statements without results and parameters.
    void run(const std::string& sql);
    [[nodiscard]] Statement prepare(const std::string& sql);
    /// True: there is a row. Resets the statement otherwise.
    bool step(const Statement& statement);

private:
    [[noreturn]] void fail(int code) const;

    std::string path_;
    std::unique_ptr<sqlite3, Finish> database_;
};

/// What happens between here and commit() happens as a whole, or not at all.
class Transaction {
public:
    explicit Transaction(Database& database);
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    ~Transaction();
    void commit();

private:
    Database& database_;
    bool open_ = true;
};

/// One table of outcomes, created when it is not there.
class Table {
public:
    Table(Database& database, const std::string& name);
    /// Does nothing when there is a row with this sequence.
    void insert(const distributo::Outcome& outcome);

private:
    Database& database_;
    Statement insert_;
};

/// The last sequence that a sink has stored, in a table that the sinks of a database share.
class Progress {
public:
    Progress(Database& database, const std::string& name);
    /// 0: nothing stored yet.
    [[nodiscard]] std::uint64_t read();
    void write(std::uint64_t sequence);

private:
    Database& database_;
    Statement read_;
    Statement write_;
};

}  // namespace sqlite
