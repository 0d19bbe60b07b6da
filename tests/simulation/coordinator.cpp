#include "tests/simulation/coordinator.hpp"

#include <utility>

namespace distributo::simulation {

/// A host's session: gathers what the engine sends until it is flushed.
class Coordinator::Session final : public engine::HostPort {
public:
    Session(Coordinator& owner, ConnectionPtr connection)
        : owner_(owner), connection_(std::move(connection)) {}

    void assign(const wire::AssignItem& item) override {
        const auto task = item.lease.task;
        owner_.trace_.note("assign", connection_->host, task, item.attempt);
        owner_.oracle_.assigned(host_id, task, item.attempt, item.token);
        gathered_.assigns.push_back({item.token,
                                     item.lease,
                                     task,
                                     item.attempt,
                                     std::string(item.type),
                                     std::string(item.payload)});
    }
    void cancel(const wire::CancelItem& item) override { gathered_.cancels.push_back(item.token); }
    void ack(const wire::AckItem& item) override {
        owner_.trace_.note("ack", connection_->host, item.token.counter, item.stale);
        owner_.oracle_.result_acknowledged(item);
        gathered_.acks.push_back(item);
    }
    void flush() override {
        if (!gathered_.assigns.empty())
            owner_.check_room(*this);
        owner_.network_.send(
            connection_,
            Direction::to_host,
            [&owner = owner_, connection = connection_, bundle = std::exchange(gathered_, {})] {
                owner.deliver_(connection, bundle);
            });
    }
    void replaced() override { is_replaced = true; }
    void welcome(wire::Welcome welcome) {
        gathered_.welcome.push_back(
            {std::move(welcome.verdicts), std::chrono::milliseconds(welcome.heartbeat_ms)});
        flush();
    }

    std::string host_id;
    core::HostIndex index = core::no_host;
    bool is_replaced = false;

    [[nodiscard]] const ConnectionPtr& connection() const noexcept { return connection_; }

private:
    Coordinator& owner_;
    ConnectionPtr connection_;
    Bundle gathered_;
};

Coordinator::Coordinator(boost::asio::io_context& io,
                         Timeline& time,
                         Trace& trace,
                         const Scenario& scenario,
                         Disk& disk,
                         Network& network,
                         Oracle& oracle,
                         Deliver deliver)
    : io_(io),
      time_(time),
      trace_(trace),
      scenario_(scenario),
      disk_(disk),
      network_(network),
      oracle_(oracle),
      deliver_(std::move(deliver)) {
    disk_.when_answered([this] { settle(); });
}

Coordinator::~Coordinator() {
    engine_.reset();
    io_.restart();
    io_.poll();
}

void Coordinator::start() {
    ++boots_;
    trace_.note("coordinator starts", boots_);
    oracle_.coordinator_started();
    engine_ = std::make_unique<engine::Engine>(
        io_,
        time_,
        scenario_.settings,
        disk_.mount(),
        engine::Replayable{static_cast<std::uint32_t>(scenario_.seed + boots_)});
    if (const auto started = engine_->start(); !started)
        oracle_.fail("I14", "the store does not open: " + started.error().message);
    else
        started_(*engine_);
    settle();
}

void Coordinator::kill() {
    trace_.note("coordinator dies", boots_);
    engine_.reset();
    for (const auto& session : std::exchange(sessions_, {}))
        network_.sever(session->connection());
    due_ = base::TimePoint::max();
    sink_waits_ = false;
    // What the engine had posted finds it gone.
    io_.restart();
    io_.poll();
    disk_.power_off();
}

Coordinator::Session* Coordinator::session_of(const ConnectionPtr& connection) const {
    for (const auto& session : sessions_)
        if (session->connection() == connection)
            return session.get();
    return nullptr;
}

void Coordinator::hello(const ConnectionPtr& connection, wire::Hello hello) {
    if (!is_up())
        return network_.sever(connection);
    if (session_of(connection))
        return;
    const auto close_it = [this, weak = std::weak_ptr(connection)] {
        if (const auto held = weak.lock())
            close(held, false);
    };
    if (connection->severed)
        time_.in(std::chrono::milliseconds(100), close_it);
    else
        connection->coordinator_notices = close_it;
    auto made = std::make_unique<Session>(*this, connection);
    Session& session = *made;
    sessions_.push_back(std::move(made));
    wire::Welcome welcome;
    session.host_id = hello.host_id;
    session.index = engine_->host_joined({std::move(hello), "simulated"}, session, welcome);
    std::erase_if(sessions_, [this](const auto& one) {
        if (one->is_replaced)
            network_.sever(one->connection());
        return one->is_replaced;
    });
    session.welcome(std::move(welcome));
    settle();
}

void Coordinator::from_host(const ConnectionPtr& connection,
                            const std::function<void(engine::Engine&, core::HostIndex)>& message) {
    const Session* session = session_of(connection);
    if (!session)
        return;
    message(*engine_, session->index);
    settle();
}

void Coordinator::bye(const ConnectionPtr& connection) {
    close(connection, true);
}

void Coordinator::close(const ConnectionPtr& connection, bool clean) {
    const Session* session = session_of(connection);
    if (!session)
        return;
    const auto index = session->index;
    std::erase_if(sessions_, [&](const auto& one) { return one.get() == session; });
    engine_->host_gone(index, clean);
    settle();
}

void Coordinator::request(const std::function<void(engine::Engine&)>& ask) {
    if (!is_up())
        return;
    ask(*engine_);
    settle();
}

void Coordinator::check_room(const Session& session) {
    const auto credit = scenario_.hosts[session.connection()->host].credit;
    for (const auto& host : engine_->scheduler().hosts(time_.now()))
        if (host.index == session.index && host.in_flight > credit)
            oracle_.fail("I9",
                         std::string(host.name) + " is given its task number " +
                             std::to_string(host.in_flight) + ", it has room for " +
                             std::to_string(credit));
}

void Coordinator::poll_sink() {
    if (!is_up() || std::exchange(sink_waits_, true))
        return;
    request([this](engine::Engine& engine) {
        store::ResultsQuery query;
        query.after = shown_;
        engine.results(query, {}, [this](base::Result<store::ResultsPage> page) {
            sink_waits_ = false;
            if (!page)
                return;
            shown_ = page->next_after;
            for (const auto& record : page->tasks)
                oracle_.result_shown(record);
        });
    });
}

std::vector<core::TaskId> Coordinator::held_tasks() const {
    std::vector<core::TaskId> held;
    core::TaskView view;
    if (is_up())
        for (const auto id : oracle_.live_tasks())
            if (engine_->scheduler().find(id, time_.now(), view) &&
                view.state == wire::TaskState::held)
                held.push_back(id);
    return held;
}

void Coordinator::settle() {
    do
        io_.restart();
    while (io_.poll() != 0);
    if (!engine_->healthy()) {
        // The real one leaves with an exit code, and its supervisor starts it again.
        kill();
        return time_.in(scenario_.slowest_sync, [this] {
            if (!is_up())
                start();
        });
    }
    if (disk_.is_quiet())
        oracle_.check_counts(engine_->scheduler().counts());
    const auto due = engine_->next_due();
    if (due >= due_)
        return;
    due_ = due;
    time_.at(due, [this, boot = boots_, due] {
        if (is_up() && boots_ == boot && due_ == due)
            run_due();
    });
}

void Coordinator::run_due() {
    due_ = base::TimePoint::max();
    engine_->run_due();
    settle();
}

}  // namespace distributo::simulation
