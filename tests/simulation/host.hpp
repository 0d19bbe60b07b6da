#pragma once

#include "tests/simulation/coordinator.hpp"
#include "tests/simulation/network.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace distributo::simulation {

/// A host as the protocol describes it: it runs what it is given, keeps every result on its disk
/// until it is acknowledged, and comes back with a list of both.
class Host {
public:
    Host(std::uint32_t number,
         const HostPlan& plan,
         Timeline& time,
         Trace& trace,
         Random random,
         Network& network,
         Coordinator& coordinator,
         Oracle& oracle,
         const Scenario& scenario);

    void start();
    /// The power fails; what it ran is lost, its spooled results are not.
    void crash();
    /// Says goodbye at once.
    void leave();
    /// Finishes what it runs within `patience`, then leaves.
    void drain(base::Duration patience);
    /// Does nothing for this long, although it is connected.
    void freeze(base::Duration length);
    void receive(const ConnectionPtr& connection, const Bundle& bundle);

    [[nodiscard]] bool is_on() const noexcept { return on_; }
    [[nodiscard]] bool has_delivered_everything() const noexcept { return finished_.empty(); }

private:
    struct Run {
        wire::Claim claim;
        core::TaskId task = 0;
        std::uint32_t attempt = 0;
        std::string payload;
        RunId id = 0;  // 0: it waits for a slot
    };
    struct Finished {
        wire::Claim claim;
        wire::AttemptStatus status = wire::AttemptStatus::ok;
        std::string result;
        std::string emitted;
    };

    /// Runs `what` after `delay`, unless the host dies before; later when it is frozen then.
    void soon(base::Duration delay, std::function<void()> what);
    [[nodiscard]] bool is_frozen() const noexcept { return frozen_until_ > time_.now(); }
    [[nodiscard]] static std::string id_of(std::uint32_t number);

    void connect();
    void reconnect_soon();
    void disconnect();
    void welcomed(const Bundle::Welcome& welcome);
    void beat();
    void take(const Bundle::Assign& assign);
    void cancel(const wire::Token& token);
    void fill_slots();
    void begin(Run& run);
    void end(RunId id);
    void finish(const Run& run, wire::AttemptStatus status);
    void report(const Finished& one);
    void leave_if_done();
    [[nodiscard]] wire::AttemptStatus choose_status();
    void send(std::function<void(engine::Engine&, core::HostIndex)> message);

    std::uint32_t number_;
    HostPlan plan_;
    Timeline& time_;
    Trace& trace_;
    Random random_;
    Network& network_;
    Coordinator& coordinator_;
    Oracle& oracle_;
    const Scenario& scenario_;

    std::vector<Finished> finished_;  // on its disk
    // Everything else is gone when it dies.
    std::uint32_t boot_ = 0;
    bool on_ = false;
    bool welcomed_ = false;
    bool draining_ = false;
    base::TimePoint frozen_until_{};
    base::Duration heartbeat_{};
    ConnectionPtr connection_;
    std::vector<Run> runs_;
};

}  // namespace distributo::simulation
