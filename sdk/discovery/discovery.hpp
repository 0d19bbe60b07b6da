#pragma once

#include "base/result.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

/// Finding the coordinator on the local network by DNS-SD over multicast DNS. A hint only: never
/// trust and never liveness.
namespace distributo::discovery {

/// "_distributo._tcp" from "distributo"; "eventbus" means "_eventbus._tcp". Fails for names that
/// RFC 6335 does not allow (1 to 15 letters, digits, single hyphens, at least one letter).
[[nodiscard]] base::Result<std::string> service_type(std::string_view name);

struct Service {
    std::string type;      ///< "_distributo._tcp"
    std::string instance;  ///< "Distributo on box", unique on the network
    /// Numeric. When found: where to connect, with the zone of an IPv6 link-local address. To
    /// advertise: the address the server listens on; a wildcard or empty means every interface, any
    /// other (also 127.0.0.1) only the interface that has it.
    std::string address;
    std::uint16_t port = 0;
    std::map<std::string, std::string> txt;  ///< txtvers, v, id, http, tls
    std::uint32_t life = 120;  ///< seconds after which a silent end is noticed; to advertise
};

/// Announces one service while it lives; says goodbye in stop() and, best
/// effort, when destroyed. A name conflict renames the instance ("Distributo on box (2)").
/// Not thread-safe: lives on the io_context.
class Advertiser {
public:
    virtual ~Advertiser() = default;
    /// Sends the goodbye and calls `done` when it has been handed to the network.
    virtual void stop(std::function<void()> done) = 0;
};

/// Fails when no multicast socket can be opened; the error says which one and why.
[[nodiscard]] base::Result<std::unique_ptr<Advertiser>> advertise(boost::asio::io_context& io,
                                                                  const Service& service);

/// Looks for services of one type while it lives.
class Browser {
public:
    virtual ~Browser() = default;
};

struct BrowserEvents {
    std::function<void(const Service&)> on_found;  ///< new, or its address or port changed
    std::function<void(const std::string& instance)> on_lost;  ///< goodbye or expiry
};

[[nodiscard]] base::Result<std::unique_ptr<Browser>> browse(boost::asio::io_context& io,
                                                            const std::string& type,
                                                            BrowserEvents events);

}  // namespace distributo::discovery
