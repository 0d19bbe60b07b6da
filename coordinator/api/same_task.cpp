#include "coordinator/api/same_task.hpp"

#include "coordinator/store/same_task.hpp"

namespace distributo::coordinator::api {

bool same_task(const engine::Submit& left, const engine::Submit& right) {
    static const core::TaskOptions none;
    return left.type == right.type && left.payload.view() == right.payload.view() &&
           store::same_options(left.options ? *left.options : none,
                               right.options ? *right.options : none);
}

}  // namespace distributo::coordinator::api
