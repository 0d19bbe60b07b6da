#pragma once

#include "base/bytes.hpp"
#include "coordinator/core/task.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::coordinator::engine {

/// One task that another one has emitted.
struct FollowUp {
    std::string type;  ///< empty: it is no task at all, see `fault`
    base::Bytes payload;
    std::shared_ptr<const core::TaskOptions> options;
    std::string fault;  ///< why it cannot be run; empty: nothing is wrong with its form
};

/// Reads the `emitted` array of a result item. What is wrong with an element becomes its fault:
/// the task that emitted it has succeeded, so there is nobody to refuse it to.
[[nodiscard]] std::vector<FollowUp> read_follow_ups(std::string_view array);

/// The id of the one task that is accepted for this key.
[[nodiscard]] std::string dedupe_id(std::string_view key);

}  // namespace distributo::coordinator::engine
