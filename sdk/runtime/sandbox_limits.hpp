#pragma once

#include "base/result.hpp"
#include "runtime/sandbox_policy.hpp"

namespace distributo::runtime {

/// Sets the limits of the policy but that of memory. What is not set stays as it is, but can not be
/// raised any more.
[[nodiscard]] base::Result<void> set_limits(const SandboxPolicy& policy);

/// Gives up all of root's privileges but those over files of other users.
void drop_privileges();

}  // namespace distributo::runtime
