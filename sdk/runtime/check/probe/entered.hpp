#pragma once

#include "runtime/check/probe/probe_host.hpp"

#include <exception>
#include <string>

/// How every function that a probe's host offers begins.
namespace distributo::runtime::check {

/// Runs `function(call)`, unless the call has ended, which is noted and answered with `ended`, or
/// the function was made to fail with `failing`.
template <typename Value, typename Function>
Value entered(dto_call* raw,
              const char* name,
              HostFunction which,
              Value ended,
              Value failing,
              const Function& function) noexcept {
    if (!raw)
        return ended;
    try {
        ProbeCall& call = ProbeCall::of(raw);
        if (!call.alive) {
            call.host->blame(Offence::after_end,
                             std::string(name) + "() after the end of its call");
            return ended;
        }
        if (call.host->enter(which))
            return failing;
        return static_cast<Value>(function(call));
    } catch (const std::exception&) {
        return failing;  // out of memory
    }
}

template <typename Value, typename Function>
Value entered(dto_call* raw,
              const char* name,
              HostFunction which,
              Value failing,
              const Function& function) noexcept {
    return entered(raw, name, which, failing, failing, function);
}

/// For functions that return a status. `usual`: how they fail when nothing else was asked for.
template <typename Function>
dto_status status_of(dto_call* raw,
                     const char* name,
                     HostFunction which,
                     dto_status usual,
                     const Function& function) noexcept {
    const dto_status asked = raw ? ProbeCall::of(raw).host->failure() : DTO_OK;
    return entered(
        raw, name, which, dto_status{DTO_CANCELLED}, asked != DTO_OK ? asked : usual, function);
}

}  // namespace distributo::runtime::check
