#pragma once

#include <string_view>

namespace distributo::runtime {

/// The table of a service by its id (DTO_SERVICE_…), or null when this host has none of that name.
/// Static: valid as long as the program runs.
[[nodiscard]] const void* find_service(std::string_view id) noexcept;

}  // namespace distributo::runtime
