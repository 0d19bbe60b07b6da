#pragma once

#include "runtime/process_usage.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace distributo::runtime {

/// When a runner process is replaced by a fresh one between two tasks. 0: never for that reason.
struct RecycleLimits {
    /// Tasks run. Bounds a leak that is too slow to be seen, and costs a process start per million.
    std::uint64_t tasks = 1'000'000;
    // Growth since the process was ready. Far above what caches and pools of threads settle at.
    std::uint64_t memory = 512ULL << 20U;  ///< resident bytes
    std::uint32_t descriptors = 256;
    std::uint32_t threads = 64;
};

enum class RecycleReason : std::uint8_t { tasks, memory, descriptors, threads };
inline constexpr std::size_t recycle_reasons = 4;
[[nodiscard]] std::string_view to_string(RecycleReason reason) noexcept;

/// Decides whether a process has grown too much.
///
/// A plugin that reaches a bound within its first tasks does not leak: it has loaded what it works
/// with, and would do so again in every new process. Its bound is doubled instead.
class RecyclePolicy {
public:
    explicit RecyclePolicy(const RecycleLimits& limits) : limits_(limits) {}

    [[nodiscard]] bool used_up(std::uint64_t tasks) const noexcept {
        return limits_.tasks != 0 && tasks >= limits_.tasks;
    }
    /// The bound that a process has reached which ran `tasks` since it was `ready`.
    [[nodiscard]] std::optional<RecycleReason> judge(const ProcessUsage& ready,
                                                     const ProcessUsage& now,
                                                     std::uint64_t tasks);

private:
    RecycleLimits limits_;
};

/// "its memory grew by 530 MiB over 4 211 tasks"
[[nodiscard]] std::string describe(RecycleReason reason,
                                   const ProcessUsage& ready,
                                   const ProcessUsage& now,
                                   std::uint64_t tasks);

}  // namespace distributo::runtime
