#include "coordinator/sessions/host_port.hpp"
#include "coordinator/store/store.hpp"
#include "wire/codec.hpp"
#include "wire/limits.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace distributo::coordinator::sessions {
namespace {

using std::chrono::seconds;

class ManualClock final : public base::Clock {
public:
    [[nodiscard]] base::TimePoint now() const override { return now_; }
    [[nodiscard]] base::WallTime wall() const override { return {}; }
    void advance(base::Duration duration) { now_ += duration; }

private:
    base::TimePoint now_{std::chrono::hours(1)};
};

/// The far end of a connection, as the test sees it. Outlives the connection.
struct Line {
    net::ConnectionEvents* events = nullptr;
    std::vector<std::string> sent;
    std::size_t queued = 0;
    std::optional<net::CloseCode> closed;
    std::string reason;

    [[nodiscard]] std::string all() const {
        std::string text;
        for (const auto& message : sent)
            text += message + "\n";
        return text;
    }
};

class FakeConnection final : public net::Connection {
public:
    explicit FakeConnection(Line& line) : line_(line) {}
    void start(net::ConnectionEvents& events) override { line_.events = &events; }
    void send(std::string message) override { line_.sent.push_back(std::move(message)); }
    [[nodiscard]] std::size_t queued_bytes() const override { return line_.queued; }
    void close(net::CloseCode code, std::string_view reason) override {
        line_.closed = code;
        line_.reason = reason;
    }
    [[nodiscard]] std::string peer() const override { return "192.0.2.1:55555"; }

private:
    Line& line_;
};

/// What the coordinator said, decoded.
struct Heard final : wire::FromCoordinator {
    explicit Heard(const Line& line) {
        for (const auto& message : line.sent)
            EXPECT_TRUE(wire::decode(message, *this)) << message;
    }
    base::Result<void> on_welcome(wire::Welcome message) override {
        welcomes.push_back(std::move(message));
        return {};
    }
    base::Result<void> on_assign(const wire::AssignItem& item) override {
        assigns.emplace_back(item.token, std::string(item.payload));
        return {};
    }
    base::Result<void> on_ack(const wire::AckItem& item) override {
        acks.push_back(item);
        return {};
    }
    base::Result<void> on_cancel(const wire::CancelItem& item) override {
        cancels.push_back(item.token);
        return {};
    }
    base::Result<void> on_drain() override { return {}; }
    base::Result<void> on_error(const base::Error& error) override {
        errors.push_back(error);
        return {};
    }
    base::Result<void> on_unknown(std::string_view) override { return {}; }
    base::Result<void> on_unsupported(std::string_view op) override {
        unsupported.emplace_back(op);
        return {};
    }

    std::vector<wire::Welcome> welcomes;
    std::vector<std::pair<wire::Token, std::string>> assigns;
    std::vector<wire::AckItem> acks;
    std::vector<wire::Token> cancels;
    std::vector<base::Error> errors;
    std::vector<std::string> unsupported;
};

class SessionTest : public testing::Test {
protected:
    SessionTest()
        : engine_(io_,
                  clock_,
                  core::Settings{},
                  store::make_memory_store([this](std::function<void()> function) {
                      boost::asio::post(io_, std::move(function));
                  })) {
        EXPECT_TRUE(engine_.start());
        listener_ = make_host_listener(engine_, {});
        listener_->set_http_port(5000);
    }

