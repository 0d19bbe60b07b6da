#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace distributo::wire::json {

/// The exact value of a JSON number: ± 0.<digits> · 10^exponent, without superfluous zeros.
/// Zero has no digits and no sign. Exponents beyond ±2^60 are cut to that.
struct Decimal {
    bool negative = false;
    std::string digits;
    std::int64_t exponent = 0;

    /// `text` is a number that the Reader has checked.
    [[nodiscard]] static Decimal of(std::string_view text);

    [[nodiscard]] bool is_zero() const noexcept { return digits.empty(); }
    [[nodiscard]] bool is_integer() const noexcept {
        return static_cast<std::int64_t>(digits.size()) <= exponent || is_zero();
    }
    /// `divisor` is positive and has at most `max_divisor_digits` digits.
    [[nodiscard]] bool is_multiple_of(const Decimal& divisor) const noexcept;
    static constexpr std::size_t max_divisor_digits = 18;

    friend bool operator==(const Decimal&, const Decimal&) = default;
    friend std::strong_ordering operator<=>(const Decimal& a, const Decimal& b) noexcept;
};

}  // namespace distributo::wire::json
