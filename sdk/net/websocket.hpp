#pragma once

#include "base/result.hpp"
#include "net/connection.hpp"
#include "net/http_message.hpp"
#include "net/socket.hpp"
#include "wire/limits.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace distributo::net {

struct WebSocketLimits {
    std::size_t message_bytes = wire::limits::max_message;
    std::chrono::milliseconds handshake_time{10'000};
    std::chrono::milliseconds close_time{5'000};
    /// A write whose bytes the peer's machine does not acknowledge for so long ends the connection.
    std::chrono::milliseconds stall_time{30'000};
};

using OnWebSocket = std::function<void(base::Result<std::unique_ptr<Connection>>)>;

/// Both take a connected socket and report exactly once, never from inside the call, unless the
/// returned handle is destroyed first, which drops the socket.

/// Answers an upgrade that passed the gate with 101 and the headers of `accepted`.
[[nodiscard]] std::shared_ptr<void> accept_websocket(Socket socket,
                                                     const RequestHead& head,
                                                     const Response& accepted,
                                                     const WebSocketLimits& limits,
                                                     OnWebSocket done);

struct WebSocketRequest {
    std::string authority;  ///< for the Host header
    std::string path;
    std::string subprotocol;
};

/// Asks for an upgrade.
[[nodiscard]] std::shared_ptr<void> request_websocket(Socket socket,
                                                      const WebSocketRequest& request,
                                                      const WebSocketLimits& limits,
                                                      OnWebSocket done);

}  // namespace distributo::net
