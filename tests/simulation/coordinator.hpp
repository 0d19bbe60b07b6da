#pragma once

#include "coordinator/engine/engine.hpp"
#include "tests/simulation/disk.hpp"
#include "tests/simulation/network.hpp"
#include "tests/simulation/oracle.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>
#include <string>
#include <vector>

namespace distributo::simulation {

/// What the coordinator sends to a host in one go.
struct Bundle {
    struct Assign {
        wire::Token token;
        wire::Lease lease;
        core::TaskId task = 0;
        std::uint32_t attempt = 0;
        std::string type;
        std::string payload;
    };
    struct Welcome {
        std::vector<wire::TokenVerdict> verdicts;
        base::Duration heartbeat{};
    };
    std::vector<Welcome> welcome;  ///< one or none
    std::vector<Assign> assigns;
    std::vector<wire::Token> cancels;
    std::vector<wire::AckItem> acks;
};

/// The real engine, which can be killed at any time, and the sessions of its hosts.
class Coordinator {
public:
    /// A bundle has arrived at its host.
    using Deliver = std::function<void(const ConnectionPtr&, const Bundle&)>;

    /// `io` is used by one coordinator at a time.
    Coordinator(boost::asio::io_context& io,
                Timeline& time,
                Trace& trace,
                const Scenario& scenario,
                Disk& disk,
                Network& network,
                Oracle& oracle,
                Deliver deliver);
    ~Coordinator();
    Coordinator(const Coordinator&) = delete;
    Coordinator& operator=(const Coordinator&) = delete;

    /// Called whenever one was started.
    void when_started(std::function<void(engine::Engine&)> what) { started_ = std::move(what); }
    void start();
    void kill();
    [[nodiscard]] bool is_up() const noexcept { return engine_ != nullptr; }
    [[nodiscard]] std::uint64_t boots() const noexcept { return boots_; }

    /// A message of a host arrives. It is dropped when its session is over.
    void hello(const ConnectionPtr& connection, wire::Hello hello);
    void from_host(const ConnectionPtr& connection,
                   const std::function<void(engine::Engine&, core::HostIndex)>& message);
    void bye(const ConnectionPtr& connection);
    /// A request of HTTP arrives; nothing happens while the coordinator is down.
    void request(const std::function<void(engine::Engine&)>& ask);
    /// Shows new results to the sink.
    void poll_sink();
    [[nodiscard]] std::vector<core::TaskId> held_tasks() const;

private:
    class Session;

    [[nodiscard]] Session* session_of(const ConnectionPtr& connection) const;
    void check_room(const Session& session);
    void settle();
    void run_due();
    void close(const ConnectionPtr& connection, bool clean);

    boost::asio::io_context& io_;
    Timeline& time_;
    Trace& trace_;
    const Scenario& scenario_;
    Disk& disk_;
    Network& network_;
    Oracle& oracle_;
    Deliver deliver_;
    std::function<void(engine::Engine&)> started_;
    std::unique_ptr<engine::Engine> engine_;
    std::vector<std::unique_ptr<Session>> sessions_;
    base::TimePoint due_ = base::TimePoint::max();
    std::uint64_t boots_ = 0;
    std::uint64_t shown_ = 0;  // the sink's cursor
    bool sink_waits_ = false;  // for an answer
};

}  // namespace distributo::simulation
