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
    Impl(const Settings& the_settings,
         std::uint32_t the_term,
         std::uint32_t seed,
         const std::optional<LeaseKey>& lease_key)
        : settings(the_settings), term(the_term), random(seed), proofs(lease_key) {}

    // ---- the life of a task: life_cycle.cpp ----
    void set_state(Slot slot, TaskState state);
    /// The task goes.
    void leave_counts(Slot slot);
    [[nodiscard]] static TaskSide& side_of(Task& task);
    [[nodiscard]] static TaskTexts& texts_of(Task& task);
    enum class Place : std::uint8_t { front, back };
    /// A task that is linked nowhere becomes pending; while it is settling it stays out of its
    /// queue.
    void enqueue(Slot slot, Place place, base::TimePoint now);
    void link(Slot slot, Place place);
    /// Takes a task that is not leased out of whatever keeps it waiting.
    void stop_waiting(Slot slot);
    void wait_until(Slot slot, TaskState state, base::TimePoint at);
    void hold(Slot slot, std::string reason);
    /// Of a leased task.
    void ask_to_stop(Slot slot, std::string_view reason);
    /// Something about the task was recorded; the last of it lets it go on.
    void settle(Slot slot);
    void record_control(Task& task, Control::Kind kind, std::string reason, base::TimePoint now);
    /// Takes in what every task begins with; pending, but linked nowhere. no_slot: is there.
    [[nodiscard]] Slot admit(NewTask& fresh, base::TimePoint now);
    /// False when the deadline has passed and the task is finished.
    [[nodiscard]] bool start_deadline(Slot slot, base::TimePoint now, base::WallTime wall);
    /// The task ends; it is linked nowhere any more. Nothing can change it from here on.
    void finish(Slot slot,
                TaskState end,
                wire::FailReason reason,
                Attempt&& attempt,
                std::string_view result = {});
    void expire(Slot slot);
    /// Finds the queue of a task that is in none, by what it requires and excludes.
    void use_queue(Slot slot, TypeIndex type);
    /// Never again on this host as long as there is another one; not while the task is queued.
    void exclude(Slot slot, HostIndex host);

    // ---- after a restart: recovery.cpp ----
    void take_over(Slot slot, const TaskHistory& history);
    void place_recovered(Slot slot,
                         const TaskHistory& history,
                         base::TimePoint now,
                         base::WallTime wall);
    /// Nobody is waited for any more: what was not claimed comes back.
    void end_waiting(base::TimePoint now);
    /// The task of a token of an earlier boot, which becomes the host's if it can prove it;
    /// no_slot when it is not.
    [[nodiscard]] Slot claimed(Host& host, const wire::Claim& claim, base::TimePoint now);
    /// Drops what is known of its tokens of earlier boots that it does not name any more.
    static void keep_adopted(Host& host);
    [[nodiscard]] bool may_claim(const Task& task, std::uint32_t attempt) const;
    void adopt(Slot slot, Host& host, Offer& offer, const wire::Claim& claim, base::TimePoint now);
    /// The task whose last lease has this token of an earlier boot; no_slot when there is none.
    [[nodiscard]] Slot adopted_slot(const Host& host, const wire::Token& token) const;

    // ---- leases: leases.cpp ----
    [[nodiscard]] wire::Token token_of(Slot slot) const;
    /// The task whose running attempt `host` may report on; no_slot when there is none.
    [[nodiscard]] Slot held(HostIndex host, const wire::Token& token) const;
    void begin_lease(Slot slot, Host& host, Offer& offer);
    void end_lease(Slot slot);
    /// The lease that was lost goes on.
    void resume_lease(Slot slot, Host& host, Offer& offer, base::TimePoint now);
    /// A lease ends without a report. `charge` is none or lost.
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
    /// `slot` receives the task when the standing is current or late.
    [[nodiscard]] Standing standing(HostIndex host, const wire::Token& token, Slot& slot) const;
    [[nodiscard]] Standing adopted_standing(HostIndex host,
                                            const wire::Token& token,
                                            Slot& slot) const;
    [[nodiscard]] static Standing last_standing(const Task& task);
    void accept(Slot slot, const wire::ResultItem& item, base::TimePoint now);
    /// A report about a lease that was given up, while nobody has a newer one.
    void accept_late(Slot slot, const wire::ResultItem& item, base::TimePoint now);
    void record_late(Slot slot, const wire::ResultItem& item, base::TimePoint now);
    void apply_failure(Slot slot, const wire::ResultItem& item, base::TimePoint now);
    void count_failure(Slot slot,
                       const wire::ResultItem& item,
                       Attempt&& attempt,
                       base::TimePoint now);
    void count_crash(Slot slot, Attempt&& attempt, base::TimePoint now);
    void count_failed_install(Slot slot, Attempt&& attempt, base::TimePoint now);
    void count_interruption(Slot slot, Attempt&& attempt, base::TimePoint now);
    void keep_attempt(Task& task, Attempt&& attempt);
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
    /// The lease of a task that the host lists; what it is to do with it.
    [[nodiscard]] wire::Verdict recognise(Host& host,
                                          const wire::Claim& claim,
                                          base::TimePoint now);
    [[nodiscard]] Slot own_slot(const Host& host, const wire::Token& token) const;
    /// What a task that the host brings along runs with; null when nothing can be made for it.
    [[nodiscard]] static Offer* offer_for(Host& host, const Queue& queue);
    void replace_offers(Host& host, wire::Capabilities offer);
    void watch_silence(Host& host);
    void fall_silent(Host& host, base::TimePoint now);
    void record(Host& host, bool present);
    /// The host is no longer known; what it was given went elsewhere before.
    void forget(Host& host);

    // ---- hosts that break tasks: quarantine.cpp ----
    void count_success(Host& host);
    void count_blame(Host& host, TaskId task, std::string_view message, base::TimePoint now);
    void quarantine(Host& host, std::string_view message, base::TimePoint now);
    void end_quarantine(Host& host);
    void recall_quarantine(Host& host,
                           const HostRecord& record,
                           base::TimePoint now,
                           base::WallTime wall);

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
    /// False when the counts tell that no task fits.
    [[nodiscard]] bool may_find(const ListQuery& query, TypeIndex type) const;
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
    std::optional<LeaseProofs> proofs;  // none: leases end with this boot
    TaskTable tasks;
    HostTable hosts;
    QueueTable queues;
    GroupTable groups;
    GeneratorTable generators;
    TimerHeap timers;
    Actions actions;
    Counts counts;
    std::vector<Active> active;
    boost::unordered_flat_map<std::uint64_t, Warm> warm;  // by install key
    std::uint64_t last_counter = 0;
    std::uint64_t last_stamp = 0;
    std::uint64_t last_serial = 0;
    std::uint32_t connected_hosts = 0;
    std::uint32_t awaited_hosts = 0;
    TaskList awaited;  // recovered ones that a host may still run
    base::TimePoint return_until{};
    std::uint64_t return_timer = 0;  // serial of the timer in force
    base::TimePoint known_now{};     // the same moment on both clocks, as last told
    base::WallTime known_wall{};
};

/// A moment of wall time on the monotonic clock, kept away from the ends of its range.
[[nodiscard]] base::TimePoint to_monotonic(base::WallTime when,
                                           base::TimePoint now,
                                           base::WallTime wall);
/// Why a task is held that was interrupted so often.
[[nodiscard]] std::string interrupted_text(std::uint32_t times);
/// `first` doubled so many times, at most `limit`.
[[nodiscard]] base::Duration doubled(base::Duration first,
                                     std::uint32_t times,
                                     base::Duration limit);

[[nodiscard]] inline bool waits(TaskState state) noexcept {
    return !is_terminal(state) && state != TaskState::running && state != TaskState::cancelling;
}

}  // namespace distributo::coordinator::core
