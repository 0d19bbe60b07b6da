#pragma once

#include "coordinator/engine/engine.hpp"
#include "tests/simulation/disk.hpp"
#include "tests/simulation/extension_oracle.hpp"
#include "tests/simulation/scenario.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::simulation {

namespace engine = coordinator::engine;

/// A promise that was broken.
struct Violation {
    std::string invariant;  ///< "I4"
    std::string what;
};

/// Number of a run: an attempt that a host really began.
using RunId = std::uint64_t;

/// Knows everything that anybody was told or did, and compares it with what the coordinator says.
/// It believes the disk only: what is durable there happened, everything else did not.
class Oracle {
public:
    explicit Oracle(const Scenario& scenario)
        : scenario_(scenario),
          extensions_(scenario, [this](std::string invariant, std::string what) {
              fail(std::move(invariant), std::move(what));
          }) {}
    Oracle(const Oracle&) = delete;
    Oracle& operator=(const Oracle&) = delete;

    // ---- the disk ----
    void durable(const Write& write);

    // ---- what leaves the coordinator ----
    void coordinator_started() noexcept { ++boot_; }
    void assigned(const std::string& host_id,
                  core::TaskId task,
                  std::uint32_t attempt,
                  const wire::Token& token);
    /// A host is told that it need not keep a result any more.
    void result_acknowledged(const wire::AckItem& item);
    void submit_answered(std::uint32_t request, const std::vector<engine::Submitted>& answers);
    /// An order (cancel, hold, release, retry) is on its way: what was confirmed before may change.
    void order_given(core::TaskId task, Step::Kind kind);
    void order_confirmed(core::TaskId task, Step::Kind kind, wire::TaskState state);
    void result_shown(const store::TaskRecord& record);

    /// The part for generators and sinks.
    [[nodiscard]] ExtensionOracle& extensions() noexcept { return extensions_; }

    // ---- what hosts do ----
    [[nodiscard]] RunId run_began(core::TaskId task, std::uint32_t attempt);
    void run_ended(const wire::Token& token, wire::AttemptStatus status);
    /// What a run that succeeds gives back.
    [[nodiscard]] static std::string result_of(core::TaskId task, std::uint32_t attempt, RunId run);

    // ---- checks ----
    /// When nothing is on its way to the disk.
    void check_counts(const core::Counts& counts);
    /// When everything has been calm for long enough.
    void check_end();
    /// Called by others who find something.
    void fail(std::string invariant, std::string what);
    [[nodiscard]] const std::optional<Violation>& violation() const noexcept { return violation_; }

    /// Generators have made all their tasks, all have ended, and every sink knows how.
    [[nodiscard]] bool all_shown() const {
        return live_ == 0 && unshown_ == 0 && extensions_.all_done();
    }
    /// Those that live, as far as the disk knows.
    [[nodiscard]] std::vector<core::TaskId> live_tasks() const;
    [[nodiscard]] std::uint64_t tasks() const noexcept { return stored_; }
    [[nodiscard]] std::uint64_t runs() const noexcept { return runs_; }
    /// The first task that was accepted for this request; 0: none yet.
    [[nodiscard]] core::TaskId task_of(std::uint32_t request) const;

private:
    struct AttemptFacts {
        std::uint32_t number = 0;
        std::uint32_t boot = 0;  // in which it was handed out
        std::uint32_t generation = 0;
        RunId run = 0;  // 0: it was not begun
        bool recorded = false;
        bool reported = false;  // and by its host, instead of being given up
        bool decided = false;   // an outcome came from it
    };
    struct TaskFacts {
        bool stored = false;
        bool live = false;
        bool cancel_confirmed = false;
        bool hold_confirmed = false;
        bool may_come_back = false;  // somebody asked for it
        bool shown = false;          // the end of this generation, to the sink
        std::string unique_key;
        std::string payload;
        std::uint32_t max_attempts = 0;
        std::uint32_t failures = 0;  // recorded in this generation
        std::uint32_t crashes = 0;
        std::uint32_t install_failures = 0;
        std::vector<AttemptFacts> attempts;  // in order of being handed out
        std::uint32_t generation = 1;
        std::uint32_t ends = 0;  // over all generations

        [[nodiscard]] AttemptFacts* attempt(std::uint32_t number);
    };

    /// Whose token it is, and how its run ended.
    struct TokenFacts {
        core::TaskId task = 0;
        std::uint32_t attempt = 0;
        wire::AttemptStatus status = wire::AttemptStatus::ok;
    };

    [[nodiscard]] TaskFacts& facts(core::TaskId task);
    void stored(const core::NewTask& task);
    void recorded(const core::FailedAttempt& failed);
    void ended(const core::Outcome& outcome);
    void check_deciding_attempt(TaskFacts& task, const core::Outcome& outcome);
    void charge(core::TaskId id, const core::Attempt& attempt);
    void check_budget(const TaskFacts& task, const core::Outcome& outcome);
    void check_follow_ups(const store::Transaction& transaction);

    const Scenario& scenario_;
    ExtensionOracle extensions_;
    std::optional<Violation> violation_;
    std::vector<TaskFacts> facts_;                                            // by id
    std::map<std::pair<std::uint32_t, std::size_t>, core::TaskId> answered_;  // request, item
    std::map<std::pair<std::uint32_t, std::uint64_t>, TokenFacts> tokens_;    // term, counter
    std::map<std::string, std::uint32_t, std::less<>> copies_;  // stored tasks by payload
    std::map<std::string, core::TaskId> key_holders_;
    std::set<std::string> given_ids_;
    std::map<std::string, bool, std::less<>> present_hosts_;  // as far as that is durable
    std::uint32_t boot_ = 0;
    std::uint64_t stored_ = 0;
    std::uint64_t live_ = 0;
    std::uint64_t unshown_ = 0;  // ended, but the sink does not know
    std::uint64_t runs_ = 0;
    std::uint64_t last_shown_ = 0;
};

}  // namespace distributo::simulation
