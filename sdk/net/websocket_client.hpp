#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/connection.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <string>

namespace distributo::net {

struct WebSocketTarget {
    std::string host;  ///< name or numeric address, zone id allowed
    std::uint16_t port = 0;
    std::string path;
    std::string subprotocol;
    base::Duration timeout =
        std::chrono::seconds(10);  ///< for resolve, connect and upgrade together
};

/// Connects and upgrades. `done` is called exactly once on the io_context, unless the returned
/// handle is destroyed first, which cancels. A refusal by an HTTP response becomes an error that
/// quotes its status and its problem's detail and hint.
[[nodiscard]] std::shared_ptr<void> connect_websocket(
    boost::asio::io_context& io,
    const WebSocketTarget& target,
    std::function<void(base::Result<std::unique_ptr<Connection>>)> done);

}  // namespace distributo::net
