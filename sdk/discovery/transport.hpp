#pragma once

#include "base/result.hpp"
#include "discovery/dns.hpp"
#include "discovery/engine_types.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <vector>

namespace distributo::discovery {

/// The multicast sockets: one per link, so that every datagram's interface is known. Shares port
/// 5353 with whoever else serves it on this machine. Lives on the io_context.
class Transport {
public:
    using OnMessage = std::function<void(const Link&, const Source&, const dns::Message&)>;

    Transport(boost::asio::io_context& io, OnMessage on_message);
    ~Transport();
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;

    /// Opens and closes sockets so that there is one per link. Fails when none could be opened,
    /// with the first reason; links whose socket failed are left out of the return value.
    [[nodiscard]] base::Result<std::vector<LinkState>> set_links(
        const std::vector<LinkState>& links);
    /// Sends at once; what the system does not take is lost, as on any network.
    void send(const std::vector<Send>& sends);

private:
    struct Socket;
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace distributo::discovery
