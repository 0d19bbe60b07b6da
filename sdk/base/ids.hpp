#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace distributo::base {

/// Text form of a rising number: one letter for the count of digits ('a' = 1 … 'm' = 13), then the
/// digits in Crockford's base 32, lower case. Short, typeable, and it sorts like the number:
/// 1 → "a1", 1000 → "bz8", 1000000 → "dygj0".
class NumberText {
public:
    explicit NumberText(std::uint64_t number) noexcept;
    [[nodiscard]] std::string_view view() const noexcept { return {text_, size_}; }
    [[nodiscard]] std::string str() const { return std::string(view()); }

private:
    char text_[14];
    std::uint8_t size_ = 0;
};

/// The number behind a text of that form; nothing for any other text.
[[nodiscard]] std::optional<std::uint64_t> parse_number_text(std::string_view text) noexcept;

/// `bytes` random bytes of the operating system as lower-case hexadecimal. Any thread.
[[nodiscard]] std::string random_hex(std::size_t bytes);

}  // namespace distributo::base
