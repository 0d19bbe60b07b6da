#pragma once

#include "base/ids.hpp"
#include "base/result.hpp"
#include "coordinator/core/lease_proof.hpp"
#include "coordinator/core/list_query.hpp"
#include "coordinator/core/live_counts.hpp"
#include "coordinator/core/settings.hpp"
#include "coordinator/core/task.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::coordinator::core {

/// What the outside must do after an event; the scheduler itself touches nothing.
struct Actions {
    struct Assign {
        HostIndex host = no_host;
        wire::AssignItem item;  ///< views: until clear() or the task's next event
    };
    struct Cancel {
        HostIndex host = no_host;
        wire::Token token;
        std::string_view reason;  ///< static text
    };
    struct Ack {
        HostIndex host = no_host;
        wire::AckItem item;
    };
    struct HostChange {
        HostIndex host = no_host;
        std::uint64_t serial = 0;  ///< of this record
        HostRecord record;
    };
    std::vector<Assign> assigns;
    std::vector<Cancel> cancels;
    std::vector<Ack> acks;  ///< may leave at once
    // To be made durable in this order of events, then to be passed back.
    std::vector<Outcome> outcomes;               ///< `committed`
    std::vector<FailedAttempt> failed_attempts;  ///< `attempts_committed`
    std::vector<Control> controls;               ///< `controls_committed`
    std::vector<HostChange> hosts;               ///< `host_committed`
    std::vector<TaskId> changed;                 ///< tasks whose end is recorded now
    std::deque<base::NumberText> shown_ids;      ///< what AssignItem::id points to

    void clear();
    [[nodiscard]] bool empty() const noexcept;
};

/// A live (not yet recorded as ended) task as others may see it. Views: until the next event.
struct TaskView {
    TaskId id = 0;
    std::string_view type;
    TaskState state = TaskState::pending;
    wire::Phase phase = wire::Phase::assigned;
    std::string_view host;     ///< name; empty unless running or cancelling
    std::string_view version;  ///< of the type that it was assigned to; empty unless it is
    const base::Bytes* payload = nullptr;
    std::shared_ptr<const TaskOptions> options;  ///< may be null
    ExtensionNumber generator = 0;               ///< see NewTask
    base::WallTime created;
    std::uint32_t attempts = 0;  ///< number of the last one that is known to have begun
    double progress = -1;
    std::string_view progress_text;
    std::string_view hold_reason;
    std::string_view last_error;
    base::Duration next_try{};  ///< until it becomes pending again; scheduled and retrying only
};

/// A host as others may see it.
struct HostView {
    HostIndex index = no_host;
    enum class State : std::uint8_t {
        ready,
        draining,
        disconnected,
        quarantined
    } state = State::ready;
    std::string_view id;
    std::string_view name;
    std::string_view version;
    std::string_view peer;
    std::uint32_t slots = 0;
    std::uint32_t in_flight = 0;
    std::uint64_t completed = 0;  ///< recorded successes since it became known
    std::uint64_t failed = 0;     ///< attempts that ended otherwise
    base::WallTime connected;
    base::Duration silent{};  ///< since its last message
    const wire::Labels* labels = nullptr;
    const std::vector<wire::Capability>* capabilities = nullptr;
    const std::vector<wire::RefusedPlugin>* refused = nullptr;
    base::Duration refused_since{};  ///< since the host said so; from its retry_ms this has passed
    // Only when quarantined, whatever the state.
    base::Duration quarantine_left{};  ///< 0: it is not
    std::string_view quarantine_reason;
};

/// What a restarted coordinator waits for before it hands out what it found in its store.
struct ReturnView {
    std::vector<std::string_view> hosts;  ///< names of those that have not come back
    base::Duration left{};                ///< at most; 0: it does not wait
    std::uint64_t tasks = 0;              ///< that they may still run
};

struct TypeView {
    std::string_view type;
    std::uint64_t pending = 0;
    std::uint64_t running = 0;
    std::uint32_t hosts = 0;  ///< ready ones that offer it
    struct OfVersion {
        std::string_view version;
        std::uint32_t hosts = 0;
    };
    std::vector<OfVersion> versions;  ///< the highest first
    /// Of one host that offers the highest version; may be null.
    const wire::Capability* capability = nullptr;
};

struct Counts {
    std::uint64_t scheduled = 0, pending = 0, running = 0, retrying = 0, held = 0, cancelling = 0;
    std::uint64_t completed = 0, failed = 0, cancelled = 0, expired = 0;  ///< since the start
    std::uint64_t payload_bytes = 0;                                      ///< of live tasks
    [[nodiscard]] std::uint64_t live() const noexcept {
        return scheduled + pending + running + retrying + held + cancelling;
    }
};

