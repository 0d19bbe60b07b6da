#pragma once

#include "runtime/frame_messages.hpp"
#include "runtime/runner/link.hpp"

namespace distributo::runtime {

/// Serves a generator or sink until the supervisor says stop; one thread reads, this one calls.
/// Never returns while a call hangs: the supervisor ends the process then. Gives the exit code.
[[nodiscard]] int run_extension(Link& link, const StartMessage& start);

}  // namespace distributo::runtime
