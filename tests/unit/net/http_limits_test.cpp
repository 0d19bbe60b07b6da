// What a server does when clients are slow, many, greedy or gone.

#include "net/http_server.hpp"
#include "test_server.hpp"
#include "tests/support/raw_client.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <fcntl.h>
#include <optional>
#include <string>
#include <sys/resource.h>
#include <vector>

namespace distributo::net {
namespace {

using tests::RawClient;
using namespace std::chrono_literals;

/// Short enough to be reached in a test, on a phase that the test means to reach.
ListenerOptions with_limits(HttpLimits limits) {
    ListenerOptions options;
    options.limits = limits;
    return options;
}

TEST(HttpLimitsTest, NoMoreRequestsAreReadThanMayWait) {
    TestServer server(with_limits({.pipelined_requests = 4}));
    std::vector<Respond> waiting;
    server.handler.on_done = [&](const RequestHead&, const std::string&, Respond& respond) {
        waiting.push_back(respond);
    };
    RawClient client(server.port);
    std::string input;
    for (int i = 0; i < 10; ++i)
        input += server.get("/" + std::to_string(i));
    client.send(input);
    ASSERT_TRUE(server.eventually([&] { return waiting.size() >= 4; }));
    EXPECT_EQ(server.on_loop([&] { return waiting.size(); }), 4U);

    // The last of them blocks none of the others, but holds no place for a new one either.
    server.on_loop([&] { waiting[3](TestHandler::text("3")); });
    EXPECT_EQ(server.on_loop([&] { return waiting.size(); }), 4U);
    server.on_loop([&] { waiting[0](TestHandler::text("0")); });
    EXPECT_EQ(client.response().body, "0");
    ASSERT_TRUE(server.eventually([&] { return waiting.size() == 5; }));

    for (std::size_t i = 1; i < 10; ++i) {
        ASSERT_TRUE(server.eventually([&] { return waiting.size() > i; }));
        server.on_loop([&] { waiting[i](TestHandler::text(std::to_string(i))); });
        EXPECT_EQ(client.response().body, std::to_string(i));
    }
    server.on_loop([&] { waiting.clear(); });
}

TEST(HttpLimitsTest, AClientThatDoesNotReadStopsBeingServed) {
    TestServer server;
    const std::string large(200'000, 'x');
    server.handler.on_done = [&](const RequestHead&, const std::string&, Respond& respond) {
        respond(TestHandler::text(large));
    };
    RawClient client(server.port);
    std::string input;
    for (int i = 0; i < 200; ++i)
        input += server.get("/");
    client.send(input);

    // 40 MB of responses: the kernel's buffers and ours take a part of it, then nothing moves.
    std::size_t seen = 0;
    ASSERT_TRUE(server.eventually([&] {
        const auto now = server.handler.log.size();
        return now > 0 && std::exchange(seen, now) == now;
    }));
    EXPECT_LT(server.on_loop([&] { return server.handler.log.size() / 2; }), 100U);
    for (int i = 0; i < 200; ++i)
        ASSERT_EQ(client.response().body.size(), large.size()) << i;
}

TEST(HttpLimitsTest, ASilentClientIsClosed) {
    TestServer server(with_limits({.header_time = 60ms}));
    RawClient client(server.port);

    EXPECT_TRUE(client.ends());
    EXPECT_TRUE(server.eventually([&] { return server.server->connection_count() == 0; }));
}

TEST(HttpLimitsTest, AnIdleConnectionIsClosed) {
    TestServer server(with_limits({.idle_time = 60ms}));
    RawClient client(server.port);
    client.send(server.get("/"));
    EXPECT_EQ(client.response().status, 200);

    EXPECT_TRUE(client.ends());
}

TEST(HttpLimitsTest, ADrippingHeadIsCutAtItsDeadline) {
    TestServer server(with_limits({.header_time = 100ms}));
    RawClient client(server.port);
    client.send("GET / HTTP/1.1\r\n" + server.host_line());

    // A byte that arrives does not extend the time, else the head would become too long first.
    for (int i = 0; i < 20'000 && !client.readable(); ++i) {
        client.send("x");
        server.look_at_sockets();
    }
    EXPECT_EQ(client.response().status, 408);
    client.finish_sending();
    EXPECT_TRUE(client.ends());
    EXPECT_TRUE(server.on_loop([&] { return server.handler.log.empty(); }));
}

TEST(HttpLimitsTest, ABodyThatStopsIsCutAtItsDeadline) {
    TestServer server(with_limits({.body_time = 60ms}));
    RawClient client(server.port);
    client.send("POST / HTTP/1.1\r\n" + server.host_line() +
                "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n[");

    EXPECT_EQ(client.response().status, 408);
    EXPECT_TRUE(client.ends());
    EXPECT_TRUE(server.eventually([&] { return server.handler.open_exchanges == 0; }));
}

TEST(HttpLimitsTest, WaitingForAnAnswerHasNoDeadline) {
    TestServer server(with_limits({.header_time = 40ms, .body_time = 40ms, .idle_time = 40ms}));
    std::vector<Respond> waiting;
    server.handler.on_done = [&](const RequestHead&, const std::string&, Respond& respond) {
        waiting.push_back(respond);
    };
    RawClient patient(server.port);
    patient.send(server.get("/"));
    ASSERT_TRUE(server.eventually([&] { return waiting.size() == 1; }));
    // Three connections that come after it live through their deadlines.
    for (int i = 0; i < 3; ++i)
        EXPECT_TRUE(RawClient(server.port).ends());

    server.on_loop([&] { waiting[0](TestHandler::text("at last")); });

    EXPECT_EQ(patient.response().body, "at last");
    server.on_loop([&] { waiting.clear(); });
}

TEST(HttpLimitsTest, MoreConnectionsThanAllowedAreTurnedAway) {
    TestServer server(with_limits({.connections = 2}));
    RawClient first(server.port);
    RawClient second(server.port);
    first.send(server.get("/"));
    second.send(server.get("/"));
    EXPECT_EQ(first.response().status, 200);
    EXPECT_EQ(second.response().status, 200);

    RawClient third(server.port);
    EXPECT_EQ(third.response().status, 503);
    EXPECT_TRUE(third.ends());

    first.close();
    ASSERT_TRUE(server.eventually([&] { return server.server->connection_count() == 1; }));
    RawClient fourth(server.port);
    fourth.send(server.get("/"));
    EXPECT_EQ(fourth.response().status, 200);
}

TEST(HttpLimitsTest, StopAcceptingFinishesWhatHasBegun) {
    TestServer server;
    std::vector<Respond> waiting;
    server.handler.on_done = [&](const RequestHead&, const std::string&, Respond& respond) {
        waiting.push_back(respond);
    };
    RawClient idle(server.port);
    RawClient busy(server.port);
    busy.send(server.get("/"));
    ASSERT_TRUE(server.eventually(
        [&] { return waiting.size() == 1 && server.server->connection_count() == 2; }));

    server.on_loop([&] { server.server->stop_accepting(); });

    EXPECT_TRUE(idle.ends());
    EXPECT_THROW(RawClient(server.port), std::runtime_error);
    server.on_loop([&] { waiting[0](TestHandler::text("done")); });
    const auto response = busy.response();
    EXPECT_EQ(response.body, "done");
    EXPECT_TRUE(response.has("Connection: close"));
    EXPECT_TRUE(busy.ends());
    server.on_loop([&] { waiting.clear(); });
}

TEST(HttpLimitsTest, ABusyPortIsNamed) {
    TestServer server;
    TestHandler handler;
    ListenerOptions options;
    options.port = server.port;
    boost::asio::io_context io;

    const auto second = HttpServer::listen(io, options, handler);

    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, base::Errc::unavailable);
    EXPECT_NE(second.error().message.find("127.0.0.1:" + std::to_string(server.port)),
              std::string::npos);
    options.address = "localhost";
    EXPECT_EQ(HttpServer::listen(io, options, handler).error().code, base::Errc::invalid_argument);
}

/// Lets the process have no more than the descriptors that are open now, and `more`.
class DescriptorLimit {
public:
    explicit DescriptorLimit(rlim_t more) {
        ::getrlimit(RLIMIT_NOFILE, &saved_);
        const int next = ::dup(0);
        ::close(next);
        rlimit tight = saved_;
        tight.rlim_cur = static_cast<rlim_t>(next) + more;
        ::setrlimit(RLIMIT_NOFILE, &tight);
    }
    ~DescriptorLimit() { ::setrlimit(RLIMIT_NOFILE, &saved_); }
    DescriptorLimit(const DescriptorLimit&) = delete;
    DescriptorLimit& operator=(const DescriptorLimit&) = delete;

private:
    rlimit saved_{};
};

TEST(HttpLimitsTest, WithoutDescriptorsOnlyNewConnectionsSuffer) {
    boost::asio::io_context io{1};
    TestHandler handler;
    const auto server = std::move(*HttpServer::listen(io, {}, handler));
    const auto run_until = [&](auto condition) {
        for (int i = 0; i < 200 && !condition(); ++i)
            io.run_one_for(100ms);
        return condition();
    };
    std::deque<RawClient> clients;
    for (int i = 0; i < 5; ++i)
        clients.emplace_back(server->port());
    {
        const DescriptorLimit limit(2);
        EXPECT_TRUE(run_until([&] { return server->connection_count() == 2; }));
        io.poll();
        EXPECT_EQ(server->connection_count(), 2U);
    }
    const std::string get =
        "GET / HTTP/1.1\r\nHost: localhost:" + std::to_string(server->port()) + "\r\n\r\n";
    for (std::size_t i = 2; i < 5; ++i)
        EXPECT_TRUE(clients[i].ends()) << "not turned away: " << i;

    clients.emplace_back(server->port());
    for (const std::size_t i : {0U, 1U, 5U}) {
        clients[i].send(get);
        EXPECT_TRUE(run_until([&] { return !handler.log.empty(); }));
        handler.log.clear();
        EXPECT_EQ(clients[i].response().status, 200) << i;
    }
}

}  // namespace
}  // namespace distributo::net
