#pragma once

#include "tests/simulation/random.hpp"
#include "tests/simulation/scenario.hpp"
#include "tests/simulation/trace.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <set>

namespace distributo::simulation {

/// A connection between a host and the coordinator. Like one of TCP it loses nothing unless it
/// breaks: a lost message takes all later ones in both directions with it, and both ends notice
/// some time later. What the coordinator is told may overtake and may come twice, as if a careless
/// host had sent it so; a host would begin a task twice that it is given twice.
struct Connection {
    std::uint32_t host = 0;
    bool severed = false;
    base::TimePoint last[2]{};  ///< by direction: when its last message arrives
    /// What the ends do when they notice.
    std::function<void()> host_notices;
    std::function<void()> coordinator_notices;
};
using ConnectionPtr = std::shared_ptr<Connection>;
enum class Direction : std::uint8_t { to_coordinator, to_host };

class Network {
public:
    struct Counts {
        std::uint64_t sent = 0, lost = 0, doubled = 0, broken = 0;
    };

    Network(Timeline& time, Trace& trace, Random random, const Noise& noise)
        : time_(time), trace_(trace), random_(random), noise_(noise) {}

    /// `deliver` is called when the message arrives, perhaps twice, or never.
    void send(const ConnectionPtr& connection, Direction direction, std::function<void()> deliver);
    /// The same without a connection, for HTTP. Only what can be repeated may be doubled.
    void send_request(std::function<void()> deliver, bool repeatable);
    void send_response(std::function<void()> deliver) { send_request(std::move(deliver), true); }
    void sever(const ConnectionPtr& connection);

    void cut(std::uint32_t host, bool is_cut);
    void cut_producers(bool is_cut) noexcept { producers_cut_ = is_cut; }
    [[nodiscard]] bool is_cut(std::uint32_t host) const { return cut_hosts_.contains(host); }
    /// From now on nothing is lost, doubled or cut.
    void calm_down();

    [[nodiscard]] const Counts& counts() const noexcept { return counts_; }

private:
    [[nodiscard]] base::Duration delay() {
        return random_.between(noise_.shortest, noise_.longest);
    }

    Timeline& time_;
    Trace& trace_;
    Random random_;
    Noise noise_;
    Counts counts_;
    std::set<std::uint32_t> cut_hosts_;
    bool producers_cut_ = false;
};

}  // namespace distributo::simulation
