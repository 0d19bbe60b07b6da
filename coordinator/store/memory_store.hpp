#pragma once

#include "coordinator/store/callback_queue.hpp"
#include "coordinator/store/outcome_table.hpp"
#include "coordinator/store/past_table.hpp"
#include "coordinator/store/store.hpp"
#include "coordinator/store/submission_table.hpp"
#include "coordinator/store/task_table.hpp"

#include <map>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace distributo::coordinator::store {

/// Everything in memory. open() may be called again later: it begins another boot and tells what is
/// there, so whoever keeps a journal of the transactions has a store that lasts.
class MemoryStore final : public Store {
public:
    MemoryStore(CallbackQueue::Post post, std::size_t max_ended, StoreIdentity identity)
        : callbacks_(std::move(post)), max_ended_(max_ended), identity_(std::move(identity)) {}

    base::Result<Recovered> open() override;
    void commit(Transaction transaction, Done<Committed> done) override;
    void find(TaskId id, Done<std::optional<TaskRecord>> done) override;
    void resolve(const std::string& given_id, Done<TaskId> done) override;
    void list(ListQuery query, Done<ListPage> done) override;
    void results(ResultsQuery query, Done<ResultsPage> done) override;
    void reopen(TaskId id, base::WallTime now, Done<TaskRecord> done) override;
    void group(const std::string& name, Done<std::optional<NamedTally>> done) override;
    void groups(TaskId before, std::size_t limit, Done<std::vector<NamedTally>> done) override;
    void types(Done<std::vector<NamedTally>> done) override;
    void prune(const Retention& retention, base::WallTime now, Done<bool> done) override;
    void backup(const std::string& file, Done<std::uint64_t> done) override;
    [[nodiscard]] Health health() const override { return {}; }

private:
    template <typename T>
    void answer(Done<T> done, base::Result<T> value) {
        callbacks_.add([done = std::move(done), value = std::move(value)]() mutable {
            done(std::move(value));
        });
    }

    // ---- writing: memory_store.cpp ----
    void insert_all(Transaction& transaction, Committed& committed);
    /// Stores it, or adds a duplicate.
    void insert(core::NewTask& task, std::size_t index, Committed& committed);
    void replay(const SubmissionTable::Entry& known,
                const Submission& again,
                std::size_t index,
                Committed& committed) const;
    void record(core::FailedAttempt& failed);
    void record(core::Control& control);
    void record(core::HostRecord& host);
    /// False when no such task is live.
    bool record(const core::Outcome& outcome);
    void drop_outcome(std::uint64_t sequence);
    /// Drops outcomes from `cursor` up to `last` that ended too long ago; true when there may be
    /// more.
    template <typename Concerns>
    bool drop_over(std::uint64_t& cursor,
                   std::uint64_t last,
                   base::WallTime ended_before,
                   Concerns concerns);
    [[nodiscard]] std::uint32_t attempts_before(const TaskRow& row) const;
    [[nodiscard]] core::RecoveredTask recover(const TaskRow& row) const;

    // ---- reading: memory_queries.cpp ----
    void count(Tally& tally, const TaskRow& row) const;
    template <typename NameOf>
    [[nodiscard]] std::map<std::string, NamedTally> tallies(NameOf name_of) const;
    [[nodiscard]] TaskRecord copy(const TaskRow& row) const;
    [[nodiscard]] TaskRecord copy_with_past(const TaskRow& row) const;
    [[nodiscard]] bool matches(const TaskRow& row, const ListQuery& query) const;
    [[nodiscard]] ListPage select(const ListQuery& query) const;
    [[nodiscard]] ResultsPage select(const ResultsQuery& query);

    struct Boot {
        std::uint32_t term = 0;
        TaskId first = 0;  // id that could be submitted in it
    };

    CallbackQueue callbacks_;
    std::size_t max_ended_;
    StoreIdentity identity_;
    std::vector<Boot> boots_;
    TaskTable tasks_;
    OutcomeTable outcomes_;
    PastTable pasts_;
    SubmissionTable submissions_;
    std::map<std::string, core::HostRecord> hosts_;
    std::map<core::ExtensionNumber, core::ExtensionRecord> extensions_;
    std::map<core::ExtensionNumber, core::Cursor> cursors_;
    // Keys point into the options of the task's row, which live as long as the entry.
    std::unordered_map<std::string_view, TaskId> given_ids_;
    std::unordered_map<std::string_view, TaskId> unique_keys_;  // of live tasks
    // No outcome before these is too old to be kept.
    std::uint64_t completed_from_ = 1;
    std::uint64_t unsuccessful_from_ = 1;
};

}  // namespace distributo::coordinator::store
