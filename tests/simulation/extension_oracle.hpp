#pragma once

#include "coordinator/store/store.hpp"
#include "tests/simulation/disk.hpp"
#include "tests/simulation/scenario.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace distributo::simulation {

/// Number of the task that a generator makes next.
[[nodiscard]] std::uint32_t place_of(const core::Cursor& cursor);

/// The part of the oracle that knows what generators made and what sinks have. Like all of it, it
/// believes the disk only.
class ExtensionOracle {
public:
    /// Takes the name of an invariant and what is wrong.
    using Fail = std::function<void(std::string, std::string)>;
    ExtensionOracle(const Scenario& scenario, Fail fail);

    // ---- the disk, in order ----
    void stored(const core::NewTask& task);
    void ended(const core::Outcome& outcome);
    void reopened(core::TaskId task);
    /// All tasks and ends of that transaction were told before.
    void kept(const store::Transaction& transaction);

    // ---- what leaves the coordinator ----
    void extension_answered(core::ExtensionNumber number);
    void cursor_answered(const core::Cursor& cursor);

    // ---- what sinks do ----
    /// From now on it gets what comes after this one.
    void sink_opened(std::uint32_t sink, std::uint64_t after);
    /// It has that outcome for good.
    void sink_stored(std::uint32_t sink, std::uint64_t sequence);

    /// Generators have made everything, and sinks have it.
    [[nodiscard]] bool all_done() const;
    void check_end() const;

private:
    struct TaskFacts {
        core::ExtensionNumber generator = 0;
        std::string payload;
        std::uint64_t sequence = 0;  // of its end; 0: it lives
    };
    /// One of the tasks that a generator makes.
    struct Item {
        std::uint32_t stored = 0;     // how often
        std::uint32_t second = 0;     // and the one that its outcome makes
        std::uint64_t completed = 0;  // sequence of the outcome; 0: none, or another one
    };
    struct GeneratorFacts {
        core::Cursor cursor;
        std::vector<Item> items;
    };
    struct SinkFacts {
        core::Cursor cursor;
        std::set<std::uint64_t> stored;
        std::uint64_t last = 0;  // since it was opened
    };

    [[nodiscard]] TaskFacts& facts(core::TaskId task);
    /// Null: no generator makes such a task. `second`: is it the one of the outcome?
    [[nodiscard]] Item* item_of(std::string_view payload, bool& second);
    /// Null: there is none of this number.
    [[nodiscard]] core::Cursor* cursor_of(core::ExtensionNumber number);
    void check_generator(std::uint32_t number);
    /// The first outcome up to `last` that the sink should have and has not; 0: none.
    [[nodiscard]] std::uint64_t first_missing(const SinkFacts& sink,
                                              std::uint64_t after,
                                              std::uint64_t last) const;

    const Scenario& scenario_;
    Fail fail_;
    std::vector<TaskFacts> tasks_;    // by id
    std::vector<core::TaskId> ends_;  // by sequence; 0: withdrawn
    std::map<core::ExtensionNumber, std::string> names_;
    std::vector<GeneratorFacts> generators_;
    std::vector<SinkFacts> sinks_;
};

}  // namespace distributo::simulation
