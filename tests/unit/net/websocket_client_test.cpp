#include "net/websocket_client.hpp"

#include "test_server.hpp"
#include "wire/limits.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <memory>
#include <netinet/in.h>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace distributo::net {
namespace {

using base::Errc;
using namespace std::chrono_literals;
using Connected = base::Result<std::unique_ptr<Connection>>;

/// One end of a WebSocket, and what happened to it.
struct End final : ConnectionEvents {
    std::unique_ptr<Connection> connection;
    std::vector<std::string> messages;
    std::string closed;
    bool echoes = false;

    void on_message(std::string_view text) override {
        messages.emplace_back(text);
        if (echoes)
            connection->send(std::string(text));
    }
    void on_closed(std::string_view why) override { closed = why; }
};

/// Server and client on the same loop: nothing but the test runs it.
class WebSocketClientTest : public testing::Test {
protected:
    WebSocketClientTest() {
        auto made = HttpServer::listen(io, {}, handler);
        server = std::move(*made);
        handler.on_asked_to_upgrade = [](const RequestHead&) {
            return Response{.status = 101,
                            .content_type = "",
                            .body = "",
                            .headers = {{"Sec-WebSocket-Protocol", "some.v1"}}};
        };
        handler.on_connection = [this](const RequestHead& head, std::unique_ptr<Connection> made_) {
            asked = head.target + ' ' + std::string(head.header("host"));
            remote.connection = std::move(made_);
            remote.echoes = true;
            remote.connection->start(remote);
        };
    }
    [[nodiscard]] WebSocketTarget target() const {
        return {.host = "127.0.0.1",
                .port = server->port(),
                .path = "/v1/host",
                .subprotocol = "some.v1",
                .timeout = 20s};
    }
    Connected connect(const WebSocketTarget& where) {
        std::optional<Connected> result;
        const auto handle =
            connect_websocket(io, where, [&](Connected made) { result.emplace(std::move(made)); });
        EXPECT_FALSE(result) << "reported from inside the call";
        run_until([&] { return result.has_value(); });
        return std::move(*result);
    }
    void open() {
        auto made = connect(target());
        ASSERT_TRUE(made) << made.error().message;
        local.connection = std::move(*made);
        local.connection->start(local);
    }
    template <typename Condition>
    void run_until(Condition condition) {
        const auto end = std::chrono::steady_clock::now() + 20s;
        while (!condition() && std::chrono::steady_clock::now() < end)
            io.run_one_for(1s);
        ASSERT_TRUE(condition());
    }

    boost::asio::io_context io{1};
    TestHandler handler;
    std::unique_ptr<HttpServer> server;
    End local;
    End remote;
    std::string asked;
};

TEST_F(WebSocketClientTest, ConnectsSpeaksAndCloses) {
    open();
    EXPECT_EQ(asked, "/v1/host 127.0.0.1:" + std::to_string(server->port()));
    EXPECT_EQ(local.connection->peer(), "127.0.0.1:" + std::to_string(server->port()));

    const std::vector<std::string> sent = {
        "a", std::string(1'000'000, 'b'), "", std::string(wire::limits::max_message, 'c')};
    for (const auto& message : sent)
        local.connection->send(message);
    run_until([&] { return local.messages.size() == sent.size(); });
    EXPECT_EQ(local.messages, sent);

    local.connection->close(CloseCode::normal, "done");
    run_until([&] { return !local.closed.empty() && !remote.closed.empty(); });
    EXPECT_NE(remote.closed.find("1000: done"), std::string::npos) << remote.closed;
}

TEST_F(WebSocketClientTest, FindsNamesAndPassesOverDeadAddresses) {
    auto where = target();
    where.host = "localhost";  // ::1 first, where nobody listens
    const auto made = connect(where);
    ASSERT_TRUE(made) << made.error().message;
}

TEST_F(WebSocketClientTest, QuotesARefusal) {
    handler.on_asked_to_upgrade = [](const RequestHead&) {
        return Response{.status = 426,
                        .content_type = "application/problem+json",
                        .body = R"({"title":"Too old","detail":"expected protocol 2, got 1",)"
                                R"("extra":[1,{"detail":"no"}],"hint":"update the host"})",
                        .headers = {}};
    };

    const auto refused = connect(target());

    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::unavailable);
    EXPECT_NE(refused.error().message.find("426"), std::string::npos);
    EXPECT_NE(refused.error().message.find("expected protocol 2, got 1"), std::string::npos);
    EXPECT_EQ(refused.error().hint, "update the host");
}

