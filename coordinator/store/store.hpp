#pragma once

#include "base/result.hpp"
#include "coordinator/core/scheduler.hpp"
#include "coordinator/core/task.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace distributo::coordinator::store {

using core::TaskId;

/// What becomes durable together: all of it or nothing.
struct Transaction {
    std::vector<core::NewTask> submits;  ///< ids rise over all transactions
    std::vector<core::Outcome> outcomes;
    std::vector<core::Actions::FailedAttempt> attempts;
};

/// A submit that was not stored because its given id is taken.
struct Duplicate {
    std::size_t index = 0;  ///< in Transaction::submits
    TaskId existing = 0;
    /// Same type, payload and options: the submit is a repeat. Of not_before and deadline only the
    /// presence counts, because they come from durations that start anew with each request.
    bool identical = false;
};

struct Committed {
    std::vector<Duplicate> duplicates;  ///< ascending index; all other submits are stored
};

/// A task as the store knows it. Whether a live one waits or runs is the scheduler's knowledge.
struct TaskRecord {
    core::NewTask task;
    std::optional<core::Outcome> outcome;  ///< empty: live
    std::uint64_t sequence = 0;            ///< of the outcome, 1, 2, 3 … in order of recording
    std::vector<core::Attempt> attempts;   ///< all recorded ones, ascending; the last included
};

struct ListQuery {
    std::vector<wire::TaskState> states{};  ///< empty: any; every live state means "no outcome yet"
    std::string type{}, group{}, host{};    ///< empty: any; host = of the attempt that ended it
    TaskId before = ~TaskId{0};             ///< newest first, ids below this
    std::size_t limit = 100;
};

struct ListPage {
    std::vector<TaskRecord> tasks;  ///< without attempts
    TaskId next_before = 0;  ///< 0: no more; may be set on a short page, as a call looks at a
                             ///< bounded number of tasks
};

struct ResultsQuery {
    std::uint64_t after = 0;      ///< sequence
    std::string type{}, group{};  ///< empty: any
    TaskId from_id = 0;           ///< only tasks with id ≥ this, and ≤ to_id
    TaskId to_id = ~TaskId{0};
    std::size_t limit = 1000;
};

struct ResultsPage {
    std::vector<TaskRecord> tasks;  ///< with outcome, without attempts; ascending sequence
    std::uint64_t next_after = 0;   ///< to continue from, also when `tasks` is empty
    std::uint64_t newest = 0;       ///< highest sequence recorded so far
    std::uint64_t oldest = 0;       ///< lowest sequence still kept; after + 1 < oldest: a gap
};

/// What a store knows when it is opened.
struct Recovered {
    std::string coordinator_id;  ///< stable identity of this store, 32 hexadecimal digits
    std::uint32_t term = 1;      ///< boot term: durably higher than at any open before
    TaskId next_id = 1;
    std::vector<core::NewTask> live;  ///< tasks without outcome, ascending ids
    /// Numbers whose text is the given id of a stored task: never to be allotted.
    std::vector<TaskId> reserved;
};

/// Keeps tasks and outcomes. Every callback runs on the caller's executor, in the order of the
/// calls, never from inside the call itself. Not thread-safe: called from the engine's thread.
class Store {
public:
    template <typename T>
    using Done = std::function<void(base::Result<T>)>;

    virtual ~Store() = default;

    /// Called once, before anything else; blocks.
    [[nodiscard]] virtual base::Result<Recovered> open() = 0;

    /// `done` comes after everything in it is durable. A failure means the store is broken: the
    /// caller must stop acknowledging.
    virtual void commit(Transaction transaction, Done<Committed> done) = 0;

    virtual void find(TaskId id, Done<std::optional<TaskRecord>> done) = 0;
    /// The task that was submitted with this id of its own; 0 when there is none.
    virtual void resolve(const std::string& given_id, Done<TaskId> done) = 0;
    virtual void list(ListQuery query, Done<ListPage> done) = 0;
    virtual void results(ResultsQuery query, Done<ResultsPage> done) = 0;

    /// A recorded end is withdrawn because a person asked for another try; attempts stay.
    /// The record has `attempts_before` set. Fails with not_found, or conflict when the task has
    /// no outcome.
    virtual void reopen(TaskId id, Done<TaskRecord> done) = 0;
};

/// A store that forgets everything when it goes. Keeps at most `max_ended` ended tasks, oldest
/// outcomes are dropped first. `post` runs a function later on the caller's executor.
[[nodiscard]] std::unique_ptr<Store> make_memory_store(
    std::function<void(std::function<void()>)> post, std::size_t max_ended = 1'000'000);

}  // namespace distributo::coordinator::store
