#pragma once

#include "base/bytes.hpp"
#include "coordinator/core/task.hpp"
#include "wire/limits.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::coordinator::engine {

/// One task that another one, or a generator, has emitted.
struct FollowUp {
    std::string type;  ///< empty: it is no task at all, see `fault`
    base::Bytes payload;
    std::shared_ptr<const core::TaskOptions> options;  ///< null: defaults
    std::string fault;  ///< why it cannot be run; empty: nothing is wrong with its form
};

struct FollowUpRules {
    std::size_t most = wire::limits::emitted_count;  ///< the rest is left out
    std::string group{};                             ///< of those that name none
};

/// Reads the `emitted` array of a result item, or what a generator made. What is wrong with an
/// element becomes its fault: the call that emitted it has succeeded, so there is nobody to refuse
/// it to. Those with nothing but a type and a payload share their options.
[[nodiscard]] std::vector<FollowUp> read_follow_ups(std::string_view array,
                                                    const FollowUpRules& rules = {});

/// The id of the one task that is accepted for this key.
[[nodiscard]] std::string dedupe_id(std::string_view key);

}  // namespace distributo::coordinator::engine
