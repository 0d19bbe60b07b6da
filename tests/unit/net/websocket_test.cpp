#include "test_server.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/raw_websocket.hpp"
#include "wire/limits.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace distributo::net {
namespace {

using tests::close_code;
using tests::encode;
using tests::RawClient;
using tests::RawFrame;
using tests::take_frame;

/// The server's end of a WebSocket; echoes unless told otherwise.
struct Session final : ConnectionEvents {
    std::unique_ptr<Connection> connection;
    std::vector<std::string> messages;
    std::string closed;
    int drained = 0;
    std::function<void(std::string_view)> message_action;
    std::function<void()> drained_action;
    std::function<void()> closed_action;

    void on_message(std::string_view text) override {
        messages.emplace_back(text);
        if (message_action)
            message_action(text);
        else
            connection->send(std::string(text));
    }
    void on_drained() override {
        ++drained;
        if (drained_action)
            drained_action();
    }
    void on_closed(std::string_view why) override {
        closed = why;
        if (closed_action)
            closed_action();
    }
};

class WebSocketTest : public testing::Test {
protected:
    WebSocketTest() {
        server.handler.on_asked_to_upgrade = [](const RequestHead&) {
            return Response{.status = 101,
                            .content_type = "",
                            .body = "",
                            .headers = {{"Sec-WebSocket-Protocol", "some.v1"}}};
        };
        server.handler.on_connection = [this](const RequestHead& head,
                                              std::unique_ptr<Connection> connection) {
            path = head.path;
            session.connection = std::move(connection);
            session.connection->start(session);
        };
    }
    ~WebSocketTest() override {
        server.on_loop([this] { session.connection.reset(); });
    }

