#pragma once

#include "coordinator/api/problem.hpp"
#include "coordinator/engine/engine.hpp"

#include <string>
#include <string_view>

namespace distributo::coordinator::api {

/// 409: another task has the id that a client chose.
[[nodiscard]] Problem id_taken(const std::string& id);

/// Why tasks were not stored, and when to try again.
[[nodiscard]] Problem submit_problem(const engine::Engine& engine, const base::Error& error);

/// What the engine said about one task.
[[nodiscard]] Problem task_problem(const base::Error& error, const std::string& id);

/// A text as one segment of a path.
[[nodiscard]] std::string path_escaped(std::string_view text);

}  // namespace distributo::coordinator::api
