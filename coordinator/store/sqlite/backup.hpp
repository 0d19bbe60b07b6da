#pragma once

#include "coordinator/store/sqlite/blob_files.hpp"
#include "coordinator/store/sqlite/database.hpp"
#include "coordinator/store/sqlite/job.hpp"
#include "coordinator/store/store.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <utility>

struct sqlite3_backup;

namespace distributo::coordinator::store {

/// Somebody asks for a backup.
class BackupCall final : public Call {
public:
    using Written = base::Result<std::uint64_t>;  ///< the size of the file, in bytes
    BackupCall(std::filesystem::path file, Store::Done<std::uint64_t> done)
        : file_(std::move(file)), done_(std::move(done)) {}
    [[nodiscard]] const std::filesystem::path& file() const noexcept { return file_; }
    void set(Written written) { written_ = std::move(written); }
    void answer() override { done_(std::move(written_)); }

private:
    std::filesystem::path file_;
    Store::Done<std::uint64_t> done_;
    Written written_ = base::error(base::Errc::internal, "nobody answered");
};

/// A backup under another name, `<file>.partial`, until it is whole; removed when it does not
/// become so. Throws DatabaseError.
class BackupFile {
public:
    /// The other name must not be in use.
    explicit BackupFile(std::filesystem::path file);
    ~BackupFile();
    BackupFile(const BackupFile&) = delete;
    BackupFile& operator=(const BackupFile&) = delete;

    [[nodiscard]] std::string partial() const { return file_.string() + ".partial"; }
    /// The database in it is whole: takes the results that are files into it, says in it that it is
    /// a backup, syncs it, and gives it its name, which must be free; its size in bytes. May take
    /// seconds.
    std::uint64_t finish(const BlobFiles& results);

private:
    std::filesystem::path file_;
};

/// Makes backups, one after another. A database is copied over the connection that writes it, some
/// milliseconds at a time between its transactions: then SQLite writes what changes meanwhile into
/// the copy, too. So the copy needs no snapshot, which would keep the log from being reused for as
/// long as it takes, and never starts again. It is of the moment when it is complete.
///
/// Lives on the thread of that connection, except that a thread of its own syncs what is copied.
class Backups {
public:
    Backups(const Database& source, BlobFiles results, Outbox& outbox)
        : source_(source), results_(std::move(results)), outbox_(outbox) {}
    /// What is not finished is removed, and not answered.
    ~Backups();
    Backups(const Backups&) = delete;
    Backups& operator=(const Backups&) = delete;

    void add(std::unique_ptr<BackupCall> call) { calls_.push_back(std::move(call)); }
    [[nodiscard]] bool is_copying() const noexcept { return !calls_.empty(); }
    /// Results that are files may not be removed.
    [[nodiscard]] bool needs_files() const noexcept { return is_copying() || finishes_; }
    /// When step() wants to be called next.
    [[nodiscard]] std::chrono::steady_clock::time_point next_step() const noexcept {
        return next_step_;
    }
    /// Outside of a transaction, when is_copying(): copies some, if it is time.
    void step();
    /// Ends all, because the database cannot be trusted any more.
    void fail(const base::Error& why);

private:
    struct Finish {
        void operator()(sqlite3_backup* backup) const noexcept;
    };
    struct Copy {
        explicit Copy(const std::filesystem::path& target);
        std::unique_ptr<BackupFile> file;
        std::unique_ptr<Database> target;
        std::unique_ptr<sqlite3_backup, Finish> backup;  // goes before its target
    };
    [[nodiscard]] bool copy_some();
    void finish();
    [[nodiscard]] std::unique_ptr<BackupCall> take();
    void answer(base::Error why);  // to the first call
    void deliver(std::unique_ptr<BackupCall> call);

    const Database& source_;
    BlobFiles results_;
    Outbox& outbox_;
    std::deque<std::unique_ptr<BackupCall>> calls_;  // the first one is being copied
    std::unique_ptr<Copy> copy_;
    std::chrono::steady_clock::time_point next_step_{};
    std::atomic<bool> finishes_{false};
    std::thread finishing_;
};

/// Of a backup that is opened as a store: the results in it become files again. Nothing otherwise.
void unpack_results(const Database& database, const BlobFiles& results);

/// Refuses a backup that was put where the log of another store is: SQLite would take that for the
/// backup's own, and damage it.
[[nodiscard]] base::Result<void> check_place_of_backup(const std::string& file);

}  // namespace distributo::coordinator::store
