#pragma once

#include "tests/simulation/disk.hpp"

#include <filesystem>

namespace distributo::simulation {

/// The store that lasts, in a new folder at this place; the folder goes with the last copy of what
/// is returned. Empty in the program with the mutants, whose store is the one in memory.
[[nodiscard]] MakeStore sqlite_in(const std::filesystem::path& folder);

}  // namespace distributo::simulation
