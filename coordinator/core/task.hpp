#pragma once

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "coordinator/core/extension.hpp"
#include "wire/messages.hpp"
#include "wire/task_state.hpp"
#include "wire/token.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace distributo::coordinator::core {

using wire::TaskId;
using wire::TaskState;

/// The names of all task types seen so far, so that a type is one pointer in every task. Not
/// thread-safe; outlives every scheduler and store that it is used with. Never forgets a name,
/// therefore bounded: nobody has this many types, but a client can make up names for ever.
class TypeNames {
public:
    static constexpr std::size_t max_names = 100'000;
    /// The stored name; an empty view when the table is full.
    [[nodiscard]] std::string_view intern(std::string_view name);

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept {
            return std::hash<std::string_view>()(text);
        }
    };
    std::unordered_set<std::string, Hash, std::equal_to<>> names_;
};

/// A host's number while it is known to the scheduler. Not reused before the host is forgotten.
using HostIndex = std::uint32_t;
inline constexpr HostIndex no_host = ~HostIndex{0};

/// Everything of a task that most tasks do not have. Immutable once submitted.
struct TaskOptions {
    std::string given_id;  ///< chosen by the submitter; empty: the number's text is the id
    std::string project;   ///< the original's projectName
    std::string group;
    /// While a task with this key has not ended, no other one with it is accepted.
    std::string unique_key;
    /// Whoever emitted it wants it once; `given_id` is made from it. Empty: as often as emitted.
    std::string dedupe_key;
    wire::Labels labels;
    wire::Labels requires_labels;            ///< labels that a host must have
    wire::Confinement requires_confinement;  ///< that its plugin must be under there, at least
    std::string version_range;  ///< of its type, base::VersionRange; empty: any version
    base::Bytes install;        ///< JSON value; empty: nothing to install
    std::vector<std::string> args;
    wire::Labels env;
    std::optional<base::WallTime> not_before;
    std::optional<base::WallTime> deadline;
    std::int64_t timeout_ms = 0;     ///< of the execute phase; 0: the type's default
    std::int32_t priority = 0;       ///< higher first
    std::uint32_t max_attempts = 0;  ///< 0: the default budget
};

/// A task as it was accepted: what the store keeps and the scheduler starts from.
struct NewTask {
    TaskId id = 0;
    std::string_view type;  ///< points into the TypeNames of the process, so it never dangles
    base::Bytes payload;    ///< JSON value
    base::WallTime created;
    std::shared_ptr<const TaskOptions> options;  ///< null: all defaults
    /// Attempt numbers that may be in use: of earlier generations, and those that an earlier boot
    /// of the coordinator may have given out. The next one is this + 1. Every boot gives out at
    /// most one that is not recorded, so it is the highest of "number of a record + boots since it
    /// was written" over all records of the task; the submit has the number 0.
    std::uint32_t attempts_before = 0;
    TaskId parent = 0;  ///< that emitted it; 0: no task did
    /// That it, or the first of its parents, came from; 0: somebody submitted it.
    ExtensionNumber generator = 0;
};

/// Which of a task's budgets an attempt that did not succeed is charged to.
enum class Charge : std::uint8_t { none, failure, crash, install, interruption, lost };

/// How one attempt ended; kept with the task.
struct Attempt {
    std::uint32_t number = 0;  ///< 1, 2, 3 … over all generations of the task
    std::string host;          ///< its name
    std::string host_id;       ///< who it is, over renames and restarts; empty: unknown
    std::string version;       ///< of the type, that ran it; empty: unknown
    wire::AttemptStatus status = wire::AttemptStatus::ok;
    std::string message;
    base::WallTime started;
    base::WallTime finished;
    wire::PhaseTimes times;
    Charge charge = Charge::none;
    bool excludes_host = false;  ///< the task is not to go to that host again
    base::WallTime retry_at{};   ///< the next one begins not before this; epoch: at once
};

/// An attempt that did not end its task.
struct FailedAttempt {
    TaskId id = 0;
    Attempt attempt;
};

/// What a person asked of a task. Of those about one task the last one counts.
struct Control {
    enum class Kind : std::uint8_t {
        cancel,   ///< while it ran: it ends as cancelled unless its attempt succeeds
        hold,     ///< it is parked
        release,  ///< whatever it waited for is over; its interruptions are forgotten
        retry,    ///< a new generation: its budgets begin anew
    };
    TaskId id = 0;
    Kind kind = Kind::cancel;
    std::string reason;
    base::WallTime when;
    std::uint32_t after_attempt = 0;  ///< the highest attempt number given out before it
};

/// What happened to a task in earlier boots of the coordinator, as far as it still matters.
struct TaskHistory {
    std::uint32_t last_attempt = 0;  ///< highest number of a recorded attempt
    std::uint32_t failures = 0;      ///< charged since the last retry
    std::uint32_t crashes = 0;
    std::uint32_t install_failures = 0;
    std::uint32_t interruptions = 0;  ///< since the last release
    std::uint32_t lost = 0;
    std::vector<std::string> excluded_hosts;  ///< host ids
    base::WallTime retry_at{};                ///< epoch: nothing to wait for
    std::string last_error;
    std::string hold_reason;  ///< with held
    bool held = false;        ///< by a person
    bool cancelling = false;
    bool released = false;      ///< its not_before does not count any more
    bool last_lost = false;     ///< the last attempt ended without a report: a late one may come
    bool last_charged = false;  ///< with last_lost: it was charged as lost
};

/// A live task as it is found when the coordinator starts.
struct RecoveredTask {
    NewTask task;
    std::unique_ptr<TaskHistory> history;  ///< null: nothing but its submit was recorded
};

/// What has to be known of a host when the coordinator starts again.
struct HostRecord {
    std::string host_id{};
    std::string name{};
    bool present = false;  ///< may hold leases: it joined, and neither left nor was given up
    base::WallTime quarantined_until{};  ///< epoch: not quarantined
    std::uint32_t quarantines = 0;       ///< in a row; each doubles the next one
    std::string quarantine_reason{};
};

/// The recorded end of a task.
struct Outcome {
    TaskId id = 0;
    TaskState state = TaskState::completed;
    wire::FailReason reason = wire::FailReason::none;
    base::Bytes result;  ///< JSON value; with completed
    Attempt attempt;     ///< the one that ended it; number 0: it never ran
};

}  // namespace distributo::coordinator::core
