#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "coordinator/core/scheduler.hpp"
#include "coordinator/store/store.hpp"

#include <boost/asio/io_context.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::coordinator::engine {

using core::HostIndex;
using core::TaskId;

/// The engine's way to one host; implemented by its session. Messages may be gathered until
/// `flush`, which ends every batch of calls.
class HostPort {
public:
    virtual ~HostPort() = default;
    virtual void assign(const wire::AssignItem& item) = 0;
    virtual void cancel(const wire::CancelItem& item) = 0;
    virtual void ack(const wire::AckItem& item) = 0;
    virtual void flush() = 0;
    /// A newer connection of the same host took over: close, do not call the engine any more.
    virtual void replaced() = 0;
};

/// One task that somebody wants to submit; already checked for form.
struct Submit {
    std::string_view type;  ///< copied
    base::Bytes payload;
    std::shared_ptr<const core::TaskOptions> options;  ///< null: defaults
};

/// Makes a request to submit repeatable (`Idempotency-Key`).
struct IdempotencyKey {
    std::string key;
    std::string content;  ///< digest of the request
};

/// What became of one Submit.
struct Submitted {
    enum class Kind : std::uint8_t { created, repeated, conflict } kind = Kind::created;
    bool replayed = false;  ///< the answer to an earlier request with the same idempotency key
    TaskId id = 0;          ///< the new task, or the one that has the given id or the unique key
};

/// A task with everything that is known about it now.
struct TaskDetails {
    store::TaskRecord record;
    std::optional<core::TaskView> live;  ///< views valid during the callback only
    [[nodiscard]] wire::TaskState state() const noexcept;
    [[nodiscard]] std::string shown_id() const;  ///< the given id, or the number's text
};

/// Newest id first.
struct TaskPage {
    std::vector<TaskDetails> tasks;  ///< without attempts and controls
    TaskId next_before = 0;          ///< 0: no more; may be set on a short page, as a search ends
                                     ///< after a bounded time
};

/// How many tasks are in each state.
class StateCounts {
public:
    static constexpr std::size_t states = static_cast<std::size_t>(wire::TaskState::expired) + 1;

    [[nodiscard]] std::uint64_t& operator[](wire::TaskState state) noexcept {
        return of_[static_cast<std::size_t>(state)];
    }
    [[nodiscard]] std::uint64_t operator[](wire::TaskState state) const noexcept {
        return of_[static_cast<std::size_t>(state)];
    }
    [[nodiscard]] std::uint64_t total() const noexcept;

private:
    std::array<std::uint64_t, states> of_{};
};

/// All tasks that have the same group.
struct GroupSummary {
    std::string name;
    StateCounts tasks;
    TaskId newest = 0;  ///< highest id of a task in it

    /// The first that fits: running if one runs or is being cancelled, pending if one waits, held
    /// if one is; of groups whose tasks have all ended failed if one failed or expired, cancelled
    /// if one was, else completed.
    [[nodiscard]] wire::TaskState state() const noexcept;
};

/// What a person asks of all tasks of a group: to cancel or to hold what lives, to release what is
/// held, to retry what has ended otherwise than completed.
enum class GroupAsk : std::uint8_t { cancel, hold, release, retry };

struct GroupAnswer {
    std::uint64_t changed = 0;  ///< tasks that did as asked
    std::uint64_t refused = 0;  ///< tasks that could not: they run, or another has their unique key
    bool more = false;          ///< there may be others; ask again
};

struct LogLine {
    std::uint32_t attempt = 0;
    std::string stream;
    std::string text;
    base::WallTime when;
};

/// Tasks of one Feed at most: some 20 ms in which nothing else is done.
inline constexpr std::size_t max_feed = 16 * 1024;

/// What a generator made in one call, and where it goes on from.
struct Feed {
    std::string tasks;    ///< JSON array, as follow-up tasks travel, max_feed; empty: none
    std::string group;    ///< of those that name none
    core::Cursor cursor;  ///< as it is to be stored, but that it feeds
};

/// What became of a Feed.
struct Fed {
    std::uint64_t created = 0;     ///< those that cannot run included
    std::uint64_t duplicates = 0;  ///< that were there already
    std::uint64_t faulty = 0;      ///< stored as failed with the reason; without a type: not at all
    std::string fault;             ///< reason of the first one
};

