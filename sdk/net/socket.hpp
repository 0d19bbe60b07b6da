#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace distributo::net {

/// Sockets and timers with a concrete executor: smaller, faster and quicker to compile than those
/// with the type-erased default.
using Executor = boost::asio::io_context::executor_type;
using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;
using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                boost::asio::wait_traits<std::chrono::steady_clock>,
                                                Executor>;

/// No delay for small messages, a peer that vanished is noticed within about 30 s, and child
/// processes do not get the descriptor. Accepted sockets inherit all but the last.
void set_connection_options(int descriptor) noexcept;

/// How many bytes of ours the peer's machine has acknowledged since the connection began.
[[nodiscard]] std::uint64_t acknowledged_bytes(int descriptor) noexcept;

/// "192.168.1.7:51234", "[fe80::1%eth0]:4000"
[[nodiscard]] std::string to_text(const boost::asio::ip::tcp::endpoint& endpoint);

/// "host:4000"; brackets around an IPv6 address, its zone left out: for the Host header.
[[nodiscard]] std::string authority(std::string_view host, std::uint16_t port);

}  // namespace distributo::net
