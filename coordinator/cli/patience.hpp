#pragma once

#include "base/clock.hpp"
#include "coordinator/cli/commands.hpp"

namespace distributo::coordinator::cli {

/// The server has no room for more tasks: waits as long as it asked for, and says so. False when
/// the user interrupts or `give_up` comes first.
[[nodiscard]] bool wait_for_room(const Context& context,
                                 const Client& client,
                                 base::TimePoint give_up);

}  // namespace distributo::coordinator::cli
