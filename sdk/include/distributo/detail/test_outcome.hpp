#pragma once

#include <distributo/detail/host.hpp>
#include <distributo/detail/outcome_view.hpp>

#include <string_view>

namespace distributo::testing::detail {

/// The word for how a task ended, when a test has not said it.
inline std::string_view state_of(const distributo::Outcome& outcome) {
    return !outcome.state.empty()            ? outcome.state
           : outcome.status == DTO_OK        ? "completed"
           : outcome.status == DTO_CANCELLED ? "cancelled"
                                             : "failed";
}

/// An outcome as the plugin gets it; it points to the same texts.
inline dto_result_view view_of(const distributo::Outcome& outcome) {
    using distributo::detail::to_abi;
    dto_result_view view{};
    view.struct_size = sizeof view;
    view.attempt = outcome.attempt;
    view.seq = outcome.sequence;
    view.status = outcome.status;
    view.task_id = to_abi(outcome.task_id);
    view.task_type = to_abi(outcome.task_type);
    view.dedupe_key = to_abi(outcome.dedupe_key);
    view.group = to_abi(outcome.group);
    view.host_id = to_abi(outcome.host_id);
    view.message = to_abi(outcome.message);
    view.media_type = to_abi("application/json");
    view.data = {outcome.result.data(), outcome.result.size()};
    view.state = to_abi(state_of(outcome));
    view.reason = to_abi(outcome.reason);
    view.payload_json = to_abi(outcome.payload);
    view.generator = to_abi(outcome.generator);
    view.host_name = to_abi(outcome.host_name);
    view.created_ms = outcome.created.time_since_epoch().count();
    view.finished_ms = outcome.finished.time_since_epoch().count();
    return view;
}

}  // namespace distributo::testing::detail
