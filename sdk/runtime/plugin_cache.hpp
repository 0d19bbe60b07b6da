#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::runtime {

/// A plugin file's private, content-addressed copy.
struct CachedPlugin {
    /// SHA-256 of the content; of a script: of its name, its content and the library that runs it.
    std::string digest;
    /// <cache>/<digest>/plugin.so, read-only; of words.py: words.so, and beside it words.py.
    std::filesystem::path library;
};

/// The library that runs scripts. By itself it is no plugin.
inline constexpr std::string_view script_library = "python.so";
/// Is this the name of a file that a plugin folder offers: a library, *.so, or a script, *.py? None
/// that begins with a dot, and no script that begins with _.
[[nodiscard]] bool is_plugin_file(const std::filesystem::path& file);
/// A plugin that is a script, and needs that library.
[[nodiscard]] bool is_script(const std::filesystem::path& file) noexcept;
/// Where script_library is looked for: beside the script, in `folders`, and where it is installed
/// with this program. Empty: nowhere. Reads the disk; any thread.
[[nodiscard]] std::filesystem::path find_script_library(
    const std::filesystem::path& script, const std::vector<std::filesystem::path>& folders = {});

/// Copies a plugin into `cache` (created with mode 0700) under its own digest, unless it is there
/// already, and verifies the copy. Only copies are ever loaded: glibc returns the old image for a
/// path that it knows, and a file overwritten while mapped is a bus error.
/// Refuses what is not an ELF shared library for this machine, with a reason that names what it is
/// ("is text, not a shared library", "is truncated", "is for aarch64, this host is x86-64"), a
/// script when there is no library that runs it, and, with Errc::unavailable, what somebody writes
/// to meanwhile. `folders`: as for find_script_library(). Blocks; any thread.
[[nodiscard]] base::Result<CachedPlugin> cache_plugin(
    const std::filesystem::path& file,
    const std::filesystem::path& cache,
    const std::vector<std::filesystem::path>& folders = {});

/// SHA-256 of a script as CachedPlugin has it, from those of its content and of its library.
[[nodiscard]] std::string script_digest(const std::filesystem::path& script,
                                        std::string_view content,
                                        std::string_view library);

/// A copy that was made before. Fails when it is gone or damaged.
[[nodiscard]] base::Result<CachedPlugin> find_cached_plugin(const std::string& digest,
                                                            const std::filesystem::path& cache);

/// Removes all other copies. Who has one of them loaded keeps it; nobody can load it again.
void prune_plugin_cache(const std::filesystem::path& cache, const std::set<std::string>& digests);

}  // namespace distributo::runtime
