#include "coordinator/api/same_task.hpp"

#include <tuple>

namespace distributo::coordinator::api {
namespace {

auto parts(const core::TaskOptions& options) {
    return std::make_tuple(options.install.view(),
                           options.not_before.has_value(),
                           options.deadline.has_value(),
                           options.timeout_ms,
                           options.priority,
                           options.max_attempts);
}

auto owned_parts(const core::TaskOptions& options) {
    return std::tie(options.given_id,
                    options.project,
                    options.version_range,
                    options.group,
                    options.unique_key,
                    options.labels,
                    options.requires_labels,
                    options.requires_confinement,
                    options.args,
                    options.env);
}

}  // namespace

bool same_task(const engine::Submit& left, const engine::Submit& right) {
    static const core::TaskOptions none;
    const core::TaskOptions& left_options = left.options ? *left.options : none;
    const core::TaskOptions& right_options = right.options ? *right.options : none;
    return left.type == right.type && left.payload.view() == right.payload.view() &&
           parts(left_options) == parts(right_options) &&
           owned_parts(left_options) == owned_parts(right_options);
}

}  // namespace distributo::coordinator::api
