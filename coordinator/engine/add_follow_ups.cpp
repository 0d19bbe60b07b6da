#include "base/log.hpp"
#include "coordinator/engine/engine_impl.hpp"

#include <utility>

namespace distributo::coordinator::engine {

void Engine::Impl::note(TaskId task, std::uint32_t attempt, std::string_view line) {
    log_book.append(task, attempt, "plugin", std::string(line) + '\n', clock.now(), clock.wall());
}

std::string Engine::Impl::fault_of(const FollowUp& task) {
    if (!task.fault.empty())
        return "follow-up task: " + task.fault;
    const wire::Capability* const offer = scheduler->capability(
        task.type, task.options ? std::string_view(task.options->version_range) : "");
    const auto schema = offer ? schemas.compiled(offer->payload_schema) : std::nullopt;
    if (!schema)
        return {};
    const auto violations = schema->check(task.payload.view());
    if (violations.empty())
        return {};
    return "follow-up task: payload" + violations.front().pointer + ": " +
           violations.front().message;
}

void Engine::Impl::add_follow_ups(TaskId parent, std::uint32_t attempt, std::string_view emitted) {
    Group group;
    for (auto& task : read_follow_ups(emitted)) {
        const auto type = task.type.empty() ? std::string_view() : intern(task.type);
        if (type.empty()) {
            note(parent,
                 attempt,
                 "a follow-up task is lost: " +
                     (task.fault.empty() ? "too many different task types" : task.fault));
            continue;
        }
        auto fault = fault_of(task);
        const auto id = board(type, std::move(task.payload), std::move(task.options), parent);
        group.answers.push_back({Submitted::Kind::created, false, id});
        if (fault.empty())
            continue;
        boarding.stillborn.push_back(boarding.tasks.size() - 1);
        core::Outcome outcome;
        outcome.id = id;
        outcome.state = wire::TaskState::failed;
        outcome.reason = wire::FailReason::permanent;
        outcome.attempt.message = std::move(fault);
        outcome.attempt.finished = moment.wall;
        boarding.ended.push_back(id);
        open.outcomes.push_back(std::move(outcome));
    }
    group.done = [this, parent, attempt](base::Result<std::vector<Submitted>> stored) {
        if (!stored)
            return;  // nor was the outcome
        for (const auto& one : *stored)
            if (one.kind != Submitted::Kind::created)
                note(parent,
                     attempt,
                     "a follow-up task was there already: " + base::NumberText(one.id).str());
    };
    boarding.groups.push_back(std::move(group));
}

}  // namespace distributo::coordinator::engine
