#pragma once

#include "base/result.hpp"
#include "runtime/sandbox.hpp"

namespace distributo::runtime {

/// What this kernel's Landlock can do; 0: it has none, or it is switched off.
[[nodiscard]] int landlock_version() noexcept;

/// First version that also keeps signals and abstract sockets inside.
inline constexpr int landlock_scopes = 6;

/// Restricts the file accesses of this thread and of all that it starts. Needs no_new_privs.
/// Everything may be read that is not below a home directory; only `paths` and the policy's are
/// written. The result is the version in use.
[[nodiscard]] base::Result<int> restrict_files(const SandboxPolicy& policy,
                                               const SandboxPaths& paths);

}  // namespace distributo::runtime
