#include "coordinator/core/list_query.hpp"
#include "coordinator/core/scheduler_impl.hpp"

#include <algorithm>
#include <functional>

namespace distributo::coordinator::core {
namespace {

// Tasks that one list() looks at: at most about a millisecond.
constexpr std::size_t scan_limit = 4096;

bool has_label(const TaskOptions* options, const std::pair<std::string, std::string>& wanted) {
    if (!options)
        return false;
    const auto found = options->labels.find(wanted.first);
    return found != options->labels.end() && found->second == wanted.second;
}

}  // namespace

bool ListQuery::wants(wire::TaskState state) const noexcept {
    return states.empty() || std::ranges::find(states, state) != states.end();
}

bool belongs(const ListQuery& query, const TaskOptions* options, base::WallTime created) {
    if (!query.group.empty() && (!options || options->group != query.group))
        return false;
    if (!query.label.first.empty() && !has_label(options, query.label))
        return false;
    return !(query.created_from && created < *query.created_from) &&
           !(query.created_before && created >= *query.created_before);
}

bool Scheduler::Impl::fits(const ListQuery& query, TypeIndex type, Slot slot) const {
    const Task& task = tasks[slot];
    if (task.id >= query.before || !query.wants(task.state))
        return false;
    if (type != no_type && queues[task.queue].type != type)
        return false;
    if (query.generator != 0 && tasks.generator(slot) != query.generator)
        return false;
    if (!query.host.empty()) {
        const Host* host = task.leased ? hosts.get(task.host) : nullptr;
        if (!host || host->hello.name != query.host)
            return false;
    }
    return belongs(query, tasks.options(slot), tasks.created(slot));
}

/// Only hosts hold what is asked for: then their leases are looked through, if they are few.
bool Scheduler::Impl::list_leased(const ListQuery& query, TypeIndex type, LivePage& page) const {
    const auto concerned = [&](const Host* host) {
        return host && (query.host.empty() || host->hello.name == query.host);
    };
    std::size_t leases = 0;
    for (const auto& host : hosts.all())
        leases += concerned(host.get()) ? host->leases.size : 0;
    if (leases > scan_limit)
        return false;
    for (const auto& host : hosts.all()) {
        if (!concerned(host.get()))
            continue;
        for (Slot slot = host->leases.first; slot != no_slot; slot = tasks[slot].next)
            if (fits(query, type, slot))
                page.ids.push_back(tasks[slot].id);
    }
    std::ranges::sort(page.ids, std::greater{});
    if (page.ids.size() > query.limit) {
        page.ids.resize(query.limit);
        page.next_before = page.ids.back();
    }
    return true;
}

/// A search for what is not there would look at everything.
bool Scheduler::Impl::may_find(const ListQuery& query, TypeIndex type) const {
    LiveCounts all;
    all[TaskState::scheduled] = counts.scheduled;
    all[TaskState::pending] = counts.pending;
    all[TaskState::running] = counts.running;
    all[TaskState::retrying] = counts.retrying;
    all[TaskState::held] = counts.held;
    all[TaskState::cancelling] = counts.cancelling;
    const auto any_wanted = [&](const LiveCounts& live) {
        for (auto state = TaskState::scheduled; !is_terminal(state);
             state = static_cast<TaskState>(static_cast<int>(state) + 1))
            if (live[state] != 0 && query.wants(state))
                return true;
        return false;
    };
    return any_wanted(all) && (type == no_type || any_wanted(queues.type_at(type).live)) &&
           (query.group.empty() || any_wanted(groups.find(query.group))) &&
           (query.generator == 0 || any_wanted(generators.find(query.generator)));
}

LivePage Scheduler::list(const ListQuery& query) const {
    const Impl& s = *impl_;
    LivePage page;
    const bool any_waiting = std::ranges::any_of(query.states, waits) || query.states.empty();
    const bool any_leased = query.wants(TaskState::running) || query.wants(TaskState::cancelling);
    const auto type = query.type.empty() ? no_type : s.queues.find_type(query.type);
    if (!(any_waiting || any_leased) || (!query.type.empty() && type == no_type) ||
        !s.may_find(query, type))
        return page;
    const bool all_leased = !any_waiting && s.awaited.size == 0;
    if ((all_leased || !query.host.empty()) && s.list_leased(query, type, page))
        return page;
    std::size_t seen = 0;
    s.tasks.descend(query.before, [&](Slot slot) {
        if (seen++ == scan_limit || page.ids.size() == query.limit) {
            page.next_before = s.tasks[slot].id + 1;
            return false;
        }
        if (s.fits(query, type, slot))
            page.ids.push_back(s.tasks[slot].id);
        return true;
    });
    return page;
}

}  // namespace distributo::coordinator::core
