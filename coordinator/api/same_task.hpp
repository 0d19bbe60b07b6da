#pragma once

#include "coordinator/engine/engine.hpp"

namespace distributo::coordinator::api {

/// Is one the repeat of the other: the same type, payload and options? Of not_before and deadline
/// only the presence counts, because they may come from durations that start anew with each
/// request.
[[nodiscard]] bool same_task(const engine::Submit& left, const engine::Submit& right);

}  // namespace distributo::coordinator::api
