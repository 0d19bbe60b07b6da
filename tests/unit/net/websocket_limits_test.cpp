// Peers that do not do their part, with limits that a test can reach.

#include "net/websocket.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/raw_websocket.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

namespace distributo::net {
namespace {

using boost::asio::ip::tcp;
using namespace std::chrono_literals;
using tests::close_code;
using tests::encode;
using tests::RawClient;
using tests::take_frame;

struct Events final : ConnectionEvents {
    void on_message(std::string_view) override { ++messages; }
    void on_drained() override { ++drained; }
    void on_closed(std::string_view why) override { closed = why; }
    int messages = 0;
    int drained = 0;
    std::string closed;
};

class WebSocketLimitsTest : public testing::Test {
protected:
    void open(const WebSocketLimits& limits) {
        tcp::acceptor acceptor(io, {boost::asio::ip::address_v4::loopback(), 0});
        client.emplace(acceptor.local_endpoint().port());
        Socket socket(io.get_executor());
        acceptor.accept(socket);
        RequestHead head;
        head.target = "/";
        head.peer = "somebody";
        head.headers = {{"host", "localhost"},
                        {"connection", "upgrade"},
                        {"upgrade", "websocket"},
                        {"sec-websocket-version", "13"},
                        {"sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="}};
        Response accepted;
        accepted.status = 101;
        const auto upgrade =
            accept_websocket(std::move(socket), head, accepted, limits, [&](auto made) {
                connection = std::move(*made);
                connection->start(events);
            });
        run_until([&] { return connection != nullptr; });
        EXPECT_EQ(client->response().status, 101);
    }
    template <typename Condition>
    void run_until(Condition condition) {
        const auto end = std::chrono::steady_clock::now() + 20s;
        while (!condition() && std::chrono::steady_clock::now() < end)
            io.run_one_for(1s);
        ASSERT_TRUE(condition());
    }

    boost::asio::io_context io{1};
    std::optional<RawClient> client;
    Events events;
    std::unique_ptr<Connection> connection;
};

TEST_F(WebSocketLimitsTest, AnUnansweredCloseEndsAnyway) {
    open({.close_time = 50ms});

    connection->close(CloseCode::going_away, "bye");
    run_until([&] { return !events.closed.empty(); });

    EXPECT_EQ(close_code(take_frame(*client)), 1001U);
    EXPECT_TRUE(client->ends());
    EXPECT_NE(events.closed.find("did not answer"), std::string::npos) << events.closed;
}

TEST_F(WebSocketLimitsTest, ACloseBehindAMessageThatNobodyReadsEndsAnyway) {
    open({.close_time = 50ms});

    connection->send(std::string(64'000'000, 'x'));
    connection->close(CloseCode::try_again, "too slow");
    run_until([&] { return !events.closed.empty(); });

    EXPECT_EQ(events.drained, 0);
}

TEST_F(WebSocketLimitsTest, APeerThatStopsReadingIsDropped) {
    open({.stall_time = 60ms});

    connection->send(std::string(64'000'000, 'x'));
    run_until([&] { return !events.closed.empty(); });

    EXPECT_NE(events.closed.find("has read nothing"), std::string::npos) << events.closed;
    EXPECT_EQ(connection->queued_bytes(), 0U);
}

TEST_F(WebSocketLimitsTest, APeerThatReadsSlowlyIsKept) {
    open({.stall_time = 400ms});
    constexpr int pieces = 64;
    connection->send(std::string(pieces * 1'000'000, 'x'));

    // Altogether it takes several times the stall time.
    while (events.drained == 0 && events.closed.empty()) {
        io.run_for(10ms);
        for (int i = 0; i < 16 && client->readable(); ++i)
            client->receive();
    }
    EXPECT_EQ(events.closed, "");
}

TEST_F(WebSocketLimitsTest, AfterAViolationThePeerIsHeardOutButNotForever) {
    open({.message_bytes = 1000, .close_time = 50ms});

    client->send(encode({.payload = std::string(900'000, 'x')}));
    run_until([&] { return !events.closed.empty(); });
    connection.reset();  // has no effect on the farewell

    EXPECT_EQ(close_code(take_frame(*client)), 1009U);
    EXPECT_TRUE(client->send("noise"));
    EXPECT_TRUE(client->send("more, which a reset would have made impossible"));
    io.restart();
    io.run();  // returns when nothing is left to wait for
    EXPECT_TRUE(client->ends());
    EXPECT_EQ(events.messages, 0);
}

}  // namespace
}  // namespace distributo::net
