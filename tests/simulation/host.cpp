#include "tests/simulation/host.hpp"

#include <algorithm>
#include <utility>

namespace distributo::simulation {

using namespace std::chrono_literals;
using wire::AttemptStatus;

Host::Host(std::uint32_t number,
           const HostPlan& plan,
           Timeline& time,
           Trace& trace,
           Random random,
           Network& network,
           Coordinator& coordinator,
           Oracle& oracle,
           const Scenario& scenario)
    : number_(number),
      plan_(plan),
      time_(time),
      trace_(trace),
      random_(random),
      network_(network),
      coordinator_(coordinator),
      oracle_(oracle),
      scenario_(scenario) {}

std::string Host::id_of(std::uint32_t number) {
    return std::string(31, '0') + std::to_string(number);
}

void Host::soon(base::Duration delay, std::function<void()> what) {
    time_.in(delay, [this, boot = boot_, what = std::move(what)] {
        if (!on_ || boot_ != boot)
            return;
        if (is_frozen())
            return soon(frozen_until_ - time_.now(), what);
        what();
    });
}

// ---- being there ----

void Host::start() {
    if (on_)
        return;
    ++boot_;
    on_ = true;
    trace_.note("host starts", number_, boot_);
    connect();
}

void Host::crash() {
    if (!on_)
        return;
    trace_.note("host dies", number_, boot_);
    on_ = false;
    draining_ = false;
    frozen_until_ = {};
    runs_.clear();
    disconnect();
}

void Host::leave() {
    if (!on_)
        return;
    for (const Run& run : std::exchange(runs_, {}))
        finish(run, AttemptStatus::interrupted);
    if (connection_)
        network_.send(connection_, Direction::to_coordinator, [this, connection = connection_] {
            coordinator_.bye(connection);
        });
    trace_.note("host leaves", number_, boot_);
    on_ = false;
    draining_ = false;
    welcomed_ = false;
    connection_.reset();
}

void Host::drain(base::Duration patience) {
    if (!on_)
        return;
    trace_.note("host drains", number_, boot_);
    draining_ = true;
    send([](engine::Engine& engine, core::HostIndex host) { engine.host_draining(host); });
    std::erase_if(runs_, [this](const Run& run) {
        if (run.id == 0)
            finish(run, AttemptStatus::interrupted);
        return run.id == 0;
    });
    soon(patience, [this] { leave(); });
    leave_if_done();
}

void Host::leave_if_done() {
    if (draining_ && runs_.empty() && finished_.empty())
        leave();
}

void Host::freeze(base::Duration length) {
    trace_.note("host freezes", number_);
    frozen_until_ = time_.now() + length;
}

// ---- the connection ----

void Host::connect() {
    if (network_.is_cut(number_))
        return reconnect_soon();
    auto connection = std::make_shared<Connection>();
    connection->host = number_;
    connection->host_notices = [this, weak = std::weak_ptr(connection)] {
        if (connection_ != weak.lock() || !connection_)
            return;
        disconnect();
        reconnect_soon();
    };
    connection_ = connection;
    wire::Hello hello;
    hello.host_id = id_of(number_);
    hello.boot_id = id_of(boot_);
    hello.name = "host-" + std::to_string(number_);
    hello.slots = plan_.slots;
    for (const auto& run : runs_)
        hello.running.push_back(run.claim);
    for (const auto& one : finished_)
        hello.finished.push_back(one.claim);
    trace_.note("hello", number_, hello.running.size(), hello.finished.size());
    network_.send(connection, Direction::to_coordinator, [this, connection, hello] {
        coordinator_.hello(connection, hello);
    });
    soon(3s, [this, connection] {
        if (connection_ == connection && !welcomed_)
            network_.sever(connection);
    });
}

void Host::reconnect_soon() {
    soon(random_.between(50ms, 800ms), [this] {
        if (!connection_)
            connect();
    });
}

void Host::disconnect() {
    if (!connection_)
        return;
    network_.sever(connection_);
    connection_.reset();
    welcomed_ = false;
}

void Host::send(std::function<void(engine::Engine&, core::HostIndex)> message) {
    if (!welcomed_)
        return;
    network_.send(connection_,
                  Direction::to_coordinator,
                  [this, connection = connection_, message = std::move(message)] {
                      coordinator_.from_host(connection,
                                             [&](engine::Engine& engine, core::HostIndex host) {
                                                 message(engine, host);
                                                 engine.host_heard(host);
                                             });
                  });
}

void Host::receive(const ConnectionPtr& connection, const Bundle& bundle) {
    if (!on_ || connection != connection_)
        return;
    if (is_frozen())
        return soon(frozen_until_ - time_.now(),
                    [this, connection, bundle] { receive(connection, bundle); });
    for (const auto& welcome : bundle.welcome)
        if (!welcomed_)
            welcomed(welcome);
    for (const auto& item : bundle.acks)
        std::erase_if(finished_,
                      [&](const Finished& one) { return one.claim.token == item.token; });
    for (const auto& assign : bundle.assigns)
        take(assign);
    for (const auto& token : bundle.cancels)
        cancel(token);
    fill_slots();
    leave_if_done();
}

void Host::welcomed(const Bundle::Welcome& welcome) {
    welcomed_ = true;
    heartbeat_ = welcome.heartbeat;
    for (const auto& verdict : welcome.verdicts)
        if (verdict.verdict == wire::Verdict::cancel)
            std::erase_if(runs_, [&](const Run& run) { return run.claim.token == verdict.token; });
    wire::Capabilities offer;
    offer.sequence = 1;
    for (std::uint32_t type = 0; type < type_count; ++type)
        if ((plan_.types >> type & 1U) != 0) {
            wire::Capability capability;
            capability.type = type_names[type];
            capability.credit = plan_.credit;
            offer.types.push_back(std::move(capability));
        }
    send([offer](engine::Engine& engine, core::HostIndex host) {
        engine.host_capabilities(host, offer);
    });
    if (draining_)
        send([](engine::Engine& engine, core::HostIndex host) { engine.host_draining(host); });
    for (const auto& one : finished_)
        report(one);
    soon(heartbeat_, [this, connection = connection_] {
        if (connection == connection_)
            beat();
    });
}

void Host::beat() {
    send([](engine::Engine&, core::HostIndex) {});
    soon(heartbeat_, [this, connection = connection_] {
        if (connection == connection_)
            beat();
    });
}

// ---- the work ----

void Host::take(const Bundle::Assign& assign) {
    const auto same = [&](const auto& one) { return one.claim.token == assign.token; };
    if (std::ranges::any_of(runs_, same) || std::ranges::any_of(finished_, same))
        return;
    if ((plan_.types & (assign.type == type_names[0] ? 1U : 2U)) == 0)
        oracle_.fail("I9", "host " + std::to_string(number_) + " got a task of a type it lacks");
    Run run{{assign.token, assign.lease}, assign.task, assign.attempt, assign.payload, 0};
    if (draining_)
        return finish(run, AttemptStatus::interrupted);
    runs_.push_back(std::move(run));
}

void Host::cancel(const wire::Token& token) {
    const auto found =
        std::ranges::find(runs_, token, [](const Run& run) { return run.claim.token; });
    if (found == runs_.end())
        return;
    const Run run = std::move(*found);
    runs_.erase(found);
    finish(run, AttemptStatus::cancelled);
}

void Host::fill_slots() {
    auto busy = std::ranges::count_if(runs_, [](const Run& run) { return run.id != 0; });
    for (auto& run : runs_)
        if (run.id == 0 && busy < plan_.slots) {
            ++busy;
            begin(run);
        }
}

void Host::begin(Run& run) {
    run.id = oracle_.run_began(run.task, run.attempt);
    trace_.note("run begins", number_, run.task, run.attempt);
    const auto longest = random_.chance(800) ? 300ms : 5000ms;
    soon(random_.between(5ms, longest), [this, id = run.id] { end(id); });
}

void Host::end(RunId id) {
    const auto found = std::ranges::find(runs_, id, &Run::id);
    if (found == runs_.end())
        return;  // it was cancelled
    const Run run = std::move(*found);
    runs_.erase(found);
    finish(run, choose_status());
    fill_slots();
    leave_if_done();
}

AttemptStatus Host::choose_status() {
    const bool calm = time_.now() - base::TimePoint(1h) >= scenario_.calm_from;
    if (calm || !random_.chance(scenario_.failing))
        return AttemptStatus::ok;
    if (scenario_.failure)
        return *scenario_.failure;
    constexpr AttemptStatus bad[] = {AttemptStatus::retry,
                                     AttemptStatus::retry,
                                     AttemptStatus::retry_elsewhere,
                                     AttemptStatus::permanent,
                                     AttemptStatus::timeout,
                                     AttemptStatus::crashed,
                                     AttemptStatus::install_failed,
                                     AttemptStatus::interrupted};
    return bad[random_.below(std::size(bad))];
}

void Host::finish(const Run& run, AttemptStatus status) {
    trace_.note("run ends", run.task, run.attempt, static_cast<std::uint64_t>(status));
    oracle_.run_ended(run.claim.token, status);
    Finished one{run.claim, status, {}, {}};
    if (status == AttemptStatus::ok) {
        one.result = Oracle::result_of(run.task, run.attempt, run.id);
        one.emitted = emitted_by(scenario_, run.payload);
    }
    finished_.push_back(one);
    report(one);
}

void Host::report(const Finished& one) {
    send([one](engine::Engine& engine, core::HostIndex host) {
        wire::ResultItem item;
        item.token = one.claim.token;
        item.status = one.status;
        item.result = one.result;
        item.emitted = one.emitted;
        if (one.status != AttemptStatus::ok)
            item.message = "it went wrong";
        engine.host_result(host, item);
    });
}

}  // namespace distributo::simulation
