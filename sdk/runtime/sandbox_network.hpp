#pragma once

#include "base/result.hpp"

namespace distributo::runtime {

/// Moves the calling process, which must have one thread, into a network namespace where only a
/// loopback device of its own is; without privileges, through a user namespace in which it stays
/// the same user. Fails, without consequences, where the system does not let it.
[[nodiscard]] base::Result<void> leave_network();

}  // namespace distributo::runtime
