#pragma once

#include <cstddef>
#include <string_view>

namespace distributo::runtime {

/// At most `size` bytes of `text`, not ending inside a character.
[[nodiscard]] inline std::string_view cut_utf8(std::string_view text, std::size_t size) noexcept {
    if (text.size() <= size)
        return text;
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U)
        --size;
    return text.substr(0, size);
}

}  // namespace distributo::runtime
