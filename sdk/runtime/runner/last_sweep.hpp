#pragma once

namespace distributo::runtime {

/// Kills this process and everything that bears its mark (runtime/orphans.hpp), whatever group it
/// is in and whoever its parent is. For the end of a runner whose supervisor is gone and cannot do
/// it any more. Safe in a signal handler.
[[noreturn]] void end_everything() noexcept;

}  // namespace distributo::runtime
