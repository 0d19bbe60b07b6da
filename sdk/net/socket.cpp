#include "net/socket.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace distributo::net {
namespace {

void set_option(int descriptor, int level, int name, int value) noexcept {
    // Each of them is an improvement, none a necessity.
    static_cast<void>(::setsockopt(descriptor, level, name, &value, sizeof value));
}

}  // namespace

void set_connection_options(int descriptor) noexcept {
    static_cast<void>(::fcntl(descriptor, F_SETFD, FD_CLOEXEC));
    constexpr int unacknowledged_ms = 20'000;
    set_option(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, unacknowledged_ms);
    set_option(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, 15);
    set_option(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, 5);
    set_option(descriptor, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

std::uint64_t acknowledged_bytes(int descriptor) noexcept {
    // The kernel's tcp_info is longer than the C library's: what follows was appended later.
    struct {
        tcp_info known;
        std::uint64_t pacing_rate;
        std::uint64_t max_pacing_rate;
        std::uint64_t bytes_acked;
    } info{};
    static_assert(sizeof(tcp_info) == 104);
    socklen_t size = sizeof info;
    if (::getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
        return 0;
    return info.bytes_acked;
}

std::string to_text(const boost::asio::ip::tcp::endpoint& endpoint) {
    const auto address = endpoint.address();
    const std::string text = address.to_string();
    return (address.is_v6() ? '[' + text + ']' : text) + ':' + std::to_string(endpoint.port());
}

std::string authority(std::string_view host, std::uint16_t port) {
    std::string text;
    if (host.find(':') == std::string_view::npos)
        text = host;
    else
        text.append("[").append(host.substr(0, host.find('%'))).append("]");
    return text + ':' + std::to_string(port);
}

}  // namespace distributo::net
