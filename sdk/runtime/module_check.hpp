#pragma once

#include "base/result.hpp"
#include "runtime/calls.hpp"

#include <distributo/abi.h>

#include <cstdint>
#include <string_view>
#include <vector>

namespace distributo::runtime {

/// What a checked task plugin consists of, in this host's own words.
struct TaskModule {
    ModuleInfo info;
    dto_task_api api{};                ///< members that the plugin's table lacks are null
    std::vector<std::uint32_t> flags;  ///< DTO_TASK_… of each type, in the order of info.types
};

/// Why a library without task types is of no use to a host, when that is no mistake.
inline constexpr std::string_view only_for_coordinators =
    "offers no task types, but a generator or a sink, which is for coordinators";

/// Checks everything that the contract says about a module's tables and copies it. Calls
/// get_interface, nothing else. The error's message says which table is wrong and how. A module
/// that discovers its types may have none yet.
[[nodiscard]] base::Result<TaskModule> check_module(const dto_module& module);

/// Checks the types that the module's discover() has named in the same way and appends them. A
/// module that has no others has the version that they agree on: the constant one is that of what
/// runs them. An
/// error, also when it offers no type at all now, leaves the module in an unspecified state.
[[nodiscard]] base::Result<void> add_types(TaskModule& module,
                                           const dto_task_type* const* types,
                                           std::uint32_t count);

}  // namespace distributo::runtime
