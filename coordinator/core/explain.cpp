#include "coordinator/core/scheduler_impl.hpp"

#include <algorithm>
#include <map>
#include <vector>

namespace distributo::coordinator::core {

using base::TimePoint;

namespace {

std::string seconds(base::Duration duration) {
    const auto rounded = std::chrono::ceil<std::chrono::seconds>(duration).count();
    return std::to_string(std::max<std::int64_t>(0, rounded)) + " s";
}

std::string offers_text(const Host& host, std::string_view type) {
    constexpr std::size_t most = 8;
    std::string text;
    std::size_t named = 0;
    for (const auto& capability : host.capabilities.types) {
        if (++named > most)
            break;
        text += text.empty() ? "offers " : ", ";
        text += capability.type + "@" + capability.version;
    }
    if (host.capabilities.types.size() > most)
        text += " and " + std::to_string(host.capabilities.types.size() - most) + " more";
    if (text.empty())
        text = "offers nothing";
    return text + " – not " + std::string(type);
}

/// "has render 1.1.0 and 2.0.0, the task wants ^1.2": none of them is in the range.
std::string versions_text(const Host& host, const Queue& queue, std::string_view type) {
    constexpr std::size_t most = 8;
    std::vector<std::string_view> versions;
    for (const Offer* offer = host.types.at(queue.type).highest; offer; offer = offer->lower)
        if (offer->offered)
            versions.push_back(offer->version.text());
    std::string text = "has " + std::string(type);
    for (std::size_t i = 0; i < std::min(most, versions.size()); ++i) {
        text += i == 0 ? " " : ", ";
        text += versions[i].empty() ? "of no version" : versions[i];
    }
    if (versions.size() > most)
        text += " and " + std::to_string(versions.size() - most) + " more";
    return text + ", the task wants " + queue.versions.text();
}

/// "runs render with isolation inproc, the task requires process; lacks landlock and seccomp …"
std::string confinement_text(const Offer& offer,
                             const wire::Confinement& required,
                             std::string_view type) {
    std::string text = "runs " + std::string(type);
    if (offer.confinement.isolation < required.isolation) {
        const auto own = wire::isolation_name(offer.confinement.isolation);
        text += " with isolation " + std::string(own.empty() ? "unknown" : own) +
                ", the task requires " + std::string(wire::isolation_name(required.isolation));
        if (!offer.confinement.layers.missing(required.layers).empty())
            text += ", and";
    }
    if (const auto missing = offer.confinement.layers.missing(required.layers); !missing.empty())
        text += " without " + missing.text() + ", which the task requires";
    return text;
}

/// The first label of those required that the host has not; empty when it has all.
std::string missing_label(const wire::Labels& required, const wire::Labels& own) {
    for (const auto& [key, value] : required) {
        const auto found = own.find(key);
        if (found == own.end())
            return "has no label " + key + ", the task requires " + key + "=" + value;
        if (found->second != value)
            return "has the label " + key + "=" + found->second + ", the task requires " + key +
                   "=" + value;
    }
    return {};
}

/// A refused plugin file that is named after the type.
std::string refusal(const Host& host, std::string_view type) {
    for (const auto& plugin : host.capabilities.refused)
        if (plugin.file.find(type) != std::string::npos)
            return host.hello.name + " refused " + plugin.file + ": " + plugin.reason;
    return {};
}

/// The quarantined plugin that would offer the type; nullptr when there is none.
const wire::RefusedPlugin* quarantined(const Host& host, std::string_view type) {
    for (const auto& plugin : host.capabilities.refused)
        if (plugin.quarantined &&
            std::find(plugin.types.begin(), plugin.types.end(), type) != plugin.types.end())
            return &plugin;
    return nullptr;
}

std::string quarantine_text(const Host& host, const wire::RefusedPlugin& plugin, TimePoint now) {
    const auto left = std::chrono::milliseconds(plugin.retry_ms) - (now - host.capabilities_at);
    return plugin.plugin + ' ' + plugin.version + " is in quarantine there, next attempt in " +
           seconds(left) + ": " + plugin.reason;
}

HostObstacle obstacle(
    const Host& host, const Queue& queue, std::string_view type, bool waived, TimePoint now) {
    const auto found = [&](std::string_view code, std::string detail) {
        return HostObstacle{host.index, host.hello.name, std::string(code), std::move(detail)};
    };
    if (!host.connected || host.silent)
        return found("disconnected", "nothing heard from it for " + seconds(now - host.heard));
    if (host.draining)
        return found("draining", "finishes what it has and takes nothing new");
    if (!host.recorded)
        return found("joining", "has just come; that it is here is being recorded");
    if (host.quarantined)
        return found("host_quarantined",
                     "gets no tasks for another " + seconds(host.quarantine.until - now) + ": " +
                         host.quarantine.reason);
    if (!host.best_offer(queue.type, {})) {
        if (const auto* plugin = quarantined(host, type))
            return found("quarantined", quarantine_text(host, *plugin, now));
        return found("no_capability", offers_text(host, type));
    }
    const Offer* const unconfined = host.best_offer(queue.type, queue.versions);
    if (!unconfined)
        return found("version", versions_text(host, queue, type));
    const Offer* const offer = host.best_offer(queue.type, queue.versions, queue.confinement);
    if (!offer)
        return found("confinement", confinement_text(*unconfined, queue.confinement, type));
    if (std::string missing = missing_label(queue.requires_labels, host.hello.labels);
        !missing.empty())
        return found("labels", std::move(missing));
    if (queue.excludes(host.index) && !waived)
        return found("excluded", "the task failed there before; another host is to try it");
    if (offer->paused)
        return found("capability_off",
                     "setup or install of " + std::string(type) + " failed there, next try in " +
                         seconds(offer->off_until - now));
    if (offer->credit == 0)
        return found("busy", "takes no more tasks of this type for now");
    if (host.backed_up)
        return found("busy", "its connection is backed up");
    if (!host.has_room())
        return found("busy",
                     "has " + std::to_string(host.leases.size) + " tasks on " +
                         std::to_string(host.slots) + " slots");
    return found("available", "takes it as soon as its turn comes");
}

void summarise_pending(Explanation& out,
                       const std::map<std::string, std::size_t>& codes,
                       std::string_view type,
                       const std::string& range) {
    const auto count = [&](const char* code) {
        const auto found = codes.find(code);
        return found == codes.end() ? std::size_t{0} : found->second;
    };
    const auto hosts = out.hosts.size();
    const auto only = [&](std::initializer_list<const char*> allowed) {
        std::size_t sum = 0;
        for (const char* code : allowed)
            sum += count(code);
        return sum == hosts;
    };
    if (hosts == 0) {
        out.summary = "no host is known";
        out.hint = "start one: distributo-host --coordinator URL";
    } else if (count("available") > 0) {
        out.summary = "a host is about to take it";
    } else if (count("busy") > 0) {
        out.summary = "every host that can run it is busy";
        out.hint = "it runs when its turn comes; more hosts or slots shorten the wait";
    } else if (only({"disconnected", "draining"})) {
        out.summary = "no host is connected that takes new tasks";
        out.hint = "see why: distributo host list";
    } else if (count("host_quarantined") > 0) {
        out.summary = "every host that could run it broke too many tasks and gets none for a while";
        out.hint = "see why: distributo host list; then let it go on: distributo host release";
    } else if (count("capability_off") > 0) {
        out.summary = "setup or install of its type failed on every host that could run it";
        out.hint = "the hosts' logs say why; each tries again by itself";
    } else if (count("quarantined") > 0) {
        out.summary = "its plugin crashed too often on every host that could run it";
        out.hint =
            "put a version that does not crash into the plugin folder; each host tries "
            "again by itself";
    } else if (count("labels") > 0) {
        out.summary = "no host that offers its type has the labels that it requires";
        out.hint = "start a host with them: distributo-host --label KEY=VALUE";
    } else if (count("confinement") > 0) {
        out.summary = "no host that offers its type confines it as far as it requires";
        out.hint = "require less, or see what is missing: distributo host list, docs/protocol.md";
    } else if (count("version") > 0) {
        out.summary = "no host offers a version of its type in the range " + range;
        out.hint = "put such a version of the plugin for " + std::string(type) +
                   " into a plugin folder of a host; it may stand beside the one that is there";
    } else if (count("excluded") > 0) {
        out.summary = "it must not run again where it failed, and no other host takes it now";
    } else {
        out.summary = "no host offers its type";
        out.hint = "put the plugin for " + std::string(type) + " into a plugin folder of a host";
    }
}

void explain_awaited(Explanation& out, const HostTable& hosts, base::Duration left) {
    for (const auto& host : hosts.all())
        if (host && host->awaited)
            out.hosts.push_back({host->index,
                                 host->hello.name,
                                 "awaited",
                                 "has not come back since the coordinator was restarted"});
    out.summary =
        "the coordinator was restarted, and a host that has not come back may still run it";
    out.hint = "it is handed out in " + seconds(left) + ", or when the last of them is back";
}

std::string state_summary(const TaskView& task) {
    switch (task.state) {
        case TaskState::scheduled:
            return "its time has not come: " + seconds(task.next_try) + " are left";
        case TaskState::retrying:
            return "the last attempt failed, the next one is in " + seconds(task.next_try);
        case TaskState::held:
            return "held: " + std::string(task.hold_reason);
        case TaskState::running:
        case TaskState::cancelling:
            return "the task does not wait: it is " + std::string(to_string(task.state)) + " on " +
                   std::string(task.host);
        default:
            return "the task does not wait";
    }
}

}  // namespace

Explanation Scheduler::explain(TaskId id, TimePoint now) const {
    const Impl& s = *impl_;
    Explanation out;
    TaskView view;
    if (!find(id, now, view)) {
        out.summary = "no task of this number waits or runs";
        return out;
    }
    const Task& task = s.tasks[s.tasks.find(id)];
    if (task.recording) {
        out.summary = "the task does not wait: its end is being recorded";
        return out;
    }
    if (view.state != TaskState::pending) {
        out.summary = state_summary(view);
        if (view.state == TaskState::held)
            out.hint = "let it go on: distributo task retry";
        else if (!view.last_error.empty())
            out.hint = "the last error was: " + std::string(view.last_error);
        return out;
    }
    if (is_settling(task)) {
        out.summary = "what happened to it last is being recorded";
        return out;
    }
    if (task.awaited) {
        explain_awaited(out, s.hosts, s.return_until - now);
        return out;
    }
    const Queue& queue = s.queues[task.queue];
    const bool waived = s.exclusions_waived(queue);
    std::map<std::string, std::size_t> codes;
    std::string refused;
    for (const auto& host : s.hosts.all()) {
        if (!host || host->gone)
            continue;
        out.hosts.push_back(obstacle(*host, queue, view.type, waived, now));
        ++codes[out.hosts.back().code];
        if (out.hosts.back().code == "no_capability" && refused.empty())
            refused = refusal(*host, view.type);
    }
    summarise_pending(out, codes, view.type, queue.versions.text());
    if (!refused.empty() && out.summary == "no host offers its type")
        out.hint = refused;
    return out;
}

}  // namespace distributo::coordinator::core
