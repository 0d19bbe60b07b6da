#pragma once

#include "tests/torture/power_cut/call.hpp"

#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace distributo::tests {

/// What a store must know: all that it acknowledged, carried out by a store in memory. What was
/// sent but not acknowledged may have been carried out too: each call wholly or not at all, and
/// none without all those before it.
class Ledger {
public:
    Ledger();

    /// That a start went well. Says what is wrong with it; empty: nothing.
    [[nodiscard]] std::string opened(const store::Recovered& recovered);
    void sent(const Call& call);
    /// Of the oldest call that has none yet. Says what is wrong with it; empty: nothing.
    [[nodiscard]] std::string answered(const Answer& answer);
    /// Compares with what a store has after a power cut. Says what is wrong; empty: nothing, and
    /// what it has is from now on what it must have.
    [[nodiscard]] std::string settle(const Snapshot& found);

    [[nodiscard]] bool all_answered() const noexcept { return waiting_.empty(); }
    /// Above all ids that were sent.
    [[nodiscard]] core::TaskId next_id() const noexcept { return next_id_; }
    /// Tasks and ends of tasks that the last settle() missed.
    [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }

private:
    [[nodiscard]] Snapshot expected();
    /// Carries out the oldest call that waits.
    [[nodiscard]] Answer apply();
    /// Takes out of the oldest call what a full disk refuses.
    void refuse_submits();

    Client memory_;
    std::deque<Call> waiting_;  // sent, not acknowledged
    bool broken_ = false;       // the real store was, since it was opened
    std::optional<store::Recovered> first_;
    std::uint32_t term_ = 0;
    core::TaskId next_id_ = 1;
    std::uint64_t lost_ = 0;
};

}  // namespace distributo::tests
