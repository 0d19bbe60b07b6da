#include "base/log.hpp"
#include "coordinator/engine/engine_impl.hpp"

#include <utility>

namespace distributo::coordinator::engine {

void Engine::Impl::note(TaskId task, std::uint32_t attempt, std::string_view line) {
    log_book.append(task, attempt, "plugin", std::string(line) + '\n', clock.now(), clock.wall());
}

std::string Engine::Impl::fault_of(const FollowUp& task) {
    if (!task.fault.empty())
        return task.fault;
    const wire::Capability* const offer = scheduler->capability(
        task.type, task.options ? std::string_view(task.options->version_range) : "");
    const auto schema = offer ? schemas.compiled(offer->payload_schema) : std::nullopt;
    if (!schema)
        return {};
    const auto violations = schema->check(task.payload.view());
    if (violations.empty())
        return {};
    return "payload" + violations.front().pointer + ": " + violations.front().message;
}

void Engine::Impl::end_stillborn(TaskId id, std::string fault) {
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

Engine::Impl::Boarded Engine::Impl::board_all(std::vector<FollowUp> tasks, const Origin& origin) {
    Boarded boarded;
    boarded.answers.reserve(tasks.size());
    const std::string whose = origin.parent != 0 ? "follow-up task: " : "task of a generator: ";
    for (auto& task : tasks) {
        const auto type = task.type.empty() ? std::string_view() : intern(task.type);
        if (type.empty()) {
            boarded.lost.push_back(task.fault.empty() ? "too many different task types"
                                                      : std::move(task.fault));
            continue;
        }
        auto fault = fault_of(task);
        const auto id = board(type, std::move(task.payload), std::move(task.options), origin);
        boarded.answers.push_back({Submitted::Kind::created, false, id});
        if (fault.empty())
            continue;
        fault.insert(0, whose);
        if (boarded.faulty++ == 0)
            boarded.fault = fault;
        end_stillborn(id, std::move(fault));
    }
    return boarded;
}

void Engine::Impl::add_follow_ups(TaskId parent, std::uint32_t attempt, std::string_view emitted) {
    core::TaskView view;
    const bool known = scheduler->find(parent, moment.now, view);
    auto boarded = board_all(read_follow_ups(emitted), {parent, known ? view.generator : 0});
    for (const auto& why : boarded.lost)
        note(parent, attempt, "a follow-up task is lost: " + why);
    Group group;
    group.answers = std::move(boarded.answers);
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
