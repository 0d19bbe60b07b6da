#pragma once

#include "base/clock.hpp"
#include "coordinator/store/sqlite/backup.hpp"
#include "coordinator/store/sqlite/database.hpp"
#include "coordinator/store/sqlite/job.hpp"
#include "coordinator/store/sqlite/reader.hpp"
#include "coordinator/store/sqlite/reserve.hpp"
#include "coordinator/store/sqlite/work_queue.hpp"
#include "coordinator/store/sqlite/writer.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace distributo::coordinator::store {

/// The store's thread: takes all that is queued, writes it in one transaction of the database,
/// and only when that is on the disk sends the answers off; then it may copy the log into the
/// file. No other thread writes or copies: two that did so at once could damage the file in
/// SQLite before 3.51.3.
///
/// A full disk breaks nothing. The reserve is given up, submits are refused, everything else is
/// written again; what has no room even then waits until there is some. Any other failure does:
/// nothing is written after it.
class CommitLoop {
public:
    struct Setup {
        std::string file;
        BlobFiles results;
        base::Duration spacing{};
        int log_pages = 0;                  ///< see SqliteOptions
        base::Duration log_idle{};          ///< likewise
        std::function<void()> log_is_long;  ///< called on the loop's thread: end what reads
    };
    /// Nothing is written before start().
    CommitLoop(Setup setup,
               Reserve reserve,
               std::unique_ptr<Database> database,
               std::unique_ptr<Writer> writer,
               Outbox& outbox);
    ~CommitLoop();

    void start();
    void push(std::unique_ptr<Job<Writer>> job);
    /// The copy has all that was pushed before, and may have more.
    void back_up(std::unique_ptr<BackupCall> call);
    /// What was pushed is still written, but nothing more.
    void close();
    /// Waits for the end of the thread, after close().
    void join();
    /// How many were pushed so far.
    [[nodiscard]] std::uint64_t pushed() const noexcept { return pushed_; }

    // From any thread:
    /// Waits until that many are done; false when the loop is closing.
    [[nodiscard]] bool wait_for(std::uint64_t jobs);
    /// The store can not be trusted any more: nothing is written from now on.
    void break_down(const std::string& why);
    [[nodiscard]] Reader::Sequences sequences() const noexcept;
    [[nodiscard]] std::uint64_t queued() const noexcept;
    [[nodiscard]] base::Duration last_commit() const noexcept;
    [[nodiscard]] bool disk_is_full() const noexcept { return full_.load(); }

private:
    using Jobs = std::deque<std::unique_ptr<Job<Writer>>>;
    void run();
    /// How long to wait for jobs.
    [[nodiscard]] std::chrono::steady_clock::duration patience() const;
    void write(Jobs& jobs);
    /// False when there was no room: then nothing is written.
    bool try_to_write(Jobs& jobs);
    void give_up_reserve(const DatabaseError& why);
    void look_for_room();
    void set_full(const std::string& why);
    void finish(Jobs jobs);
    void fail(Jobs& jobs);
    void shorten_log(bool idle);
    void copy_some();
    void clean_files(bool idle);
    void leave();
    [[nodiscard]] std::optional<base::Error> failure() const;

    Setup setup_;
    Reserve reserve_;
    Outbox& outbox_;
    std::unique_ptr<Database> database_;
    std::unique_ptr<Writer> writer_;
    Backups backups_;
    bool files_to_clean_ = true;
    int log_pages_ = 0;  // not copied yet, by what is known

    WorkQueue<std::unique_ptr<Job<Writer>>> queue_;
    std::uint64_t pushed_ = 0;  // of the caller's thread
    std::atomic<std::uint64_t> newest_;
    std::atomic<std::uint64_t> forgotten_;
    std::atomic<std::uint64_t> waiting_{0};
    std::atomic<std::int64_t> last_commit_{0};
    std::atomic<bool> full_{false};

    mutable std::mutex mutex_;
    std::condition_variable advanced_;
    std::uint64_t done_ = 0;
    bool closing_ = false;
    std::deque<std::unique_ptr<BackupCall>> backup_calls_;
    std::optional<base::Error> failure_;
    std::thread thread_;
};

}  // namespace distributo::coordinator::store
