#include "coordinator/api/handlers.hpp"
#include "coordinator/api/time_text.hpp"
#include "wire/json.hpp"

namespace distributo::coordinator::api {
namespace {

using core::HostView;
using core::TypeView;
using wire::json::Writer;

std::string_view to_string(HostView::State state) {
    switch (state) {
        case HostView::State::ready:
            return "ready";
        case HostView::State::draining:
            return "draining";
        case HostView::State::disconnected:
            return "disconnected";
        case HostView::State::quarantined:
            return "quarantined";
    }
    return "unknown";
}

void append_labels(Writer& json, const wire::Labels& labels) {
    json.key("labels").begin_object();
    for (const auto& [key, value] : labels) {
        std::string quoted;
        Writer(quoted).string(key);
        json.member(std::string_view(quoted).substr(1, quoted.size() - 2), value);
    }
    json.end_object();
}

/// What a host says about a type, its schemas excepted.
void append_offer(Writer& json, const wire::Capability& offer) {
    json.member("plugin", offer.plugin);
    json.member("version", offer.version);
    json.member("digest", offer.digest);
    json.member("isolation", offer.isolation);
    json.key("sandbox").begin_array();
    for (const auto layer : offer.sandbox.names())
        json.string(layer);
    json.end_array();
    json.member("needs_install", offer.needs_install);
    if (!offer.summary.empty())
        json.member("summary", offer.summary);
}

void append_quarantine(Writer& json, const wire::RefusedPlugin& plugin, base::Duration since) {
    json.member("plugin", plugin.plugin);
    json.member("version", plugin.version);
    json.member("digest", plugin.digest);
    json.member("retry_s", seconds_left(plugin.retry_ms, since));
    json.key("types").begin_array();
    for (const std::string& type : plugin.types)
        json.string(type);
    json.end_array();
}

void append_offers(Writer& json, const HostView& host) {
    json.key("types").begin_array();
    if (host.capabilities)
        for (const wire::Capability& offer : *host.capabilities) {
            json.begin_object();
            json.member("type", offer.type);
            json.member("credit", offer.credit);
            append_offer(json, offer);
            if (!offer.attributes.empty())
                json.member_raw("attributes", offer.attributes);
            json.end_object();
        }
    json.end_array();
    json.key("refused").begin_array();
    if (host.refused)
        for (const wire::RefusedPlugin& plugin : *host.refused) {
            json.begin_object();
            json.member("file", plugin.file);
            json.member("reason", plugin.reason);
            json.member("state", plugin.quarantined ? "quarantined" : "refused");
            if (plugin.quarantined)
                append_quarantine(json, plugin, host.refused_since);
            json.end_object();
        }
    json.end_array();
}

void append_host(Writer& json, const HostView& host, const engine::Engine& engine) {
    json.begin_object();
    json.member("id", host.id);
    json.member("name", host.name);
    json.member("state", to_string(host.state));
    json.member("version", host.version);
    json.member("address", host.peer);
    json.member("slots", host.slots);
    json.member("in_flight", host.in_flight);
    json.member("completed", host.completed);
    json.member("failed", host.failed);
    json.member("connected", time_text(host.connected));
    json.member("silent_s", std::chrono::duration<double>(host.silent).count());
    if (host.quarantine_left > base::Duration::zero()) {
        json.key("quarantine").begin_object();
        json.member("reason", host.quarantine_reason);
        json.member("left_s", std::chrono::duration<double>(host.quarantine_left).count());
        json.end_object();
    }
    if (const auto trouble = engine.host_trouble(host.index); !trouble.empty())
        json.member("trouble", trouble);
    if (host.labels)
        append_labels(json, *host.labels);
    append_offers(json, host);
    json.end_object();
}

void append_type(Writer& json, const TypeView& type) {
    json.begin_object();
    json.member("type", type.type);
    json.member("pending", type.pending);
    json.member("running", type.running);
    json.member("hosts", type.hosts);
    json.key("versions").begin_array();
    for (const auto& [version, hosts] : type.versions) {
        json.begin_object();
        json.member("version", version);
        json.member("hosts", hosts);
        json.end_object();
    }
    json.end_array();
    if (type.capability) {
        append_offer(json, *type.capability);
        if (!type.capability->payload_schema.empty())
            json.member_raw("payload_schema", type.capability->payload_schema);
        if (!type.capability->result_schema.empty())
            json.member_raw("result_schema", type.capability->result_schema);
    }
    json.end_object();
}

/// By id, or else by name.
Checked<HostView> find_host(const engine::Engine& engine, const std::string& wanted) {
    const auto hosts = engine.scheduler().hosts(engine.now());
    const HostView* found = nullptr;
    for (const HostView& host : hosts)
        if (host.id == wanted || (!found && host.name == wanted))
            found = &host;
    if (found)
        return *found;
    return Problem{.status = Status::not_found,
                   .code = "host_not_found",
                   .detail = "no host has the id or name \"" + wanted + '"',
                   .hint = "GET /v1/hosts lists them",
                   .faults = {},
                   .extra = {}};
}

}  // namespace

void list_hosts(Context& context, const Request&, net::Respond respond) {
    std::string body;
    Writer json(body);
    json.begin_object().key("items").begin_array();
    for (const HostView& host : context.engine.scheduler().hosts(context.engine.now()))
        append_host(json, host, context.engine);
    json.end_array().end_object();
    respond(json_response(std::move(body)));
}

void get_host(Context& context, const Request& request, net::Respond respond) {
    const auto host = find_host(context.engine, request.captured[0]);
    if (!host) {
        respond(to_response(host.error()));
        return;
    }
    std::string body;
    Writer json(body);
    append_host(json, *host, context.engine);
    respond(json_response(std::move(body)));
}

void release_host(Context& context, const Request& request, net::Respond respond) {
    const auto host = find_host(context.engine, request.captured[0]);
    if (!host) {
        respond(to_response(host.error()));
        return;
    }
    context.engine.release_host(
        std::string(host->id),
        [&engine = context.engine, respond = std::move(respond), id = std::string(host->id)](
            base::Result<void> released) {
            const auto now = released ? find_host(engine, id) : to_problem(released.error());
            if (!now) {
                respond(to_response(now.error()));
                return;
            }
            std::string body;
            Writer json(body);
            append_host(json, *now, engine);
            respond(json_response(std::move(body)));
        });
}

void list_types(Context& context, const Request&, net::Respond respond) {
    std::string body;
    Writer json(body);
    json.begin_object().key("items").begin_array();
    for (const TypeView& type : context.engine.scheduler().types())
        append_type(json, type);
    json.end_array().end_object();
    respond(json_response(std::move(body)));
}

void get_type(Context& context, const Request& request, net::Respond respond) {
    for (const TypeView& type : context.engine.scheduler().types()) {
        if (type.type != request.captured[0])
            continue;
        std::string body;
        Writer json(body);
        append_type(json, type);
        respond(json_response(std::move(body)));
        return;
    }
    respond(to_response(
        {.status = Status::not_found,
         .code = "type_not_found",
         .detail = "no host offers, and no task has, the type \"" + request.captured[0] + '"',
         .hint = "GET /v1/types lists the known ones",
         .faults = {},
         .extra = {}}));
}

}  // namespace distributo::coordinator::api
