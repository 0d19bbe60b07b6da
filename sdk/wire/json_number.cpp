#include "wire/json_number.hpp"

#include <algorithm>
#include <charconv>

namespace distributo::wire::json {
namespace {

__extension__ using Wide = unsigned __int128;

std::int64_t parse_exponent(std::string_view text) noexcept {
    constexpr std::int64_t far = std::int64_t{1} << 60U;
    if (text.starts_with('+'))
        text.remove_prefix(1);
    std::int64_t exponent = 0;
    const auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), exponent);
    if (failure != std::errc())
        return text.starts_with('-') ? -far : far;
    return std::clamp(exponent, -far, far);
}

std::uint64_t multiply(std::uint64_t a, std::uint64_t b, std::uint64_t modulus) noexcept {
    return static_cast<std::uint64_t>(Wide{a} * b % modulus);
}

std::strong_ordering compare_magnitude(const Decimal& a, const Decimal& b) noexcept {
    if (a.is_zero() || b.is_zero())
        return !a.is_zero() <=> !b.is_zero();
    if (a.exponent != b.exponent)
        return a.exponent <=> b.exponent;
    return a.digits.compare(b.digits) <=> 0;
}

}  // namespace

Decimal Decimal::of(std::string_view text) {
    Decimal result;
    result.negative = text.starts_with('-');
    if (result.negative)
        text.remove_prefix(1);
    const auto e = text.find_first_of("eE");
    if (e != std::string_view::npos)
        result.exponent = parse_exponent(text.substr(e + 1));
    const auto mantissa = text.substr(0, e);
    const auto point = std::min(mantissa.find('.'), mantissa.size());
    result.digits = mantissa.substr(0, point);
    if (point < mantissa.size())
        result.digits += mantissa.substr(point + 1);
    const auto leading = std::min(result.digits.find_first_not_of('0'), result.digits.size());
    result.digits.erase(0, leading);
    result.digits.erase(result.digits.find_last_not_of('0') + 1);
    if (result.digits.empty())
        return {};
    result.exponent += static_cast<std::int64_t>(point) - static_cast<std::int64_t>(leading);
    return result;
}

bool Decimal::is_multiple_of(const Decimal& divisor) const noexcept {
    if (is_zero())
        return true;
    // As integers X·10^x and D·10^d. X does not end in zero, so it takes x ≥ d to divide evenly.
    const std::int64_t shift =
        exponent - static_cast<std::int64_t>(digits.size()) -
        (divisor.exponent - static_cast<std::int64_t>(divisor.digits.size()));
    if (shift < 0)
        return false;
    std::uint64_t modulus = 0;
    for (const char c : divisor.digits)
        modulus = modulus * 10 + static_cast<std::uint64_t>(c - '0');
    std::uint64_t rest = 0;
    for (const char c : digits)
        rest = static_cast<std::uint64_t>((Wide{rest} * 10 + static_cast<unsigned>(c - '0')) %
                                          modulus);
    std::uint64_t power = 10 % modulus;
    for (auto left = static_cast<std::uint64_t>(shift); left != 0; left >>= 1U) {
        if ((left & 1U) != 0)
            rest = multiply(rest, power, modulus);
        power = multiply(power, power, modulus);
    }
    return rest == 0;
}

std::strong_ordering operator<=>(const Decimal& a, const Decimal& b) noexcept {
    if (a.negative != b.negative)
        return b.negative <=> a.negative;
    return a.negative ? compare_magnitude(b, a) : compare_magnitude(a, b);
}

}  // namespace distributo::wire::json
