#pragma once

#include "base/result.hpp"

#include <distributo/abi.h>

#include <cstdint>
#include <string>

namespace distributo::runtime {

/// The tasks that a call has emitted, as the JSON array in which they travel with its result.
/// Not thread-safe.
class FollowUps {
public:
    /// Checks and copies one; the error says what is wrong with it, or that there are too many.
    [[nodiscard]] base::Result<void> add(const dto_task_spec& spec);
    /// Empty when there are none.
    [[nodiscard]] std::string take();
    void clear() noexcept;

private:
    std::string array_;  // without the closing bracket
    std::uint32_t count_ = 0;
};

}  // namespace distributo::runtime
