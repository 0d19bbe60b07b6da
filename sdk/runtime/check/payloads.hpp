#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace distributo::runtime::check {

/// JSON texts to try a task type with, made from its payload schema.
struct Payloads {
    std::vector<std::string> valid;    ///< at the limits that the schema sets; the plainest first
    std::vector<std::string> invalid;  ///< that the schema refuses, or that are not JSON
};

/// `schema`: not empty. `example`: a payload that is known to be valid, or empty; it stands in
/// where a value cannot be made up (patterns). At most a few dozen of each.
[[nodiscard]] base::Result<Payloads> make_payloads(std::string_view schema,
                                                   std::string_view example);

}  // namespace distributo::runtime::check
