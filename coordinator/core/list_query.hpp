#pragma once

#include "base/clock.hpp"
#include "coordinator/core/task.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace distributo::coordinator::core {

/// Which tasks to list, newest id first.
struct ListQuery {
    std::vector<wire::TaskState> states{};         ///< empty: any
    std::string type{}, group{}, host{};           ///< empty: any; host: name, of the last attempt
    std::pair<std::string, std::string> label{};   ///< empty name: any
    ExtensionNumber generator = 0;                 ///< that they come from; 0: any origin
    std::optional<base::WallTime> created_from{};  ///< inclusive
    std::optional<base::WallTime> created_before{};  ///< exclusive
    TaskId before = ~TaskId{0};                      ///< ids below this
    std::size_t limit = 100;                         ///< at least 1

    /// Could a task in this state be listed?
    [[nodiscard]] bool wants(wire::TaskState state) const noexcept;
};

/// Has a task with these options the query's group and label, and was it created in its time?
[[nodiscard]] bool belongs(const ListQuery& query,
                           const TaskOptions* options,
                           base::WallTime created);

/// Live tasks that fit a query.
struct LivePage {
    std::vector<TaskId> ids;  ///< descending
    TaskId next_before = 0;   ///< 0: no more; may be set on a short page, as a call looks at a
                              ///< bounded number of tasks
};

}  // namespace distributo::coordinator::core
