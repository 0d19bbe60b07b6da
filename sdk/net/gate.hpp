#pragma once

#include "net/http_message.hpp"
#include "net/http_parse.hpp"
#include "net/refusal.hpp"

#include <boost/asio/ip/address.hpp>

#include <optional>
#include <string>
#include <vector>

namespace distributo::net {

/// Decides from the head alone whether a request may reach the handler. Every check stops a way by
/// which a web page in somebody's browser could reach a server on their machine: Host stops DNS
/// rebinding, Origin stops WebSockets and forms, Sec-Fetch-Site stops images and links, the content
/// type stops requests that browsers send without asking first.
class Gate {
public:
    /// `names`: lower case or not, numeric addresses without brackets.
    Gate(const std::vector<std::string>& names, std::uint16_t port, std::size_t body_bytes);

    /// `local`: the address of ours that the client connected to; it may name us by it.
    [[nodiscard]] std::optional<Refusal> check(const RequestHead& head,
                                               const Framing& framing,
                                               const boost::asio::ip::address& local) const;

private:
    [[nodiscard]] bool is_ours(std::string_view authority,
                               const boost::asio::ip::address& local) const;
    [[nodiscard]] std::optional<Refusal> check_host(std::string_view host,
                                                    const boost::asio::ip::address& local) const;
    [[nodiscard]] std::optional<Refusal> check_body(std::string_view content_type,
                                                    const Framing& framing) const;

    std::vector<std::string> names_;
    std::vector<boost::asio::ip::address> addresses_;
    std::uint16_t port_;
    std::size_t body_bytes_;
};

/// Does the head ask for a WebSocket?
[[nodiscard]] bool is_websocket_upgrade(const RequestHead& head, const Framing& framing);

/// What is wrong with the head of a WebSocket upgrade, beyond what holds for every request.
[[nodiscard]] std::optional<Refusal> check_upgrade(const RequestHead& head);

}  // namespace distributo::net