    void settle() {
        do
            io_.restart();
        while (io_.poll() != 0);
    }
    void connect(Line& line) {
        listener_->on_websocket({}, std::make_unique<FakeConnection>(line));
        ASSERT_TRUE(line.events);
    }
    void say(Line& line, std::string_view message) {
        line.events->on_message(message);
        settle();
    }
    static wire::Hello hello(const std::string& name = "alpha") {
        wire::Hello message;
        message.host_id = std::string(32 - name.size(), 'f') + name;
        message.boot_id = "boot";
        message.name = name;
        message.slots = 4;
        return message;
    }
    static std::string offer() {
        wire::Capability capability;
        capability.type = "echo";
        capability.credit = 4;
        wire::Capabilities message;
        message.sequence = 1;
        message.types = {capability};
        return wire::encode(message);
    }
    void join(Line& line) {
        connect(line);
        say(line, wire::encode(hello()));
        say(line, offer());
    }
    void submit(std::string_view payload = "{}") {
        engine_.submit({{"echo", base::Bytes::copy(payload), nullptr}},
                       [](const auto& answer) { EXPECT_TRUE(answer); });
        settle();
    }
    static std::string result(const wire::Token& token) {
        wire::ResultBatch batch;
        wire::ResultItem item;
        item.token = token;
        item.result = "1";
        batch.add(item);
        return batch.take();
    }
    [[nodiscard]] std::size_t hosts_in(core::HostView::State state) const {
        std::size_t count = 0;
        for (const auto& host : engine_.scheduler().hosts(clock_.now()))
            count += host.state == state ? 1U : 0U;
        return count;
    }
    /// The connection was ended, and the peer was told why.
    static void expect_refused(const Line& line, net::CloseCode code, const std::string& why) {
        ASSERT_TRUE(line.closed) << line.all();
        EXPECT_EQ(*line.closed, code);
        const Heard heard(line);
        ASSERT_EQ(heard.errors.size(), 1U);
        EXPECT_NE(heard.errors[0].message.find(why), std::string::npos) << heard.errors[0].message;
    }

