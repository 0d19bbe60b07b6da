#pragma once

#include "base/clock.hpp"
#include "coordinator/core/scheduler.hpp"
#include "coordinator/engine/engine.hpp"
#include "coordinator/engine/follow_ups.hpp"
#include "coordinator/engine/log_book.hpp"
#include "coordinator/engine/rate_meter.hpp"
#include "coordinator/engine/schema_cache.hpp"
#include "coordinator/engine/waiting_list.hpp"
#include "coordinator/store/store.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace distributo::coordinator::engine {

/// How an event becomes visible:
///
///     event ─> scheduler ─> [turn] dispatch ─> assigns, cancels, acks ─> ports ─> flush
///                              │
///                              └─> one transaction ─> store ─> [committed] add, acknowledge
///                                                                   └─> turn
///
/// [turn] is posted once, however many events come before it, so that what arrived together is
/// stored and sent together. Store callbacks come in the order of the calls; `flights` relies on
/// it.
struct Engine::Impl {
    /// One call of submit(), until its tasks are durable.
    struct Group {
        Done<std::vector<Submitted>> done;
        std::vector<Submitted> answers;  ///< those that are no conflict yet have a task each
        bool repeatable = false;         ///< has a submission in the transaction
        bool feeds = false;              ///< has a cursor that feeds in the transaction
    };
    /// Told when what was asked for is durable, or that it never will be.
    using Afterwards = std::function<void(base::Result<void>)>;
    /// A transaction on its way to the store.
    struct Flight {
        std::vector<core::NewTask> tasks;
        std::vector<Group> groups;
        std::vector<TaskId> ended;
        std::vector<TaskId> attempts;                            ///< of these tasks
        std::vector<TaskId> controls;                            ///< the same
        std::vector<std::pair<HostIndex, std::uint64_t>> hosts;  ///< with their record's serial
        std::vector<core::Actions::Ack> stale;                   ///< to be sent when it is stored
        std::vector<std::size_t> stillborn;  ///< of `tasks`, ascending: stored with their end
        std::vector<Afterwards> afterwards;
        std::uint64_t bytes = 0;
        base::TimePoint begun;  ///< when it was handed to the store
    };
    struct Host {
        HostPort* port = nullptr;
        bool unflushed = false;
        wire::Health health;
        base::TimePoint health_at{};
    };
    struct Moment {
        base::TimePoint now;
        base::WallTime wall;
    };
    using Located = std::function<void(base::Result<TaskId>)>;
    /// Who made a task; nobody: somebody submitted it.
    struct Origin {
        TaskId parent = 0;
        core::ExtensionNumber generator = 0;  ///< of the parent, or the one that made it
    };
    /// Emitted tasks that were put into the open transaction.
    struct Boarded {
        std::vector<Submitted> answers;
        std::uint64_t faulty = 0;       ///< of these are stored with their end
        std::string fault;              ///< of the first one
        std::vector<std::string> lost;  ///< why others, without a usable type, cannot be stored
    };
    struct LoadWatch {
        std::uint64_t level = 0;
        std::function<void()> call;
    };

    Impl(boost::asio::io_context& the_io,
         const base::Clock& the_clock,
         const core::Settings& the_settings,
         std::unique_ptr<store::Store> the_store,
         std::uint32_t the_random_seed);

    base::Result<void> start();

    /// Runs `step` in a later turn of the loop, unless the engine is gone by then.
    template <typename Step>
    void later(Step step) {
        boost::asio::post(io, [here = std::weak_ptr(alive), step = std::move(step)] {
            if (!here.expired())
                step();
        });
    }
    /// Says no. An answer never comes inside the call that asks.
    template <typename T>
    void refuse(Done<T> done, base::Error why) {
        boost::asio::post(io, [done = std::move(done), why = std::move(why)] { done(why); });
    }

    // ---- submit ----
    void submit(std::vector<Submit> items,
                std::optional<IdempotencyKey> key,
                Done<std::vector<Submitted>> done);
    [[nodiscard]] base::Result<void> check_submit(const std::vector<Submit>& items);
    /// Fails while nothing new should come to the store.
    [[nodiscard]] base::Result<void> check_store() const;
    [[nodiscard]] bool number_is_taken(const core::TaskOptions* options);
    [[nodiscard]] TaskId allot();
    /// Puts a task into the open transaction; its type must be interned.
    TaskId board(std::string_view type,
                 base::Bytes payload,
                 std::shared_ptr<const core::TaskOptions> options,
                 const Origin& origin);
    /// What became durable is the scheduler's.
    void take_in(Flight& flight, const store::Committed& committed);
    void answer(Flight& flight, const store::Committed& committed) const;

    // ---- follow-up tasks ----
    [[nodiscard]] Boarded board_all(std::vector<FollowUp> tasks, const Origin& origin);
    /// The task that was boarded last is stored with its end.
    void end_stillborn(TaskId id, std::string fault);
    /// The tasks that `parent`, whose end is in this turn's actions, has emitted: they become
    /// durable with it. The queue limits do not count here, or something would have to be lost.
    void add_follow_ups(TaskId parent, std::uint32_t attempt, std::string_view emitted);
    [[nodiscard]] std::string fault_of(const FollowUp& task);
    void note(TaskId task, std::uint32_t attempt, std::string_view line);
    [[nodiscard]] std::string_view intern(std::string_view type);

