#include "host/phase_machine.hpp"

#include <algorithm>

namespace distributo::host {
namespace {

using base::TimePoint;
using wire::AttemptStatus;

}  // namespace

// ---- what plugins offer ----------------------------------------------------------------------

void PhaseMachine::offer(PluginId plugin,
                         std::string digest,
                         const std::vector<runtime::TypeInfo>& types) {
    if (digests_.size() <= plugin)
        digests_.resize(plugin + 1);
    digests_[plugin] = std::move(digest);
    for (const auto& info : types) {
        const auto next = static_cast<std::uint32_t>(types_.size());
        const auto [place, added] = type_by_name_.try_emplace(info.name, next);
        if (added)
            types_.emplace_back();
        auto& type = types_[place->second];
        type.info = info;
        type.route = plugin;
    }
}

void PhaseMachine::withdraw(PluginId plugin, std::string_view why, TimePoint now) {
    for (auto& type : types_) {
        if (type.route != plugin)
            continue;
        type.route = 0;
        while (!type.queue.empty())
            finish(type.queue.pop_front(tasks_), AttemptStatus::interrupted, why, now);
    }
}

// ---- credit ----------------------------------------------------------------------------------

std::uint32_t PhaseMachine::type_index(std::string_view name) const noexcept {
    if (last_type_ < types_.size() && types_[last_type_].info.name == name)
        return last_type_;
    const auto found = type_by_name_.find(name);
    return found == type_by_name_.end() ? no_slot : found->second;
}

std::uint32_t PhaseMachine::concurrency(const Type& type) const noexcept {
    const auto slots = std::max(settings_.slots, 1U);
    return type.info.max_concurrency == 0 ? slots : std::min(slots, type.info.max_concurrency);
}

std::uint32_t PhaseMachine::window(const Type& type) const noexcept {
    return type.meter.window(concurrency(type));
}

std::uint32_t PhaseMachine::credit(std::string_view type) const noexcept {
    const auto index = type_index(type);
    if (index == no_slot || types_[index].route == 0)
        return 0;
    return types_[index].closed ? 0 : types_[index].meter.credit(concurrency(types_[index]));
}

void PhaseMachine::collect_credit(bool closed, std::vector<wire::Credit>& out) {
    for (auto& type : types_) {
        if (type.route == 0 || (!type.touched && type.closed == closed))
            continue;
        type.touched = false;
        const auto credit = type.meter.credit(concurrency(type));
        if (type.closed == closed && (closed || !type.meter.worth_announcing(credit)))
            continue;
        type.closed = closed;
        type.meter.announced(credit);
        out.push_back({.type = type.info.name, .credit = closed ? 0 : credit});
    }
}

void PhaseMachine::credit_announced() {
    for (auto& type : types_)
        type.meter.announced(type.meter.credit(concurrency(type)));
}

}  // namespace distributo::host