    boost::asio::io_context io_;
    ManualClock clock_;
    engine::Engine engine_;
    std::unique_ptr<HostListener> listener_;
};

TEST_F(SessionTest, AHelloIsWelcomed) {
    Line line;
    connect(line);

    say(line, wire::encode(hello()));

    const Heard heard(line);
    ASSERT_EQ(heard.welcomes.size(), 1U);
    EXPECT_EQ(heard.welcomes[0].coordinator_id, engine_.coordinator_id());
    EXPECT_EQ(heard.welcomes[0].protocol, 1U);
    EXPECT_EQ(hosts_in(core::HostView::State::ready), 1U);
    EXPECT_FALSE(line.closed);
}

TEST_F(SessionTest, TasksGoOutInBatchesAndResultsAreAcknowledged) {
    Line line;
    join(line);
    const auto before = line.sent.size();

    engine_.submit(
        {{"echo", base::Bytes::copy("1"), nullptr}, {"echo", base::Bytes::copy("2"), nullptr}},
        [](const auto&) {});
    settle();

    ASSERT_EQ(line.sent.size(), before + 1) << "one message for both";
    const Heard assigned(line);
    ASSERT_EQ(assigned.assigns.size(), 2U);
    EXPECT_EQ(assigned.assigns[0].second, "1");
    say(line, result(assigned.assigns[0].first));
    const Heard acknowledged(line);
    ASSERT_EQ(acknowledged.acks.size(), 1U);
    EXPECT_EQ(acknowledged.acks[0].token, assigned.assigns[0].first);
}

TEST_F(SessionTest, HelloMustComeFirst) {
    Line line;
    connect(line);

    say(line, wire::encode_heartbeat());

    expect_refused(line, net::CloseCode::protocol_error, "hello");
    EXPECT_TRUE(engine_.scheduler().hosts(clock_.now()).empty());
}

TEST_F(SessionTest, AnUnknownFirstMessageIsNoHello) {
    Line line;
    connect(line);

    say(line, R"({"op":"greetings"})");

    expect_refused(line, net::CloseCode::protocol_error, "greetings");
}

TEST_F(SessionTest, HelloMustComeOnce) {
    Line line;
    join(line);

    say(line, wire::encode(hello("beta")));

    expect_refused(line, net::CloseCode::protocol_error, "once");
    EXPECT_EQ(hosts_in(core::HostView::State::ready), 0U);
}

TEST_F(SessionTest, HelloMustComeInTime) {
    Line line;
    Line other;
    connect(line);
    join(other);

    clock_.advance(seconds(10));
    listener_->run_due();
    EXPECT_FALSE(line.closed);
    clock_.advance(seconds(1));
    listener_->run_due();

    expect_refused(line, net::CloseCode::policy, "hello within 10 s");
    EXPECT_FALSE(other.closed);
}

TEST_F(SessionTest, AProtocolThatWeDoNotSpeakIsRefusedReadably) {
    Line newer;
    connect(newer);
    auto message = hello();
    message.protocol_min = 2;
    message.protocol_max = 3;
    say(newer, wire::encode(message));
    expect_refused(newer, net::CloseCode::protocol_error, "versions 2 to 3");
    EXPECT_EQ(Heard(newer).errors[0].hint, "update the coordinator");

    Line wide;
    connect(wide);
    message.protocol_min = 1;
    say(wide, wire::encode(message));
    EXPECT_EQ(Heard(wide).welcomes.size(), 1U);
}

TEST_F(SessionTest, MalformedInputEndsThisConnectionOnly) {
    Line good;
    join(good);
    for (const std::string bad :
         {"", "{", "[]", "null", R"({"op":7})", R"({"op":"result","results":[{}]})", "\xff\xfe"}) {
        Line line;
        connect(line);
        auto message = hello("mallory");
        say(line, wire::encode(message));
        say(line, bad);
        EXPECT_TRUE(line.closed) << bad;
        EXPECT_EQ(Heard(line).errors.size(), 1U) << bad;
        line.events->on_closed("closed");
        settle();
    }

    EXPECT_FALSE(good.closed);
    EXPECT_EQ(listener_->connections(), 1U);
    submit();
    EXPECT_EQ(Heard(good).assigns.size(), 1U);
}

TEST_F(SessionTest, NothingIsReadAfterARefusal) {
    Line line;
    connect(line);
    say(line, "{");
    const auto said = line.sent.size();

    say(line, wire::encode(hello()));

    EXPECT_EQ(line.sent.size(), said);
    EXPECT_TRUE(engine_.scheduler().hosts(clock_.now()).empty());
}

TEST_F(SessionTest, AForgedTokenTouchesNothing) {
    Line line;
    Line mallory;
    join(line);
    submit();
    const auto token = Heard(line).assigns.at(0).first;
    connect(mallory);
    say(mallory, wire::encode(hello("mallory")));

    say(mallory, result(token));
    say(mallory, result({token.term, 4'000'000, 77}));

    EXPECT_EQ(engine_.scheduler().counts().completed, 0U);
    EXPECT_FALSE(line.closed);
    say(line, result(token));
    EXPECT_EQ(engine_.scheduler().counts().completed, 1U);
}

TEST_F(SessionTest, ALaterMessageIsAnsweredUnsupported) {
    Line line;
    join(line);

    say(line, R"({"op":"teleport"})");

    EXPECT_EQ(Heard(line).unsupported, std::vector<std::string>{"teleport"});
    EXPECT_FALSE(line.closed);
}

TEST_F(SessionTest, ACleanGoodbyeForgetsTheHost) {
    Line line;
    join(line);
    submit();

    say(line, wire::encode_bye("stopping"));

    EXPECT_EQ(line.closed, net::CloseCode::normal);
    EXPECT_TRUE(engine_.scheduler().hosts(clock_.now()).empty());
    EXPECT_EQ(engine_.scheduler().counts().pending, 1U) << "its task is queued again at once";
}

TEST_F(SessionTest, ALostConnectionLeavesItsTasksRunning) {
    Line line;
    join(line);
    submit();

    line.events->on_closed("reset by peer");
    settle();

    EXPECT_EQ(hosts_in(core::HostView::State::disconnected), 1U);
    EXPECT_EQ(engine_.scheduler().counts().running, 1U);
    EXPECT_EQ(listener_->connections(), 0U);
}

TEST_F(SessionTest, ASecondConnectionOfOneHostEndsTheFirst) {
    Line first;
    Line second;
    join(first);
    join(second);

    EXPECT_EQ(first.closed, net::CloseCode::policy);
    EXPECT_EQ(Heard(first).errors.size(), 1U);
    EXPECT_FALSE(second.closed);
    first.events->on_closed("closed");
    settle();
    EXPECT_EQ(hosts_in(core::HostView::State::ready), 1U);
    submit();
    EXPECT_EQ(Heard(second).assigns.size(), 1U);
}

TEST_F(SessionTest, ASilentHostIsDisconnected) {
    Line line;
    join(line);

    clock_.advance(seconds(29));
    say(line, wire::encode_heartbeat());
    clock_.advance(seconds(29));
    listener_->run_due();
    EXPECT_FALSE(line.closed);
    clock_.advance(seconds(2));
    listener_->run_due();

    expect_refused(line, net::CloseCode::policy, "31 s");
}

TEST_F(SessionTest, ABackedUpHostGetsNoTasksUntilItHasRead) {
    Line line;
    join(line);
    line.queued = wire::limits::send_queue_soft + 1;
    submit("1");
    EXPECT_EQ(Heard(line).assigns.size(), 1U);
    submit("2");
    EXPECT_EQ(Heard(line).assigns.size(), 1U);

    line.queued = 0;
    line.events->on_drained();
    settle();

    EXPECT_EQ(Heard(line).assigns.size(), 2U);
}

TEST_F(SessionTest, AHostThatNeverReadsIsClosed) {
    Line line;
    join(line);
    line.queued = wire::limits::send_queue_soft + 1;
    submit();
    ASSERT_FALSE(line.closed);

    line.queued = wire::limits::send_queue_hard + 2;
    say(line, R"({"op":"teleport"})");

    expect_refused(line, net::CloseCode::try_again, "bytes wait");
}

TEST_F(SessionTest, AQueueThatDoesNotMoveIsClosed) {
    Line line;
    join(line);
    line.queued = wire::limits::send_queue_soft + 10;
    submit();
    const auto beat_and_check = [&](base::Duration later) {
        clock_.advance(later);
        say(line, wire::encode_heartbeat());
        listener_->run_due();
    };

    beat_and_check(seconds(20));
    line.queued -= 1;
    beat_and_check(seconds(20));
    beat_and_check(seconds(20));
    EXPECT_FALSE(line.closed) << "it moved 20 s ago";
    beat_and_check(seconds(11));

    expect_refused(line, net::CloseCode::try_again, "not read");
}

TEST_F(SessionTest, GoingAwayClosesEveryConnectionAndKeepsTheTasks) {
    Line line;
    join(line);
    submit();

    listener_->go_away();
    settle();

    EXPECT_EQ(line.closed, net::CloseCode::going_away);
    EXPECT_EQ(engine_.scheduler().counts().running, 1U);
}

class HostPortTest : public SessionTest {
protected:
    static net::RequestHead request(std::string path) {
        net::RequestHead head;
        head.path = std::move(path);
        head.headers = {{"host", "box.local:4000"}};
        return head;
    }
};

TEST_F(HostPortTest, AnHttpRequestIsToldTheRightPort) {
    std::optional<net::Response> response;

    const auto exchange = listener_->on_request(
        request("/v1/tasks"), [&](net::Response answer) { response = std::move(answer); });

    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 421U);
    EXPECT_EQ(response->content_type, "application/problem+json");
    EXPECT_NE(response->body.find("http://box.local:5000/"), std::string::npos) << response->body;
    ASSERT_TRUE(exchange);
    exchange->on_body("ignored");
    exchange->on_end();
}

TEST_F(HostPortTest, OnlyTheHostPathWithTheSubprotocolIsUpgraded) {
    auto good = request("/v1/host");
    good.headers.emplace_back("sec-websocket-protocol", "other, distributo.host.v1");
    EXPECT_EQ(listener_->on_upgrade(good).status, 101U);

    auto wrong_path = good;
    wrong_path.path = "/socket";
    EXPECT_EQ(listener_->on_upgrade(wrong_path).status, 404U);

    auto wrong_protocol = request("/v1/host");
    wrong_protocol.headers.emplace_back("sec-websocket-protocol", "distributo.host.v11");
    const auto refused = listener_->on_upgrade(wrong_protocol);
    EXPECT_EQ(refused.status, 400U);
    EXPECT_NE(refused.body.find("distributo.host.v1"), std::string::npos);
}

}  // namespace
}  // namespace distributo::coordinator::sessions
