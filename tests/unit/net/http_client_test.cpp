#include "net/http_client.hpp"

#include "test_server.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace distributo::net {
namespace {

using base::Errc;
using namespace std::chrono_literals;

TEST(ParseUrlTest, TakesHostAndPort) {
    const auto expect = [](std::string_view text, std::string_view host, std::uint16_t port) {
        const auto url = parse_url(text, 4000);
        ASSERT_TRUE(url) << text << ": " << url.error().message;
        EXPECT_EQ(url->host, host) << text;
        EXPECT_EQ(url->port, port) << text;
    };
    expect("http://build.local:5000", "build.local", 5000);
    expect("http://build.local/", "build.local", 4000);
    expect("ws://192.0.2.1:80", "192.0.2.1", 80);
    expect("localhost", "localhost", 4000);
    expect("localhost:65535/", "localhost", 65535);
    expect("[fe80::1%eth0]:1", "fe80::1%eth0", 1);
    expect("http://[::1]", "::1", 4000);
    expect("::1", "::1", 4000);
}

TEST(ParseUrlTest, RefusesTheRest) {
    for (const std::string text : {"",
                                   "http://",
                                   "http://:5000",
                                   "https://host",
                                   "ftp://host",
                                   "host:0",
                                   "host:65536",
                                   "host:",
                                   "host:-1",
                                   "host:50x",
                                   "http://host/path",
                                   "user@host",
                                   "host name",
                                   "[::1",
                                   "[::1]5",
                                   "host?x"}) {
        const auto url = parse_url(text, 4000);
        ASSERT_FALSE(url) << text;
        EXPECT_EQ(url.error().code, Errc::invalid_argument);
        EXPECT_NE(url.error().message.find('\'' + text + '\''), std::string::npos);
    }
}

TEST(HttpClientTest, SpeaksWithOurServerOverOneConnection) {
    TestServer server;
    server.handler.on_done =
        [](const RequestHead& head, const std::string& body, Respond& respond) {
            auto response = TestHandler::text(
                std::string(to_string(head.method)) + ' ' + head.target + ' ' +
                std::string(head.header("content-type")) + ' ' + body + ' ' + head.peer);
            response.status = 202;
            response.headers.emplace_back("Location", "/there");
            respond(std::move(response));
        };
    HttpClient client({"127.0.0.1", server.port});

    const auto first = client.request(Method::post, "/a?b=c", "{}");
    const auto second = client.request(Method::get, "/d");

    ASSERT_TRUE(first && second);
    EXPECT_EQ(first->status, 202U);
    EXPECT_EQ(first->content_type, "text/plain");
    EXPECT_EQ(first->body.find("POST /a?b=c application/json {} 127.0.0.1:"), 0U) << first->body;
    EXPECT_EQ(second->body.find("GET /d   127.0.0.1:"), 0U) << second->body;
    EXPECT_EQ(first->body.substr(first->body.rfind(':')),
              second->body.substr(second->body.rfind(':')));
    const std::pair<std::string, std::string> location{"location", "/there"};
    EXPECT_EQ(std::count(first->headers.begin(), first->headers.end(), location), 1);
}

TEST(HttpClientTest, HeadHasNoBody) {
    TestServer server;
    HttpClient client({"localhost", server.port});

    const auto head = client.request(Method::head, "/");
    ASSERT_TRUE(head);
    EXPECT_EQ(head->body, "");
    EXPECT_EQ(client.request(Method::get, "/")->body, "GET / ");
}

TEST(HttpClientTest, LargeBodiesGoBothWays) {
    TestServer server;
    HttpClient client({"localhost", server.port});
    const std::string large(8'000'000, 'x');

    const auto response = client.request(Method::put, "/", large, "application/octet-stream");

    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, "PUT / " + large);
}

TEST(HttpClientTest, GetsTheRefusalOfABodyThatIsTooLong) {
    TestServer server;
    HttpClient client({"localhost", server.port});

    const auto response = client.request(Method::post, "/", std::string(20'000'000, 'x'));

    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->status, 413U);
    EXPECT_EQ(client.request(Method::get, "/")->status, 200U);
}

TEST(HttpClientTest, ConnectsAgainWhenTheServerLetGo) {
    ListenerOptions options;
    options.limits.idle_time = 40ms;
    TestServer server(options);
    HttpClient client({"localhost", server.port});

    for (int i = 0; i < 2; ++i) {
        const auto response = client.request(Method::post, "/", "{}");
        ASSERT_TRUE(response) << response.error().message;
        ASSERT_TRUE(server.eventually([&] { return server.server->connection_count() == 0; }));
    }
}

