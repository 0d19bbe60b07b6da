#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/connection.hpp"
#include "net/http_message.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::net {

/// Answers one request. May outlive the Exchange and the connection: a late or second answer is
/// dropped. Copyable; same thread as the server.
using Respond = std::function<void(Response)>;

/// One request while it is being received and answered. Created when its head is complete;
/// destroyed after its response was queued or the connection is gone.
class Exchange {
public:
    virtual ~Exchange() = default;
    /// The next piece of the body, valid during the call. Answering early (through Respond) makes
    /// the server skip the rest and close after the response.
    virtual void on_body(std::string_view piece) = 0;
    /// The request is complete.
    virtual void on_end() = 0;
};

/// What a server serves. All calls on the server's io_context.
class HttpHandler {
public:
    virtual ~HttpHandler() = default;

    /// A request's head arrived and passed the gate. Returns who takes the rest.
    virtual std::unique_ptr<Exchange> on_request(const RequestHead& head, Respond respond) = 0;

    /// A WebSocket upgrade passed the gate. Returns the response that refuses it, or status 101
    /// to have `on_websocket` called with the connection.
    virtual Response on_upgrade(const RequestHead& head) = 0;
    virtual void on_websocket(const RequestHead& head, std::unique_ptr<Connection> connection) = 0;

    /// All requests that were readable on one socket have been handed over: a good moment to
    /// commit what they asked for in one go.
    virtual void on_read_complete() {}
};

/// Limits of one listener; the defaults are those of docs/protocol.md.
struct HttpLimits {
    std::size_t header_bytes = 16 * 1024;
    std::size_t body_bytes = 16 * 1024 * 1024;
    std::size_t connections = 4096;
    std::size_t connections_per_address = 256;  ///< loopback is exempt
    std::size_t pipelined_requests = 1024;  ///< unanswered ones per connection before reading stops
    base::Duration header_time = std::chrono::seconds(10);
    base::Duration body_time = std::chrono::seconds(30);  ///< plus body size / 64 KiB/s
    base::Duration idle_time = std::chrono::seconds(60);
};

struct ListenerOptions {
    std::string address = "127.0.0.1";  ///< numeric
    std::uint16_t port = 0;             ///< 0: any free one
    /// Names under which clients may address us, beside localhost, the loopback addresses and
    /// `address` itself; compared without case, port excluded.
    std::vector<std::string> host_names;
    HttpLimits limits;
};

/// One listening socket that speaks HTTP/1.1 and hands over WebSocket upgrades.
/// Requests reach the handler only after the strict admission checks of docs/protocol.md: exact
/// framing, Host allow-list, Origin, Sec-Fetch-Site, content type.
/// Not thread-safe: lives on the io_context. Destroying it closes every connection.
class HttpServer {
public:
    /// Binds and listens; fails with Errc::unavailable naming the address when the port is busy.
    [[nodiscard]] static base::Result<std::unique_ptr<HttpServer>> listen(
        boost::asio::io_context& io, const ListenerOptions& options, HttpHandler& handler);
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    [[nodiscard]] std::uint16_t port() const noexcept;
    /// Stops accepting; open connections finish the requests they have begun.
    void stop_accepting();
    [[nodiscard]] std::size_t connection_count() const noexcept;

private:
    struct Impl;
    explicit HttpServer(std::shared_ptr<Impl> impl);
    std::shared_ptr<Impl> impl_;
};

}  // namespace distributo::net
