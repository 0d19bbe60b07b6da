#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace support {

/// RFC 4648 with padding, without line breaks.
[[nodiscard]] std::string to_base64(std::span<const std::byte> data);

/// Nothing when the text is not exactly what to_base64 makes of some bytes.
[[nodiscard]] std::optional<std::vector<std::byte>> from_base64(std::string_view text);

}  // namespace support
