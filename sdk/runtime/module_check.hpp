#pragma once

#include "base/result.hpp"
#include "runtime/calls.hpp"

#include <distributo/abi.h>

#include <cstdint>
#include <vector>

namespace distributo::runtime {

/// What a checked task plugin consists of, in this host's own words.
struct TaskModule {
    ModuleInfo info;
    dto_task_api api{};                ///< members that the plugin's table lacks are null
    std::vector<std::uint32_t> flags;  ///< DTO_TASK_… of each type, in the order of info.types
};

/// Checks everything that the contract says about a module's tables and copies it. Calls
/// get_interface, nothing else. The error's message says which table is wrong and how.
[[nodiscard]] base::Result<TaskModule> check_module(const dto_module& module);

}  // namespace distributo::runtime