TEST(HttpClientTest, NobodyThere) {
    std::uint16_t port = 0;
    {
        TestServer server;
        port = server.port;
    }
    HttpClient client({"127.0.0.1", port});

    const auto response = client.request(Method::get, "/");

    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Errc::unavailable);
    EXPECT_NE(response.error().message.find("127.0.0.1:" + std::to_string(port)),
              std::string::npos);
    HttpClient lost({"no-such-host.invalid", 1});
    EXPECT_EQ(lost.request(Method::get, "/").error().code, Errc::unavailable);
}

TEST(HttpClientTest, NoAnswerInTime) {
    TestServer server;
    std::vector<Respond> waiting;
    server.handler.on_done = [&](const RequestHead&, const std::string&, Respond& respond) {
        waiting.push_back(respond);
    };
    HttpClient client({"localhost", server.port});

    const auto response = client.request(Method::get, "/", {}, {}, 50ms);

    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Errc::timeout);
    // The late answer must not be taken for the next one.
    ASSERT_TRUE(server.eventually([&] { return waiting.size() == 1; }));
    server.on_loop([&] { waiting[0](TestHandler::text("late")); });
    server.on_loop([&] {
        waiting.clear();
        server.handler.on_done = nullptr;
    });
    EXPECT_EQ(client.request(Method::get, "/next")->body, "GET /next ");
}

/// Accepts once for each script and says it, whatever the client sends; then closes.
class ScriptedServer {
public:
    explicit ScriptedServer(std::vector<std::string> scripts) : scripts_(std::move(scripts)) {
        socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        ::bind(socket_, reinterpret_cast<sockaddr*>(&address), size);
        ::listen(socket_, 8);
        ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
        port = ntohs(address.sin_port);
        thread_ = std::thread([this] { serve(); });
    }
    ~ScriptedServer() {
        thread_.join();
        ::close(socket_);
    }
    ScriptedServer(const ScriptedServer&) = delete;
    ScriptedServer& operator=(const ScriptedServer&) = delete;

    std::uint16_t port = 0;

private:
    void serve() {
        for (const auto& script : scripts_) {
            const int client = ::accept(socket_, nullptr, nullptr);
            char buffer[4096];
            static_cast<void>(::recv(client, buffer, sizeof buffer, 0));
            static_cast<void>(::send(client, script.data(), script.size(), MSG_NOSIGNAL));
            ::close(client);
        }
    }
    std::vector<std::string> scripts_;
    int socket_ = -1;
    std::thread thread_;
};

TEST(HttpClientTest, ReadsForeignForms) {
    const ScriptedServer server({
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        "HTTP/1.0 404 Nope\r\n\r\nuntil the end",
        "HTTP/1.1 204 No Content\r\n\r\n",
    });
    HttpClient client({"127.0.0.1", server.port});

    EXPECT_EQ(client.request(Method::get, "/")->body, "abcde");
    const auto old = client.request(Method::get, "/");
    EXPECT_EQ(old->status, 404U);
    EXPECT_EQ(old->body, "until the end");
    EXPECT_EQ(client.request(Method::get, "/")->status, 204U);
}

TEST(HttpClientTest, SaysWhatIsWrongWithAResponse) {
    const ScriptedServer server({
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "",
    });
    for (int i = 0; i < 3; ++i) {
        HttpClient client({"127.0.0.1", server.port});
        const auto response = client.request(Method::get, "/");
        ASSERT_FALSE(response);
        EXPECT_EQ(response.error().code, Errc::io) << response.error().message;
    }
}

TEST(HttpClientTest, OnlyRepeatableRequestsAreRepeated) {
    TestServer server;
    int requests = 0;
    server.handler.on_done = [&](const RequestHead&, const std::string&, Respond& respond) {
        if (++requests % 2 == 1)
            return respond(TestHandler::text("kept"));
        if (requests == 2)
            server.server.reset();  // drops the connection without an answer
    };
    HttpClient client({"127.0.0.1", server.port});
    ASSERT_TRUE(client.request(Method::post, "/", "{}"));

    const auto lost = client.request(Method::post, "/", "{}");

    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().code, Errc::io);
    EXPECT_EQ(server.on_loop([&] { return requests; }), 2);
}

}  // namespace
}  // namespace distributo::net
