#pragma once

#include "base/result.hpp"
#include "runtime/sandbox_policy.hpp"
#include "wire/layers.hpp"

#include <string>
#include <vector>

namespace distributo::runtime {

/// Directories that belong to a plugin. All exist.
struct SandboxPaths {
    std::vector<std::string> writable{};
    std::vector<std::string> readable{};  ///< its library's, for instance
};

/// A layer that was wanted and cannot be had here, and why.
struct MissingLayer {
    wire::Layer layer = wire::Layer::no_new_privs;
    std::string why{};
};

/// What is in force.
struct SandboxReport {
    wire::Layers active{};
    std::vector<MissingLayer> missing{};
};

/// Confines the calling process, which must have one thread, for ever. What the kernel lacks is
/// left out and reported. Fails when something that the operator asked for by name cannot be had:
/// no network. The memory limit comes later, with limit_memory().
[[nodiscard]] base::Result<SandboxReport> enter_sandbox(const SandboxPolicy& policy,
                                                        const SandboxPaths& paths);

/// Limits the memory of the calling process to what it has now and the policy's amount; does
/// nothing when that is counted from outside. To be called when all its threads run: what they
/// need is not the plugin's.
void limit_memory(const SandboxPolicy& policy);

}  // namespace distributo::runtime
