#include "host/phase_machine.hpp"
#include "wire/limits.hpp"

#include <algorithm>
#include <utility>

namespace distributo::host {
namespace {

using base::TimePoint;
using wire::AttemptStatus;

}  // namespace

// ---- what plugins offer ----------------------------------------------------------------------

void PhaseMachine::offer(PluginId plugin,
                         std::string digest,
                         const std::vector<runtime::TypeInfo>& types,
                         TimePoint now) {
    if (plugins_.size() <= plugin)
        plugins_.resize(plugin + 1);
    plugins_[plugin].digest = std::move(digest);
    for (const auto& info : types) {
        auto& type = types_[claim(info)];
        type.info = info;
        type.route = plugin;
        type.offered = true;
    }
    for (const auto& info : types)
        redistribute(info.name, {}, now);
}

void PhaseMachine::drain(PluginId plugin, TimePoint now) {
    std::vector<std::string> names;
    for (auto& type : types_)
        if (type.route == plugin && std::exchange(type.offered, false))
            names.push_back(type.info.name);
    for (const auto& name : names)
        redistribute(name, {}, now);
}

bool PhaseMachine::needs(PluginId plugin) const noexcept {
    const bool runs = plugin < plugins_.size() && plugins_[plugin].open_calls > 0;
    return runs || std::any_of(types_.begin(), types_.end(), [&](const Type& t) {
               return t.route == plugin && !t.queue.empty();
           });
}

void PhaseMachine::withdraw(PluginId plugin, std::string_view why, TimePoint now) {
    std::vector<std::string> names;
    for (auto& type : types_) {
        if (type.route != plugin)
            continue;
        type.route = 0;
        type.offered = false;
        names.push_back(type.info.name);
    }
    for (const auto& name : names)
        redistribute(name, why, now);
}

void PhaseMachine::give_back(PluginId plugin, std::string_view why, TimePoint now) {
    withdraw(plugin, why, now);
    for (std::uint32_t slot = 0; slot < tasks_.slots(); ++slot) {
        Task& task = tasks_[slot];
        if (task.plugin != plugin ||
            (task.stage != Stage::executing && task.stage != Stage::installing))
            continue;
        task.given_back = true;
        actions_.cancel_call(plugin, tasks_.call_id(slot));
    }
}

// ---- versions --------------------------------------------------------------------------------

std::uint32_t PhaseMachine::choose(std::string_view name, std::string_view version_range) const {
    if (version_range.empty() && last_type_ < types_.size() && types_[last_type_].info.name == name)
        return last_type_;
    const auto found = versions_.find(name);
    if (found == versions_.end())
        return no_slot;
    std::optional<base::VersionRange> range;
    if (!version_range.empty()) {
        auto parsed = base::VersionRange::parse(version_range);
        if (!parsed)
            return no_slot;
        range = std::move(*parsed);
    }
    std::uint32_t draining = no_slot;
    for (const auto index : found->second) {
        const auto& type = types_[index];
        if (type.route == 0 || (range && !(type.semantic && range->contains(*type.semantic))))
            continue;
        if (type.offered)
            return index;
        if (draining == no_slot)
            draining = index;
    }
    return draining;
}

bool PhaseMachine::is_higher(const Type& a, const Type& b) {
    if (a.semantic.has_value() != b.semantic.has_value())
        return a.semantic.has_value();
    if (a.semantic && *a.semantic != *b.semantic)
        return *a.semantic > *b.semantic;
    return a.info.version > b.info.version;
}

std::uint32_t PhaseMachine::claim(const runtime::TypeInfo& info) {
    auto& versions = versions_[info.name];
    for (const auto index : versions)
        if (types_[index].info.version == info.version)
            return index;
    if (free_types_.empty()) {
        free_types_.push_back(static_cast<std::uint32_t>(types_.size()));
        types_.emplace_back();
    }
    const auto index = free_types_.back();
    free_types_.pop_back();
    auto& type = types_[index];
    type.info = info;
    if (auto parsed = base::parse_version(info.version))
        type.semantic = std::move(*parsed);
    // What another version took is a better guess than nothing.
    if (!versions.empty())
        type.meter = types_[versions.front()].meter;
    const auto place = std::find_if(versions.begin(), versions.end(), [&](std::uint32_t other) {
        return is_higher(type, types_[other]);
    });
    versions.insert(place, index);
    return index;
}

void PhaseMachine::redistribute(const std::string& name, std::string_view why, TimePoint now) {
    last_type_ = no_slot;
    const auto found = versions_.find(name);
    if (found == versions_.end())
        return;
    const auto versions = found->second;  // a copy: entries may go on the way
    const auto offered = std::count_if(versions.begin(), versions.end(), [&](std::uint32_t index) {
        return types_[index].offered;
    });
    std::vector<std::uint32_t> waiting;
    for (const auto index : versions) {
        auto& type = types_[index];
        type.several = offered > 1;
        while (!type.queue.empty())
            waiting.push_back(type.queue.pop_front(tasks_));
    }
    for (const auto slot : waiting) {
        Task& task = tasks_[slot];
        const auto index = choose(name, task.version_range);
        if (index == no_slot) {
            finish(slot, AttemptStatus::interrupted, why, now);
            continue;
        }
        assign_to(task, index);
        types_[index].queue.push_back(tasks_, slot);
    }
    for (const auto index : versions)
        forget_if_unused(index);
}

void PhaseMachine::assign_to(Task& task, std::uint32_t index) {
    const auto before = task.type;
    ++types_[index].users;
    task.type = index;
    --types_[before].users;
    forget_if_unused(before);
}

void PhaseMachine::forget_if_unused(std::uint32_t index) {
    auto& type = types_[index];
    if (type.route != 0 || type.users != 0 || type.info.name.empty())
        return;
    const auto found = versions_.find(type.info.name);
    std::erase(found->second, index);
    if (found->second.empty())
        versions_.erase(found);
    type = Type{};
    free_types_.push_back(index);
}

// ---- credit ----------------------------------------------------------------------------------

/// How many calls of the plugin's functions may run at once.
std::uint32_t PhaseMachine::concurrency(const Type& type) const noexcept {
    const auto most = type.info.max_concurrency;
    if (type.info.async)  // these hold no thread
        return most == 0 ? runtime::default_async_calls : most;
    const auto slots = std::max(settings_.slots, 1U);
    return most == 0 ? slots : std::min(slots, most);
}

/// A batch is one call, so what is counted in calls is handed over in multiples of a batch.
std::uint32_t PhaseMachine::in_tasks(const Type& type, std::uint32_t calls) noexcept {
    const auto batch = type.info.max_batch;
    const auto most = std::max(wire::limits::max_credit / batch, 1U);
    return std::min(calls, most) * batch;
}

std::uint32_t PhaseMachine::window(const Type& type) const noexcept {
    return in_tasks(type, type.meter.window(concurrency(type)));
}

std::uint32_t PhaseMachine::credit(const Type& type) const noexcept {
    return in_tasks(type, type.meter.credit(concurrency(type)));
}

std::uint32_t PhaseMachine::credit(std::string_view name, std::string_view version) const noexcept {
    const auto found = versions_.find(name);
    if (found == versions_.end())
        return 0;
    for (const auto index : found->second) {
        const auto& type = types_[index];
        if (type.offered && type.info.version == version)
            return type.closed ? 0 : credit(type);
    }
    return 0;
}

void PhaseMachine::collect_credit(bool closed, std::vector<wire::Credit>& out) {
    for (auto& type : types_) {
        if (!type.offered || (!type.touched && type.closed == closed))
            continue;
        type.touched = false;
        const auto tasks = credit(type);
        if (type.closed == closed && (closed || !type.meter.worth_announcing(tasks)))
            continue;
        type.closed = closed;
        type.meter.announced(tasks);
        out.push_back({.type = type.info.name,
                       .credit = closed ? 0 : tasks,
                       .version = type.several ? type.info.version : std::string_view()});
    }
}

void PhaseMachine::credit_announced() {
    for (auto& type : types_)
        type.meter.announced(credit(type));
}

}  // namespace distributo::host
