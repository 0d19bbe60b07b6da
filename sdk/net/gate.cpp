#include "net/gate.hpp"

#include <algorithm>
#include <charconv>

namespace distributo::net {
namespace {

using boost::asio::ip::address;

constexpr std::uint16_t http_port = 80;

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_name(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
               return lower(x) == lower(y);
           });
}

address unmapped(const address& any) {
    if (any.is_v6() && any.to_v6().is_v4_mapped())
        return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, any.to_v6());
    if (any.is_v6() && any.to_v6().scope_id() != 0)
        return boost::asio::ip::address_v6(any.to_v6().to_bytes());
    return any;
}

/// "name", "name:port", "[address]:port"
struct Authority {
    std::string_view name;
    std::uint16_t port = http_port;
};

std::optional<Authority> split_authority(std::string_view text) {
    Authority parts;
    std::string_view port;
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string_view::npos)
            return std::nullopt;
        parts.name = text.substr(1, close - 1);
        port = text.substr(close + 1);
    } else {
        const auto colon = std::min(text.find(':'), text.size());
        parts.name = text.substr(0, colon);
        port = text.substr(colon);
    }
    if (port.empty())
        return parts;
    const char* end = port.data() + port.size();
    const auto [stop, failed] = std::from_chars(port.data() + 1, end, parts.port);
    if (port.front() != ':' || failed != std::errc() || stop != end)
        return std::nullopt;
    return parts;
}

bool has_token(std::string_view list, std::string_view token) {
    while (!list.empty()) {
        const auto comma = std::min(list.find(','), list.size());
        auto one = list.substr(0, comma);
        list.remove_prefix(std::min(comma + 1, list.size()));
        while (!one.empty() && (one.front() == ' ' || one.front() == '\t'))
            one.remove_prefix(1);
        while (!one.empty() && (one.back() == ' ' || one.back() == '\t'))
            one.remove_suffix(1);
        if (same_name(one, token))
            return true;
    }
    return false;
}

bool is_accepted_type(std::string_view content_type) noexcept {
    auto type = content_type.substr(0, content_type.find(';'));
    while (!type.empty() && (type.back() == ' ' || type.back() == '\t'))
        type.remove_suffix(1);
    return same_name(type, "application/json") || same_name(type, "application/x-ndjson") ||
           same_name(type, "application/octet-stream");
}

/// The headers that the gate looks at. A header that must not be repeated, and is, counts as its
/// first value and fails by `repeated`.
struct Seen {
    std::string_view host, content_type;
    const std::string* origin = nullptr;
    const std::string* fetch_site = nullptr;
    std::string_view repeated;
};

Seen look_at(const RequestHead& head) {
    Seen seen;
    bool has_type = false;
    for (const auto& [name, value] : head.headers) {
        if (name == "host") {
            seen.host = value;
        } else if (name == "content-type") {
            if (std::exchange(has_type, true))
                seen.repeated = name;
            else
                seen.content_type = value;
        } else if (name == "origin") {
            if (std::exchange(seen.origin, &value))
                seen.repeated = name;
        } else if (name == "sec-fetch-site") {
            if (std::exchange(seen.fetch_site, &value))
                seen.repeated = name;
        }
    }
    return seen;
}

Refusal forbidden(std::string detail, std::string hint) {
    return {403, "cross_site", std::move(detail), std::move(hint)};
}

}  // namespace

Gate::Gate(const std::vector<std::string>& names, std::uint16_t port, std::size_t body_bytes)
    : names_{"localhost"},
      addresses_{boost::asio::ip::address_v4::loopback(), boost::asio::ip::address_v6::loopback()},
      port_(port),
      body_bytes_(body_bytes) {
    for (const auto& name : names) {
        boost::system::error_code is_name;
        const auto numeric = boost::asio::ip::make_address(name, is_name);
        if (is_name)
            names_.push_back(name);
        else if (!numeric.is_unspecified())
            addresses_.push_back(unmapped(numeric));
    }
}

