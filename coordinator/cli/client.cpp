#include "coordinator/cli/client.hpp"

#include "base/config.hpp"
#include "discovery/discovery.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <cstdlib>

namespace distributo::coordinator::cli {

using base::Errc;

namespace {

constexpr std::uint16_t default_http_port = 5000;
constexpr auto discovery_time = std::chrono::milliseconds(500);

Errc code_of_status(unsigned status) {
    switch (status) {
        case 404:
        case 410:
            return Errc::not_found;
        case 429:
            return Errc::limit;
        case 507:
            return Errc::no_space;
        default:
            return status >= 500 ? Errc::internal : Errc::conflict;
    }
}

/// The first coordinator that answers on the network; port 0 when none does.
net::Url discover() {
    net::Url found;
    boost::asio::io_context io;
    const auto type = discovery::service_type("distributo");
    auto browser = discovery::browse(
        io,
        *type,
        {.on_found =
             [&](const discovery::Service& service) {
                 const auto http = service.txt.find("http");
                 if (http == service.txt.end())
                     return;
                 found.host = service.address;
                 found.port = static_cast<std::uint16_t>(std::atoi(http->second.c_str()));
                 io.stop();
             },
         .on_lost = {}});
    if (browser)
        io.run_for(discovery_time);
    return found;
}

}  // namespace

base::Result<std::string> Client::answer(base::Result<net::Response> response) {
    if (!response) {
        auto error = response.error();
        if (error.code == Errc::unavailable)
            error.hint = "is it running? name it with --coordinator http://HOST:PORT";
        return error;
    }
    if (response->status < 400)
        return std::move(response->body);

    retry_after_s_ = 1;
    for (const auto& [name, value] : response->headers)
        if (name == "retry-after" || name == "Retry-After")
            retry_after_s_ = std::max<std::int64_t>(1, std::atoll(value.c_str()));
    base::Error error{code_of_status(response->status), {}, {}};
    boost::system::error_code failed;
    const auto problem = boost::json::parse(response->body, failed);
    if (failed || !problem.is_object()) {
        error.message = "the server answered with status " + std::to_string(response->status);
        return error;
    }
    error.message = text_of(problem, "detail");
    if (error.message.empty())
        error.message = text_of(problem, "title");
    error.hint = text_of(problem, "hint");
    if (const auto* list = problem.as_object().if_contains("errors"); list && list->is_array())
        for (const auto& entry : list->as_array())
            error.message += "\n  " + text_of(entry, "pointer") + ": " + text_of(entry, "detail");
    return error;
}

base::Result<std::string> Client::get(std::string_view target) {
    return answer(http_.request(net::Method::get, target));
}

base::Result<std::string> Client::post(std::string_view target,
                                       std::string_view body,
                                       std::string_view content_type) {
    return answer(http_.request(net::Method::post, target, body, content_type));
}

base::Result<std::string> Client::remove(std::string_view target) {
    return answer(http_.request(net::Method::delete_, target));
}

base::Result<net::Url> find_coordinator(const std::string& flag) {
    if (!flag.empty())
        return net::parse_url(flag, default_http_port);
    if (const char* variable = std::getenv("DISTRIBUTO_COORDINATOR"); variable && *variable)
        return net::parse_url(variable, default_http_port);
    net::HttpClient local({"127.0.0.1", default_http_port});
    if (local.request(net::Method::get, "/healthz"))
        return net::Url{"127.0.0.1", default_http_port};
    if (auto found = discover(); found.port != 0)
        return found;
    return net::Url{"127.0.0.1", default_http_port};
}

std::string encode(std::string_view text) {
    constexpr std::string_view hex = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                           (byte >= '0' && byte <= '9') || c == '-' || c == '.' || c == '_' ||
                           c == '~';
        if (plain) {
            out += c;
        } else {
            out += '%';
            out += hex[byte >> 4U];
            out += hex[byte & 15U];
        }
    }
    return out;
}

base::Result<boost::json::value> parse_document(std::string_view text) {
    boost::system::error_code failed;
    auto document = boost::json::parse(text, failed);
    if (failed)
        return base::error(Errc::internal, "the server's answer is not JSON: " + failed.message());
    return document;
}

double number_of(const boost::json::value& object, std::string_view member) {
    const auto* map = object.if_object();
    const auto* value = map ? map->if_contains(member) : nullptr;
    return value && value->is_number() ? value->to_number<double>() : 0;
}

std::string text_of(const boost::json::value& object, std::string_view member) {
    const auto* map = object.if_object();
    const auto* value = map ? map->if_contains(member) : nullptr;
    if (!value || value->is_null())
        return {};
    if (const auto* text = value->if_string())
        return std::string(*text);
    return boost::json::serialize(*value);
}

}  // namespace distributo::coordinator::cli
