#include "coordinator/extensions/views.hpp"

#include "base/ids.hpp"

#include <distributo/abi.h>

#include <algorithm>

namespace distributo::coordinator::extensions {
namespace {

using wire::FailReason;
using wire::TaskState;

std::int32_t status_of(const core::Outcome& outcome) {
    if (outcome.state == TaskState::completed)
        return DTO_OK;
    if (outcome.state == TaskState::cancelled)
        return DTO_CANCELLED;
    return outcome.reason == FailReason::attempts_exhausted ? DTO_RETRY : DTO_PERMANENT;
}

std::int64_t milliseconds(base::WallTime time) {
    return time.time_since_epoch().count();
}

/// A pattern that ends with * fits what begins like it.
bool fits(const std::vector<std::string>& patterns, std::string_view name) {
    return patterns.empty() || std::ranges::any_of(patterns, [&](std::string_view pattern) {
               if (!pattern.ends_with('*'))
                   return pattern == name;
               pattern.remove_suffix(1);
               return name.starts_with(pattern);
           });
}

}  // namespace

void OutcomeViews::add(const store::TaskRecord& record, const NameOf& generator_name) {
    const auto& task = record.task;
    const auto& outcome = *record.outcome;
    runtime::OutcomeView& view = views_.emplace_back();
    view.sequence = record.sequence;
    view.attempt = outcome.attempt.number;
    view.status = status_of(outcome);
    view.task_type = task.type;
    if (task.options) {
        view.task_id = task.options->given_id;
        view.dedupe_key = task.options->dedupe_key;
        view.group = task.options->group;
    }
    if (view.task_id.empty())
        view.task_id = texts_.emplace_back(base::NumberText(task.id).str());
    if (task.generator != 0)
        view.generator = texts_.emplace_back(generator_name(task.generator));
    view.host_id = outcome.attempt.host_id;
    view.host_name = outcome.attempt.host;
    view.state = wire::to_string(outcome.state);
    if (outcome.state == TaskState::failed)
        view.reason = wire::to_string(outcome.reason);
    view.message = outcome.attempt.message;
    view.payload = task.payload.view();
    view.result = outcome.result.view();
    view.created_ms = milliseconds(task.created);
    view.finished_ms = milliseconds(outcome.attempt.finished);
}

std::span<const runtime::OutcomeView> one_call(std::span<const runtime::OutcomeView> outcomes) {
    std::size_t bytes = 0;
    std::size_t count = 0;
    for (const auto& outcome : outcomes) {
        bytes += outcome.payload.size() + outcome.result.size() + outcome.message.size();
        if (count != 0 && bytes > most_bytes)
            break;
        ++count;
    }
    return outcomes.first(count);
}

std::size_t next_page(std::size_t count, std::size_t bytes, std::size_t most) {
    return bytes == 0 ? most : std::clamp<std::size_t>(count * most_bytes / bytes, 1, most);
}

std::size_t bytes_of(const std::vector<store::TaskRecord>& tasks) {
    std::size_t bytes = 0;
    for (const auto& task : tasks)
        bytes += task.task.payload.size() + task.outcome->result.size();
    return bytes;
}

bool wants(const Filter& filter, const store::TaskRecord& task, std::string_view generator) {
    return fits(filter.types, task.task.type) &&
           fits(filter.groups, task.task.options ? task.task.options->group : std::string_view()) &&
           fits(filter.generators, generator) &&
           fits(filter.states, wire::to_string(task.outcome->state));
}

}  // namespace distributo::coordinator::extensions
