#pragma once

#include "coordinator/api/members.hpp"
#include "coordinator/core/task.hpp"

#include <memory>
#include <span>

namespace distributo::coordinator::api {

/// Reads all members of a task but "type" and "payload". A member that is not known is refused
/// with the nearest known name. `now` places "delay" and a relative "deadline".
[[nodiscard]] Checked<std::shared_ptr<const core::TaskOptions>> read_options(
    std::span<const Member> members, base::WallTime now);

}  // namespace distributo::coordinator::api
