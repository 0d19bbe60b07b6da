#pragma once

#include "coordinator/core/task.hpp"

#include <span>

namespace distributo::coordinator::store {

/// What still matters of a task's past: the one place that says what is remembered of it over a
/// restart of the coordinator.
///
/// `attempts` ascend by number; of several with one number the last counts, because an attempt
/// that was given up may still come back. `controls` are in order of being asked for; one comes
/// after the attempts up to its `after_attempt` and before all others.
[[nodiscard]] core::TaskHistory fold_history(std::span<const core::Attempt> attempts,
                                             std::span<const core::Control> controls);

}  // namespace distributo::coordinator::store
