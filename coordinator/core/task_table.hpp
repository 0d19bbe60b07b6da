#pragma once

#include "coordinator/core/live_counts.hpp"
#include "coordinator/core/task.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace distributo::coordinator::core {

/// Where a task is kept while it lives; reused afterwards.
using Slot = std::uint32_t;
inline constexpr Slot no_slot = ~Slot{0};
inline constexpr std::uint32_t no_queue = ~std::uint32_t{0};
/// Size of an offer's number; all that is left of a task's cache line.
inline constexpr unsigned offer_bits = 12;

/// Texts about a task that something went wrong with or that reports on itself.
struct TaskTexts {
    std::string progress;
    std::string hold_reason;
    std::string last_error;
};

/// A lease that an earlier boot of the coordinator gave: its host goes on using the token that it
/// got then.
struct ForeignLease {
    wire::Token token;  ///< counter 0: none
    std::uint32_t attempt = 0;

    [[nodiscard]] bool in_use() const noexcept { return token.counter != 0; }
};

/// An acknowledgement that is due to a host when something is durable.
struct OwedAnswer {
    HostIndex host = no_host;  ///< none is due
    wire::Token token;
};

/// What most tasks never need, allocated when it is.
struct TaskSide {
    base::TimePoint wake_at = base::TimePoint::max();  ///< scheduled and retrying
    base::TimePoint deadline = base::TimePoint::max();
    std::uint64_t wake_timer = 0;      ///< serial of the timer in force; 0: none
    std::uint64_t deadline_timer = 0;  ///< the same
    std::uint64_t install_key = 0;     ///< hash of type and install content; 0: nothing to install
    std::uint64_t first_counter = 0;   ///< of its first token; 0: it never had more than one
    double progress = -1;
    std::vector<HostIndex> excluded;  ///< rising; hosts that it failed on for their sake
    std::unique_ptr<TaskTexts> texts;
    std::uint32_t failures = 0;
    std::uint32_t crashes = 0;
    std::uint32_t lost = 0;
    std::uint32_t interruptions = 0;
    std::uint32_t install_failures = 0;
    std::uint32_t recorded = 0;  ///< number of the last recorded attempt; older claims are void
    /// Attempts and controls on their way to the store: until there are none the task is not
    /// handed out, and its host has no answer.
    std::uint32_t unrecorded = 0;
    bool to_front = false;      ///< of its queue, when they are recorded
    bool charged_lost = false;  ///< with Task::lost: for the lease that ended
    ForeignLease foreign;       ///< the last lease, when it is one
    OwedAnswer owed;            ///< for the report of an older one, when it was claimed meanwhile
    std::string_view stop;      ///< static text: why the host was asked to stop; empty: was not
};

/// The part of a task that dispatch and results touch: one cache line.
///
/// Where it is follows from its fields: `leased` tasks are linked into their host's leases,
/// `awaited` ones into the list of those, pending ones that are neither `recording` nor settling
/// into their queue, all others into nothing.
struct alignas(64) Task {
    TaskId id = 0;  ///< 0: the slot is free
    base::Bytes payload;
    std::unique_ptr<TaskSide> side;
    std::uint64_t counter = 0;  ///< of its last token; 0: it had none in this term
    base::TimePoint since;      ///< of the last assignment, or when it began to wait
    std::uint32_t queue = no_queue;
    HostIndex host = no_host;  ///< that got the last token
    Slot previous = no_slot;   ///< neighbours in the list that it is linked into
    Slot next = no_slot;       ///< in a free slot: the next free one
    std::uint32_t attempts = 0;
    TaskState state : 4 = TaskState::pending;  ///< the last one before it was recorded
    TaskState end : 4 = TaskState::completed;  ///< with recording: what it becomes
    wire::Phase phase : 2 = wire::Phase::assigned;
    bool has_rest : 1 = false;  ///< options or a generator: see TaskTable
    bool leased : 1 = false;
    bool recording : 1 = false;            ///< its outcome is on the way to the store
    bool reported : 1 = false;             ///< the host told the end of the last attempt
    bool answer : 1 = false;               ///< that report waits for its acknowledgement
    bool lost : 1 = false;                 ///< the last lease ended without a report
    bool listed : 1 = false;               ///< named in the hello that is being worked on
    bool expired : 1 = false;              ///< the deadline passed while it ran
    bool suspect : 1 = false;              ///< the process of an earlier attempt died
    bool awaited : 1 = false;              ///< a host that has not come back yet may run it
    std::uint16_t offer : offer_bits = 0;  ///< with leased: which of its host's offers it is for
};
static_assert(sizeof(Task) == 64);

