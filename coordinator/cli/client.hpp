#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/http_client.hpp"

#include <boost/json/fwd.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace distributo::coordinator::cli {

/// The coordinator's HTTP API as the commands use it. Blocking; not thread-safe.
class Client {
public:
    explicit Client(net::Url server) : server_(server), http_(std::move(server)) {}

    /// The response's body; a problem response becomes its Error: not_found, conflict, limit
    /// (429), no_space (507), invalid_argument is never used, so that refusals differ from usage
    /// errors.
    [[nodiscard]] base::Result<std::string> get(std::string_view target);
    [[nodiscard]] base::Result<std::string> post(
        std::string_view target,
        std::string_view body = "{}",
        std::string_view content_type = "application/json");
    [[nodiscard]] base::Result<std::string> remove(std::string_view target);
    /// What the last refusal asked for; 1 when it did not say.
    [[nodiscard]] std::int64_t retry_after_s() const noexcept { return retry_after_s_; }
    [[nodiscard]] const net::Url& server() const noexcept { return server_; }

private:
    [[nodiscard]] base::Result<std::string> answer(base::Result<net::Response> response);

    net::Url server_;
    net::HttpClient http_;
    std::int64_t retry_after_s_ = 1;
};

/// Where the coordinator is: the flag's text, DISTRIBUTO_COORDINATOR, what discovery finds within
/// half a second, or 127.0.0.1:5000.
[[nodiscard]] base::Result<net::Url> find_coordinator(const std::string& flag);

/// Percent-encodes one path segment or query value.
[[nodiscard]] std::string encode(std::string_view text);

/// Parses a response for display. Fails when it is not JSON.
[[nodiscard]] base::Result<boost::json::value> parse_document(std::string_view text);

/// A member as text for people: strings as they are, numbers in digits, null and absent empty.
[[nodiscard]] std::string text_of(const boost::json::value& object, std::string_view member);
/// 0 when there is none.
[[nodiscard]] double number_of(const boost::json::value& object, std::string_view member);

}  // namespace distributo::coordinator::cli
