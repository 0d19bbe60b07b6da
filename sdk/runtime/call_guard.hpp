#pragma once

#include "runtime/call.hpp"

#include <exception>

namespace distributo::runtime {

/// Runs a host function on the Call that `call` belongs to. A plugin passes back what it was given;
/// a null pointer is the one mistake that can be seen. Nothing may be thrown into a plugin: what
/// fails here is out of memory.
template <typename Failure, typename Function>
Failure guarded(dto_call* call, Failure failure, const Function& function) noexcept {
    if (!call)
        return failure;
    try {
        return static_cast<Failure>(function(*call->owner));
    } catch (const std::exception&) {
        return failure;
    }
}

}  // namespace distributo::runtime
