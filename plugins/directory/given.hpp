#pragma once

#include <cstdint>
#include <memory>
#include <string>

struct sqlite3;
struct sqlite3_stmt;

namespace directory {

/// A file as it was when its task was made.
struct Version {
    std::int64_t modified_ns = 0;
    std::uint64_t size = 0;
    bool operator==(const Version&) const = default;
};

/// Which files were given, each under a rising number. Kept in a file of the generator's own, so
/// that a checkpoint is one number, however many files there are: what was given after it is
/// forgotten when the generator is opened, because its tasks never became durable. Errors are
/// retried.
class Given {
public:
    /// Forgets what was given after number `last`.
    Given(const std::string& file, std::uint64_t last);

    [[nodiscard]] bool has(const std::string& path, const Version& version);
    /// Takes effect with commit().
    void add(const std::string& path, const Version& version, std::uint64_t number);
    void commit();
    void roll_back();

private:
    struct Close {
        void operator()(sqlite3* database) const;
        void operator()(sqlite3_stmt* statement) const;
    };
    using Statement = std::unique_ptr<sqlite3_stmt, Close>;

    void execute(const std::string& sql);
    [[nodiscard]] Statement prepare(const char* sql);
    [[noreturn]] void fail() const;

    std::unique_ptr<sqlite3, Close> database_;
    Statement find_, insert_;
    bool open_ = false;
};

}  // namespace directory
