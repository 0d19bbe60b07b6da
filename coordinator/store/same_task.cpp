#include "coordinator/store/same_task.hpp"

namespace distributo::coordinator::store {

bool same_options(const core::TaskOptions& a, const core::TaskOptions& b) {
    return a.given_id == b.given_id && a.project == b.project && a.group == b.group &&
           a.unique_key == b.unique_key && a.labels == b.labels &&
           a.version_range == b.version_range && a.requires_labels == b.requires_labels &&
           a.requires_confinement == b.requires_confinement &&
           a.install.view() == b.install.view() && a.args == b.args && a.env == b.env &&
           a.not_before.has_value() == b.not_before.has_value() &&
           a.deadline.has_value() == b.deadline.has_value() && a.timeout_ms == b.timeout_ms &&
           a.priority == b.priority && a.max_attempts == b.max_attempts;
}

}  // namespace distributo::coordinator::store
