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

/// A host's proof to a later boot of the coordinator, which knows no token of the earlier one, that
/// it was given this attempt. Hosts treat the text form as opaque and show it when they come back.
struct Lease {
    TaskId task = 0;  ///< 0: none was given
    std::uint32_t attempt = 0;
    std::uint64_t proof = 0;  ///< a keyed hash of the host and the two above

    friend bool operator==(const Lease&, const Lease&) = default;
};

/// Stands between a token and its lease where both are one text.
inline constexpr char claim_border = '/';

/// Appends "<term>-<counter>-<slot>" in decimal.
void append_token(std::string& out, const Token& token);
[[nodiscard]] std::optional<Token> parse_token(std::string_view text) noexcept;

/// Appends "<task>-<attempt>-<proof>" in decimal.
void append_lease(std::string& out, const Lease& lease);
[[nodiscard]] std::optional<Lease> parse_lease(std::string_view text) noexcept;

}  // namespace distributo::wire
