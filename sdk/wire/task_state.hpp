#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace distributo::wire {

/// The states of a task as people and the API see them.
enum class TaskState : std::uint8_t {
    scheduled,   ///< `not_before` lies in the future
    pending,     ///< may be leased now
    running,     ///< one host holds the current lease
    retrying,    ///< failed with budget left, waits for its backoff
    held,        ///< parked by a person or a policy, with a reason
    cancelling,  ///< cancel was asked while running
    completed,   ///< terminal: the result is recorded
    failed,      ///< terminal, with a FailReason
    cancelled,   ///< terminal
    expired,     ///< terminal: the deadline passed first
};

/// Where a running task is on its host. `assigned` until the host reports more.
enum class Phase : std::uint8_t { assigned, setup, install, execute };

/// Why a failed task will not be tried again.
enum class FailReason : std::uint8_t {
    none,
    permanent,
    attempts_exhausted,
    poison,
    timeout,
    install_failed,
    lost,
};

[[nodiscard]] constexpr bool is_terminal(TaskState state) noexcept {
    return state >= TaskState::completed;
}

[[nodiscard]] std::string_view to_string(TaskState state) noexcept;
[[nodiscard]] std::string_view to_string(Phase phase) noexcept;
[[nodiscard]] std::string_view to_string(FailReason reason) noexcept;
[[nodiscard]] std::optional<TaskState> parse_task_state(std::string_view text) noexcept;
[[nodiscard]] std::optional<Phase> parse_phase(std::string_view text) noexcept;

}  // namespace distributo::wire
