#include "discovery/transport.hpp"

#include "base/log.hpp"

#include <boost/asio/ip/udp.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>

namespace distributo::discovery {

namespace asio = boost::asio;
using asio::ip::udp;

namespace {

constexpr std::size_t max_datagram = 9000;  // RFC 6762 §17
constexpr int hop_limit = 255;
constexpr const char* group_v4 = "224.0.0.251";
constexpr const char* group_v6 = "ff02::fb";

template <typename Value>
bool set_option(int fd, int level, int name, const Value& value) {
    return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

/// Joins the group on one interface by its index: an address would pick the wrong one on hosts
/// without a default route.
bool configure_v4(int fd, int index) {
    ip_mreqn group{};
    inet_pton(AF_INET, group_v4, &group.imr_multiaddr);
    group.imr_ifindex = index;
    ip_mreqn outgoing{};
    outgoing.imr_ifindex = index;
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_port = htons(mdns_port);
    return set_option(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0) &&
           set_option(fd, IPPROTO_IP, IP_MULTICAST_TTL, hop_limit) &&
           set_option(fd, IPPROTO_IP, IP_TTL, hop_limit) &&
           set_option(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 1) &&
           set_option(fd, IPPROTO_IP, IP_MULTICAST_IF, outgoing) &&
           bind(fd, reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0 &&
           set_option(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, group);
}

bool configure_v6(int fd, int index) {
    ipv6_mreq group{};
    inet_pton(AF_INET6, group_v6, &group.ipv6mr_multiaddr);
    group.ipv6mr_interface = static_cast<unsigned>(index);
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    any.sin6_port = htons(mdns_port);
    constexpr int ipv6_multicast_all = 29;  // IPV6_MULTICAST_ALL, missing in glibc 2.36's header
    return set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) &&
           set_option(fd, IPPROTO_IPV6, ipv6_multicast_all, 0) &&
           set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, hop_limit) &&
           set_option(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, hop_limit) &&
           set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 1) &&
           set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, index) &&
           bind(fd, reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0 &&
           set_option(fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, group);
}

Source source_of(const udp::endpoint& endpoint) {
    Source source;
    source.port = endpoint.port();
    source.address.is_v6 = endpoint.address().is_v6();
    if (source.address.is_v6) {
        source.address.bytes = endpoint.address().to_v6().to_bytes();
    } else {
        const auto bytes = endpoint.address().to_v4().to_bytes();
        std::copy(bytes.begin(), bytes.end(), source.address.bytes.begin());
    }
    return source;
}

udp::endpoint endpoint_of(const Send& send) {
    if (!send.unicast)
        return {asio::ip::make_address(send.link.is_v6 ? group_v6 : group_v4), mdns_port};
    asio::ip::address address = asio::ip::make_address(send.to.address.text());
    if (send.to.address.is_link_local_v6()) {
        auto scoped = address.to_v6();
        scoped.scope_id(static_cast<unsigned long>(send.link.index));
        address = scoped;
    }
    return {address, send.to.port};
}

}  // namespace

struct Transport::Socket : std::enable_shared_from_this<Transport::Socket> {
    Socket(asio::io_context& io, Link where) : socket(io), link(std::move(where)) {}

    base::Result<void> open() {
        const int fd =
            ::socket(link.is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
            return failure();
        socket.assign(link.is_v6 ? udp::v6() : udp::v4(), fd);
        const bool configured =
            set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) &&
            (link.is_v6 ? configure_v6(fd, link.index) : configure_v4(fd, link.index));
        if (!configured)
            return failure();
        return {};
    }

    [[nodiscard]] base::Error failure() const {
        return base::error(base::Errc::io,
                           std::string("cannot use multicast over ") +
                               (link.is_v6 ? "IPv6" : "IPv4") + " on " + link.name + ": " +
                               std::strerror(errno));
    }

    void receive(const std::shared_ptr<Impl>& owner);

    udp::socket socket;
    Link link;
    udp::endpoint sender;
    std::array<char, max_datagram> buffer{};
};

struct Transport::Impl {
    Impl(asio::io_context& context, OnMessage callback)
        : io(context), on_message(std::move(callback)) {}

    asio::io_context& io;
    OnMessage on_message;  // empty once the transport is gone
    std::vector<std::shared_ptr<Socket>> sockets;
};

void Transport::Socket::receive(const std::shared_ptr<Impl>& owner) {
    socket.async_receive_from(
        asio::buffer(buffer),
        sender,
        [self = shared_from_this(), owner](boost::system::error_code failed, std::size_t size) {
            if (failed == asio::error::operation_aborted || !owner->on_message)
                return;
            if (!failed) {
                if (const auto message = dns::decode({self->buffer.data(), size}))
                    owner->on_message(self->link, source_of(self->sender), *message);
            }
            if (self->socket.is_open())
                self->receive(owner);
        });
}

Transport::Transport(asio::io_context& io, OnMessage on_message)
    : impl_(std::make_shared<Impl>(io, std::move(on_message))) {}

Transport::~Transport() {
    impl_->on_message = nullptr;
    boost::system::error_code ignored;
    for (const auto& socket : impl_->sockets)
        socket->socket.close(ignored);
    impl_->sockets.clear();
}

base::Result<std::vector<LinkState>> Transport::set_links(const std::vector<LinkState>& links) {
    std::erase_if(impl_->sockets, [&](const std::shared_ptr<Socket>& socket) {
        const bool wanted = std::any_of(links.begin(), links.end(), [&](const LinkState& state) {
            return state.link == socket->link;
        });
        if (!wanted) {
            boost::system::error_code ignored;
            socket->socket.close(ignored);
        }
        return !wanted;
    });
    std::vector<LinkState> open;
    base::Error first;
    for (const LinkState& state : links) {
        const bool there = std::any_of(
            impl_->sockets.begin(),
            impl_->sockets.end(),
            [&](const std::shared_ptr<Socket>& socket) { return socket->link == state.link; });
        if (!there) {
            auto socket = std::make_shared<Socket>(impl_->io, state.link);
            if (auto opened = socket->open(); !opened) {
                if (first.message.empty())
                    first = opened.error();
                continue;
            }
            socket->receive(impl_);
            impl_->sockets.push_back(std::move(socket));
        }
        open.push_back(state);
    }
    if (open.empty() && !first.message.empty())
        return first;
    return open;
}

void Transport::send(const std::vector<Send>& sends) {
    for (const Send& send : sends)
        for (const auto& socket : impl_->sockets)
            if (socket->link == send.link) {
                boost::system::error_code failed;
                socket->socket.send_to(asio::buffer(send.datagram), endpoint_of(send), 0, failed);
                if (failed)
                    base::log::debug("discovery.send_failed",
                                     {{"interface", send.link.name}, {"error", failed.message()}});
            }
}

}  // namespace distributo::discovery
