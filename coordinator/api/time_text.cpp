#include "coordinator/api/time_text.hpp"

#include <chrono>

namespace distributo::coordinator::api {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

void append_digits(std::string& out, std::int64_t value, int width) {
    char digits[20];
    for (int i = width; i-- > 0; value /= 10)
        digits[i] = static_cast<char>('0' + value % 10);
    out.append(digits, static_cast<std::size_t>(width));
}

/// Takes exactly `width` digits from the front; -1 when they are not there.
int take_digits(std::string_view& text, std::size_t width) {
    if (text.size() < width)
        return -1;
    int value = 0;
    for (std::size_t i = 0; i < width; ++i) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    text.remove_prefix(width);
    return value;
}

bool take(std::string_view& text, std::string_view any_of) {
    if (text.empty() || any_of.find(text[0]) == std::string_view::npos)
        return false;
    text.remove_prefix(1);
    return true;
}

/// The fraction of a second in milliseconds, further digits cut; -1 when malformed.
int take_fraction(std::string_view& text) {
    if (!take(text, "."))
        return 0;
    int value = 0;
    std::size_t count = 0;
    for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; text.remove_prefix(1), ++count)
        if (count < 3)
            value = value * 10 + (text[0] - '0');
    if (count == 0 || count > 9)
        return -1;
    for (; count < 3; ++count)
        value *= 10;
    return value;
}

/// The rest of a time: "Z" or "+hh:mm".
std::optional<minutes> take_offset(std::string_view text) {
    if (text == "Z" || text == "z")
        return minutes(0);
    if (text.size() != 6)
        return std::nullopt;
    const int sign = text[0] == '-' ? -1 : 1;
    if (!take(text, "+-"))
        return std::nullopt;
    const int hour = take_digits(text, 2);
    if (!take(text, ":"))
        return std::nullopt;
    const int minute = take_digits(text, 2);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59)
        return std::nullopt;
    return minutes(sign * (hour * 60 + minute));
}

}  // namespace

void append_time(std::string& out, base::WallTime time) {
    const auto day = floor<days>(time);
    const std::chrono::year_month_day date(day);
    std::int64_t rest = (time - day).count();
    append_digits(out, static_cast<int>(date.year()), 4);
    out += '-';
    append_digits(out, static_cast<unsigned>(date.month()), 2);
    out += '-';
    append_digits(out, static_cast<unsigned>(date.day()), 2);
    out += 'T';
    append_digits(out, rest / 3'600'000, 2);
    rest %= 3'600'000;
    out += ':';
    append_digits(out, rest / 60'000, 2);
    rest %= 60'000;
    out += ':';
    append_digits(out, rest / 1000, 2);
    out += '.';
    append_digits(out, rest % 1000, 3);
    out += 'Z';
}

std::optional<base::WallTime> parse_time(std::string_view text) noexcept {
    const int year = take_digits(text, 4);
    const bool dash = take(text, "-");
    const int month = take_digits(text, 2);
    const bool second_dash = take(text, "-");
    const int day = take_digits(text, 2);
    const bool separated = take(text, "Tt ");
    const int hour = take_digits(text, 2);
    const bool colon = take(text, ":");
    const int minute = take_digits(text, 2);
    const bool second_colon = take(text, ":");
    const int second = take_digits(text, 2);
    const int fraction = take_fraction(text);
    const auto offset = take_offset(text);
    if (year < 0 || !dash || month < 0 || !second_dash || day < 0 || !separated || hour < 0 ||
        hour > 23 || !colon || minute < 0 || minute > 59 || !second_colon || second < 0 ||
        second > 60 || fraction < 0 || !offset)
        return std::nullopt;
    const std::chrono::year_month_day date(std::chrono::year{year},
                                           std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)});
    if (!date.ok())
        return std::nullopt;
    return std::chrono::sys_days(date) + std::chrono::hours(hour) + minutes(minute) +
           seconds(second) + milliseconds(fraction) - *offset;
}

std::string time_text(base::WallTime time) {
    std::string text;
    append_time(text, time);
    return text;
}

double seconds_left(std::int64_t milliseconds, base::Duration passed) noexcept {
    const auto left = std::chrono::milliseconds(milliseconds) - passed;
    return std::max(std::chrono::duration<double>(left).count(), 0.0);
}

}  // namespace distributo::coordinator::api
