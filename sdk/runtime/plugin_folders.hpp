#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace distributo::runtime {

/// Plugin folders as somebody names them, absolute and each once; an error names `flag`. Without
/// any, the first of the usual ones that exists: the build tree's, then the installed ones. May
/// then be empty. Reads the disk.
[[nodiscard]] base::Result<std::vector<std::filesystem::path>> plugin_folders(
    const std::vector<std::string>& named, const std::string& flag);

}  // namespace distributo::runtime
