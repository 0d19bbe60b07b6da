#pragma once

#include "coordinator/core/task.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace distributo::coordinator::store {

/// A task's options as one JSON object with what is not default.
[[nodiscard]] std::string to_text(const core::TaskOptions& options);
/// Members that it does not know are left out. Nothing when the text is damaged.
[[nodiscard]] std::optional<core::TaskOptions> options_from_text(std::string_view text);

}  // namespace distributo::coordinator::store
