#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "coordinator/core/extension.hpp"
#include "coordinator/core/list_query.hpp"
#include "coordinator/core/task.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace distributo::coordinator::store {

using core::ListQuery;
using core::TaskId;

/// A request to submit that can be repeated without doing it twice (`Idempotency-Key`). Kept for
/// submission_life.
struct Submission {
    std::string key;
    std::string content;    ///< digest of what was asked for
    std::size_t first = 0;  ///< the tasks that belong to it, in Transaction::submits
    std::size_t count = 0;
    base::WallTime when;
};
inline constexpr base::Duration submission_life = std::chrono::hours(24);

/// What becomes durable together: all of it or nothing. Submits that nobody's outcome has emitted
/// (`parent` is 0), submissions and cursors that feed are the exception when the disk is full, see
/// Committed.
struct Transaction {
    std::vector<core::NewTask> submits;   ///< ids rise over all transactions
    std::vector<Submission> submissions;  ///< ascending `first`
    std::vector<core::Outcome> outcomes;  ///< of tasks without one; others are ignored
    std::vector<core::FailedAttempt> attempts;
    std::vector<core::Control> controls;  ///< cancel, hold, release; `retry` is reopen()
    /// Each replaces what was known of that host; without presence and quarantine it is forgotten.
    std::vector<core::HostRecord> hosts;
    /// Each replaces what was known of that extension.
    std::vector<core::ExtensionRecord> extensions;
    std::vector<core::Cursor> cursors;

    [[nodiscard]] bool empty() const noexcept {
        return submits.empty() && submissions.empty() && outcomes.empty() && attempts.empty() &&
               controls.empty() && hosts.empty() && extensions.empty() && cursors.empty();
    }
};

/// A submit that was not stored because its given id or its unique key is taken, or because its
/// submission is a repeat.
struct Duplicate {
    std::size_t index = 0;  ///< in Transaction::submits
    TaskId existing = 0;
    /// The submit is a repeat: same type, payload and options, or a task with its unique key lives.
    /// Of not_before and deadline only the presence counts, because they come from durations that
    /// start anew with each request.
    bool identical = false;
};

/// A submission whose key was used before: all its submits are duplicates.
struct Replay {
    std::size_t index = 0;      ///< in Transaction::submissions
    bool same_content = false;  ///< else it stands for other tasks; `existing` says nothing then
};

struct Committed {
    std::vector<Duplicate> duplicates;  ///< ascending index; all other submits are stored
    std::vector<Replay> replays;        ///< ascending index
    /// The disk is full: what could be refused was, everything else is stored.
    bool submits_refused = false;
};

/// A task as the store knows it. Whether a live one waits or runs is the scheduler's knowledge.
struct TaskRecord {
    core::NewTask task;
    std::optional<core::Outcome> outcome;  ///< empty: live
    std::uint64_t sequence = 0;            ///< of the outcome, 1, 2, 3 … in order of recording
    std::vector<core::Attempt> attempts;   ///< all recorded ones, ascending; the last included
    std::vector<core::Control> controls;   ///< all recorded ones, in order
};

struct ListPage {
    std::vector<TaskRecord> tasks;  ///< without attempts and controls
    TaskId next_before = 0;  ///< 0: no more; may be set on a short page, as a call looks at a
                             ///< bounded number of tasks
};

struct ResultsQuery {
    std::uint64_t after = 0;              ///< sequence
    std::string type{}, group{};          ///< empty: any
    core::ExtensionNumber generator = 0;  ///< that they come from; 0: any origin
    TaskId from_id = 0;                   ///< only tasks with id ≥ this, and ≤ to_id
    TaskId to_id = ~TaskId{0};
    std::size_t limit = 1000;
};

struct ResultsPage {
    std::vector<TaskRecord> tasks;  ///< with outcome, without attempts; ascending sequence
    std::uint64_t next_after = 0;   ///< to continue from, also when `tasks` is empty
    std::uint64_t newest = 0;       ///< highest sequence recorded so far
    /// None from this sequence on was forgotten, some before it may be kept; after + 1 < oldest: a
    /// gap.
    std::uint64_t oldest = 0;
};

/// How many tasks are kept, by how they ended.
struct Tally {
    std::uint64_t total = 0;  ///< live ones included
    std::uint64_t completed = 0, failed = 0, cancelled = 0, expired = 0;
    [[nodiscard]] std::uint64_t live() const noexcept {
        return total - completed - failed - cancelled - expired;
    }
};
struct NamedTally {
    std::string name;  ///< of a type or of a group
    Tally tally;
    TaskId newest = 0;  ///< highest id of a task in it
};

