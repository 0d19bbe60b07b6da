#include "coordinator/core/scheduler_impl.hpp"

#include <algorithm>

namespace distributo::coordinator::core {

using base::TimePoint;

namespace {

/// Numbers that earlier boots may have given out are no attempts that anybody knows of.
std::uint32_t begun_attempts(const Task& task) {
    if (task.counter != 0 || task.leased)
        return attempt_number(task);
    return task.side ? task.side->recorded : 0;
}

}  // namespace

bool Scheduler::find(TaskId id, TimePoint now, TaskView& out) const {
    const Impl& s = *impl_;
    const Slot slot = s.tasks.find(id);
    if (slot == no_slot)
        return false;
    const Task& task = s.tasks[slot];
    out = {};
    out.id = id;
    out.type = s.queues.type_at(s.queues[task.queue].type).name;
    out.state = task.state;
    out.phase = task.phase;
    out.payload = &task.payload;
    out.options = s.tasks.shared_options(slot);
    out.created = s.tasks.created(slot);
    out.generator = s.tasks.generator(slot);
    out.attempts = begun_attempts(task);
    if (!waits(task.state))
        out.host = host_name(task.host);
    if (task.leased)
        out.version = s.hosts.get(task.host)->offers[task.offer]->version.text();
    if (!task.side)
        return true;
    out.progress = task.side->progress;
    if (task.state == TaskState::scheduled || task.state == TaskState::retrying)
        out.next_try = std::max(base::Duration::zero(), task.side->wake_at - now);
    if (const auto& texts = task.side->texts) {
        out.progress_text = texts->progress;
        out.hold_reason = texts->hold_reason;
        out.last_error = texts->last_error;
    }
    return true;
}

ReturnView Scheduler::awaited(TimePoint now) const {
    const Impl& s = *impl_;
    ReturnView view;
    if (s.return_timer == 0)
        return view;
    for (const auto& host : s.hosts.all())
        if (host && host->awaited)
            view.hosts.push_back(host->hello.name);
    view.left = std::max(base::Duration::zero(), s.return_until - now);
    view.tasks = s.awaited.size;
    return view;
}

std::vector<HostView> Scheduler::hosts(TimePoint now) const {
    std::vector<HostView> views;
    for (const auto& host : impl_->hosts.all()) {
        if (!host || host->gone)
            continue;
        HostView& view = views.emplace_back();
        view.index = host->index;
        if (!host->connected || host->silent)
            view.state = HostView::State::disconnected;
        else if (host->draining)
            view.state = HostView::State::draining;
        else if (host->quarantined)
            view.state = HostView::State::quarantined;
        if (host->quarantined) {
            view.quarantine_left = std::max(base::Duration::zero(), host->quarantine.until - now);
            view.quarantine_reason = host->quarantine.reason;
        }
        view.id = host->hello.host_id;
        view.name = host->hello.name;
        view.version = host->hello.version;
        view.peer = host->peer;
        view.slots = host->slots;
        view.in_flight = host->leases.size;
        view.completed = host->completed;
        view.failed = host->failed;
        view.connected = host->connected_at;
        view.silent = now - host->heard;
        view.labels = &host->hello.labels;
        view.capabilities = &host->capabilities.types;
        view.refused = &host->capabilities.refused;
        view.refused_since = now - host->capabilities_at;
    }
    return views;
}

std::vector<TypeView> Scheduler::types() const {
    std::vector<TypeView> views;
    const auto& queues = impl_->queues;
    for (TypeIndex index = 0; index < queues.type_count(); ++index) {
        const TypeEntry& type = queues.type_at(index);
        if (type.pending == 0 && type.running == 0 && type.offering.empty())
            continue;
        TypeView& view = views.emplace_back();
        view.type = type.name;
        view.pending = type.pending;
        view.running = type.running;
        view.hosts = static_cast<std::uint32_t>(type.offering.size());
        for (const auto& [version, offering] : type.versions)
            view.versions.push_back({version.text(), static_cast<std::uint32_t>(offering.size())});
        view.capability = capability(type.name, {});
    }
    return views;
}

LiveCounts Scheduler::live_of_type(std::string_view type) const {
    const auto index = impl_->queues.find_type(type);
    return index == no_type ? LiveCounts() : impl_->queues.type_at(index).live;
}

LiveCounts Scheduler::live_of_group(std::string_view group) const {
    return impl_->groups.find(group);
}

LiveCounts Scheduler::live_of_generator(ExtensionNumber generator) const {
    return impl_->generators.find(generator);
}

const wire::Capability* Scheduler::capability(std::string_view name,
                                              std::string_view version_range) const {
    const Impl& s = *impl_;
    const auto index = s.queues.find_type(name);
    if (index == no_type)
        return nullptr;
    const VersionFilter filter(version_range);
    for (const auto& [version, offering] : s.queues.type_at(index).versions) {
        if (!filter.accepts(version))
            continue;
        const Host& host = *s.hosts.get(offering.back());
        return &host.capabilities.types[host.find_offer(index, version)->capability];
    }
    return nullptr;
}

std::string_view Scheduler::host_name(HostIndex index) const {
    const Host* host = impl_->hosts.get(index);
    return host ? std::string_view(host->hello.name) : std::string_view();
}

}  // namespace distributo::coordinator::core
