#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace webhook {

/// The value of the header Distributo-Signature:
///
///     t=1764144000,v1=<HMAC-SHA256 of "1764144000." and the body, in hexadecimal digits>
///
/// The time is part of what is signed, so that a receiver can refuse old requests.
[[nodiscard]] std::string signature(std::string_view secret,
                                    std::int64_t unix_seconds,
                                    std::string_view body);

}  // namespace webhook
