#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <set>
#include <string>

namespace distributo::runtime {

/// A plugin file's private, content-addressed copy.
struct CachedPlugin {
    std::string digest;             ///< SHA-256 of the content
    std::filesystem::path library;  ///< <cache>/<digest>/plugin.so, read-only
};

/// Copies a plugin into `cache` (created with mode 0700) under its own digest, unless it is there
/// already, and verifies the copy. Only copies are ever loaded: glibc returns the old image for a
/// path that it knows, and a file overwritten while mapped is a bus error.
/// Refuses what is not an ELF shared library for this machine, with a reason that names what it is
/// ("is text, not a shared library", "is truncated", "is for aarch64, this host is x86-64"), and,
/// with Errc::unavailable, what somebody writes to meanwhile.
[[nodiscard]] base::Result<CachedPlugin> cache_plugin(const std::filesystem::path& file,
                                                      const std::filesystem::path& cache);

/// A copy that was made before. Fails when it is gone or damaged.
[[nodiscard]] base::Result<CachedPlugin> find_cached_plugin(const std::string& digest,
                                                            const std::filesystem::path& cache);

/// Removes all other copies. Who has one of them loaded keeps it; nobody can load it again.
void prune_plugin_cache(const std::filesystem::path& cache, const std::set<std::string>& digests);

}  // namespace distributo::runtime
