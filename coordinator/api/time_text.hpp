#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace distributo::coordinator::api {

/// Appends "2026-05-04T09:12:33.123Z", the only form in which the API shows a time.
void append_time(std::string& out, base::WallTime time);
[[nodiscard]] std::string time_text(base::WallTime time);

/// RFC 3339 with "Z" or an offset and up to nine digits of a second; nothing for any other text,
/// dates that do not exist included. A leap second counts as the second after it.
[[nodiscard]] std::optional<base::WallTime> parse_time(std::string_view text) noexcept;

/// Seconds of `milliseconds` that are left after `passed`; 0 when nothing is.
[[nodiscard]] double seconds_left(std::int64_t milliseconds, base::Duration passed) noexcept;

}  // namespace distributo::coordinator::api
