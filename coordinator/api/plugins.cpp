#include "coordinator/api/handlers.hpp"
#include "coordinator/api/time_text.hpp"
#include "wire/json.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace distributo::coordinator::api {
namespace {

using core::HostView;
using wire::PluginFigures;
using wire::PluginHealth;
using wire::PluginState;
using wire::json::Writer;

/// One plugin version on one host.
struct Row {
    HostView host;
    PluginHealth health;
    base::Duration age{};  ///< since the host said so
};

/// One plugin version on all hosts.
struct Entry {
    std::set<std::string> types;
    std::vector<Row> rows;
};

using Key = std::tuple<std::string, std::string, std::string>;  // name, version, digest
using Entries = std::map<Key, Entry>;

/// A host that says nothing of the kind, because it is not one of ours, has its offers at least.
PluginHealth health_of(const wire::Capability& offer) {
    PluginHealth health;
    health.plugin = offer.plugin;
    health.version = offer.version;
    health.digest = offer.digest;
    health.isolation = offer.isolation;
    return health;
}

void collect(const engine::Engine& engine, const HostView& host, Entries& entries) {
    std::map<std::string, std::vector<std::string>> types;  // by digest
    const auto health = engine.plugin_health(host.index);
    const auto knows = [&](const std::string& digest) {
        return std::ranges::any_of(health, [&](const auto& one) { return one.digest == digest; });
    };
    if (host.capabilities)
        for (const auto& offer : *host.capabilities) {
            types[offer.digest].push_back(offer.type);
            if (knows(offer.digest))
                continue;
            auto& entry = entries[{offer.plugin, offer.version, offer.digest}];
            entry.types.insert(offer.type);
            if (entry.rows.empty() || entry.rows.back().host.index != host.index)
                entry.rows.push_back({host, health_of(offer), {}});
        }
    if (host.refused)
        for (const auto& plugin : *host.refused)
            if (plugin.quarantined)
                types[plugin.digest] = plugin.types;
    for (const PluginHealth& one : health) {
        // What a refused file would be is not known; people know it by its name.
        const auto& name = one.plugin.empty() ? one.file : one.plugin;
        auto& entry = entries[{name, one.version, one.digest}];
        entry.rows.push_back({host, one, engine.plugin_health_age(host.index)});
        if (!one.digest.empty())
            entry.types.insert(types[one.digest].begin(), types[one.digest].end());
    }
}

void append_phase(Writer& json, std::string_view name, const base::Histogram& times) {
    if (times.count() == 0)
        return;
    json.key(name).begin_object();
    json.member("count", times.count());
    json.member("p50_us", times.quantile(0.5));
    json.member("p99_us", times.quantile(0.99));
    json.end_object();
}

void append_figures(Writer& json, const PluginFigures& figures) {
    json.member("processes", figures.processes);
    json.member("tasks", figures.tasks);
    json.member("failures", figures.failures);
    json.member("crashes", figures.crashes);
    json.member("restarts", figures.restarts);
    json.key("recycles").begin_object();
    json.member("tasks", figures.recycles[0]);
    json.member("memory", figures.recycles[1]);
    json.member("descriptors", figures.recycles[2]);
    json.member("threads", figures.recycles[3]);
    json.end_object();
    json.key("phases").begin_object();
    append_phase(json, "setup", figures.setup);
    append_phase(json, "install", figures.install);
    append_phase(json, "execute", figures.execute);
    json.end_object();
    if (figures.measured_tasks == 0)
        return;
    const auto per_task = [&](std::uint64_t grown) {
        return static_cast<double>(grown) / static_cast<double>(figures.measured_tasks);
    };
    json.key("growth_per_task").begin_object();
    json.member("bytes", per_task(figures.grown_bytes));
    json.member("descriptors", per_task(figures.grown_descriptors));
    json.member("threads", per_task(figures.grown_threads));
    json.end_object();
}

void append_row(Writer& json, const Row& row) {
    const auto& health = row.health;
    json.begin_object();
    json.member("host", row.host.name);
    json.member("host_id", row.host.id);
    json.member("state", to_string(health.state));
    json.member("file", health.file);
    json.member("isolation", health.isolation);
    if (!health.reason.empty())
        json.member("reason", health.reason);
    if (health.state == PluginState::quarantined)
        json.member("retry_s", seconds_left(health.retry_ms, row.age));
    append_figures(json, health.figures);
    json.end_object();
}

void append_entry(Writer& json, const Key& key, const Entry& entry) {
    PluginFigures sum;
    auto state = PluginState::refused;
    for (const Row& row : entry.rows) {
        sum.add(row.health.figures);
        state = std::min(state, row.health.state);
    }
    const auto& [name, version, digest] = key;
    json.begin_object();
    json.member("plugin", name);
    json.member("version", version);
    json.member("digest", digest);
    json.member("state", to_string(state));
    json.key("types").begin_array();
    for (const std::string& type : entry.types)
        json.string(type);
    json.end_array();
    append_figures(json, sum);
    json.key("hosts").begin_array();
    for (const Row& row : entry.rows)
        append_row(json, row);
    json.end_array();
    json.end_object();
}

}  // namespace

void list_plugins(Context& context, const Request&, net::Respond respond) {
    Entries entries;
    for (const HostView& host : context.engine.scheduler().hosts(context.engine.now()))
        if (host.state != HostView::State::disconnected)
            collect(context.engine, host, entries);
    std::string body;
    Writer json(body);
    json.begin_object().key("items").begin_array();
    for (const auto& [key, entry] : entries)
        append_entry(json, key, entry);
    json.end_array().end_object();
    respond(json_response(std::move(body)));
}

}  // namespace distributo::coordinator::api
