#include "discovery/links.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstring>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace distributo::discovery {

namespace asio = boost::asio;

namespace {

constexpr auto change_debounce = std::chrono::milliseconds(200);

Address address_of(const sockaddr* socket_address) {
    Address address;
    address.is_v6 = socket_address->sa_family == AF_INET6;
    if (address.is_v6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, socket_address, sizeof v6);
        std::memcpy(address.bytes.data(), &v6.sin6_addr, 16);
    } else {
        sockaddr_in v4{};
        std::memcpy(&v4, socket_address, sizeof v4);
        std::memcpy(address.bytes.data(), &v4.sin_addr, 4);
    }
    return address;
}

bool is_wildcard(const std::string& text) {
    return text.empty() || text == "0.0.0.0" || text == "::";
}

}  // namespace

std::vector<LinkState> scan_links(const std::string& only) {
    ifaddrs* list = nullptr;
    if (getifaddrs(&list) != 0)
        return {};
    const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, &freeifaddrs);

    // Addresses per interface first: a link announces those of both families.
    std::vector<LinkState> links;
    std::vector<std::pair<int, Address>> addresses;
    for (const ifaddrs* entry = list; entry; entry = entry->ifa_next) {
        const int family = entry->ifa_addr ? entry->ifa_addr->sa_family : AF_UNSPEC;
        const bool loopback = (entry->ifa_flags & IFF_LOOPBACK) != 0;
        const bool usable = (entry->ifa_flags & IFF_UP) != 0 &&
                            (loopback || (entry->ifa_flags & IFF_MULTICAST) != 0) &&
                            (entry->ifa_flags & IFF_POINTOPOINT) == 0;
        if (!usable || (family != AF_INET && family != AF_INET6))
            continue;
        const Address address = address_of(entry->ifa_addr);
        if (!is_wildcard(only) && address.text() != only)
            continue;
        const int index = static_cast<int>(if_nametoindex(entry->ifa_name));
        addresses.emplace_back(index, address);
        // The IPv6 group cannot be reached on the loopback interface; IPv4's can.
        const Link link{index, family == AF_INET6 && !loopback, entry->ifa_name};
        const bool known = std::any_of(
            links.begin(), links.end(), [&](const LinkState& state) { return state.link == link; });
        if (!known)
            links.push_back({link, {}});
    }
    for (LinkState& state : links)
        for (const auto& [index, address] : addresses)
            if (index == state.link.index)
                state.addresses.push_back(address);
    return links;
}

struct LinkWatch::Impl : std::enable_shared_from_this<LinkWatch::Impl> {
    Impl(asio::io_context& io, std::function<void()> callback)
        : descriptor(io), timer(io), on_change(std::move(callback)) {}

    void open() {
        const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
        if (fd < 0)
            return;
        sockaddr_nl address{};
        address.nl_family = AF_NETLINK;
        address.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
        if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
            close(fd);
            return;
        }
        descriptor.assign(fd);
        read();
    }

    void read() {
        descriptor.async_read_some(asio::buffer(buffer),
                                   [self = shared_from_this()](auto failed, std::size_t) {
                                       if (failed)
                                           return;
                                       self->timer.expires_after(change_debounce);
                                       self->timer.async_wait([self](auto cancelled) {
                                           if (!cancelled && self->on_change)
                                               self->on_change();
                                       });
                                       self->read();
                                   });
    }

    asio::posix::stream_descriptor descriptor;
    asio::steady_timer timer;
    std::function<void()> on_change;
    std::array<char, 8192> buffer{};
};

LinkWatch::LinkWatch(asio::io_context& io, std::function<void()> on_change)
    : impl_(std::make_shared<Impl>(io, std::move(on_change))) {
    impl_->open();
}

LinkWatch::~LinkWatch() {
    impl_->on_change = nullptr;
    impl_->timer.cancel();
    boost::system::error_code ignored;
    impl_->descriptor.close(ignored);
}

}  // namespace distributo::discovery
