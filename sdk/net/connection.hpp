#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace distributo::net {

/// Close codes of RFC 6455 that we send on purpose.
enum class CloseCode : std::uint16_t {
    normal = 1000,
    going_away = 1001,
    protocol_error = 1002,
    policy = 1008,
    too_big = 1009,
    try_again = 1013,
};

/// What happens on a connection. Called on the connection's executor, never from inside a call
/// into the connection. After `on_closed` nothing follows.
class ConnectionEvents {
public:
    virtual ~ConnectionEvents() = default;
    virtual void on_message(std::string_view text) = 0;
    /// Everything that was handed to send() has been written to the socket.
    virtual void on_drained() {}
    /// `why` is for the log: the peer's close reason or the error's text.
    virtual void on_closed(std::string_view why) = 0;
};

/// A framed, ordered, reliable message channel: a WebSocket, seen without its library.
/// Not thread-safe: lives on its io_context. Destroying it drops the socket at once.
class Connection {
public:
    virtual ~Connection() = default;

    /// Who hears of messages; set exactly once, before control returns to the io_context.
    /// `events` must outlive the connection.
    virtual void start(ConnectionEvents& events) = 0;

    /// Queues one text message. The caller watches queued_bytes() and stops or closes in time.
    virtual void send(std::string message) = 0;
    [[nodiscard]] virtual std::size_t queued_bytes() const = 0;

    /// Starts the closing handshake after what is queued; on_closed follows within 5 s.
    virtual void close(CloseCode code, std::string_view reason) = 0;

    [[nodiscard]] virtual std::string peer() const = 0;  ///< "192.168.1.7:51234"
};

}  // namespace distributo::net
