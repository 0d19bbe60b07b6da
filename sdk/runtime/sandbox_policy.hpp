#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace distributo::runtime {

/// What a memory limit counts.
enum class MemoryBy : std::uint8_t {
    data,  ///< private writable memory (RLIMIT_DATA): reservations that are never touched are free
    as,    ///< address space (RLIMIT_AS): exact, but some runtimes reserve far more than they use
    rss,   ///< resident memory, watched from outside: fits everything, may overshoot for 50 ms
};

/// How far a plugin's process is confined. Plain data: the host decides, the runner applies it to
/// itself before it loads the plugin. 0 and empty mean: as the host itself.
struct SandboxPolicy {
    std::string plugin{};      ///< its name in the host's configuration, for messages
    std::uint64_t memory = 0;  ///< bytes that the plugin may take
    MemoryBy memory_by = MemoryBy::data;
    bool network = true;              ///< false: no sockets to other machines, nor to this one
    std::uint32_t open_files = 0;     ///< descriptors
    std::uint32_t max_processes = 0;  ///< threads and processes on top of those of the user now
    std::uint64_t file_size = 0;      ///< bytes of any one file that it writes
    bool landlock = true;
    bool seccomp = true;
    std::vector<std::string> readable{};  ///< files and folders, besides those of the system
    std::vector<std::string> writable{};  ///< besides the plugin's own; devices, for instance

    /// Somebody asked for a limit that only a process of its own can have.
    [[nodiscard]] bool needs_process() const noexcept {
        return memory != 0 || !network || open_files != 0 || max_processes != 0 || file_size != 0;
    }
};

}  // namespace distributo::runtime