    [[nodiscard]] std::string upgrade() const {
        return "GET /v1/host HTTP/1.1\r\n" + server.host_line() +
               "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
               "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: some.v1\r\n"
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    }
    RawClient open() {
        RawClient client(server.port);
        client.send(upgrade());
        const auto response = client.response();
        EXPECT_EQ(response.status, 101) << response.body;
        EXPECT_TRUE(response.has("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        EXPECT_TRUE(response.has("Sec-WebSocket-Protocol: some.v1"));
        EXPECT_TRUE(server.eventually([this] { return session.connection != nullptr; }));
        return client;
    }
    bool closed() {
        return server.eventually([this] { return !session.closed.empty(); });
    }

    TestServer server;
    Session session;
    std::string path;
};

std::string text(std::string payload) {
    return encode({.payload = std::move(payload)});
}

TEST_F(WebSocketTest, EchoesEverySize) {
    auto client = open();

    for (const std::size_t size : {0, 1, 125, 126, 127, 65535, 65536, 300'000}) {
        client.send(text(std::string(size, 'x')));
        const auto frame = take_frame(client);
        EXPECT_EQ(frame.first, 0x81U);  // one frame, whatever its size
        EXPECT_FALSE(frame.masked);
        EXPECT_EQ(frame.payload.size(), size);
    }
    EXPECT_EQ(server.on_loop([&] { return server.server->connection_count(); }), 0U);
    EXPECT_EQ(path, "/v1/host");
}

TEST_F(WebSocketTest, PutsFragmentsTogetherWithPingsBetween) {
    auto client = open();

    client.send(encode({.first = 0x01, .payload = "one "}) +
                encode({.first = 0x89, .payload = "ping"}) +
                encode({.first = 0x00, .payload = "two "}) +
                encode({.first = 0x8A, .payload = "unasked pong"}) +
                encode({.first = 0x80, .payload = "three"}));

    const auto pong = take_frame(client);
    EXPECT_EQ(pong.first, 0x8AU);
    EXPECT_EQ(pong.payload, "ping");
    EXPECT_EQ(take_frame(client).payload, "one two three");
}

TEST_F(WebSocketTest, SingleBytesAreEnough) {
    auto client = open();

    for (const char byte : text("slow") + text(std::string(200, 'y')))
        client.send({&byte, 1});

    EXPECT_EQ(take_frame(client).payload, "slow");
    EXPECT_EQ(take_frame(client).payload.size(), 200U);
}

TEST_F(WebSocketTest, AcceptsALargestMessage) {
    session.message_action = [](std::string_view) {};
    auto client = open();

    client.send(text(std::string(wire::limits::max_message, 'x')) + text("next"));

    EXPECT_TRUE(server.eventually([&] { return session.messages.size() == 2; }));
    EXPECT_EQ(session.messages[0].size(), wire::limits::max_message);
}

struct BadFrames {
    const char* name;
    std::string bytes;
    unsigned code;
};

const std::vector<BadFrames> bad_frames = {
    {"Unmasked", encode({.masked = false, .payload = "x"}), 1002},
    {"Rsv1", encode({.first = 0xC1, .payload = "x"}), 1002},
    {"Rsv2", encode({.first = 0xA1, .payload = "x"}), 1002},
    {"Rsv3", encode({.first = 0x91, .payload = "x"}), 1002},
    {"Opcode3", encode({.first = 0x83, .payload = "x"}), 1002},
    {"Opcode11", encode({.first = 0x8B, .payload = "x"}), 1002},
    {"StrayContinuation", encode({.first = 0x80, .payload = "x"}), 1002},
    {"TextInsideText", encode({.first = 0x01, .payload = "x"}) + text("y"), 1002},
    {"PingOf126", encode({.first = 0x89, .payload = std::string(126, 'x')}), 1002},
    {"FragmentedPing", encode({.first = 0x09, .payload = "x"}), 1002},
    {"CloseWithOneByte", encode({.first = 0x88, .payload = "x"}), 1002},
    {"CloseWith1005", encode({.first = 0x88, .payload = "\x03\xED"}), 1002},
    {"CloseWithBadUtf8", encode({.first = 0x88, .payload = "\x03\xE8\xFF"}), 1002},
    {"LongFormOfAShortLength", encode({.payload = "x", .length_bytes = 2}), 1002},
    {"LongestFormOfAShortLength", encode({.payload = "x", .length_bytes = 8}), 1002},
    {"BadUtf8", text("\xC3\x28"), 1007},
    {"Surrogate", text("\xED\xA0\x80"), 1007},
    {"CutUtf8", text("\xE2\x82"), 1007},
    {"Length2To63",
     encode({.payload = "", .length_bytes = 8, .lies = true, .length = 1ULL << 63U}),
     1009},
    {"Length2To64",
     encode({.payload = "", .length_bytes = 8, .lies = true, .length = ~0ULL}),
     1009},
    {"OneAboveTheLimit",
     encode({.payload = "", .lies = true, .length = wire::limits::max_message + 1}),
     1009},
    {"Binary", encode({.first = 0x82, .payload = "x"}), 1003}};

class BadFramesTest : public WebSocketTest, public testing::WithParamInterface<BadFrames> {};

TEST_P(BadFramesTest, EndTheConnectionWithTheRightCode) {
    auto client = open();

    client.send(GetParam().bytes);

    EXPECT_EQ(close_code(take_frame(client)), GetParam().code);
    client.send(encode({.first = 0x88, .payload = "\x03\xE8"}));
    client.finish_sending();
    EXPECT_TRUE(closed());
    EXPECT_TRUE(client.ends());
    EXPECT_TRUE(session.messages.empty());
}

INSTANTIATE_TEST_SUITE_P(WebSocket,
                         BadFramesTest,
                         testing::ValuesIn(bad_frames),
                         [](const auto& frames) { return std::string(frames.param.name); });

TEST_F(WebSocketTest, FragmentsCountTogetherAgainstTheLimit) {
    auto client = open();
    const std::string part(wire::limits::max_message / 2 + 1, 'x');

    client.send(encode({.first = 0x01, .payload = part}) +
                encode({.first = 0x80, .payload = part}));

    EXPECT_EQ(close_code(take_frame(client)), 1009U);
}

TEST_F(WebSocketTest, ReportsThePeersReason) {
    auto client = open();

    client.send(encode({.first = 0x88, .payload = "\x03\xE9leaving"}));

    const auto answer = take_frame(client);
    EXPECT_EQ(close_code(answer), 1001U);
    EXPECT_TRUE(closed());
    EXPECT_NE(session.closed.find("1001: leaving"), std::string::npos) << session.closed;
    EXPECT_TRUE(client.ends());
}

TEST_F(WebSocketTest, ReportsALostConnection) {
    auto client = open();
    client.reset();
    EXPECT_TRUE(closed());
}

TEST_F(WebSocketTest, ClosesAfterWhatIsQueued) {
    session.message_action = [&](std::string_view) {
        for (int i = 0; i < 20; ++i)
            session.connection->send(std::string(10'000, 'x'));
        session.connection->close(CloseCode::try_again, "later");
        session.connection->send("too late");
        EXPECT_TRUE(session.closed.empty());
    };
    auto client = open();
    client.send(text("go"));

    for (int i = 0; i < 20; ++i)
        EXPECT_EQ(take_frame(client).payload.size(), 10'000U);
    const auto farewell = take_frame(client);
    EXPECT_EQ(close_code(farewell), 1013U);
    EXPECT_EQ(farewell.payload.substr(2), "later");
    client.send(encode({.first = 0x88, .payload = "\x03\xF5"}));
    EXPECT_TRUE(client.ends());
    EXPECT_TRUE(closed());
}

TEST_F(WebSocketTest, AReasonIsCutBetweenCharacters) {
    std::string reason(122, 'x');
    reason += "€ and more";
    session.message_action = [&](std::string_view) {
        session.connection->close(CloseCode::policy, reason);
    };
    auto client = open();
    client.send(text("go"));

    EXPECT_EQ(take_frame(client).payload.substr(2), std::string(122, 'x'));
}

TEST_F(WebSocketTest, CountsWhatWaitsForTheSocket) {
    session.message_action = [&](std::string_view) {
        for (int i = 0; i < 80; ++i)
            session.connection->send(std::string(100'000, 'x'));
    };
    auto client = open();
    EXPECT_EQ(server.on_loop([&] { return session.connection->queued_bytes(); }), 0U);
    client.send(text("go"));
    ASSERT_TRUE(server.eventually([&] { return session.connection->queued_bytes() > 0; }));
    EXPECT_EQ(server.on_loop([&] { return session.drained; }), 0);

    std::size_t received = 0;
    for (int i = 0; i < 80; ++i)
        received += take_frame(client).payload.size();

    EXPECT_EQ(received, 8'000'000U);
    EXPECT_TRUE(server.eventually([&] { return session.drained == 1; }));
    EXPECT_EQ(server.on_loop([&] { return session.connection->queued_bytes(); }), 0U);
}

TEST_F(WebSocketTest, PeerIsTheOtherEnd) {
    auto client = open();
    EXPECT_EQ(session.connection->peer().find("127.0.0.1:"), 0U);
}

TEST_F(WebSocketTest, MayBeDestroyedInOnMessage) {
    session.message_action = [&](std::string_view text) {
        session.connection.reset();
        session.messages.emplace_back(text);  // still valid during the call
    };
    auto client = open();
    client.send(text("one") + text("two"));

    client.take_rest();
    EXPECT_EQ(server.on_loop([&] { return session.messages.size(); }), 2U);
    EXPECT_EQ(session.messages[1], "one");
    EXPECT_TRUE(session.closed.empty());
}

TEST_F(WebSocketTest, MayBeDestroyedInOnDrained) {
    session.drained_action = [&] { session.connection.reset(); };
    auto client = open();
    client.send(text("echo"));

    EXPECT_EQ(take_frame(client).payload, "echo");
    EXPECT_TRUE(client.ends());
}

TEST_F(WebSocketTest, MayBeDestroyedInOnClosed) {
    session.closed_action = [&] { session.connection.reset(); };
    auto client = open();
    client.send(encode({.first = 0x88, .payload = "\x03\xE8"}));

    EXPECT_TRUE(server.eventually([&] { return !session.closed.empty() && !session.connection; }));
}

TEST_F(WebSocketTest, MayBeDestroyedWhileWritingAndClosing) {
    session.message_action = [&](std::string_view) {
        session.connection->send(std::string(4'000'000, 'x'));
        session.connection->close(CloseCode::normal, "bye");
        session.connection.reset();
    };
    auto client = open();
    client.send(text("go"));

    client.take_rest();
    server.look_at_sockets();
    EXPECT_TRUE(session.closed.empty());
}

TEST_F(WebSocketTest, MayBeRefusedByNotBeingKept) {
    server.handler.on_connection = [](const RequestHead&, std::unique_ptr<Connection>) {};
    RawClient client(server.port);
    client.send(upgrade());

    EXPECT_EQ(client.response().status, 101);
    EXPECT_TRUE(client.ends());
}

TEST_F(WebSocketTest, OutlivesItsServer) {
    auto client = open();
    server.on_loop([&] { server.server.reset(); });

    client.send(text("still here"));

    EXPECT_EQ(take_frame(client).payload, "still here");
}

TEST_F(WebSocketTest, TheHandlersRefusalKeepsTheConnection) {
    server.handler.on_asked_to_upgrade = nullptr;
    RawClient client(server.port);
    client.send(upgrade());

    const auto refusal = client.response();
    EXPECT_EQ(refusal.status, 404);
    EXPECT_EQ(refusal.body, "no such path");
    client.send(server.get("/"));
    EXPECT_EQ(client.response().status, 200);
}

TEST_F(WebSocketTest, NothingMayFollowTheUpgradeBeforeItsAnswer) {
    RawClient client(server.port);
    client.send(upgrade() + text("eager"));

    EXPECT_EQ(client.response().status, 400);
    EXPECT_TRUE(client.ends());
    EXPECT_EQ(server.on_loop([&] { return path; }), "");
}

TEST_F(WebSocketTest, AnUpgradeIsNotPipelined) {
    std::vector<Respond> waiting;
    server.handler.on_done = [&](const RequestHead&, const std::string&, Respond& respond) {
        waiting.push_back(respond);
    };
    RawClient client(server.port);
    client.send(server.get("/") + upgrade());
    ASSERT_TRUE(server.eventually([&] { return waiting.size() == 1; }));
    server.on_loop([&] { waiting[0](TestHandler::text("first")); });

    EXPECT_EQ(client.response().body, "first");
    EXPECT_EQ(client.response().status, 400);
    server.on_loop([&] { waiting.clear(); });
}

}  // namespace
}  // namespace distributo::net
