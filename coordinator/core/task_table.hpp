#pragma once

#include "coordinator/core/task.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace distributo::coordinator::core {

/// Where a task is kept: a small number, reused after the task is gone.
using Slot = std::uint32_t;
inline constexpr Slot no_slot = ~Slot{0};
inline constexpr std::uint32_t no_queue = ~std::uint32_t{0};

/// What only some tasks need to have remembered.
struct TaskExtra {
    std::shared_ptr<const TaskOptions> options;
    std::size_t install_hash = 0;                      ///< 0: nothing to install
    base::TimePoint wake_at = base::TimePoint::max();  ///< scheduled, retrying
    base::TimePoint deadline_at = base::TimePoint::max();
    std::string hold_reason;
    std::string last_error;
    double progress = -1;
    std::string progress_text;
    std::set<std::string> excluded;        ///< host ids that the handler asked to avoid
    std::set<HostIndex> install_failures;  ///< hosts where setup or install failed
    HostIndex crashed_on = no_host;
};

/// The part of a task that dispatch and results touch; kept small and dense.
struct Task {
    TaskId id = 0;  ///< 0: the slot is free
    base::Bytes payload;
    std::unique_ptr<TaskExtra> extra;
    std::uint64_t token_counter = 0;  ///< of the last assignment; 0: never assigned
    base::TimePoint since;            ///< the last assignment, or when it began to wait
    base::WallTime created;
    std::uint32_t queue = no_queue;
    HostIndex host = no_host;  ///< that holds, or last held, the lease
    Slot previous = no_slot;   ///< neighbours in its queue or in its host's leases
    Slot next = no_slot;
    std::uint32_t attempts = 0;  ///< begun, over all generations
    std::int16_t priority = 0;
    TaskState state = TaskState::pending;
    TaskState end = TaskState::completed;  ///< how it ends, while `recording`
    wire::Phase phase = wire::Phase::assigned;
    std::uint8_t failures = 0, crashes = 0, lost = 0, interruptions = 0;
    bool recording = false;  ///< its outcome is on its way to the store
    bool reported = false;   ///< …because `host` reported it and waits for the acknowledgement
    bool leased = false;     ///< linked into its host's leases
    bool expired = false;    ///< the deadline passed while it ran
};

/// All live tasks. References and slots stay valid until the task is removed.
class TaskTable {
public:
    /// A free slot with this id. The id must be new.
    Slot insert(TaskId id);
    void remove(Slot slot);

    [[nodiscard]] Task& operator[](Slot slot) {
        return chunks_[slot / chunk_size][slot % chunk_size];
    }
    [[nodiscard]] const Task& operator[](Slot slot) const {
        return chunks_[slot / chunk_size][slot % chunk_size];
    }
    [[nodiscard]] Slot find(TaskId id) const;
    /// Slots that exist, free ones included.
    [[nodiscard]] Slot size() const noexcept { return size_; }

private:
    static constexpr Slot chunk_size = 1024;

    std::vector<std::unique_ptr<Task[]>> chunks_;
    Slot size_ = 0;
    std::vector<Slot> free_;
    boost::unordered_flat_map<TaskId, Slot> by_id_;
};

/// A doubly linked list of tasks through Task::previous / next.
struct TaskList {
    Slot first = no_slot;
    Slot last = no_slot;
    std::uint32_t size = 0;

    void push_back(TaskTable& tasks, Slot slot);
    void push_front(TaskTable& tasks, Slot slot);
    void remove(TaskTable& tasks, Slot slot);
};

}  // namespace distributo::coordinator::core