bool Gate::is_ours(std::string_view authority, const address& local) const {
    const auto parts = split_authority(authority);
    if (!parts || parts->port != port_)
        return false;
    if (std::any_of(names_.begin(), names_.end(), [&](const std::string& name) {
            return same_name(name, parts->name);
        }))
        return true;
    boost::system::error_code is_name;
    const auto numeric = boost::asio::ip::make_address(parts->name, is_name);
    if (is_name)
        return false;
    return unmapped(numeric) == unmapped(local) ||
           std::find(addresses_.begin(), addresses_.end(), unmapped(numeric)) != addresses_.end();
}

std::optional<Refusal> Gate::check_host(std::string_view host, const address& local) const {
    if (is_ours(host, local))
        return std::nullopt;
    return Refusal{421,
                   "wrong_host",
                   "expected this server's name and port " + std::to_string(port_) +
                       " in the Host header, got " + quoted(host),
                   "use localhost, the machine's address, or add the name to the server's "
                   "host names"};
}

std::optional<Refusal> Gate::check_body(std::string_view content_type,
                                        const Framing& framing) const {
    if (!is_accepted_type(content_type))
        return Refusal{415,
                       "wrong_content_type",
                       "expected Content-Type application/json, application/x-ndjson or "
                       "application/octet-stream for the body, got " +
                           (content_type.empty() ? "none" : quoted(content_type)),
                       "with curl: -H 'Content-Type: application/json'"};
    if (framing.content_length.value_or(0) > body_bytes_)
        return Refusal{413,
                       "too_large",
                       "expected a body of at most " + std::to_string(body_bytes_) +
                           " bytes, got Content-Length " + std::to_string(*framing.content_length),
                       "send several requests"};
    return std::nullopt;
}

std::optional<Refusal> Gate::check(const RequestHead& head,
                                   const Framing& framing,
                                   const address& local) const {
    const Seen seen = look_at(head);
    if (auto refusal = check_host(seen.host, local))
        return refusal;
    if (!seen.repeated.empty())
        return Refusal{400,
                       "malformed_request",
                       "the header " + std::string(seen.repeated) + " occurs more than once",
                       "send it once"};
    constexpr std::string_view scheme = "http://";
    if (seen.origin && (!seen.origin->starts_with(scheme) ||
                        !is_ours(std::string_view(*seen.origin).substr(scheme.size()), local)))
        return forbidden(
            "requests of other web sites are refused; this one comes from " + quoted(*seen.origin),
            "programs that are not web pages send no Origin header");
    if (seen.fetch_site && *seen.fetch_site != "same-origin" && *seen.fetch_site != "none")
        return forbidden(
            "requests of other web sites are refused; this one is " + quoted(*seen.fetch_site),
            "type the address instead of following a link to it");
    if (head.has_body)
        return check_body(seen.content_type, framing);
    return std::nullopt;
}

bool is_websocket_upgrade(const RequestHead& head, const Framing& framing) {
    return framing.upgrade_requested && has_token(head.header("upgrade"), "websocket");
}

std::optional<Refusal> check_upgrade(const RequestHead& head) {
    if (const auto origin = head.header("origin"); !origin.empty())
        return forbidden("WebSockets are not for web pages; this one comes from " + quoted(origin),
                         "read events from the HTTP API instead");
    if (head.method != Method::get || head.has_body)
        return Refusal{400,
                       "malformed_request",
                       "expected a WebSocket upgrade to be a GET without a body",
                       "see RFC 6455, section 4.1"};
    if (head.header("sec-websocket-version") != "13")
        return Refusal{426,
                       "wrong_websocket_version",
                       "expected Sec-WebSocket-Version 13, got " +
                           quoted(head.header("sec-websocket-version")),
                       "use a WebSocket library that implements RFC 6455"};
    constexpr std::size_t key_length = 24;  // 16 bytes in base64
    if (head.header("sec-websocket-key").size() != key_length)
        return Refusal{400,
                       "malformed_request",
                       "expected a Sec-WebSocket-Key of 24 characters",
                       "see RFC 6455, section 4.1"};
    return std::nullopt;
}

}  // namespace distributo::net
