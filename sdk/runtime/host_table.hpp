#pragma once

#include <distributo/abi.h>

namespace distributo::runtime {

/// The host's functions as a plugin sees them; `root` is for the caller to set.
[[nodiscard]] dto_host make_host_table();

}  // namespace distributo::runtime
