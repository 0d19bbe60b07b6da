#pragma once

#include "net/http_message.hpp"

#include <string>
#include <string_view>

namespace distributo::net {

/// Why a request is refused before it reaches the handler.
struct Refusal {
    unsigned status = 400;
    std::string_view code;  ///< for programs: "wrong_host"; a literal
    std::string detail;     ///< what was expected, what came
    std::string hint;       ///< what to try next
};

/// The refusal as RFC 9457 application/problem+json.
[[nodiscard]] Response to_response(const Refusal& refusal);

/// Text of a client's making, fit for an error: cut, quoted.
[[nodiscard]] std::string quoted(std::string_view text);

}  // namespace distributo::net
