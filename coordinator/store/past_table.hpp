#pragma once

#include "coordinator/core/task.hpp"

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace distributo::coordinator::store {

using core::TaskId;

/// What most tasks never have: attempts beside the one in their outcome, controls, a parent.
struct Past {
    std::vector<core::Attempt> attempts;  ///< ascending, one for each number
    std::vector<core::Control> controls;  ///< in order
    TaskId parent = 0;
    std::uint32_t term = 0;  ///< in which the newest attempt was recorded; 0: none was

    /// An attempt that was given up may come back: what is recorded last of a number counts.
    void add(core::Attempt attempt);
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
