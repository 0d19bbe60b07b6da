#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>

namespace distributo::discovery {

/// An IPv4 or IPv6 address in network byte order; IPv4 uses the first four bytes.
struct Address {
    bool is_v6 = false;
    std::array<std::uint8_t, 16> bytes{};

    friend auto operator<=>(const Address&, const Address&) = default;

    /// Numeric text without zone.
    [[nodiscard]] std::string text() const;
    /// fe80::/10
    [[nodiscard]] bool is_link_local_v6() const noexcept;
};

/// One network interface, seen by one address family: what a multicast socket is bound to.
struct Link {
    int index = 0;
    bool is_v6 = false;
    std::string name;  ///< of the interface, the zone of its link-local addresses

    friend auto operator<=>(const Link&, const Link&) = default;
};

}  // namespace distributo::discovery
