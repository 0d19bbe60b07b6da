#pragma once

#include "coordinator/api/request.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::coordinator::api {

/// Everything that this API serves.
[[nodiscard]] std::span<const Route> routes() noexcept;

struct Match {
    const Route* route = nullptr;
    std::vector<std::string> captured;
};

/// The route of a request. 404 names the nearest route, 405 the allowed methods, and 400 a query
/// parameter that the route does not know.
[[nodiscard]] Checked<Match> find_route(std::span<const Route> table, const net::RequestHead& head);

}  // namespace distributo::coordinator::api
