#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// HTTP for the shipped plugins, by libcurl.
namespace support {

struct HttpRequest {
    std::string url;                     ///< http or https, without a user name
    std::string shown;                   ///< how messages call it: the URL may be a secret itself
    std::vector<std::string> headers{};  ///< "Name: value"
    std::string user_agent{};            ///< empty: none is sent
    std::optional<std::string_view> body{};        ///< sent by POST; none: GET. Not copied.
    std::chrono::milliseconds timeout{30'000};     ///< from the first packet to the last
    std::size_t max_bytes = std::size_t{1} << 16;  ///< of the answer's body; see HttpResponse::cut
    std::string ca_file{};                         ///< PEM; empty: what the system trusts
    std::function<bool()> cancelled{};             ///< asked at least once per second
};

struct HttpResponse {
    int status = 0;
    std::string body;
    bool cut = false;                     ///< there was more than max_bytes, which was not fetched
    std::string content_type;             ///< as the server wrote it; may be empty
    std::string location;                 ///< absolute; where a redirect leads, else empty
    std::chrono::seconds retry_after{0};  ///< 0: the server did not say
};

/// Sends requests, one at a time, and keeps its connection for the next one. Follows no redirect,
/// takes no credentials from the environment, and always verifies certificates. For one thread.
class HttpClient {
public:
    HttpClient();
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;
    ~HttpClient();

    /// Returns every answer of the server, whatever its status. Throws a permanent Failure for a
    /// URL that cannot be used, Cancelled when request.cancelled says so, and retry when there is
    /// no answer.
    [[nodiscard]] HttpResponse send(const HttpRequest& request);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// As many clients as there are requests at a time, kept for the next ones. For any thread.
class HttpClients {
public:
    [[nodiscard]] HttpResponse send(const HttpRequest& request);

private:
    std::mutex mutex_;
    std::vector<std::unique_ptr<HttpClient>> idle_;
};

}  // namespace support
