#pragma once

#include "base/clock.hpp"
#include "discovery/address.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace distributo::discovery {

inline constexpr std::uint16_t mdns_port = 5353;

/// A link with the addresses that its interface has now, of both families.
struct LinkState {
    Link link;
    std::vector<Address> addresses;
};

/// Where a datagram came from.
struct Source {
    Address address;
    std::uint16_t port = mdns_port;
};

/// A datagram that has to leave.
struct Send {
    Link link;
    std::string datagram;
    bool unicast = false;  ///< to `to` instead of the multicast group
    Source to;
};

}  // namespace distributo::discovery