/// Why one host does not run one waiting task.
struct HostObstacle {
    HostIndex host = no_host;
    std::string name;
    /// "no_capability", "version", "confinement", "busy", "labels", "excluded", "capability_off",
    /// "quarantined", "host_quarantined", "draining", "disconnected", "joining", "awaited",
    /// "available"
    std::string code;
    std::string detail;  ///< "offers echo, shell – not word_count"
};

struct Explanation {
    std::string summary;  ///< "no host offers its type"
    std::string hint;
    std::vector<HostObstacle> hosts;
};

struct HostJoin {
    wire::Hello hello;
    std::string peer;
};

/// Which host runs which task when: the whole policy, as a state machine without I/O.
///
/// Every event carries `now` and returns nothing; what has to happen is appended to `actions()`,
/// which the caller carries out and clears. Reported facts are checked here against the lease
/// token, so nothing that a host sends can touch a task it does not hold.
///
/// The life of a task, and who moves it (C client, H host that holds the token, T time):
///
///     submit ─C─> scheduled ─T─> pending ─dispatch─> running ─H─> completed
///                                   ^                 │  │
///                                   │  backoff   error│  │cancel ─C─> cancelling ─H─> cancelled
///                                   └─T─ retrying <───┘  └──H/T──> failed · expired
///
/// A queue is a set of tasks that exactly the same hosts may run (type, range of versions, required
/// labels, excluded hosts), so a task that nobody can run costs nothing to all others. Higher
/// priority first, between queues of equal priority in turn, within a queue in order of submission.
///
/// Does no I/O, has no clock and no thread. Not thread-safe. The random source is for jitter only.
class Scheduler {
public:
    /// `term` is the boot term: higher than any used before on this store. `lease_key` is the
    /// store's secret: only hosts that earlier boots with the same key gave tasks can claim them.
    /// Nothing: no later boot will know the tasks, so no host needs to prove anything to it.
    Scheduler(const Settings& settings,
              std::uint32_t term,
              std::uint32_t random_seed,
              const std::optional<LeaseKey>& lease_key);
    ~Scheduler();
    Scheduler(const Scheduler&) = delete;
    Scheduler& operator=(const Scheduler&) = delete;

    [[nodiscard]] Actions& actions() noexcept;

    // ---- after a restart: before everything else, in this order ----
    /// What was known of hosts. Tasks that are recovered are not handed out before all that are
    /// present there have said hello, or `until` is over: they may be running. Then those that
    /// nobody has claimed come back at once.
    void await_hosts(std::vector<HostRecord> records,
                     base::TimePoint until,
                     base::TimePoint now,
                     base::WallTime wall);
    /// Takes over a task of an earlier boot. In order of ids.
    void recover(RecoveredTask task, base::TimePoint now, base::WallTime wall);

    // ---- tasks ----
    /// Fails with Errc::limit when `count` more tasks of `bytes` together exceed the queue limits.
    [[nodiscard]] base::Result<void> check_room(std::uint64_t count, std::uint64_t bytes) const;
    /// Takes over a task that is durable. Its id must be new. `wall` places not_before / deadline.
    void add(NewTask task, base::TimePoint now, base::WallTime wall);
    /// Asks to end a task: at once when it waits, through its host when it runs; the host hears of
    /// it when that is durable. Fails with not_found (not live) or conflict (its end is being
    /// recorded).
    [[nodiscard]] base::Result<void> cancel(TaskId id, base::TimePoint now);
    /// Parks a task that waits. Fails like cancel, and with conflict when it does not wait.
    [[nodiscard]] base::Result<void> hold(TaskId id, std::string reason, base::TimePoint now);
    /// Makes a retrying, held or scheduled task pending; it is handed out when that is durable.
    [[nodiscard]] base::Result<void> release(TaskId id, base::TimePoint now);
    /// The outcomes with these ids are durable: acknowledges and forgets the tasks. What else is
    /// durable with them comes first.
    void committed(std::span<const TaskId> ids, base::TimePoint now);
    /// An attempt of each of these tasks is durable: its host gets its answer, and the task may be
    /// handed out again. So per boot at most one attempt of a task is not recorded.
    void attempts_committed(std::span<const TaskId> ids, base::TimePoint now);
    /// The same for what a person asked of them.
    void controls_committed(std::span<const TaskId> ids, base::TimePoint now);