TEST_F(WebSocketClientTest, QuotesALongRefusal) {
    handler.on_asked_to_upgrade = [](const RequestHead&) {
        return Response{.status = 503,
                        .content_type = "application/problem+json",
                        .body = R"({"detail":")" + std::string(10'000, 'x') + "\"}",
                        .headers = {}};
    };
    const auto refused = connect(target());
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("xxx"), std::string::npos);
}

TEST_F(WebSocketClientTest, ARefusalWithoutAProblemHasItsStatus) {
    handler.on_asked_to_upgrade = nullptr;
    const auto refused = connect(target());
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("404"), std::string::npos);
}

TEST_F(WebSocketClientTest, AnotherSubprotocolIsRefused) {
    handler.on_asked_to_upgrade = [](const RequestHead&) {
        return Response{.status = 101, .content_type = "", .body = "", .headers = {}};
    };
    const auto refused = connect(target());
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("some.v1"), std::string::npos);
}

TEST_F(WebSocketClientTest, NobodyListens) {
    auto where = target();
    server.reset();
    const auto failed = connect(where);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, Errc::unavailable);
    EXPECT_NE(failed.error().message.find("127.0.0.1"), std::string::npos);

    where.host = "no-such-host.invalid";
    EXPECT_EQ(connect(where).error().code, Errc::unavailable);
}

/// Accepts connections in the kernel only: nobody ever answers.
struct SilentServer {
    SilentServer() : socket(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        ::bind(socket, reinterpret_cast<sockaddr*>(&address), size);
        ::listen(socket, 8);
        ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
        port = ntohs(address.sin_port);
    }
    ~SilentServer() { ::close(socket); }
    SilentServer(const SilentServer&) = delete;
    SilentServer& operator=(const SilentServer&) = delete;
    int socket;
    std::uint16_t port = 0;
};

TEST_F(WebSocketClientTest, NobodyAnswers) {
    const SilentServer silent;
    auto where = target();
    where.port = silent.port;
    where.timeout = 50ms;

    const auto failed = connect(where);

    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, Errc::timeout);
    EXPECT_NE(failed.error().message.find("50 ms"), std::string::npos);
}

TEST_F(WebSocketClientTest, CanBeCancelledAtEveryStep) {
    const SilentServer silent;
    for (const std::string host : {"127.0.0.1", "localhost"})
        for (const std::uint16_t port : {server->port(), silent.port})
            for (int steps = 0; steps < 12; ++steps) {
                auto where = target();
                where.host = host;
                where.port = port;
                bool cancelled = false;
                auto handle = connect_websocket(io, where, [&](const Connected&) {
                    EXPECT_FALSE(cancelled) << "reported after the handle was destroyed";
                });
                for (int i = 0; i < steps; ++i)
                    io.run_one_for(1ms);
                handle.reset();
                cancelled = true;
                io.run_for(1ms);
            }
}

TEST_F(WebSocketClientTest, TheHandleMayBeDestroyedInTheCallback) {
    std::shared_ptr<void> handle;
    handle = connect_websocket(io, target(), [&](Connected made) {
        ASSERT_TRUE(made);
        handle.reset();
        local.connection = std::move(*made);
        local.connection->start(local);
    });
    run_until([&] { return local.connection && remote.connection; });
    local.connection->send("alive");
    run_until([&] { return local.messages.size() == 1; });
}

TEST_F(WebSocketClientTest, TheConnectionOutlivesTheHandle) {
    open();
    local.connection->send("alive");
    run_until([&] { return local.messages.size() == 1; });
}

TEST_F(WebSocketClientTest, TheLoopMayEndFirst) {
    open();
    local.connection->send(std::string(4'000'000, 'x'));
    local.connection->close(CloseCode::normal, "");
    auto other = connect_websocket(io, target(), [](const Connected&) {});
    io.poll_one();
    // Everything is destroyed with work under way.
}

}  // namespace
}  // namespace distributo::net
