#pragma once

#include <cstddef>
#include <string_view>

namespace distributo::wire {

/// Decodes the character at `at` of a valid UTF-8 text and moves behind it.
inline char32_t next_character(std::string_view text, std::size_t& at) noexcept {
    const auto byte = [&text](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    const unsigned lead = byte(at);
    const unsigned size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t character = size == 1 ? lead : lead & (0xFFU >> (size + 1));
    for (unsigned i = 1; i < size; ++i)
        character = character << 6U | (byte(at + i) & 0x3FU);
    at += size;
    return character;
}

/// How many characters a valid UTF-8 text has.
inline std::size_t count_characters(std::string_view text) noexcept {
    std::size_t count = 0;
    for (const char c : text)
        count += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    return count;
}

}  // namespace distributo::wire