    // ---- hosts ----
    /// A host said hello: a new one, or a known one (same host_id) on a new connection. Fills
    /// `verdicts` for hello.running. A live connection of the same host_id is replaced: the caller
    /// closes the old one. Tokens of a previous boot_id that the host no longer lists are queued
    /// again at once. What it was given by an earlier boot and can prove goes on under its old
    /// token, unless the task has ended or a newer attempt exists.
    HostIndex host_joined(HostJoin join,
                          base::TimePoint now,
                          base::WallTime wall,
                          std::vector<wire::TokenVerdict>& verdicts);
    /// This record of the host is durable: only now it gets tasks.
    void host_committed(HostIndex host, std::uint64_t serial, base::TimePoint now);
    /// Ends its quarantine. Fails with not_found, or conflict when it is in none.
    [[nodiscard]] base::Result<void> release_host(const std::string& host_id, base::TimePoint now);
    void host_capabilities(HostIndex host, wire::Capabilities offer, base::TimePoint now);
    void host_credit(HostIndex host, const wire::Credit& credit, base::TimePoint now);
    /// Any message renews the host's lease.
    void host_heard(HostIndex host, base::TimePoint now);
    void host_phase(HostIndex host, const wire::PhaseItem& item, base::TimePoint now);
    void host_progress(HostIndex host, const wire::ProgressItem& item, base::TimePoint now);
    /// True when the token is current and held by this host (logs are kept only then);
    /// `id` receives the task.
    [[nodiscard]] bool holds(HostIndex host, const wire::Token& token, TaskId& id) const;
    /// Every result is answered, so that no host keeps one for ever. One that is news: when it is
    /// durable. One that was told before: at once. `stale` only for a token
    /// that did not decide and cannot any more: a newer one exists, or it is not this host's. A
    /// lease that ended without a report leaves its token good until the next lease.
    void host_result(HostIndex host,
                     const wire::ResultItem& item,
                     base::TimePoint now,
                     base::WallTime wall);
    void host_draining(HostIndex host, base::TimePoint now);
    /// Stops or resumes assigning to a host because its connection is or is no longer backed up.
    void host_backed_up(HostIndex host, bool backed_up, base::TimePoint now);
    /// The connection broke: leases run on for clamp(time invested, 1 s, lease).
    void host_disconnected(HostIndex host, base::TimePoint now);
    /// A clean goodbye: leases return at once, free of charge, and the host is forgotten.
    void host_left(HostIndex host, base::TimePoint now);

    // ---- time and dispatch ----
    /// Hands out whatever can be handed out. Cheap when nothing changed since the last call.
    void dispatch(base::TimePoint now);
    /// Runs everything that is due: delays, backoffs, deadlines, leases, capability pauses.
    void tick(base::TimePoint now, base::WallTime wall);
    /// When tick() has something to do next; TimePoint::max() when never.
    [[nodiscard]] base::TimePoint next_tick() const;

    // ---- views ----
    [[nodiscard]] bool find(TaskId id, base::TimePoint now, TaskView& out) const;
    [[nodiscard]] LiveCounts live_of_type(std::string_view type) const;
    [[nodiscard]] LiveCounts live_of_group(std::string_view group) const;
    /// Follow-up tasks of its tasks included.
    [[nodiscard]] LiveCounts live_of_generator(ExtensionNumber generator) const;
    /// Live tasks, by the state that find() shows. Looks at a bounded number of them.
    [[nodiscard]] LivePage list(const ListQuery& query) const;
    [[nodiscard]] Explanation explain(TaskId id, base::TimePoint now) const;
    [[nodiscard]] ReturnView awaited(base::TimePoint now) const;
    [[nodiscard]] std::vector<HostView> hosts(base::TimePoint now) const;
    [[nodiscard]] std::vector<TypeView> types() const;
    /// The highest version of that type in the range (empty: any) on any ready host, its newest
    /// offer; null when nobody offers one.
    [[nodiscard]] const wire::Capability* capability(std::string_view type,
                                                     std::string_view version_range = {}) const;
    [[nodiscard]] const Counts& counts() const noexcept;
    [[nodiscard]] std::string_view host_name(HostIndex host) const;
    [[nodiscard]] base::Duration heartbeat() const;  ///< what `welcome` tells hosts
    [[nodiscard]] base::Duration lease() const;
    [[nodiscard]] std::uint32_t term() const noexcept;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace distributo::coordinator::core
