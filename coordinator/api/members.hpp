#pragma once

#include "base/clock.hpp"
#include "coordinator/api/problem.hpp"
#include "wire/json.hpp"
#include "wire/messages.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Reading the members of a request's JSON objects; every refusal names the member.
namespace distributo::coordinator::api {

/// A member of a JSON object, as views into its text.
struct Member {
    std::string_view key;  ///< escapes are not decoded: no name that we know needs one
    wire::json::Value value;
};

/// Replaces `members` by those of the object that `text` consists of. Refuses duplicate keys.
[[nodiscard]] Checked<> read_object(std::string_view text, std::vector<Member>& members);

/// 400 that points at one member: `pointer` "/priority", `detail` "expected integer, got string".
[[nodiscard]] Problem invalid_member(std::string pointer, std::string detail);
/// The same for a value of the wrong kind.
[[nodiscard]] Problem wrong_kind(std::string pointer,
                                 std::string_view expected,
                                 const wire::json::Value& value);

/// What is wrong with an id, group or type; empty when nothing is. Names are 1 to `max` bytes of
/// UTF-8 without '/' and control characters, and not "." or "..": they become parts of a path.
[[nodiscard]] std::string name_fault(std::string_view name, std::size_t max);

// Each of these reads one value of the named kind; `pointer` is for the refusal.
[[nodiscard]] Checked<std::string> read_text(const std::string& pointer,
                                             const wire::json::Value& value,
                                             std::size_t max_bytes);
[[nodiscard]] Checked<std::string> read_name(const std::string& pointer,
                                             const wire::json::Value& value,
                                             std::size_t max_bytes);
[[nodiscard]] Checked<std::int64_t> read_integer(const std::string& pointer,
                                                 const wire::json::Value& value,
                                                 std::int64_t min,
                                                 std::int64_t max);
/// "30s" → milliseconds; more than zero.
[[nodiscard]] Checked<std::int64_t> read_duration(const std::string& pointer,
                                                  const wire::json::Value& value);
[[nodiscard]] Checked<base::WallTime> read_time(const std::string& pointer,
                                                const wire::json::Value& value);
[[nodiscard]] Checked<std::vector<std::string>> read_texts(const std::string& pointer,
                                                           const wire::json::Value& value);
/// The body {"reason":"why"}; "held by hand" when there is none.
[[nodiscard]] Checked<std::string> read_reason(std::string_view body);
/// An object of strings, at most `max_count`, keys of at most limits::label_length bytes.
[[nodiscard]] Checked<wire::Labels> read_labels(const std::string& pointer,
                                                const wire::json::Value& value,
                                                std::size_t max_count,
                                                std::size_t max_bytes);

}  // namespace distributo::coordinator::api
