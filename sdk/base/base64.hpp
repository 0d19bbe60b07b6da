#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace distributo::base {

/// RFC 4648 with + and /, padded.
[[nodiscard]] std::string base64(std::string_view bytes);

/// The bytes of such a text; nothing for any other, white space included.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

}  // namespace distributo::base
