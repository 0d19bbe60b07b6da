#pragma once

#include "tests/simulation/coordinator.hpp"
#include "tests/simulation/network.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace distributo::simulation {

/// Those who talk HTTP with the coordinator: producers that submit, and repeat a request until it
/// is answered if it can be repeated; people who cancel, hold, release and retry, once.
class Clients {
public:
    Clients(Timeline& time,
            Trace& trace,
            Random random,
            Network& network,
            Coordinator& coordinator,
            Oracle& oracle,
            const Scenario& scenario);

    void submit(std::uint32_t request);
    void order(Step::Kind kind, std::uint32_t request);
    /// Ends the waiting of a task that is held.
    void release(core::TaskId task);
    [[nodiscard]] bool have_answers() const noexcept { return open_.empty(); }

private:
    [[nodiscard]] std::vector<engine::Submit> items_of(std::uint32_t request) const;
    void answered(std::uint32_t request, const std::vector<engine::Submitted>& tasks);
    void send(Step::Kind kind, core::TaskId task);

    Timeline& time_;
    Trace& trace_;
    Random random_;
    Network& network_;
    Coordinator& coordinator_;
    Oracle& oracle_;
    const Scenario& scenario_;
    std::set<std::uint32_t> open_;  // requests that will be repeated
};

}  // namespace distributo::simulation
