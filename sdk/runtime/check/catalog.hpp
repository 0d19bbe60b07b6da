#pragma once

#include <span>
#include <string>
#include <string_view>

namespace distributo::runtime::check {

/// Groups of checks. Each has an exit code of its own, which follows from its place here.
enum class Group : unsigned char {
    file,
    elf,
    load,
    tables,
    lifecycle,
    abuse,
    install,
    execute,
    negotiation,
    unload,
    extension,
};

/// The check that is skipped for a library without task types, and with it all that needs one.
inline constexpr std::string_view offers_tasks = "tables.tasks";

struct CheckInfo {
    std::string_view id;     ///< "elf.exports"; the part before the point is the group
    std::string_view title;  ///< what holds when it is ok
    /// Ids of checks, separated by spaces, without whose success this one says nothing.
    std::string_view needs;
    Group group;
    bool runs_code;  ///< in a process of its own
};

/// Every check there is, in the order in which they run.
[[nodiscard]] std::span<const CheckInfo> catalog();

[[nodiscard]] std::string_view group_name(Group group);

/// The exit code of `distributo plugin check` when the first failure is in this group: 10, 11, …
[[nodiscard]] int exit_code(Group group);

}  // namespace distributo::runtime::check
