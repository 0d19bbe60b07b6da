#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace distributo::runtime {

/// Where a plugin's code runs; a later one isolates more.
enum class Isolation : std::uint8_t {
    inproc,   ///< inside the host, for trusted plugins; never unloaded
    process,  ///< a child process per plugin version, or several: a crash ends only that
    task,     ///< a child process per task, set up before the task comes
};

struct IsolationName {
    Isolation isolation;
    std::string_view name;
};
/// As flags, configuration files, the protocol and the API say it.
inline constexpr IsolationName isolation_names[] = {
    {Isolation::inproc, "inproc"}, {Isolation::process, "process"}, {Isolation::task, "task"}};

[[nodiscard]] constexpr std::string_view to_string(Isolation isolation) noexcept {
    for (const auto& known : isolation_names)
        if (known.isolation == isolation)
            return known.name;
    return {};
}

[[nodiscard]] constexpr std::optional<Isolation> parse_isolation(std::string_view name) noexcept {
    for (const auto& known : isolation_names)
        if (known.name == name)
            return known.isolation;
    return std::nullopt;
}

}  // namespace distributo::runtime
