#pragma once

#include "runtime/child_process.hpp"

#include <cstdint>
#include <optional>
#include <sys/types.h>

namespace distributo::runtime {

/// What a process holds.
struct ProcessUsage {
    std::uint64_t memory = 0;  ///< resident, bytes
    std::uint32_t descriptors = 0;
    std::uint32_t threads = 0;
};

/// Looks at a process of ours from outside. One that has made itself undumpable shows its
/// descriptors to root only; so they are counted through a handle that was opened before.
class ProcessMeter {
public:
    ProcessMeter() = default;
    explicit ProcessMeter(pid_t process);

    /// Some tens of microseconds, more with very many descriptors. Nothing when the process is
    /// gone; no descriptors when they may not be seen.
    [[nodiscard]] std::optional<ProcessUsage> read() const;

private:
    pid_t process_ = 0;
    Descriptor descriptors_;  // of its directory in /proc
};

}  // namespace distributo::runtime
