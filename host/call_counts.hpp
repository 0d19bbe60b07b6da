#pragma once

#include <cstdint>

namespace distributo::host {

/// What has become of the calls of a plugin.
struct CallCounts {
    std::uint64_t answered = 0;  ///< it said how they ended
    std::uint64_t crashed = 0;   ///< its process died of them
};

}  // namespace distributo::host
