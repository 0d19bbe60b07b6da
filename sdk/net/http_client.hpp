#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/http_message.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace distributo::net {

/// "http://host:port" taken apart. The scheme may be left out; the port defaults to `default_port`.
struct Url {
    std::string host;
    std::uint16_t port = 0;
};
[[nodiscard]] base::Result<Url> parse_url(std::string_view text, std::uint16_t default_port);

/// A blocking HTTP/1.1 client with one kept-alive connection, for command-line tools and tests.
/// Not thread-safe.
class HttpClient {
public:
    explicit HttpClient(Url server);
    ~HttpClient();
    HttpClient(HttpClient&&) noexcept;
    HttpClient& operator=(HttpClient&&) noexcept;

    /// Sends one request and waits for the response. A connection that the server closed while
    /// idle is opened again once. Fails with Errc::unavailable (cannot connect), timeout or io.
    [[nodiscard]] base::Result<Response> request(Method method,
                                                 std::string_view target,
                                                 std::string_view body = {},
                                                 std::string_view content_type = "application/json",
                                                 base::Duration timeout = std::chrono::seconds(60));

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace distributo::net
