#pragma once

#include "coordinator/store/sqlite/blobs.hpp"
#include "coordinator/store/sqlite/block_marks.hpp"
#include "coordinator/store/sqlite/database.hpp"
#include "coordinator/store/sqlite/live_tasks.hpp"
#include "coordinator/store/sqlite/names.hpp"
#include "coordinator/store/sqlite/packed_ids.hpp"
#include "coordinator/store/sqlite/pruner.hpp"
#include "coordinator/store/sqlite/records.hpp"
#include "coordinator/store/sqlite/tallies.hpp"
#include "coordinator/store/store.hpp"

#include <string>
#include <unordered_map>
#include <vector>

namespace distributo::coordinator::store {

/// Writes transactions, any number of them in one of the database's. Lives on the store's thread.
/// Throws DatabaseError; then only roll_back() may follow.
class Writer {
public:
    /// What recovery found out; the tasks that live are given to recovered().
    struct Start {
        std::uint32_t term = 1;
        TaskId next_id = 1;
        TaskId live_floor = 1;
        std::uint64_t sequence = 0;  ///< of the newest outcome ever recorded
    };
    Writer(const Database& database, const BlobFiles& files, const Start& start);
    /// A live task, as it was found.
    void recovered(const core::NewTask& task);

    void begin();
    /// `transaction` must live until commit() or roll_back().
    [[nodiscard]] Committed apply(const Transaction& transaction);
    [[nodiscard]] base::Result<TaskRecord> reopen(TaskId id, base::WallTime now);
    [[nodiscard]] bool prune(const Retention& retention, base::WallTime now);
    void commit();
    /// The disk is full: from now on submits that may be refused are.
    void refuse_submits(bool refuse) noexcept { refusing_ = refuse; }
    /// Everything is as it was at begin().
    void roll_back();
    /// Writes down what makes the next start quick.
    void leave();

    /// Between transactions: files of results that went; a part of those that nobody ever had, when
    /// `idle`. False when there is nothing more to do of that kind.
    bool clean_files(bool idle);

    [[nodiscard]] Records& records() noexcept { return records_; }
    /// Of the newest outcome that was committed.
    [[nodiscard]] std::uint64_t sequence() const noexcept { return committed_sequence_; }
    /// Every outcome before this may have been forgotten; none after it was.
    [[nodiscard]] std::uint64_t forgotten() const noexcept { return pruner_.forgotten(); }
    [[nodiscard]] const Tally& kept() const noexcept { return tallies_.kept(); }

private:
    struct Ended {
        const core::Outcome* outcome = nullptr;
        std::uint64_t sequence = 0;
        LiveTask task;
    };
    void write_submits(const Transaction& transaction, Committed& committed);
    /// Those from `from` to before `to`. False when one of them was refused.
    bool submit(const Transaction& transaction,
                std::size_t from,
                std::size_t to,
                Committed& committed);
    [[nodiscard]] bool replayed(const Submission& submission,
                                std::size_t index,
                                Committed& committed);
    void keep(const Submission& submission,
              const Transaction& transaction,
              const Committed& committed);
    void insert(const core::NewTask& task);
    [[nodiscard]] bool taken(const core::NewTask& task, std::size_t index, Committed& committed);
    void keep_keys(const core::NewTask& task, NameId group);
    [[nodiscard]] static TaskId holder(Statement& select, const std::string& text);
    void control(const core::Control& control);
    void attempt(TaskId id, const core::Attempt& attempt);
    void host(const core::HostRecord& record);
    void extension(const core::ExtensionRecord& record);
    void cursor(const core::Cursor& cursor);
    /// False when no such task is live.
    bool end(const core::Outcome& outcome);
    void write_outcomes();
    void write_recorded();
    void write_outcome(const Ended& ended);
    /// Empty when the result of that task is none.
    [[nodiscard]] std::string result_file(TaskId id);
    void take_unique_key(TaskId id, const std::string& key);
    void drop_unique_key(TaskId id);
    void read_unique_keys();
    void write_floor(TaskId floor);

    const Database& database_;
    Start start_;
    NameIds names_;
    Tallies tallies_;
    BlockMarks marks_;
    Blobs blobs_;
    Pruner pruner_;
    Records records_;
    LiveTasks live_;
    std::unordered_map<TaskId, std::string> unique_keys_;  // of live tasks

    std::vector<Ended> ended_;  // in this transaction of the database, not written yet
    PairPacker recorded_;       // sequence and task of all that ended in it
    std::uint64_t first_recorded_ = 0;
    std::uint64_t committed_sequence_ = 0;
    TaskId committed_floor_ = 0;
    std::uint64_t commits_ = 0;
    bool refusing_ = false;

    Statement begin_, commit_, roll_back_;
    Statement insert_task_, insert_outcome_, insert_recorded_;
    Statement insert_attempt_, insert_control_, insert_host_, delete_host_;
    Statement put_extension_, put_cursor_;
    Statement find_given_id_, insert_given_id_;
    Statement find_unique_key_, insert_unique_key_, delete_unique_key_;
    Statement find_submission_, insert_submission_;
    Statement find_result_file_, delete_outcome_, put_meta_;
};

}  // namespace distributo::coordinator::store
