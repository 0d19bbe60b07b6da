#pragma once

#include "base/clock.hpp"

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace distributo::runtime {

/// What threads of this process have asked the supervisor and wait for. Any thread.
class Questions {
public:
    /// A new question's number, never 0.
    [[nodiscard]] std::uint64_t ask();
    /// Waits for the answer; false when there is nothing, or it has not come within `limit`.
    [[nodiscard]] bool wait(std::uint64_t question, base::Duration limit, std::string& value);
    /// An answer to a question that nobody waits for any more is dropped.
    void answer(std::uint64_t question, bool found, std::string_view value);

private:
    struct Answer {
        bool here = false;
        bool found = false;
        std::string value;
    };

    std::mutex mutex_;  // of the following
    std::condition_variable answered_;
    std::unordered_map<std::uint64_t, Answer> open_;
    std::uint64_t last_ = 0;
};

}  // namespace distributo::runtime
