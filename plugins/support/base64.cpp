#include "base64.hpp"

#include <array>
#include <cstdint>

namespace support {

namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::uint32_t no_digit = 64;

constexpr std::array<std::uint8_t, 256> digits = [] {
    std::array<std::uint8_t, 256> table{};
    table.fill(no_digit);
    for (std::size_t i = 0; i < alphabet.size(); ++i) {
        table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
    }
    return table;
}();

}  // namespace

std::string to_base64(std::span<const std::byte> data) {
    std::string out;
    out.reserve((data.size() + 2) / 3 * 4);
    for (std::size_t at = 0; at < data.size(); at += 3) {
        const std::size_t given = data.size() - at < 3 ? data.size() - at : 3;
        std::uint32_t bits = 0;
        for (std::size_t i = 0; i < 3; ++i) {
            bits = bits << 8 | (i < given ? std::to_integer<std::uint32_t>(data[at + i]) : 0);
        }
        for (std::size_t i = 0; i < 4; ++i) {
            out.push_back(i <= given ? alphabet[bits >> (18 - 6 * i) & 63] : '=');
        }
    }
    return out;
}

std::optional<std::vector<std::byte>> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) {
        return std::nullopt;
    }
    const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
    std::vector<std::byte> out;
    out.reserve(text.size() / 4 * 3);
    for (std::size_t at = 0; at < text.size(); at += 4) {
        const std::size_t pad = at + 4 == text.size() ? padding : 0;
        std::uint32_t bits = 0;
        for (std::size_t i = 0; i < 4; ++i) {
            const std::uint32_t digit =
                i < 4 - pad ? digits[static_cast<unsigned char>(text[at + i])] : 0;
            if (digit == no_digit) {
                return std::nullopt;
            }
            bits = bits << 6 | digit;
        }
        if ((bits & ((1U << 8 * pad) - 1)) != 0) {  // a second spelling of the same bytes
            return std::nullopt;
        }
        for (std::size_t i = 0; i < 3 - pad; ++i) {
            out.push_back(static_cast<std::byte>(bits >> (16 - 8 * i) & 255));
        }
    }
    return out;
}

}  // namespace support
