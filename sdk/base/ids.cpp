#include "base/ids.hpp"

#include <algorithm>
#include <array>
#include <random>

namespace distributo::base {
namespace {

constexpr std::string_view digits = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::size_t max_digits = 13;  // 13 * 5 bits hold any 63-bit number

}  // namespace

NumberText::NumberText(std::uint64_t number) noexcept {
    std::array<char, max_digits> reversed{};
    std::size_t count = 0;
    do {
        reversed[count++] = digits[number & 31U];
        number >>= 5U;
    } while (number != 0);
    text_[0] = static_cast<char>('a' + count - 1);
    std::reverse_copy(reversed.begin(), reversed.begin() + count, text_ + 1);
    size_ = static_cast<std::uint8_t>(count + 1);
}

std::optional<std::uint64_t> parse_number_text(std::string_view text) noexcept {
    if (text.size() < 2 || text.size() > max_digits + 1 ||
        text[0] != static_cast<char>('a' + text.size() - 2))
        return std::nullopt;
    if (text[1] == '0' && text.size() > 2)
        return std::nullopt;
    std::uint64_t number = 0;
    for (const char c : text.substr(1)) {
        const auto digit = digits.find(c);
        if (digit == std::string_view::npos || number >> 58U != 0)
            return std::nullopt;
        number = number << 5U | digit;
    }
    return number;
}

std::string random_hex(std::size_t bytes) {
    constexpr std::string_view hex = "0123456789abcdef";
    std::random_device device;
    std::string text;
    for (std::size_t i = 0; i < bytes; ++i) {
        const auto value = device();
        text += hex[value & 15U];
        text += hex[value >> 4U & 15U];
    }
    return text;
}

}  // namespace distributo::base
