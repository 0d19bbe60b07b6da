#pragma once

#include "net/http_server.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace distributo::net {

/// A handler whose every step a test can replace. It answers "METHOD path body".
class TestHandler : public HttpHandler {
public:
    std::function<void(const RequestHead& head, Respond& respond)> on_head;
    std::function<void(std::string_view piece, Respond& respond)> on_piece;
    std::function<void(const RequestHead& head, const std::string& body, Respond& respond)> on_done;
    std::function<Response(const RequestHead& head)> on_asked_to_upgrade;
    std::function<void(const RequestHead& head, std::unique_ptr<Connection>)> on_connection;
    std::function<void()> on_turn_end;

    std::vector<std::string> log;  ///< what the handler saw, in order
    int turns = 0;
    int open_exchanges = 0;

    std::unique_ptr<Exchange> on_request(const RequestHead& head, Respond respond) override {
        log.push_back("head " + head.target);
        if (on_head)
            on_head(head, respond);
        return std::make_unique<TestExchange>(*this, head, std::move(respond));
    }
    Response on_upgrade(const RequestHead& head) override {
        log.push_back("upgrade " + head.target);
        if (on_asked_to_upgrade)
            return on_asked_to_upgrade(head);
        return {.status = 404, .content_type = "text/plain", .body = "no such path", .headers = {}};
    }
    void on_websocket(const RequestHead& head, std::unique_ptr<Connection> connection) override {
        if (on_connection)
            on_connection(head, std::move(connection));
    }
    void on_read_complete() override {
        ++turns;
        if (on_turn_end)
            on_turn_end();
    }

    static Response text(std::string body, unsigned status = 200) {
        return {
            .status = status, .content_type = "text/plain", .body = std::move(body), .headers = {}};
    }

private:
    struct TestExchange final : Exchange {
        TestExchange(TestHandler& owner, const RequestHead& request, Respond reply)
            : handler(owner), head(request), respond(std::move(reply)) {
            ++handler.open_exchanges;
        }
        ~TestExchange() override { --handler.open_exchanges; }
        void on_body(std::string_view piece) override {
            body += piece;
            if (handler.on_piece)
                handler.on_piece(piece, respond);
        }
        void on_end() override {
            handler.log.push_back("end " + head.target);
            if (handler.on_done)
                handler.on_done(head, body, respond);
            else
                respond(text(std::string(to_string(head.method)) + ' ' + head.path + ' ' + body));
        }
        TestHandler& handler;
        const RequestHead& head;
        Respond respond;
        std::string body;
    };
};

/// A server on a thread of its own. The handler may be changed and read through `on_loop` only,
/// or before the first client connects.
class TestServer {
public:
    explicit TestServer(ListenerOptions options = {}) {
        auto made = HttpServer::listen(io, options, handler);
        if (!made)
            throw std::runtime_error(made.error().message);
        server = std::move(*made);
        port = server->port();
        thread_ = std::thread([this] { io.run(); });
    }
    ~TestServer() {
        on_loop([this] { server.reset(); });
        guard_.reset();
        io.stop();
        thread_.join();
    }
    TestServer(const TestServer&) = delete;
    TestServer& operator=(const TestServer&) = delete;

    /// Runs `action` on the server's thread and returns its result.
    template <typename Action>
    std::invoke_result_t<Action> on_loop(Action action) {
        std::packaged_task<std::invoke_result_t<Action>()> task(std::move(action));
        auto result = task.get_future();
        boost::asio::post(io, [&task] { task(); });
        return result.get();
    }
    /// Lets the server's thread run until the condition holds.
    template <typename Condition>
    bool eventually(Condition condition) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (std::chrono::steady_clock::now() < end)
            if (on_loop(condition))
                return true;
        return false;
    }
    /// Lets the server read what has arrived: between two posted calls it polls its sockets.
    void look_at_sockets() {
        for (int i = 0; i < 3; ++i)
            on_loop([] {});
    }
    [[nodiscard]] std::string host() const { return "localhost:" + std::to_string(port); }
    /// The lines that every acceptable request has.
    [[nodiscard]] std::string host_line() const { return "Host: " + host() + "\r\n"; }
    [[nodiscard]] std::string get(const std::string& target) const {
        return "GET " + target + " HTTP/1.1\r\n" + host_line() + "\r\n";
    }
    [[nodiscard]] std::string post(const std::string& target, const std::string& body) const {
        return "POST " + target + " HTTP/1.1\r\n" + host_line() +
               "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
               "\r\n\r\n" + body;
    }

    boost::asio::io_context io{1};
    TestHandler handler;
    std::unique_ptr<HttpServer> server;
    std::uint16_t port = 0;

private:
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{
        io.get_executor()};
    std::thread thread_;
};

}  // namespace distributo::net
