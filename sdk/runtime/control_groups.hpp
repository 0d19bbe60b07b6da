#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace distributo::runtime {

/// Where the control group (version 2) of this process lies, from the texts of
/// /proc/self/mountinfo and /proc/self/cgroup. Fails for the root group, too: that of the whole
/// machine is nobody's to fill.
[[nodiscard]] base::Result<std::filesystem::path> own_group(std::string_view mountinfo,
                                                            std::string_view membership);

/// Control groups for runners, below that of this process, where the system has left it to us
/// (systemd: Delegate=yes). A group ends everything in it at once, even what forks faster than one
/// can kill, and limits memory exactly.
class ControlGroups {
public:
    /// Moves this process into a group of its own beside them: only one without processes passes
    /// its controllers on.
    [[nodiscard]] static base::Result<ControlGroups> take_over(const std::filesystem::path& own);

    /// Puts a process into a new group. `memory`: bytes; 0: no limit.
    [[nodiscard]] base::Result<void> add(std::uint64_t number, pid_t process, std::uint64_t memory);
    /// Kills what is in the group.
    void kill(std::uint64_t number) const;
    /// False while something in it has not ended yet.
    [[nodiscard]] bool remove(std::uint64_t number) const;

private:
    explicit ControlGroups(std::filesystem::path own) : own_(std::move(own)) {}
    [[nodiscard]] std::filesystem::path group(std::uint64_t number) const;

    std::filesystem::path own_;
};

}  // namespace distributo::runtime
