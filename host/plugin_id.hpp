#pragma once

#include <cstdint>

namespace distributo::host {

/// One loaded version of one plugin file; rising, never reused, 0 is none.
using PluginId = std::uint32_t;

}  // namespace distributo::host
