#pragma once

#include "coordinator/core/host_table.hpp"
#include "coordinator/core/queue_table.hpp"
#include "coordinator/core/scheduler.hpp"
#include "coordinator/core/task_table.hpp"
#include "coordinator/core/timer_heap.hpp"

#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::coordinator::core {

/// The scheduler's state, and the steps that its events are made of.
struct Scheduler::Impl {
    Impl(const Settings& the_settings, std::uint32_t the_term, std::uint32_t seed)
        : settings(the_settings), term(the_term), random(seed) {}

    // ---- the life of a task: life_cycle.cpp ----
    void set_state(Task& task, TaskState state);
    [[nodiscard]] static TaskSide& side_of(Task& task);
    [[nodiscard]] static TaskTexts& texts_of(Task& task);
    enum class Place : std::uint8_t { front, back };
    /// Puts a task that is linked nowhere into its queue.
    void enqueue(Slot slot, Place place, base::TimePoint now);
    /// Takes a task that is not leased out of whatever keeps it waiting.
    void stop_waiting(Slot slot);
    void wait_until(Slot slot, TaskState state, base::TimePoint at);
    void hold(Slot slot, std::string reason);
    void ask_to_stop(Slot slot, std::string_view reason);
    /// The task ends; it is linked nowhere any more. Nothing can change it from here on.
    void finish(Slot slot,
                TaskState end,
                wire::FailReason reason,
                Attempt attempt,
                std::string_view result = {});
    void expire(Slot slot);
    /// Finds the queue of a task that is in none, by what it requires and excludes.
    void use_queue(Slot slot, TypeIndex type);
    /// Never again on this host as long as there is another one; not while the task is queued.
    void exclude(Slot slot, HostIndex host);

    // ---- leases: leases.cpp ----
    [[nodiscard]] wire::Token token_of(Slot slot) const;
    /// The task whose running attempt `host` may report on; no_slot when there is none.
    [[nodiscard]] Slot held(HostIndex host, const wire::Token& token) const;
    void begin_lease(Slot slot, Host& host, Offer& offer);
    void end_lease(Slot slot);
    enum class Charge : std::uint8_t { none, lost };
    /// A lease ends without a report.
    void lose_lease(Slot slot, Charge charge, std::string_view why, base::TimePoint now);
    void lose_all_leases(Host& host, Charge charge, std::string_view why, base::TimePoint now);
    /// Ends the leases on a broken connection that are due, and waits for the next one.
    void requeue_due(Host& host, base::TimePoint now);
    [[nodiscard]] Attempt attempt_of(const Task& task,
                                     wire::AttemptStatus status,
                                     std::string_view message,
                                     base::TimePoint now) const;
    [[nodiscard]] base::WallTime wall_at(base::TimePoint time) const;

    // ---- results: results.cpp ----
    enum class Standing : std::uint8_t { current, late, being_recorded, told_before, superseded };
    [[nodiscard]] Standing standing(HostIndex host, const wire::Token& token) const;
    void accept(Slot slot, const wire::ResultItem& item, base::TimePoint now);
    void apply_failure(Slot slot, const wire::ResultItem& item, base::TimePoint now);
    void count_failure(Slot slot,
                       const wire::ResultItem& item,
                       Attempt attempt,
                       base::TimePoint now);
    void count_crash(Slot slot, Attempt attempt, base::TimePoint now);
    void count_failed_install(Slot slot, Attempt attempt, base::TimePoint now);
    void count_interruption(Slot slot, Attempt attempt, base::TimePoint now);
    void keep_attempt(const Task& task, Attempt attempt);
    void pause(Host& host, Offer& offer, base::TimePoint now);
    [[nodiscard]] base::Duration backoff(std::uint32_t failures);

    // ---- which hosts serve which queues: seats.cpp ----
    /// True while no other host could run what an excluded one must not.
    [[nodiscard]] bool exclusions_waived(const Queue& queue) const;
    void seat(std::uint32_t queue, Host& host, Offer& offer);
    void unseat(std::uint32_t queue, Host& host);
    void seat_all(std::uint32_t queue);
    void unseat_all(std::uint32_t queue);
    /// The host becomes, or is no longer, one that offers the type.
    void join_type(Host& host, TypeIndex type);
    void leave_type(Host& host, TypeIndex type);
    void join_types(Host& host);
    void leave_types(Host& host);
    /// Shows the host to all queues that have stopped looking at it, if it has room.
    void unpark(Host& host);

    // ---- hosts: membership.cpp ----
    void reconcile(Host& host,
                   bool rebooted,
                   base::TimePoint now,
                   std::vector<wire::TokenVerdict>& verdicts);
    /// The lease of a token that the host lists; what it is to do with it.
    [[nodiscard]] wire::Verdict recognise(Host& host,
                                          const wire::Token& token,
                                          base::TimePoint now);
    void replace_offers(Host& host, wire::Capabilities offer);
    void watch_silence(Host& host);
    void fall_silent(Host& host, base::TimePoint now);

    // ---- dispatch: dispatch.cpp ----
    void activate(std::uint32_t queue);
    void serve(std::uint32_t queue, base::TimePoint now);
    [[nodiscard]] Queue::Seat choose(std::uint32_t queue, const Task& task);
    [[nodiscard]] Queue::Seat choose_warm(const Queue& queue, std::uint64_t install_key);
    void assign(Slot slot, const Queue::Seat& seat, base::TimePoint now);
    void remember_warm(const Task& task, Host& host);

    // ---- lists: listing.cpp ----
    /// `type`: no_type for any.
    [[nodiscard]] bool fits(const ListQuery& query, TypeIndex type, Slot slot) const;
    /// False, and nothing done, when hosts hold too many tasks to look through.
    [[nodiscard]] bool list_leased(const ListQuery& query, TypeIndex type, LivePage& page) const;

    // ---- time: time.cpp ----
    [[nodiscard]] base::Duration heartbeat() const;
    [[nodiscard]] base::Duration lease() const;
    void add_timer(const Timer& timer);
    [[nodiscard]] bool counts_still(const Timer& timer) const;
    void run(const Timer& timer, base::TimePoint now);

    /// An entry of the dispatcher's heap; void unless its queue still says the same.
    struct Active {
        std::int32_t priority = 0;
        std::uint32_t queue = 0;
        std::uint64_t stamp = 0;
        /// For a heap whose front is the highest priority, then the lowest stamp.
        friend bool operator<(const Active& a, const Active& b) noexcept {
            return a.priority != b.priority ? a.priority < b.priority : a.stamp > b.stamp;
        }
    };
    struct Warm {
        std::vector<HostIndex> hosts;
        std::size_t turn = 0;
    };

    Settings settings;
    std::uint32_t term;
    std::mt19937 random;
    TaskTable tasks;
    HostTable hosts;
    QueueTable queues;
    TimerHeap timers;
    Actions actions;
    Counts counts;
    std::vector<Active> active;
    boost::unordered_flat_map<std::uint64_t, Warm> warm;  // by install key
    std::uint64_t last_counter = 0;
    std::uint64_t last_stamp = 0;
    std::uint64_t last_serial = 0;
    std::uint32_t connected_hosts = 0;
    base::TimePoint known_now{};  // the same moment on both clocks, as last told
    base::WallTime known_wall{};
};

[[nodiscard]] inline bool waits(TaskState state) noexcept {
    return !is_terminal(state) && state != TaskState::running && state != TaskState::cancelling;
}

}  // namespace distributo::coordinator::core