/// The live tasks that came from one generator, follow-up tasks included.
struct GeneratorLoad {
    std::uint64_t waiting = 0;  ///< those on their way to the store included
    std::uint64_t running = 0;
};

/// What makes an engine do the same again.
struct Replayable {
    std::uint32_t random_seed = 0;
};

/// Drives the core: feeds it events with the time, carries its actions to the store and to the
/// hosts, and its news to those who wait. Acknowledges only what the store has made durable.
///
/// Not thread-safe: lives on the io_context. Callbacks never run inside the call that takes them.
class Engine {
public:
    template <typename T>
    using Done = std::function<void(base::Result<T>)>;

    Engine(boost::asio::io_context& io,
           const base::Clock& clock,
           const core::Settings& settings,
           std::unique_ptr<store::Store> store);
    /// The same without chance and without a timer: whoever moves the clock calls run_due().
    Engine(boost::asio::io_context& io,
           const base::Clock& clock,
           const core::Settings& settings,
           std::unique_ptr<store::Store> store,
           const Replayable& replayable);
    ~Engine();

    /// Opens the store and takes over its live tasks; blocks. Everything else comes after it.
    [[nodiscard]] base::Result<void> start();
    /// From now on what has ended is forgotten by these rules: looked at every second, in slices,
    /// and not while what is to become durable waits. `needed_after` is keep_outcomes_after's.
    void keep(const store::Retention& rules);
    /// Looks at the clock and runs what is due. The engine's own timer does the same; whoever moves
    /// the clock by hand calls it.
    void run_due();
    /// When run_due() has something to do next; TimePoint::max() when never.
    [[nodiscard]] base::TimePoint next_due() const;
    [[nodiscard]] boost::asio::io_context& io() const noexcept;

    // ---- for the API ----
    /// Stores all of them in one transaction together with whatever else is submitted in this
    /// turn of the loop; `done` gets one entry per item, in order. Fails as a whole with
    /// Errc::limit when the queue is full or the store does not keep up, no_space when the disk is
    /// full, unavailable when the store has failed.
    void submit(std::vector<Submit> items, Done<std::vector<Submitted>> done);
    /// The same, once for each key: a repeat is answered with the tasks of the first time, other
    /// content fails as a whole with Errc::conflict.
    void submit(std::vector<Submit> items,
                std::optional<IdempotencyKey> key,
                Done<std::vector<Submitted>> done);
    /// Looks a task up by its shown id. Errc::not_found when there is none.
    void find(const std::string& id, Done<TaskDetails> done);
    /// Like find, but answers only when the task has ended or `timeout` has passed.
    void wait(const std::string& id, base::Duration timeout, Done<TaskDetails> done);
    // What people ask of tasks is answered when it is durable.
    void cancel(const std::string& id, Done<TaskDetails> done);
    /// Opens a new generation of a task that has ended, or ends the waiting of a live one.
    void retry(const std::string& id, Done<TaskDetails> done);
    /// Parks a task that waits; conflict for all others.
    void hold(const std::string& id, std::string reason, Done<TaskDetails> done);
    /// Ends the waiting of a held, retrying or scheduled task; conflict for all others.
    void release(const std::string& id, Done<TaskDetails> done);
    /// Ends a host's quarantine. not_found, or conflict when it is in none.
    void release_host(const std::string& host_id, Done<void> done);
    void list(const store::ListQuery& query, Done<TaskPage> done);
    /// How many tasks the query fits; exact. Of its filters only states and one of type and group
    /// count.
    void count(const store::ListQuery& query, Done<std::uint64_t> done);
    /// Errc::not_found when no kept task is in the group.
    void group(const std::string& name, Done<GroupSummary> done);
    /// Asks it of some thousand tasks at most; answered when it is durable.
    void ask_group(const std::string& name,
                   GroupAsk ask,
                   std::string reason,
                   Done<GroupAnswer> done);
    /// Groups with the newest tasks first, those whose newest is below `before`.
    void groups(TaskId before, std::size_t limit, Done<std::vector<GroupSummary>> done);
    /// Waits up to `timeout` while there is nothing after the cursor.
    void results(const store::ResultsQuery& query,
                 base::Duration timeout,
                 Done<store::ResultsPage> done);
    /// What is known now of a task that has not ended, without its attempts; nothing of others.
    [[nodiscard]] std::optional<TaskDetails> live(TaskId id) const;
    void explain(const std::string& id, Done<core::Explanation> done);
    /// Writes a consistent copy of the store to `file`, which must not exist; gives its size in
    /// bytes. One at a time: another one fails with conflict. Unavailable: nothing is on disk.
    void backup(const std::string& file, Done<std::uint64_t> done);
    [[nodiscard]] store::Health store_health() const;
    /// How long who was refused with Errc::limit should wait: about as long as it takes to end one
    /// in a hundred live tasks, at the pace of the last ten seconds; from 1 s to 60 s.
    [[nodiscard]] base::Duration time_until_room() const;
    void logs(const std::string& id, Done<std::vector<LogLine>> done);
    [[nodiscard]] const core::Scheduler& scheduler() const noexcept;  ///< for views
    /// What a host said last about its plugins; empty when it said nothing.
    [[nodiscard]] std::span<const wire::PluginHealth> plugin_health(HostIndex host) const;
    /// What a host said last that it cannot do as it should; empty: nothing.
    [[nodiscard]] std::string_view host_trouble(HostIndex host) const;
    /// How long ago that was.
    [[nodiscard]] base::Duration plugin_health_age(HostIndex host) const;
    [[nodiscard]] base::TimePoint now() const;
    [[nodiscard]] const std::string& coordinator_id() const noexcept;
    [[nodiscard]] TaskId next_id() const noexcept;
    [[nodiscard]] bool healthy() const noexcept;  ///< false after a failed commit
    /// Called once when a commit has failed and all who waited for it have their answer. From then
    /// on nothing is acknowledged: the process should end, the next one recovers.
    void on_store_failed(std::function<void(const base::Error&)> call);

