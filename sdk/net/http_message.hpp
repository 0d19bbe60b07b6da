#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace distributo::net {

enum class Method : std::uint8_t { get, head, post, put, delete_, patch, options, other };

[[nodiscard]] std::string_view to_string(Method method) noexcept;

/// Start line and headers of a request that passed the admission checks. Header names are lower
/// case. Valid until the handler's Exchange is destroyed.
struct RequestHead {
    Method method = Method::get;
    std::string target;                                      ///< as sent: "/v1/tasks?state=pending"
    std::string path;                                        ///< percent-decoded: "/v1/tasks"
    std::vector<std::pair<std::string, std::string>> query;  ///< decoded, in order
    std::vector<std::pair<std::string, std::string>> headers;
    std::string peer;
    bool has_body = false;

    [[nodiscard]] std::string_view header(std::string_view lower_case_name) const noexcept;
    /// First value of a query parameter; nullptr when absent.
    [[nodiscard]] const std::string* parameter(std::string_view name) const noexcept;
};

struct Response {
    unsigned status = 200;
    std::string content_type = "application/json";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;  ///< Location, Retry-After, …
};

}  // namespace distributo::net
