#include "host/phase_machine.hpp"

#include <algorithm>
#include <utility>

namespace distributo::host {
namespace {

using base::TimePoint;
using wire::AttemptStatus;
using wire::Phase;

/// Capacity of one slot. Tasks that are sent in batches cost a part of it each.
constexpr std::uint32_t slot_cost = 1U << 20U;
/// What install gets when the task has no `install` object.
constexpr const char* no_spec = "{}";

}  // namespace

PhaseMachine::PhaseMachine(PhaseSettings settings, PhaseActions& actions)
    : settings_(std::move(settings)),
      actions_(actions),
      capacity_(std::uint64_t{std::max(settings_.slots, 1U)} * slot_cost) {}

// ---- what the coordinator asks ---------------------------------------------------------------

void PhaseMachine::assign(const wire::AssignItem& item, TimePoint now) {
    const auto index = choose(item.type, item.version);
    if (index == no_slot || closed_) {
        Outcome outcome;
        outcome.token = item.token;
        outcome.lease = item.lease;
        outcome.status = AttemptStatus::interrupted;
        outcome.message = closed_
                              ? "this host takes no more tasks"
                              : "this host does not offer " + std::string(item.type) + " any more";
        actions_.finish(std::move(outcome));
        return;
    }
    const auto slot = tasks_.create();
    Task& task = tasks_[slot];
    task.token = item.token;
    task.lease = item.lease;
    task.id.assign(item.id);
    task.payload.assign(item.payload);
    task.install.assign(item.install);
    task.version_range.assign(item.version);
    task.type = index;
    if (item.version.empty())
        last_type_ = index;
    task.attempt = item.attempt;
    task.timeout_ms = item.timeout_ms;
    task.alone = item.alone;
    if (item.deadline_ms > 0)
        task.deadline = now + std::chrono::milliseconds(item.deadline_ms);
    task.since = now;
    auto& type = types_[index];
    ++type.users;
    task.stage = Stage::queued;
    type.queue.push_back(tasks_, slot);
}

void PhaseMachine::cancel(const wire::Token& token, TimePoint now) {
    const auto slot = tasks_.slot_of(token);
    if (slot != no_slot)  // else its result is already on its way
        cancel_slot(slot, now);
}

void PhaseMachine::disown_all(TimePoint now) {
    for (std::uint32_t slot = 0; slot < tasks_.slots(); ++slot) {
        Task& task = tasks_[slot];
        if (task.stage == Stage::free || std::exchange(task.disowned, true))
            continue;
        cancel_slot(slot, now);
    }
}

void PhaseMachine::cancel_slot(std::uint32_t slot, TimePoint now) {
    Task& task = tasks_[slot];
    task.cancelled = true;
    switch (task.stage) {
        case Stage::queued:
            types_[task.type].queue.remove(tasks_, slot);
            break;
        case Stage::blocked:
            std::erase(installs_[task.install_entry].waiting, slot);
            break;
        default:
            actions_.cancel_call(task.plugin, tasks_.call_id(slot));
            return;
    }
    finish(slot, AttemptStatus::cancelled, "cancelled before it started", now);
}

// ---- starting --------------------------------------------------------------------------------

void PhaseMachine::dispatch(TimePoint now) {
    // Another type begins each time, so that a flood of one cannot starve the rest.
    const auto count = types_.size();
    for (std::size_t i = 0; i < count; ++i)
        dispatch_type(types_[(turn_ + i) % count], now);
    if (count != 0)
        turn_ = (turn_ + 1) % count;
}

/// Room for a whole batch, or a process that has nothing to do: a batch that is handed over in
/// parts would arrive in parts.
bool PhaseMachine::has_room(const Type& type, std::uint32_t most) noexcept {
    return type.running == 0 || type.running + type.info.max_batch <= most;
}

void PhaseMachine::dispatch_type(Type& type, TimePoint now) {
    if (type.queue.empty() || type.route == 0 || (used_ >= capacity_ && !type.info.async))
        return;
    const auto most = window(type);
    // Calls that hold no thread take nothing from those that do; their own limit bounds them.
    const auto usual_cost =
        type.info.async
            ? 0
            : static_cast<std::uint32_t>(std::clamp<std::uint64_t>(capacity_ / most, 1, slot_cost));
    if (!has_room(type, most))
        return;
    while (!type.queue.empty() && type.running < most) {
        const auto cost = tasks_[type.queue.front()].alone ? slot_cost : usual_cost;
        if (used_ + cost > capacity_)
            return;
        start(type.queue.pop_front(tasks_), type, cost, now);
    }
}

void PhaseMachine::start(std::uint32_t slot, Type& type, std::uint32_t cost, TimePoint now) {
    Task& task = tasks_[slot];
    if (task.deadline != TimePoint{} && now >= task.deadline)
        return finish(
            slot, AttemptStatus::timeout, "its deadline passed while it waited on this host", now);
    if (task.install.empty() && !type.info.needs_install)
        return start_execute(slot, type, cost, now);

    const auto spec = task.install.empty() ? std::string_view(no_spec) : task.install;
    task.install_entry = installs_.find(type.info.name, spec, plugins_[type.route].digest);
    auto& entry = installs_[task.install_entry];
    const bool ready = entry.state == InstallTable::State::ready;
    const bool verify = ready && entry.unverified && type.info.verifies;
    if (ready && !verify)
        return start_execute(slot, type, cost, now);
    enter(task, Phase::install, now);
    if (verify)
        return start_verify(slot, type);
    if (entry.state == InstallTable::State::running) {
        task.stage = Stage::blocked;
        entry.waiting.push_back(slot);
        return;
    }
    start_install(slot, type, now);
}

void PhaseMachine::start_execute(std::uint32_t slot,
                                 Type& type,
                                 std::uint32_t cost,
                                 TimePoint now) {
    Task& task = tasks_[slot];
    enter(task, task.alone ? Phase::setup : Phase::execute, now);
    occupy(task, type, Stage::executing, cost);

    runtime::ExecuteCall call;
    call.call = tasks_.call_id(slot);
    call.type = type.info.name;
    call.task_id = task.id;
    call.attempt = task.attempt;
    call.payload = task.payload;  // a copy: the task runs again if its process dies
    if (task.install_entry != no_slot) {
        call.content_key = installs_[task.install_entry].key;
        call.install_dir = settings_.installs_dir + '/' + call.content_key;
    }
    const auto limit = task.timeout_ms > 0 ? task.timeout_ms : type.info.timeout_ms;
    call.timeout = std::chrono::milliseconds(limit);
    if (task.deadline != TimePoint{} && (limit == 0 || task.deadline - now < call.timeout))
        call.timeout = task.deadline - now;
    if (task.alone)
        actions_.execute_alone(task.plugin, std::move(call));
    else
        actions_.execute(task.plugin, std::move(call));
}

runtime::InstallCall PhaseMachine::install_call(std::uint32_t slot, const Type& type) {
    const Task& task = tasks_[slot];
    runtime::InstallCall call;
    call.call = tasks_.call_id(slot);
    call.type = type.info.name;
    call.content_key = installs_[task.install_entry].key;
    call.spec = task.install.empty() ? no_spec : task.install;
    call.timeout = type.info.install_timeout_ms > 0
                       ? std::chrono::milliseconds(type.info.install_timeout_ms)
                       : settings_.install_timeout;
    return call;
}

void PhaseMachine::start_install(std::uint32_t slot, Type& type, TimePoint now) {
    Task& task = tasks_[slot];
    auto& entry = installs_[task.install_entry];
    auto call = install_call(slot, type);
    call.attempt = ++entry.attempts;
    entry.state = InstallTable::State::running;
    occupy(task, type, Stage::installing, slot_cost);
    if (auto started = actions_.install(task.plugin, std::move(call)); !started) {
        vacate(task);
        fail_install(slot, started.error().message, now);
    }
}

/// The others that need this install wait, as they do for one that is being made.
void PhaseMachine::start_verify(std::uint32_t slot, Type& type) {
    Task& task = tasks_[slot];
    auto& entry = installs_[task.install_entry];
    entry.state = InstallTable::State::running;
    entry.verifying = true;
    occupy(task, type, Stage::installing, slot_cost);
    actions_.verify_install(task.plugin, install_call(slot, type));
}

void PhaseMachine::occupy(Task& task, Type& type, Stage stage, std::uint32_t cost) {
    task.plugin = type.route;
    ++plugins_[task.plugin].open_calls;
    task.stage = stage;
    task.cost = cost;
    used_ += cost;
    ++type.running;
}

void PhaseMachine::vacate(Task& task) {
    if (task.stage != Stage::executing && task.stage != Stage::installing)
        return;
    used_ -= task.cost;
    task.cost = 0;
    task.stage = Stage::ended;
    --types_[task.type].running;
    --plugins_[task.plugin].open_calls;
}

// ---- time and shutdown -----------------------------------------------------------------------

bool PhaseMachine::report_phases(TimePoint now) {
    bool more = false;
    for (std::uint32_t slot = 0; slot < tasks_.slots(); ++slot) {
        Task& task = tasks_[slot];
        if (task.stage == Stage::free || task.disowned || task.phase == task.reported ||
            task.phase == Phase::assigned)
            continue;
        if (now - task.since < settings_.report_after) {
            more = true;
            continue;
        }
        task.reported = task.phase;
        actions_.report_phase({.token = task.token, .phase = task.phase});
    }
    return more;
}

void PhaseMachine::close(std::string_view why, TimePoint now) {
    closed_ = true;
    for (std::uint32_t slot = 0; slot < tasks_.slots(); ++slot) {
        Task& task = tasks_[slot];
        if (task.stage == Stage::queued)
            types_[task.type].queue.remove(tasks_, slot);
        else if (task.stage == Stage::blocked)
            std::erase(installs_[task.install_entry].waiting, slot);
        else
            continue;
        finish(slot, AttemptStatus::interrupted, why, now);
    }
}

void PhaseMachine::cancel_all(TimePoint now) {
    close("this host takes no more tasks", now);
    for (std::uint32_t slot = 0; slot < tasks_.slots(); ++slot) {
        Task& task = tasks_[slot];
        if (task.stage == Stage::free)
            continue;
        task.given_back = true;
        actions_.cancel_call(task.plugin, tasks_.call_id(slot));
    }
}

void PhaseMachine::abandon_all(std::string_view why, TimePoint now) {
    close(why, now);
    for (std::uint32_t slot = 0; slot < tasks_.slots(); ++slot)
        if (tasks_[slot].stage != Stage::free)
            finish(slot, AttemptStatus::interrupted, why, now);
}

std::vector<wire::Claim> PhaseMachine::claims() const {
    std::vector<wire::Claim> claims;
    claims.reserve(tasks_.size());
    for (std::uint32_t slot = 0; slot < tasks_.slots(); ++slot)
        if (tasks_[slot].stage != Stage::free && !tasks_[slot].disowned)
            claims.emplace_back(tasks_[slot].token, tasks_[slot].lease);
    return claims;
}

const Task* PhaseMachine::find(runtime::CallId call) const noexcept {
    const auto slot = tasks_.slot_of(call);
    return slot == no_slot || tasks_[slot].disowned ? nullptr : &tasks_[slot];
}

}  // namespace distributo::host
