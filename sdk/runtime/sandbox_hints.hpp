#pragma once

#include "runtime/sandbox_policy.hpp"

#include <string>
#include <string_view>

namespace distributo::runtime {

/// Which limit a process that was killed by `signal` probably ran into, and where it is set; empty
/// when it was none: "memory is limited to 64 MiB, see memory in [plugin.render]".
[[nodiscard]] std::string hint_for_signal(const SandboxPolicy& policy, int signal);

/// The same for a plugin that reports the error of a system call ("open: Too many open files"):
/// nobody else knows that it was a limit, or the sandbox.
[[nodiscard]] std::string hint_for_message(const SandboxPolicy& policy, std::string_view message);

/// "64 MiB", "1.5 GiB", "100 bytes"
[[nodiscard]] std::string size_text(std::uint64_t bytes);

}  // namespace distributo::runtime
