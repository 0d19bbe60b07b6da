#pragma once

#include "base/result.hpp"

#include <string_view>

namespace distributo::wire {

/// What a task wants to be run by: "render", or "render@^1.2". Views into the text that was read.
struct TypeChoice {
    std::string_view type{};
    std::string_view version_range{};  ///< base::VersionRange; empty: any version
};

/// Splits at the first '@' and checks the range, not the name. The error names the place.
[[nodiscard]] base::Result<TypeChoice> parse_type_choice(std::string_view text);

}  // namespace distributo::wire