    // ---- for extensions ----
    /// All that were ever made, by number, as they are; those on their way to the store included.
    [[nodiscard]] const std::vector<core::ExtensionRecord>& known_extensions() const noexcept;
    [[nodiscard]] const std::vector<core::Cursor>& known_cursors() const noexcept;
    /// The one with this number, removed ones too; null: there is none. Valid until the next
    /// keep_extension.
    [[nodiscard]] const core::ExtensionRecord* extension(
        core::ExtensionNumber number) const noexcept;
    /// Gives the record a number when it has none. Answered when it is durable.
    void keep_extension(core::ExtensionRecord record, Done<core::ExtensionNumber> done);
    /// Answered when it is durable. Of one extension's feeds and cursors the last counts.
    void keep_cursor(core::Cursor cursor, Done<void> done);
    /// Stores the tasks and the cursor in one transaction. Tasks that cannot run are stored as
    /// failed, so that nothing vanishes. Fails as a whole, and nothing is stored, with Errc::limit
    /// when the queue is full or the store does not keep up, no_space when the disk is full: feed
    /// the same again later. Unavailable: the store has failed.
    void feed(Feed feed, Done<Fed> done);
    [[nodiscard]] GeneratorLoad load_of(core::ExtensionNumber generator) const;
    /// Calls once, later, when fewer than `level` tasks of the generator wait; the last call for
    /// the same generator replaces the one before. Null: forget it.
    void when_waiting_below(core::ExtensionNumber generator,
                            std::uint64_t level,
                            std::function<void()> call);
    /// Outcomes after this one are still wanted; ~0: none are. Before the first call: those after
    /// the lowest of the known cursors.
    void keep_outcomes_after(std::uint64_t sequence);

    // ---- for host sessions ----
    /// The port must outlive the host's presence: until host_gone or HostPort::replaced.
    HostIndex host_joined(core::HostJoin join, HostPort& port, wire::Welcome& welcome);
    void host_capabilities(HostIndex host, wire::Capabilities offer);
    void host_health(HostIndex host, wire::Health health);
    void host_credit(HostIndex host, const wire::Credit& credit);
    void host_phase(HostIndex host, const wire::PhaseItem& item);
    void host_progress(HostIndex host, const wire::ProgressItem& item);
    void host_log(HostIndex host, const wire::LogItem& item);
    void host_result(HostIndex host, const wire::ResultItem& item);
    void host_draining(HostIndex host);
    void host_backed_up(HostIndex host, bool backed_up);
    void host_heard(HostIndex host);
    void host_gone(HostIndex host, bool clean);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace distributo::coordinator::engine
