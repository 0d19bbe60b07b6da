#include "tests/simulation/history.hpp"

#include <algorithm>
#include <utility>

namespace distributo::simulation {

using namespace std::chrono_literals;
using Kind = Step::Kind;

namespace {

/// In simulated time; without trouble everything ends much sooner.
constexpr base::Duration patience = 120s;
constexpr base::Duration look_every = 500ms;

}  // namespace

void Totals::add(const Totals& other) noexcept {
    histories += other.histories;
    events += other.events;
    tasks += other.tasks;
    runs += other.runs;
    coordinator_crashes += other.coordinator_crashes;
    host_crashes += other.host_crashes;
    cuts += other.cuts;
    messages.sent += other.messages.sent;
    messages.lost += other.messages.lost;
    messages.doubled += other.messages.doubled;
    messages.broken += other.messages.broken;
    simulated += other.simulated;
}

History::History(boost::asio::io_context& io, const Scenario& scenario, bool spoken, MakeStore real)
    : scenario_(scenario),
      trace_(time_, spoken),
      random_(~scenario.seed),
      oracle_(scenario),
      network_(time_, trace_, random_.fork(), scenario.noise),
      disk_(
          time_,
          trace_,
          random_.fork(),
          scenario.slowest_sync,
          [this](const Write& write) { oracle_.durable(write); },
          std::move(real)),
      coordinator_(io,
                   time_,
                   trace_,
                   scenario,
                   disk_,
                   network_,
                   oracle_,
                   [this](const ConnectionPtr& connection, const Bundle& bundle) {
                       hosts_[connection->host].receive(connection, bundle);
                   }),
      clients_(time_, trace_, random_.fork(), network_, coordinator_, oracle_, scenario) {
    for (std::uint32_t i = 0; i < scenario.hosts.size(); ++i)
        hosts_.emplace_back(i,
                            scenario.hosts[i],
                            time_,
                            trace_,
                            random_.fork(),
                            network_,
                            coordinator_,
                            oracle_,
                            scenario);
    const auto add = [&](auto& all, const auto& plans) {
        for (const auto& plan : plans)
            all.emplace_back(static_cast<std::uint32_t>(all.size()),
                             plan,
                             time_,
                             trace_,
                             random_.fork(),
                             coordinator_,
                             oracle_.extensions());
    };
    add(generators_, scenario.generators);
    add(sinks_, scenario.sinks);
    coordinator_.when_started([this](engine::Engine& engine) {
        for (auto& generator : generators_)
            generator.coordinator_started(engine);
        for (auto& sink : sinks_)
            sink.coordinator_started(engine);
    });
}

base::Duration History::elapsed() const {
    return time_.now() - base::TimePoint(1h);
}

Report History::run() {
    coordinator_.start();
    for (auto& host : hosts_)
        time_.in(random_.between(1ms, 500ms), [&host] { host.start(); });
    for (const Step& step : scenario_.steps)
        time_.in(step.at, [this, &step] { perform(step); });
    time_.in(scenario_.calm_from, [this] { calm_down(); });
    time_.in(look_every, [this] { look_around(); });
    while (!oracle_.violation() && !is_over() && time_.run_next())
        if (elapsed() > scenario_.calm_from + patience)
            break;
    if (!oracle_.violation())
        oracle_.check_end();
    if (!oracle_.violation())
        if (const auto differs = disk_.difference_from_journal(); !differs.empty())
            oracle_.fail("I14", differs);
    for (std::uint32_t i = 0; i < hosts_.size(); ++i)
        if (!oracle_.violation() && !hosts_[i].has_delivered_everything())
            oracle_.fail("I7", "host " + std::to_string(i) + " could never deliver a result");
    return report();
}

bool History::is_over() const {
    return calm_ && coordinator_.is_up() && disk_.is_quiet() && clients_.have_answers() &&
           oracle_.all_shown() && std::ranges::all_of(hosts_, &Host::has_delivered_everything);
}

Report History::report() const {
    Report made;
    made.violation = oracle_.violation();
    made.hash = trace_.hash();
    made.totals = totals_;
    made.totals.histories = 1;
    made.totals.events = time_.events();
    made.totals.tasks = oracle_.tasks();
    made.totals.runs = oracle_.runs();
    made.totals.messages = network_.counts();
    made.totals.simulated = elapsed();
    return made;
}

void History::perform(const Step& step) {
    trace_.note(to_string(step.kind), step.who, step.detail);
    switch (step.kind) {
        case Kind::submit:
            return clients_.submit(step.who);
        case Kind::cancel:
        case Kind::hold:
        case Kind::release:
        case Kind::retry:
            return clients_.order(step.kind, step.who);
        case Kind::crash_coordinator:
            return crash_coordinator(step);
        case Kind::crash_host:
            ++totals_.host_crashes;
            hosts_[step.who].crash();
            break;
        case Kind::leave:
            hosts_[step.who].leave();
            break;
        case Kind::drain:
            return hosts_[step.who].drain(step.length);
        case Kind::freeze:
            return hosts_[step.who].freeze(step.length);
        case Kind::cut_host:
            ++totals_.cuts;
            network_.cut(step.who, true);
            return time_.in(step.length, [this, &step] { network_.cut(step.who, false); });
        case Kind::cut_producers:
            ++totals_.cuts;
            network_.cut_producers(true);
            return time_.in(step.length, [this] { network_.cut_producers(false); });
        case Kind::fill_disk:
            disk_.set_full(true);
            return time_.in(step.length, [this] { disk_.set_full(false); });
        case Kind::break_sync:
            return disk_.break_next_sync();
        case Kind::set_clock:
            return time_.shift_wall(std::chrono::floor<std::chrono::milliseconds>(step.length));
    }
    time_.in(step.length, [this, &step] { hosts_[step.who].start(); });
}

void History::crash_coordinator(const Step& step) {
    const auto crash = [this, length = step.length] { kill_coordinator(length); };
    switch (static_cast<CrashMoment>(step.detail)) {
        case CrashMoment::now:
            return crash();
        case CrashMoment::during_sync:
            return disk_.crash_during_sync(crash);
        case CrashMoment::after_sync:
            return disk_.crash_after_sync(crash);
    }
}

void History::kill_coordinator(base::Duration until_restart) {
    if (!coordinator_.is_up())
        return;
    ++totals_.coordinator_crashes;
    coordinator_.kill();
    time_.in(until_restart, [this] {
        if (!coordinator_.is_up())
            coordinator_.start();
    });
}

void History::calm_down() {
    trace_.note("calm");
    calm_ = true;
    network_.calm_down();
    disk_.calm_down();
    for (auto& host : hosts_)
        host.freeze({});
    if (!coordinator_.is_up())
        coordinator_.start();
}

/// What people do now and then: look at results, and in the end at what is held or gone.
void History::look_around() {
    coordinator_.poll_sink();
    if (calm_) {
        for (auto& host : hosts_)
            host.start();
        for (const auto task : coordinator_.held_tasks())
            clients_.release(task);
    }
    time_.in(look_every, [this] { look_around(); });
}

}  // namespace distributo::simulation
