#pragma once

#include <distributo/sink.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace support {

using Time = std::chrono::sys_time<std::chrono::milliseconds>;

/// "2026-11-26T06:42:26.607Z", as the HTTP API writes times; empty for 1970, which means "none".
[[nodiscard]] std::string time_text(Time time);

/// How the sinks that write JSON show an outcome: an object in one line, of the members of the HTTP
/// API's results and some more. `sequence` is always the first; those that say nothing are left
/// out.
class OutcomeJson {
public:
    /// The members that the operator wants; nothing: all. Throws a permanent Failure that begins
    /// with "config.fields" for a name that is none.
    explicit OutcomeJson(const std::optional<std::vector<std::string>>& fields);

    void append(std::string& out, const distributo::Outcome& outcome) const;

private:
    std::vector<std::size_t> members_;  // in the order of the list, which the operator's is not
};

/// What append() begins with: a way to find an outcome's number without reading JSON.
[[nodiscard]] std::string_view sequence_prefix() noexcept;

/// The number that a line of append() begins with; nothing: another program wrote it.
[[nodiscard]] std::optional<std::uint64_t> sequence_of(std::string_view line) noexcept;

}  // namespace support
