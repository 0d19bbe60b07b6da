#pragma once

#include "coordinator/core/hosts.hpp"
#include "coordinator/core/queues.hpp"
#include "coordinator/core/scheduler.hpp"
#include "coordinator/core/task_table.hpp"
#include "coordinator/core/timers.hpp"

#include <deque>
#include <map>
#include <random>
#include <unordered_set>

namespace distributo::coordinator::core {

/// The scheduler's state and the steps that several events share.
struct Scheduler::Impl {
    Impl(const Settings& s, std::uint32_t boot_term, std::uint32_t seed)
        : settings(s), term(boot_term), random(seed) {}

    // ---- tasks: life_cycle.cpp ----
    void set_state(Task& task, TaskState state);
    TaskExtra& extra_of(Task& task);
    [[nodiscard]] wire::Token token_of(Slot slot) const {
        return {term, slot, tasks[slot].token_counter};
    }
    void enqueue(Slot slot, bool front, base::TimePoint now);
    void wait_until(Slot slot, TaskState state, base::TimePoint at);
    /// Takes a waiting task out of its queue, if it is in one.
    void withdraw(Slot slot);
    /// Ends the lease of a running task: off its host's list and load.
    void end_lease(Slot slot);
    void finish(
        Slot slot, TaskState state, wire::FailReason reason, base::Bytes result, Attempt attempt);
    void hold(Slot slot, std::string reason);
    void ask_to_stop(Slot slot, std::string_view reason);

    // ---- reports: reports.cpp ----
    [[nodiscard]] Slot slot_of(HostIndex host, const wire::Token& token) const;
    void accept(Slot slot, const wire::ResultItem& item, base::TimePoint now, base::WallTime wall);
    void fail_attempt(Slot slot,
                      const wire::ResultItem& item,
                      const Attempt& attempt,
                      base::TimePoint now);
    void retry_later(Slot slot, std::int64_t retry_after_ms, base::TimePoint now);
    void pause_capability(Slot slot, base::TimePoint now);
    [[nodiscard]] Attempt attempt_of(Slot slot,
                                     const wire::ResultItem& item,
                                     base::TimePoint now,
                                     base::WallTime wall) const;

    // ---- hosts: membership.cpp ----
    /// A lease ended without a report. `charged`: counts against the budget of lost leases.
    void lose_lease(Slot slot, bool charged, base::TimePoint now);
    void release_all(Host& host, bool charged, base::TimePoint now);
    void adopt(Host& host, Slot slot, base::TimePoint now);
    void withdraw_offers(Host& host);
    void recompute_load(Host& host);
    void arm_lease(Host& host);
    void host_has_room(Host& host);

    // ---- dispatch: dispatch.cpp ----
    void activate(std::uint32_t queue);
    bool serve(std::uint32_t queue, base::TimePoint now);
    [[nodiscard]] Queue::Candidate* choose(Queue& queue, const Task& task, base::TimePoint now);
    void assign(Slot slot, Queue::Candidate& candidate, base::TimePoint now);

    // ---- time: scheduler.cpp ----
    void on_wake(const Timer& timer, base::TimePoint now);
    void on_deadline(const Timer& timer);
    void on_requeue(const Timer& timer, base::TimePoint now);
    void on_lease(const Timer& timer, base::TimePoint now);
    [[nodiscard]] base::Duration heartbeat() const;
    [[nodiscard]] base::Duration lease() const;

    Settings settings;
    std::uint32_t term;
    std::mt19937 random;
    std::uint64_t next_counter = 1;
    TaskTable tasks;
    HostTable hosts;
    QueueTable queues;
    Timers timers;
    Actions actions;
    Counts counts;
    std::uint32_t ready_hosts = 0;
    /// Queues that may have something to hand out, by the priority of their first task.
    std::map<std::int16_t, std::deque<std::uint32_t>, std::greater<>> active;
    base::WallTime wall_clock{};  ///< the latest that was told; for records only
};

[[nodiscard]] inline const TaskOptions* options_of(const Task& task) {
    return task.extra ? task.extra->options.get() : nullptr;
}

}  // namespace distributo::coordinator::core
