#pragma once

#include "tests/simulation/clients.hpp"
#include "tests/simulation/coordinator.hpp"
#include "tests/simulation/disk.hpp"
#include "tests/simulation/extension.hpp"
#include "tests/simulation/host.hpp"
#include "tests/simulation/network.hpp"
#include "tests/simulation/oracle.hpp"
#include "tests/simulation/scenario.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <deque>
#include <optional>

namespace distributo::simulation {

/// What happened in one history, or in many together.
struct Totals {
    std::uint64_t histories = 0;
    std::uint64_t events = 0;
    std::uint64_t tasks = 0;
    std::uint64_t runs = 0;  ///< attempts that a host began
    std::uint64_t coordinator_crashes = 0;
    std::uint64_t host_crashes = 0;
    std::uint64_t cuts = 0;
    Network::Counts messages;
    base::Duration simulated{};

    void add(const Totals& other) noexcept;
};

struct Report {
    std::optional<Violation> violation;
    std::uint64_t hash = 0;  ///< equal for equal histories only
    Totals totals;
};

/// One history from its first event to the point where everything has ended.
class History {
public:
    /// `io` must have nothing to do. `spoken`: every event is printed. `real`: see Disk.
    History(boost::asio::io_context& io,
            const Scenario& scenario,
            bool spoken,
            MakeStore real = {});
    [[nodiscard]] Report run();

private:
    void perform(const Step& step);
    void crash_coordinator(const Step& step);
    void kill_coordinator(base::Duration until_restart);
    void calm_down();
    void look_around();
    [[nodiscard]] bool is_over() const;
    [[nodiscard]] base::Duration elapsed() const;
    [[nodiscard]] Report report() const;

    const Scenario& scenario_;
    Timeline time_;
    Trace trace_;
    Random random_;
    Oracle oracle_;
    Network network_;
    Disk disk_;
    Coordinator coordinator_;
    std::deque<Host> hosts_;
    Clients clients_;
    std::deque<Generator> generators_;
    std::deque<Sink> sinks_;
    Totals totals_;
    bool calm_ = false;
};

}  // namespace distributo::simulation
