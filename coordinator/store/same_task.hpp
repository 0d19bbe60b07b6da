#pragma once

#include "coordinator/core/task.hpp"

namespace distributo::coordinator::store {

/// Would the two ask for the same work? See Duplicate::identical for what does not count.
[[nodiscard]] bool same_options(const core::TaskOptions& a, const core::TaskOptions& b);

}  // namespace distributo::coordinator::store
