#pragma once

#include "tests/simulation/history.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace distributo::simulation {

/// The steps that can be left out of a history that fails, so that it still breaks the same
/// invariant; ascending positions in Scenario::steps. Tries each step alone until none can go.
[[nodiscard]] std::vector<std::uint32_t> shrink(std::uint64_t seed,
                                                std::optional<Profile> profile,
                                                const Violation& violation);

}  // namespace distributo::simulation
