#include "net/http_client.hpp"

#include <algorithm>
#include <charconv>

namespace distributo::net {
namespace {

base::Error not_a_url(std::string_view text, std::string_view why) {
    return base::error(
        base::Errc::invalid_argument,
        "expected http://HOST:PORT, got '" + std::string(text) + "': " + std::string(why),
        "for example http://192.168.1.7:4000");
}

/// "https://" and the like, but not the "localhost:" of "localhost:4000".
bool has_foreign_scheme(std::string_view text) {
    return text.find("://") != std::string_view::npos;
}

}  // namespace

base::Result<Url> parse_url(std::string_view text, std::uint16_t default_port) {
    std::string_view rest = text;
    for (const std::string_view scheme : {"http://", "ws://"})
        if (rest.starts_with(scheme))
            rest.remove_prefix(scheme.size());
    if (has_foreign_scheme(rest))
        return not_a_url(text, "this version speaks plain HTTP only");
    if (const auto slash = rest.find('/'); slash != std::string_view::npos) {
        if (slash + 1 != rest.size())
            return not_a_url(text, "it has a path");
        rest.remove_suffix(1);
    }
    if (rest.find_first_of(" \t\r\n@?#") != std::string_view::npos)
        return not_a_url(text, "only a host and a port are expected");

    Url url{{}, default_port};
    std::string_view port;
    if (rest.starts_with('[')) {
        const auto close = rest.find(']');
        if (close == std::string_view::npos)
            return not_a_url(text, "the bracket is not closed");
        url.host = rest.substr(1, close - 1);
        port = rest.substr(close + 1);
    } else if (std::count(rest.begin(), rest.end(), ':') > 1) {
        url.host = rest;  // an IPv6 address without brackets has no port
    } else {
        const auto colon = std::min(rest.find(':'), rest.size());
        url.host = rest.substr(0, colon);
        port = rest.substr(colon);
    }
    if (url.host.empty())
        return not_a_url(text, "the host is missing");
    if (port.empty())
        return url;
    const char* const end = port.data() + port.size();
    const auto [stop, failed] = std::from_chars(port.data() + 1, end, url.port);
    if (port.front() != ':' || failed != std::errc() || stop != end || url.port == 0)
        return not_a_url(text, "the port is a number from 1 to 65535");
    return url;
}

}  // namespace distributo::net
