#pragma once

#include "runtime/call.hpp"

#include <distributo/abi.h>

#include <exception>
#include <string>

namespace distributo::runtime {

/// A C++ exception may not leave a plugin function, but one in a plugin that was not built with
/// the SDK must not end the process that runs its neighbours either.
template <typename Function>
dto_status contained(CallReporter& reporter, CallId call, const Function& function) noexcept {
    try {
        return function();
    } catch (const std::exception& thrown) {
        reporter.log(call,
                     "plugin",
                     std::string("PLUGIN_MISBEHAVING: threw across the ABI: ") + thrown.what());
    } catch (...) {
        reporter.log(call, "plugin", "PLUGIN_MISBEHAVING: threw across the ABI");
    }
    return DTO_PERMANENT;
}

}  // namespace distributo::runtime
