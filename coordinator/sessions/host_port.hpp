#pragma once

#include "base/clock.hpp"
#include "coordinator/engine/engine.hpp"
#include "net/http_server.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace distributo::coordinator::sessions {

struct SessionOptions {
    std::uint16_t http_port = 0;  ///< told to those who look for the API here; 0: not known yet
    base::Duration hello_time = std::chrono::seconds(10);  ///< from the upgrade to `hello`
    base::Duration stall_time = std::chrono::seconds(30);  ///< without a byte leaving a full queue
};

/// What the port for hosts serves: WebSockets on wire::host_path, each a Session. Everything else
/// is told where to go. Not thread-safe: lives on the engine's io_context.
class HostListener : public net::HttpHandler {
public:
    virtual void set_http_port(std::uint16_t port) = 0;
    /// The coordinator stops: closes every connection with `going_away`. Hosts go on executing.
    virtual void go_away() = 0;
    [[nodiscard]] virtual std::size_t connections() const noexcept = 0;
    /// Ends connections that said no hello, fell silent or stopped reading. Its own timer does the
    /// same every second; whoever moves the clock by hand calls it.
    virtual void run_due() = 0;
};

/// The engine must outlive the listener.
[[nodiscard]] std::unique_ptr<HostListener> make_host_listener(engine::Engine& engine,
                                                               SessionOptions options);

}  // namespace distributo::coordinator::sessions
