#pragma once

#include "base/result.hpp"
#include "wire/limits.hpp"

#include <distributo/abi.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace distributo::runtime {

/// How many tasks may travel together.
struct EmitLimits {
    std::size_t count = wire::limits::emitted_count;
    std::size_t bytes = wire::limits::emitted_bytes;
};

/// The tasks that a call has emitted, as the JSON array in which they travel. Not thread-safe.
class FollowUps {
public:
    /// How much there is.
    struct Mark {
        std::size_t bytes = 0;
        std::uint32_t count = 0;
    };

    explicit FollowUps(EmitLimits limits = {}) : limits_(limits) {}

    /// Checks and copies one; the error says what is wrong with it, or, with Errc::limit, that
    /// there are too many.
    [[nodiscard]] base::Result<void> add(const dto_task_spec& spec);
    [[nodiscard]] std::uint32_t count() const noexcept { return count_; }
    [[nodiscard]] Mark mark() const noexcept { return {array_.size(), count_}; }
    /// Forgets what was added after that.
    void back_to(const Mark& mark);
    /// Empty when there are none.
    [[nodiscard]] std::string take();
    void clear() noexcept;

private:
    EmitLimits limits_;
    std::string array_;  // without the closing bracket
    std::uint32_t count_ = 0;
};

}  // namespace distributo::runtime
