#include "axis.hpp"

#include <distributo/plugin.hpp>

#include <algorithm>
#include <charconv>
#include <optional>

namespace range {
namespace {

using distributo::permanent;
using distributo::RawJson;

/// Enough for any step that somebody writes, and far from overflow.
constexpr unsigned most_digits = 15;

struct Numbers {
    RawJson from, to;
    std::optional<RawJson> step;
};
BOOST_DESCRIBE_STRUCT(Numbers, (), (from, to, step))

/// A decimal number: value · 10^-digits.
struct Decimal {
    std::int64_t value = 0;
    unsigned digits = 0;
};

Decimal decimal_of(std::string_view text, const std::string& place) {
    Decimal number;
    std::string plain(text);
    const auto point = plain.find('.');
    if (point != std::string::npos) {
        plain.erase(point, 1);
        number.digits = static_cast<unsigned>(plain.size() - point);
    }
    const auto [end, error] =
        std::from_chars(plain.data(), plain.data() + plain.size(), number.value);
    if (error != std::errc() || end != plain.data() + plain.size() || number.digits > most_digits) {
        throw permanent(place + ": expected a decimal number without exponent, got " +
                        std::string(text));
    }
    return number;
}

std::int64_t scaled(const Decimal& number, unsigned digits, const std::string& place) {
    std::int64_t value = number.value;
    for (unsigned i = number.digits; i < digits; ++i) {
        if (__builtin_mul_overflow(value, 10, &value)) {
            throw permanent(place + ": has too many digits");
        }
    }
    return value;
}

}  // namespace

Axis::Axis(std::string_view json, const std::string& place) {
    const auto first = json.find_first_not_of(" \t\r\n");
    if (first != json.npos && json[first] == '[') {
        read_list(json, place);
    } else {
        read_numbers(json, place);
    }
}

void Axis::read_list(std::string_view json, const std::string& place) {
    for (auto& value : distributo::detail::decode_text<std::vector<RawJson>>(json, place)) {
        values_.push_back(std::move(value.text));
    }
    size_ = values_.size();
    if (size_ == 0) {
        throw permanent(place + ": the list is empty, so there is no combination at all");
    }
}

void Axis::read_numbers(std::string_view json, const std::string& place) {
    const auto given = distributo::detail::decode_text<Numbers>(json, place);
    const Decimal from = decimal_of(given.from.text, place + ".from");
    const Decimal to = decimal_of(given.to.text, place + ".to");
    const Decimal step =
        decimal_of(given.step ? std::string_view(given.step->text) : "1", place + ".step");
    digits_ = std::max({from.digits, to.digits, step.digits});
    from_ = scaled(from, digits_, place + ".from");
    step_ = scaled(step, digits_, place + ".step");
    const std::int64_t last = scaled(to, digits_, place + ".to");
    std::int64_t distance = 0;
    if (step_ == 0 || __builtin_sub_overflow(last, from_, &distance) ||
        (distance != 0 && (distance < 0) != (step_ < 0))) {
        throw permanent(place + ": step never leads from " + given.from.text + " to " +
                        given.to.text);
    }
    size_ = static_cast<std::uint64_t>(distance / step_) + 1;
}

std::string Axis::at(std::uint64_t index) const {
    if (!values_.empty()) {
        return values_[index];
    }
    const std::int64_t value = from_ + step_ * static_cast<std::int64_t>(index);
    std::string digits = std::to_string(value < 0 ? -value : value);
    std::string text = value < 0 ? "-" : "";
    if (digits.size() <= digits_) {
        digits = std::string(digits_ + 1 - digits.size(), '0').append(digits);
    }
    text.append(digits, 0, digits.size() - digits_);
    const std::string_view fraction = std::string_view(digits).substr(digits.size() - digits_);
    if (const auto last = fraction.find_last_not_of('0'); last != fraction.npos) {
        text.append(".").append(fraction.substr(0, last + 1));
    }
    return text;
}

}  // namespace range
