#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace distributo::base {

/// SHA-256 of `data` as 64 lower-case hexadecimal digits. Any thread.
[[nodiscard]] std::string sha256(std::string_view data);

/// SHA-256 of a file's content, read in pieces. Any thread; blocks.
[[nodiscard]] Result<std::string> sha256_file(const std::filesystem::path& file);

}  // namespace distributo::base
