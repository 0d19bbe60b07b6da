#include "wire/json_scan.hpp"

#include <algorithm>
#include <charconv>

namespace distributo::wire::json {
namespace {

void append_utf8(std::string& out, std::uint32_t code) {
    const auto add = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (code < 0x80) {
        add(code);
    } else if (code < 0x800) {
        add(0xC0U | code >> 6U);
        add(0x80U | (code & 0x3FU));
    } else if (code < 0x10000) {
        add(0xE0U | code >> 12U);
        add(0x80U | (code >> 6U & 0x3FU));
        add(0x80U | (code & 0x3FU));
    } else {
        add(0xF0U | code >> 18U);
        add(0x80U | (code >> 12U & 0x3FU));
        add(0x80U | (code >> 6U & 0x3FU));
        add(0x80U | (code & 0x3FU));
    }
}

/// Appends what the escape at `p` (a checked one) stands for and moves behind it.
const char* append_escape(std::string& out, const char* p, const char* end) {
    switch (p[1]) {
        case 'b':
            out += '\b';
            return p + 2;
        case 'f':
            out += '\f';
            return p + 2;
        case 'n':
            out += '\n';
            return p + 2;
        case 'r':
            out += '\r';
            return p + 2;
        case 't':
            out += '\t';
            return p + 2;
        case 'u':
            break;
        default:
            out += p[1];
            return p + 2;
    }
    std::uint32_t code = 0;
    scan::hex4(p + 2, end, code);
    p += 6;
    if (code >= 0xD800 && code <= 0xDBFF) {
        std::uint32_t low = 0;
        scan::hex4(p + 2, end, low);
        code = 0x10000 + ((code - 0xD800) << 10U) + (low - 0xDC00);
        p += 6;
    }
    append_utf8(out, code);
    return p;
}

template <typename Integer>
std::optional<Integer> exact(const Value& value) noexcept {
    if (value.kind != Kind::number)
        return std::nullopt;
    Integer out = 0;
    const char* const end = value.text.data() + value.text.size();
    const auto [stop, failure] = std::from_chars(value.text.data(), end, out);
    if (failure != std::errc() || stop != end)
        return std::nullopt;
    return out;
}

/// Is the absolute value of this number text below one? Tells underflow from overflow.
bool below_one(std::string_view text) noexcept {
    if (text.starts_with('-'))
        text.remove_prefix(1);
    const auto e = text.find_first_of("eE");
    const auto mantissa = text.substr(0, e);
    const auto point = std::min(mantissa.find('.'), mantissa.size());
    const auto leading = mantissa.find_first_not_of("0.");
    if (leading == std::string_view::npos)
        return true;
    // Power of ten of the first digit that is not zero, before the exponent is applied.
    const auto power = leading < point ? static_cast<std::int64_t>(point - leading) - 1
                                       : -static_cast<std::int64_t>(leading - point);
    if (e == std::string_view::npos)
        return power < 0;
    auto exponent_text = text.substr(e + 1);
    if (exponent_text.starts_with('+'))
        exponent_text.remove_prefix(1);
    std::int64_t exponent = 0;
    const auto [stop, failure] = std::from_chars(
        exponent_text.data(), exponent_text.data() + exponent_text.size(), exponent);
    constexpr std::int64_t far = std::int64_t{1} << 60U;  // beyond what any text's length undoes
    if (failure != std::errc())
        return exponent_text.starts_with('-');
    return power + std::clamp(exponent, -far, far) < 0;
}

}  // namespace

std::optional<std::string_view> Value::plain_string() const noexcept {
    if (kind != Kind::string)
        return std::nullopt;
    const std::string_view inner = text.substr(1, text.size() - 2);
    if (inner.find('\\') != std::string_view::npos)
        return std::nullopt;
    return inner;
}

std::optional<std::string> Value::string() const {
    if (kind != Kind::string)
        return std::nullopt;
    const char* p = text.data() + 1;
    const char* const end = text.data() + text.size() - 1;
    std::string out;
    out.reserve(text.size() - 2);
    while (p != end) {
        const std::string_view rest(p, static_cast<std::size_t>(end - p));
        const auto run = std::min(rest.find('\\'), rest.size());
        out.append(p, run);
        p += run;
        if (p != end)
            p = append_escape(out, p, end);
    }
    return out;
}

std::optional<std::int64_t> Value::integer() const noexcept {
    return exact<std::int64_t>(*this);
}

std::optional<std::uint64_t> Value::unsigned_integer() const noexcept {
    return exact<std::uint64_t>(*this);
}

std::optional<double> Value::number() const noexcept {
    if (kind != Kind::number)
        return std::nullopt;
    double out = 0;
    const auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (failure == std::errc())
        return out;
    if (failure == std::errc::result_out_of_range && below_one(text))
        return text.starts_with('-') ? -0.0 : 0.0;
    return std::nullopt;
}

std::optional<bool> Value::boolean() const noexcept {
    if (kind != Kind::boolean)
        return std::nullopt;
    return text == "true";
}

}  // namespace distributo::wire::json