/// Something about the task is on its way to the store, without which it must not be handed out.
[[nodiscard]] inline bool is_settling(const Task& task) noexcept {
    return task.side && task.side->unrecorded > 0;
}
/// The attempt that runs, or ran last.
[[nodiscard]] inline std::uint32_t attempt_number(const Task& task) noexcept {
    return task.side && task.side->foreign.in_use() ? task.side->foreign.attempt : task.attempts;
}

/// All tasks that live: dense records by slot, and their slots by id. Records never move.
class TaskTable {
public:
    /// no_slot when the id is already there.
    [[nodiscard]] Slot insert(NewTask& task);
    /// What was known about its tokens stays until the slot is used again.
    void remove(Slot slot);

    [[nodiscard]] Task& operator[](Slot slot) noexcept {
        return chunks_[slot / chunk_size]->tasks[slot % chunk_size];
    }
    [[nodiscard]] const Task& operator[](Slot slot) const noexcept {
        return chunks_[slot / chunk_size]->tasks[slot % chunk_size];
    }
    /// The record of any slot that was ever used, also a free one; null for others.
    [[nodiscard]] const Task* at(Slot slot) const noexcept {
        return slot < used_ ? &(*this)[slot] : nullptr;
    }
    /// Null: all defaults.
    [[nodiscard]] const TaskOptions* options(Slot slot) const noexcept {
        return (*this)[slot].has_rest ? rest(slot).options.get() : nullptr;
    }
    [[nodiscard]] const std::shared_ptr<const TaskOptions>& shared_options(
        Slot slot) const noexcept {
        return rest(slot).options;
    }
    [[nodiscard]] std::int32_t priority(Slot slot) const noexcept {
        const TaskOptions* const of = options(slot);
        return of ? of->priority : 0;
    }
    [[nodiscard]] base::WallTime created(Slot slot) const noexcept { return rest(slot).created; }
    /// Its number in the table of groups; no_group when it is in none.
    [[nodiscard]] std::uint32_t& group(Slot slot) noexcept { return rest(slot).group; }
    [[nodiscard]] ExtensionNumber generator(Slot slot) const noexcept {
        return rest(slot).generator;
    }
    [[nodiscard]] Slot find(TaskId id) const;
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    /// Calls `look(slot)` for the tasks with ids below `before`, the highest first, until it
    /// returns false.
    template <typename Look>
    void descend(TaskId before, Look look) const {
        for (auto page = order_.upper_bound(before / page_size); page != order_.begin();) {
            const auto& slots = pages_.find(*--page)->second->slots;
            for (TaskId i = page_size; i-- > 0;)
                if (*page * page_size + i < before && slots[i] != no_slot && !look(slots[i]))
                    return;
        }
    }

private:
    static constexpr Slot chunk_size = 4096;
    static constexpr TaskId page_size = 64;

    struct Rest {
        std::shared_ptr<const TaskOptions> options;
        base::WallTime created;
        std::uint32_t group = no_group;
        ExtensionNumber generator = 0;
    };
    struct Chunk {
        std::array<Task, chunk_size> tasks;
        std::array<Rest, chunk_size> rest;
    };
    /// The slots of neighbouring ids. Ids rise, so those in use at a time are close together.
    struct Page {
        Page() noexcept { slots.fill(no_slot); }
        std::array<Slot, page_size> slots;
        std::uint32_t used = 0;
    };

    [[nodiscard]] const Rest& rest(Slot slot) const noexcept {
        return chunks_[slot / chunk_size]->rest[slot % chunk_size];
    }
    [[nodiscard]] Rest& rest(Slot slot) noexcept {
        return chunks_[slot / chunk_size]->rest[slot % chunk_size];
    }

    std::vector<std::unique_ptr<Chunk>> chunks_;
    boost::unordered_flat_map<TaskId, std::unique_ptr<Page>> pages_;  // by id / page_size
    std::set<TaskId> order_;                                          // their keys
    std::size_t size_ = 0;
    Slot used_ = 0;  // slots that were ever handed out
    Slot free_ = no_slot;
};

/// A doubly linked list of tasks. A task is in at most one.
struct TaskList {
    Slot first = no_slot;
    Slot last = no_slot;
    std::uint32_t size = 0;

    void push_back(TaskTable& tasks, Slot slot) noexcept;
    void push_front(TaskTable& tasks, Slot slot) noexcept;
    void remove(TaskTable& tasks, Slot slot) noexcept;
};

}  // namespace distributo::coordinator::core
