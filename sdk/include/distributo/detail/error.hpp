#pragma once

#include <distributo/abi.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>

namespace distributo {

/// A failure that says what the host should do next; made by permanent(), retry() and
/// retry_elsewhere(). Any other std::exception that leaves a plugin function counts as retry().
class Failure : public std::runtime_error {
public:
    Failure(dto_status status, const std::string& message)
        : std::runtime_error(message), status_(status) {}

    /// Adds one JSON value for machines.
    Failure detail(std::string json) && {
        detail_ = std::move(json);
        return std::move(*this);
    }
    Failure after(std::chrono::milliseconds wait) && {
        retry_after_ = wait;
        return std::move(*this);
    }

    [[nodiscard]] dto_status status() const noexcept { return status_; }
    [[nodiscard]] const std::string& detail_json() const noexcept { return detail_; }
    [[nodiscard]] std::chrono::milliseconds retry_after() const noexcept { return retry_after_; }

private:
    dto_status status_;
    std::string detail_;
    std::chrono::milliseconds retry_after_{0};
};

/// Thrown by Task::check() and Task::sleep() when the host wants the call to end. Not a
/// std::exception, so that a handler for ordinary errors does not swallow it.
struct Cancelled {};

/// The same input would fail again: the task fails now.
[[nodiscard]] inline Failure permanent(const std::string& message) {
    return Failure(DTO_PERMANENT, message);
}

/// Transient: the task runs again, anywhere, after the host's back-off.
[[nodiscard]] inline Failure retry(const std::string& message) {
    return Failure(DTO_RETRY, message);
}

/// Transient: the task runs again, anywhere, after `wait`.
[[nodiscard]] inline Failure retry(std::chrono::milliseconds wait, const std::string& message) {
    return Failure(DTO_RETRY, message).after(wait);
}

/// This host is unsuitable: the task runs again on another one.
[[nodiscard]] inline Failure retry_elsewhere(const std::string& message) {
    return Failure(DTO_RETRY_ELSEWHERE, message);
}

}  // namespace distributo
