#pragma once

#include "net/http_message.hpp"

#include <string>

namespace distributo::net {

/// Fills `path` and `query` from `target`. Fails with what is wrong with the target; empty when it
/// is a path with well-formed escapes.
[[nodiscard]] std::string decode_target(RequestHead& head);

}  // namespace distributo::net