/// What a store knows when it is opened.
struct Recovered {
    std::string coordinator_id;  ///< stable identity of this store, 32 hexadecimal digits
    std::uint32_t term = 1;      ///< boot term: durably higher than at any open before
    TaskId next_id = 1;
    std::array<std::uint64_t, 2> lease_key{};  ///< secret of this store, see core/lease_proof.hpp
    std::vector<core::RecoveredTask> live;     ///< tasks without outcome, ascending ids
    std::vector<core::HostRecord> hosts;
    std::vector<core::ExtensionRecord> extensions;  ///< removed ones included
    std::vector<core::Cursor> cursors;
    /// Numbers whose text is the given id of a stored task: never to be allotted.
    std::vector<TaskId> reserved;
    Tally kept;
};

/// What may be forgotten. Live tasks never are.
struct Retention {
    base::Duration completed = std::chrono::hours(24);      ///< since the end
    base::Duration unsuccessful = std::chrono::hours(168);  ///< failed, cancelled, expired
    std::uint64_t most_ended = 10'000'000;                  ///< oldest outcomes go first
    /// Outcomes with a higher sequence are still wanted: only most_ended makes them go.
    std::uint64_t needed_after = ~std::uint64_t{0};
};

/// How a store is, for people and for the answer to "are you ready".
struct Health {
    bool durable = false;      ///< what is acknowledged outlives the process
    bool disk_full = false;    ///< submits are refused until there is room again
    std::uint64_t queued = 0;  ///< transactions that are not durable yet
    base::Duration commit{};   ///< what the last one took
    std::uint64_t bytes = 0;   ///< on disk
    std::uint64_t free = 0;    ///< on that disk
};

/// Keeps tasks and outcomes. Every callback runs on the caller's executor, never from inside the
/// call itself. Those of commit() and reopen() come in the order of the calls; an answer to a
/// question comes after theirs that were asked before it, and knows what they did. Not thread-safe:
/// called from the engine's thread. What is handed over is destroyed on the caller's executor too.
class Store {
public:
    template <typename T>
    using Done = std::function<void(base::Result<T>)>;

    virtual ~Store() = default;

    /// Called once, before anything else; blocks. Errors: conflict (somebody else has it open),
    /// unavailable (made by a newer version), io (cannot be read, is damaged).
    [[nodiscard]] virtual base::Result<Recovered> open() = 0;

    /// `done` comes after everything in it is durable. A failure means the store is broken: the
    /// caller must stop acknowledging.
    virtual void commit(Transaction transaction, Done<Committed> done) = 0;

    virtual void find(TaskId id, Done<std::optional<TaskRecord>> done) = 0;
    /// The task that was submitted with this id of its own; 0 when there is none.
    virtual void resolve(const std::string& given_id, Done<TaskId> done) = 0;
    /// Only tasks that have ended; the live ones are the scheduler's to list.
    virtual void list(ListQuery query, Done<ListPage> done) = 0;
    virtual void results(ResultsQuery query, Done<ResultsPage> done) = 0;

    /// A recorded end is withdrawn because a person asked for another try; attempts stay, and a
    /// control says so. The record has `attempts_before` set. Durable when `done` comes. Fails with
    /// not_found, or conflict when the task has no outcome or another one with its unique key
    /// lives.
    virtual void reopen(TaskId id, base::WallTime now, Done<TaskRecord> done) = 0;

    /// Nothing when no kept task is in the group.
    virtual void group(const std::string& name, Done<std::optional<NamedTally>> done) = 0;
    /// The groups with the newest tasks first, those whose newest is below `before`.
    virtual void groups(TaskId before, std::size_t limit, Done<std::vector<NamedTally>> done) = 0;
    /// By type, in order of name.
    virtual void types(Done<std::vector<NamedTally>> done) = 0;

    /// Forgets a bounded number of what may be forgotten; true when there is more.
    virtual void prune(const Retention& retention, base::WallTime now, Done<bool> done) = 0;
    /// Writes a consistent copy of everything, that can be opened in its place. `file` must not
    /// exist. Gives its size in bytes. Fails with unavailable when there is nothing on disk.
    virtual void backup(const std::string& file, Done<std::uint64_t> done) = 0;
    [[nodiscard]] virtual Health health() const = 0;
};

/// Runs a function later on the caller's executor. Called from any thread.
using Post = std::function<void(std::function<void()>)>;

/// What tells one store from another.
struct StoreIdentity {
    std::string coordinator_id;  ///< 32 hexadecimal digits
    std::uint32_t first_term = 1;
    std::array<std::uint64_t, 2> lease_key{};
};

/// A store that forgets everything when it goes. Keeps at most `max_ended` ended tasks, oldest
/// outcomes are dropped first. Without an identity it makes up one that no store had before.
[[nodiscard]] std::unique_ptr<Store> make_memory_store(Post post,
                                                       std::size_t max_ended = 1'000'000,
                                                       std::optional<StoreIdentity> identity = {});

}  // namespace distributo::coordinator::store
