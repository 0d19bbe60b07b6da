#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace distributo::wire {

/// Number of a task, rising, never reused, unique for one store. 0 is no task.
using TaskId = std::uint64_t;

/// A host's only proof that it may report on a task: the coordinator's boot term and a counter
/// that rises with every assignment. `slot` is where the coordinator keeps the task, so that a
/// report is found without a search; it proves nothing.
/// Hosts treat the text form as opaque and echo it.
struct Token {
    std::uint32_t term = 0;
    std::uint32_t slot = 0;
    std::uint64_t counter = 0;

    friend bool operator==(const Token&, const Token&) = default;
};

/// Appends "<term>-<counter>-<slot>" in decimal.
void append_token(std::string& out, const Token& token);
[[nodiscard]] std::optional<Token> parse_token(std::string_view text) noexcept;

}  // namespace distributo::wire
