#pragma once

#include "wire/json.hpp"

#include <string>

namespace distributo::wire::json {

/// One text for all JSON texts of equal meaning: numbers by value, strings by their characters,
/// members in order of their names (of duplicates the last counts). For comparing, not for reading.
[[nodiscard]] std::string canonical(const Value& value);

}  // namespace distributo::wire::json
