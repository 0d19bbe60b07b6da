#include "coordinator/core/scheduler_impl.hpp"

#include <algorithm>

namespace distributo::coordinator::core {

using base::TimePoint;

namespace {

std::string types_of(const Host& host) {
    constexpr std::size_t shown = 8;
    std::string text;
    for (std::size_t i = 0; i < std::min(shown, host.capabilities.types.size()); ++i)
        text += (i == 0 ? "" : ", ") + host.capabilities.types[i].type;
    if (host.capabilities.types.size() > shown)
        text += ", …";
    return text.empty() ? "nothing" : text;
}

std::string missing_label(const Queue& queue, const Host& host) {
    for (const auto& [key, value] : queue.requires_labels) {
        const auto own = host.hello.labels.find(key);
        if (own == host.hello.labels.end() || own->second != value)
            return key + "=" + value;
    }
    return {};
}

std::string seconds_text(base::Duration duration) {
    return std::to_string(std::chrono::ceil<std::chrono::seconds>(duration).count()) + " s";
}

/// The first test that keeps a waiting task from a host.
HostObstacle obstacle(const Queue& queue, const Host& host, TimePoint now) {
    HostObstacle result{host.index, host.hello.name, "available", "has room for it now"};
    const auto because = [&](std::string code, std::string detail) {
        result.code = std::move(code);
        result.detail = std::move(detail);
        return result;
    };
    if (host.state == Host::State::disconnected)
        return because("disconnected", "is not connected now");
    if (host.state == Host::State::draining)
        return because("draining", "takes no new tasks");
    const auto found = host.offers.find(queue.type);
    if (found == host.offers.end() || !found->second.offered)
        return because("no_capability",
                       "offers " + types_of(host) + " – not " + std::string(queue.type));
    if (const std::string label = missing_label(queue, host); !label.empty())
        return because("labels", "lacks the label " + label);
    if (queue.excluded.contains(host.hello.host_id))
        return because("excluded", "the task asked to run elsewhere after it ran there");
    if (found->second.off_until > now)
        return because("capability_off",
                       "setup or install failed there; next try in " +
                           seconds_text(found->second.off_until - now));
    if (!host.takes_tasks() || found->second.credit == 0)
        return because("busy",
                       "has " + std::to_string(host.leases.size) + " tasks and no room now");
    return result;
}

void summarize(Explanation& result, const Queue& queue) {
    const auto any = [&](std::string_view code) {
        return std::any_of(result.hosts.begin(), result.hosts.end(), [&](const HostObstacle& host) {
            return host.code == code;
        });
    };
    const std::string type(queue.type);
    if (result.hosts.empty()) {
        result.summary = "no host is connected";
        result.hint = "start one: distributo-host";
    } else if (any("available")) {
        result.summary = "it is about to be assigned";
    } else if (any("busy")) {
        result.summary = "every host that can run it is busy";
        result.hint = "add hosts, or give it a higher priority";
    } else if (any("capability_off")) {
        result.summary = "its type is paused where it could run, because setup or install failed";
        result.hint = "distributo task show has the message of the failed attempt";
    } else if (any("labels") || any("excluded")) {
        result.summary = "no host that offers its type fits what it requires";
    } else {
        result.summary = "no host offers its type";
        result.hint = "put a plugin that implements " + type + " into a plugin folder of a host";
    }
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
    out.type = s.queues[task.queue].type;
    out.state = task.state;
    out.phase = task.phase;
    if (const Host* host = task.leased ? s.hosts.get(task.host) : nullptr)
        out.host = host->hello.name;
    out.payload = &task.payload;
    out.options = options_of(task);
    out.created = task.created;
    out.attempts = task.attempts;
    if (!task.extra)
        return true;
    out.progress = task.extra->progress;
    out.progress_text = task.extra->progress_text;
    out.hold_reason = task.extra->hold_reason;
    out.last_error = task.extra->last_error;
    const bool waits = task.state == TaskState::scheduled || task.state == TaskState::retrying;
    if (waits && task.extra->wake_at > now)
        out.next_try = task.extra->wake_at - now;
    return true;
}

Explanation Scheduler::explain(TaskId id, TimePoint now) const {
    const Impl& s = *impl_;
    Explanation result;
    const Slot slot = s.tasks.find(id);
    if (slot == no_slot) {
        result.summary = "it has ended";
        return result;
    }
    const Task& task = s.tasks[slot];
    const Host* holder = s.hosts.get(task.host);
    const std::string host = holder ? holder->hello.name : std::string();
    switch (task.state) {
        case TaskState::running:
            result.summary = "it runs on " + host + ", phase " + std::string(to_string(task.phase));
            return result;
        case TaskState::cancelling:
            result.summary = "it is being cancelled on " + host;
            return result;
        case TaskState::scheduled:
            result.summary = "it is scheduled, in " + seconds_text(task.extra->wake_at - now);
            return result;
        case TaskState::retrying:
            result.summary = "it failed (" + task.extra->last_error + ") and is tried again in " +
                             seconds_text(task.extra->wake_at - now);
            result.hint = "distributo task retry makes it run now";
            return result;
        case TaskState::held:
            result.summary = "it is held: " + task.extra->hold_reason;
            result.hint = "distributo task retry releases it";
            return result;
        default:
            break;
    }
    const Queue& queue = s.queues[task.queue];
    for (const auto& known : s.hosts.all())
        if (known && known->state != Host::State::gone)
            result.hosts.push_back(obstacle(queue, *known, now));
    summarize(result, queue);
    return result;
}

std::vector<HostView> Scheduler::hosts(TimePoint now) const {
    std::vector<HostView> views;
    for (const auto& host : impl_->hosts.all()) {
        if (!host || host->state == Host::State::gone)
            continue;
        HostView view;
        view.index = host->index;
        view.state = host->state == Host::State::ready      ? HostView::State::ready
                     : host->state == Host::State::draining ? HostView::State::draining
                                                            : HostView::State::disconnected;
        view.id = host->hello.host_id;
        view.name = host->hello.name;
        view.version = host->hello.version;
        view.peer = host->peer;
        view.slots = host->hello.slots;
        view.in_flight = host->leases.size;
        view.completed = host->completed;
        view.failed = host->failed;
        view.connected = host->connected;
        view.silent = now - host->heard;
        view.labels = &host->hello.labels;
        view.capabilities = &host->capabilities.types;
        view.refused = &host->capabilities.refused;
        views.push_back(view);
    }
    return views;
}

std::vector<TypeView> Scheduler::types() const {
    const Impl& s = *impl_;
    std::map<std::string_view, TypeView> views;
    for (std::uint32_t i = 0; i < s.queues.size(); ++i) {
        TypeView& view = views[s.queues[i].type];
        view.type = s.queues[i].type;
        view.pending += s.queues[i].size;
    }
    for (const auto& host : s.hosts.all()) {
        if (!host || host->state == Host::State::gone)
            continue;
        for (const auto& [type, offer] : host->offers) {
            if (offer.in_flight == 0 && !offer.offered)
                continue;
            TypeView& view = views[type];
            view.type = type;
            view.running += offer.in_flight;
            if (offer.offered && host->state == Host::State::ready)
                ++view.hosts;
        }
    }
    std::vector<TypeView> list;
    for (auto& [type, view] : views) {
        view.capability = capability(type);
        list.push_back(view);
    }
    return list;
}

const wire::Capability* Scheduler::capability(std::string_view type) const {
    const wire::Capability* newest = nullptr;
    for (const auto& host : impl_->hosts.all()) {
        if (!host || host->state != Host::State::ready)
            continue;
        const auto offer = host->offers.find(type);
        if (offer == host->offers.end() || !offer->second.offered)
            continue;
        for (const wire::Capability& one : host->capabilities.types)
            if (one.type == type && (!newest || one.version > newest->version))
                newest = &one;
    }
    return newest;
}

std::string_view Scheduler::host_name(HostIndex index) const {
    const Host* host = impl_->hosts.get(index);
    return host ? std::string_view(host->hello.name) : std::string_view();
}

}  // namespace distributo::coordinator::core
