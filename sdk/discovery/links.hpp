#pragma once

#include "discovery/engine_types.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace distributo::discovery {

/// Every interface that is up, once per address family it has an address of, with the addresses to
/// announce there. With a specific `only` address (not empty, not a wildcard): just the interface
/// that has it, with that one address.
[[nodiscard]] std::vector<LinkState> scan_links(const std::string& only);

/// Calls back a moment after interfaces or addresses have changed, until destroyed. On its
/// io_context; quiet when the system offers no such notice.
class LinkWatch {
public:
    LinkWatch(boost::asio::io_context& io, std::function<void()> on_change);
    ~LinkWatch();
    LinkWatch(const LinkWatch&) = delete;
    LinkWatch& operator=(const LinkWatch&) = delete;

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace distributo::discovery