    // ---- generators and sinks: extension_feeds.cpp ----
    void know(const core::ExtensionRecord& extension);
    void know_extensions(std::vector<core::ExtensionRecord> extensions,
                         std::vector<core::Cursor> cursors);
    [[nodiscard]] base::Result<void> check_feed(const std::vector<FollowUp>& tasks) const;
    void feed(Feed feed, Done<Fed> done);
    [[nodiscard]] GeneratorLoad load_of(core::ExtensionNumber generator) const;
    void wake_generators();

    // ---- the turn ----
    /// Begins an event: a turn will follow it. The clock is read for the first one before a turn;
    /// those that come with it share its time.
    const Moment& event();
    void turn();
    void carry_out();
    void acknowledge(const core::Actions::Ack& ack);
    void commit();
    void committed(base::Result<store::Committed> answer);
    void stop_serving(Flight& flight);
    /// Nothing is acknowledged from here on.
    void store_broke(const base::Error& error);
    [[nodiscard]] base::Error store_failed() const;
    /// Calls `then` once everything that was asked for so far is durable.
    void after_commit(Afterwards then);
    void flush_hosts();
    void wake_expired(base::TimePoint now);
    [[nodiscard]] base::TimePoint next_due() const;
    void arm_timer(base::TimePoint now);
    [[nodiscard]] HostPort* port(HostIndex host);

    // ---- keeping the store small: upkeep.cpp ----
    void prune(base::TimePoint now);
    /// The oldest transaction waits longer than it should.
    [[nodiscard]] bool is_behind(base::TimePoint now) const;

    // ---- questions about tasks ----
    class Listing;
    class GroupAction;
    /// Calls `then(task, id, done)` with the task that has this shown id, or `done` with an error.
    template <typename T, typename Then>
    void with_task(const std::string& id, Done<T> done, Then then);
    void locate(const std::string& id, Located next);
    /// A record may be older than what the scheduler knows: one that says live of a task that the
    /// scheduler does not have is asked for again, at most `asks` times in all.
    void describe(TaskId id, const std::string& shown, const Done<TaskDetails>& done, int asks = 3);
    [[nodiscard]] TaskDetails details(store::TaskRecord record) const;
    [[nodiscard]] std::optional<TaskDetails> live(TaskId id) const;
    [[nodiscard]] GroupSummary summary(store::NamedTally tally) const;
    void wait(TaskId id,
              const std::string& shown,
              base::TimePoint deadline,
              Done<TaskDetails> done);

    // ---- what people ask of tasks: controls.cpp ----
    using Asked = base::Result<void>;
    /// The same as with_task, while the store works.
    template <typename Then>
    void with_serving(const std::string& id, Done<TaskDetails> done, Then then);
    /// Answers with the task when what was asked is durable, or why it is not done.
    void confirm(Asked asked, TaskId id, const std::string& shown, const Done<TaskDetails>& done);
    void cancel(TaskId id, const std::string& shown, const Done<TaskDetails>& done);
    void retry(TaskId id, const std::string& shown, const Done<TaskDetails>& done);
    void reopen(TaskId id, const std::string& shown, const Done<TaskDetails>& done);
    void results(const store::ResultsQuery& query,
                 base::TimePoint deadline,
                 Done<store::ResultsPage> done);
    void explain(TaskId id, const std::string& shown, const Done<core::Explanation>& done);
    [[nodiscard]] static base::Error unknown(const std::string& id);

    boost::asio::io_context& io;
    const base::Clock& clock;
    core::Settings settings;
    core::TypeNames types;  // outlives scheduler and store, whose tasks point into it
    std::unique_ptr<core::Scheduler> scheduler;
    std::unique_ptr<store::Store> store;
    boost::asio::steady_timer timer;
    base::TimePoint timer_due = base::TimePoint::max();
    bool by_hand = false;  // the timer is not used
    std::uint32_t random_seed;
    std::shared_ptr<bool> alive = std::make_shared<bool>(true);

    std::string coordinator_id;
    bool is_durable = false;  // what is acknowledged outlives the process
    bool healthy = true;
    base::Error store_error;  // why not
    std::function<void(const base::Error&)> on_store_failed;
    TaskId next_id = 1;
    // Numbers whose text somebody chose as a given id: never allotted.
    std::unordered_set<TaskId> reserved;
    std::string_view last_type;

    bool turn_wanted = false;
    Moment moment;
    store::Transaction open;  // what the next commit takes
    Flight boarding;          // and whom to tell
    std::deque<Flight> flights;
    std::uint64_t unstored_tasks = 0;  // in `open` and `flights`
    std::uint64_t unstored_bytes = 0;
    std::map<core::ExtensionNumber, std::uint64_t> unstored_of;  // of these tasks, by generator

    store::Retention retention;
    base::TimePoint prune_due = base::TimePoint::max();
    bool backing_up = false;
    RateMeter ends;

    std::vector<Host> hosts;  // by HostIndex
    std::vector<HostIndex> unflushed;
    std::uint64_t connected = 0;

    WaitingList<TaskId> task_waits;
    WaitingList<int> result_waits;  // one key: any new outcome wakes all
    LogBook log_book;
    SchemaCache schemas;  // for follow-up tasks

    std::vector<core::ExtensionRecord> known_extensions;
    std::vector<core::Cursor> known_cursors;
    core::ExtensionNumber last_extension = 0;
    std::map<core::ExtensionNumber, LoadWatch> load_watches;
};

template <typename T, typename Then>
void Engine::Impl::with_task(const std::string& id, Done<T> done, Then then) {
    locate(id, [id, done = std::move(done), then](const base::Result<TaskId>& found) {
        if (!found)
            return done(found.error());
        then(*found, id, done);
    });
}

}  // namespace distributo::coordinator::engine
