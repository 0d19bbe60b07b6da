#pragma once

#include "coordinator/core/task.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <unordered_map>
#include <vector>

namespace distributo::coordinator::store {

using core::TaskId;

/// What most tasks never have: attempts beside the one in their outcome, controls, a parent.
struct Past {
    std::vector<core::Attempt> attempts;  ///< ascending, one for each number
    std::vector<core::Control> controls;  ///< in order
    TaskId parent = 0;
    /// Highest of "number of an attempt - term in which it was recorded".
    std::int64_t lead = std::numeric_limits<std::int64_t>::min();

    /// An attempt that was given up may come back: what is recorded last of a number counts.
    void add(core::Attempt attempt);
    void count(std::uint32_t number, std::uint32_t term) noexcept {
        lead = std::max(lead, std::int64_t{number} - term);
    }
};

class PastTable {
public:
    /// Null: nothing of this kind is known of the task.
    [[nodiscard]] const Past* find(TaskId id) const {
        const auto found = pasts_.find(id);
        return found == pasts_.end() ? nullptr : &found->second;
    }
    [[nodiscard]] Past& of(TaskId id) { return pasts_[id]; }
    void forget(TaskId id) {
        if (!pasts_.empty())
            pasts_.erase(id);
    }

private:
    std::unordered_map<TaskId, Past> pasts_;
};

}  // namespace distributo::coordinator::store
