#include "wire/task_state.hpp"

#include <array>

namespace distributo::wire {
namespace {

constexpr std::array<std::string_view, 10> state_names{"scheduled",
                                                       "pending",
                                                       "running",
                                                       "retrying",
                                                       "held",
                                                       "cancelling",
                                                       "completed",
                                                       "failed",
                                                       "cancelled",
                                                       "expired"};
constexpr std::array<std::string_view, 4> phase_names{"assigned", "setup", "install", "execute"};
constexpr std::array<std::string_view, 7> reason_names{
    "none", "permanent", "attempts_exhausted", "poison", "timeout", "install_failed", "lost"};

template <typename Enum, std::size_t Size>
std::optional<Enum> find(const std::array<std::string_view, Size>& names,
                         std::string_view text) noexcept {
    for (std::size_t i = 0; i < Size; ++i)
        if (names[i] == text)
            return static_cast<Enum>(i);
    return std::nullopt;
}

}  // namespace

std::string_view to_string(TaskState state) noexcept {
    return state_names[static_cast<std::size_t>(state)];
}

std::string_view to_string(Phase phase) noexcept {
    return phase_names[static_cast<std::size_t>(phase)];
}

std::string_view to_string(FailReason reason) noexcept {
    return reason_names[static_cast<std::size_t>(reason)];
}

std::optional<TaskState> parse_task_state(std::string_view text) noexcept {
    return find<TaskState>(state_names, text);
}

std::optional<Phase> parse_phase(std::string_view text) noexcept {
    return find<Phase>(phase_names, text);
}

}  // namespace distributo::wire
