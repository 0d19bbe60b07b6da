// A server that is destroyed from inside each call that it makes.

#include "test_server.hpp"
#include "tests/support/raw_client.hpp"

#include <gtest/gtest.h>

#include <string>

namespace distributo::net {
namespace {

using tests::RawClient;

class DestructionTest : public testing::Test {
protected:
    void destroy() { server.server.reset(); }
    /// The connection ends, every exchange is gone, and the loop still runs.
    void expect_gone(RawClient& client) {
        client.take_rest();
        EXPECT_TRUE(server.eventually(
            [&] { return !server.server && server.handler.open_exchanges == 0; }));
    }
    [[nodiscard]] std::string input() const {
        return server.post("/1", "[1]") + server.post("/2", "[2]");
    }

    TestServer server;
};

TEST_F(DestructionTest, InOnRequest) {
    server.handler.on_head = [&](const RequestHead&, Respond&) { destroy(); };
    RawClient client(server.port);
    client.send(input());
    expect_gone(client);
    EXPECT_EQ(server.handler.log.size(), 1U);
}

TEST_F(DestructionTest, InOnRequestAfterAnAnswer) {
    server.handler.on_head = [&](const RequestHead&, Respond& respond) {
        respond(TestHandler::text("x"));
        destroy();
    };
    RawClient client(server.port);
    client.send(input());
    expect_gone(client);
}

TEST_F(DestructionTest, InOnBody) {
    server.handler.on_piece = [&](std::string_view, Respond&) { destroy(); };
    RawClient client(server.port);
    client.send(input());
    expect_gone(client);
    EXPECT_EQ(server.handler.log.size(), 1U);
}

TEST_F(DestructionTest, InOnEnd) {
    server.handler.on_done = [&](const RequestHead& head, const std::string&, Respond& respond) {
        destroy();
        respond(TestHandler::text(head.path));
    };
    RawClient client(server.port);
    client.send(input());
    expect_gone(client);
    EXPECT_EQ(server.handler.log.size(), 2U);
}

TEST_F(DestructionTest, InOnReadComplete) {
    server.handler.on_turn_end = [&] { destroy(); };
    RawClient client(server.port);
    client.send(input());
    expect_gone(client);
}

TEST_F(DestructionTest, InOnUpgrade) {
    server.handler.on_asked_to_upgrade = [&](const RequestHead&) {
        destroy();
        return Response{.status = 101, .content_type = "", .body = "", .headers = {}};
    };
    RawClient client(server.port);
    client.send("GET / HTTP/1.1\r\n" + server.host_line() +
                "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    expect_gone(client);
}

TEST_F(DestructionTest, InOnWebSocket) {
    server.handler.on_asked_to_upgrade = [&](const RequestHead&) {
        return Response{.status = 101, .content_type = "", .body = "", .headers = {}};
    };
    server.handler.on_connection = [&](const RequestHead& head, std::unique_ptr<Connection>) {
        destroy();
        EXPECT_EQ(head.path, "/socket");
    };
    RawClient client(server.port);
    client.send("GET /socket HTTP/1.1\r\n" + server.host_line() +
                "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    expect_gone(client);
}

TEST_F(DestructionTest, WhileRequestsWaitForAnswers) {
    std::vector<Respond> waiting;
    server.handler.on_done = [&](const RequestHead&, const std::string&, Respond& respond) {
        waiting.push_back(respond);
    };
    RawClient client(server.port);
    client.send(input());
    ASSERT_TRUE(server.eventually([&] { return waiting.size() == 2; }));
    server.on_loop([&] {
        waiting[0](TestHandler::text("queued, never sent"));
        destroy();
        waiting[1](TestHandler::text("too late"));
        waiting.clear();
    });
    expect_gone(client);
}

TEST_F(DestructionTest, WhileABodyArrives) {
    RawClient client(server.port);
    client.send(server.post("/", "[1]").substr(0, server.post("/", "[1]").size() - 1));
    ASSERT_TRUE(server.eventually([&] { return server.handler.open_exchanges == 1; }));
    server.on_loop([&] { destroy(); });
    expect_gone(client);
}

}  // namespace
}  // namespace distributo::net
