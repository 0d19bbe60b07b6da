#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace crawl {

// What one call may emit: 1 024 tasks and 1 MiB, less what stands around them.
constexpr std::size_t max_follow_ups = 1000;
constexpr std::size_t max_follow_up_bytes = 900'000;

/// The longest name of a crawl; it is the group of its tasks and stands in each dedupe key.
constexpr std::size_t max_name = 64;

/// The same for the same thing in the same crawl, and for nothing else: the dedupe key of a task.
/// At most 1 024 bytes without control characters, however long the address is.
[[nodiscard]] std::string mark_of(std::string_view type,
                                  std::string_view crawl,
                                  std::string_view address);

/// Throws a permanent Failure when the payload's members are out of range.
void require_limits(std::string_view crawl, std::uint32_t depth);

/// A task this deep comes after all that are less deep.
[[nodiscard]] inline std::int32_t priority_of(std::uint32_t depth) {
    return -static_cast<std::int32_t>(depth);
}

/// How many follow-ups still fit into a call.
class Room {
public:
    /// Takes the room of a task whose payload, key and names have this many bytes; false: it is
    /// one too many.
    [[nodiscard]] bool take(std::size_t bytes);

private:
    std::size_t tasks_ = 0;
    std::size_t bytes_ = 0;
};

}  // namespace crawl
