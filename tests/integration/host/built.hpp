#pragma once

#include <filesystem>

namespace distributo::tests {

/// The build folder: programs in `bin`, plugins in `test-plugins`.
inline const std::filesystem::path built = DISTRIBUTO_BINARY_DIR;

}  // namespace distributo::tests
