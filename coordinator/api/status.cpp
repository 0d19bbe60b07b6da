#include "base/version.hpp"
#include "coordinator/api/handlers.hpp"
#include "wire/json.hpp"

#include <algorithm>
#include <map>

namespace distributo::coordinator::api {
namespace {

using extensions::ExtensionKind;
using wire::json::Writer;

void append_counts(Writer& json, const core::Counts& counts) {
    json.key("tasks").begin_object();
    json.member("scheduled", counts.scheduled);
    json.member("pending", counts.pending);
    json.member("running", counts.running);
    json.member("retrying", counts.retrying);
    json.member("held", counts.held);
    json.member("cancelling", counts.cancelling);
    json.member("completed", counts.completed);
    json.member("failed", counts.failed);
    json.member("cancelled", counts.cancelled);
    json.member("expired", counts.expired);
    json.end_object();
    json.member("payload_bytes", counts.payload_bytes);
}

double seconds(base::Duration duration) {
    return std::chrono::duration<double>(duration).count();
}

void append_store(Writer& json, const store::Health& health) {
    constexpr double milliseconds = 1000;
    json.key("store").begin_object();
    json.member("durable", health.durable);
    json.member("disk_full", health.disk_full);
    json.member("queued", health.queued);
    json.member("commit_ms", seconds(health.commit) * milliseconds);
    json.member("bytes", health.bytes);
    json.member("free_bytes", health.free);
    json.end_object();
}

/// Whom a restarted coordinator waits for; nothing when it does not.
void append_recovery(Writer& json, const core::ReturnView& awaited) {
    if (awaited.left <= base::Duration::zero())
        return;
    json.key("recovery").begin_object();
    json.key("waits_for").begin_array();
    for (const auto host : awaited.hosts)
        json.string(host);
    json.end_array();
    json.member("left_s", seconds(awaited.left));
    json.member("tasks", awaited.tasks);
    json.end_object();
}

/// Nothing when there are none.
void append_instances(Writer& json,
                      std::string_view name,
                      const std::vector<extensions::Status>& all) {
    if (all.empty())
        return;
    std::map<std::string_view, std::uint64_t> states;
    std::uint64_t lag = 0;
    for (const auto& one : all) {
        ++states[extensions::state_name(one.state)];
        lag = std::max(lag, one.lag);
    }
    json.key(name).begin_object();
    json.key("states").begin_object();
    for (const auto& [state, count] : states)
        json.member(state, count);
    json.end_object();
    json.member("largest_lag", lag);
    json.end_object();
}

Problem not_ready(std::string_view code, std::string detail, std::string hint) {
    return {.status = Status::unavailable,
            .code = code,
            .detail = std::move(detail),
            .hint = std::move(hint),
            .faults = {},
            .extra = {}};
}

}  // namespace

void get_status(Context& context, const Request&, net::Respond respond) {
    engine::Engine& engine = context.engine;
    const core::Scheduler& scheduler = engine.scheduler();
    std::uint64_t ready = 0;
    for (const core::HostView& host : scheduler.hosts(engine.now()))
        ready += host.state == core::HostView::State::ready ? 1 : 0;

    std::string body;
    Writer json(body);
    json.begin_object();
    json.member("version", base::version);
    json.member("coordinator_id", engine.coordinator_id());
    json.member("term", scheduler.term());
    json.member("healthy", engine.healthy());
    json.member(
        "uptime_s",
        std::chrono::duration_cast<std::chrono::seconds>(engine.now() - context.started).count());
    json.key("ports").begin_object();
    json.member("hosts", context.host_port);
    json.end_object();
    append_counts(json, scheduler.counts());
    json.member("hosts", ready);
    append_store(json, engine.store_health());
    append_recovery(json, scheduler.awaited(engine.now()));
    if (context.extensions) {
        append_instances(json, "generators", context.extensions->list(ExtensionKind::generator));
        append_instances(json, "sinks", context.extensions->list(ExtensionKind::sink));
    }
    json.end_object();
    respond(json_response(std::move(body)));
}

void get_healthz(Context&, const Request&, net::Respond respond) {
    respond(json_response(R"({"status":"ok"})"));
}

void get_readyz(Context& context, const Request&, net::Respond respond) {
    const engine::Engine& engine = context.engine;
    const store::Health health = engine.store_health();
    if (!engine.healthy()) {
        respond(to_response(not_ready("store_failed",
                                      "the store has failed: nothing is accepted any more",
                                      "the coordinator's log says why; restart it when that is "
                                      "mended")));
        return;
    }
    if (health.disk_full) {
        respond(to_response(not_ready("disk_full",
                                      "the disk is full: no task is accepted, results still are; " +
                                          std::to_string(health.free) + " bytes are free",
                                      "free some space; the coordinator notices by itself")));
        return;
    }
    std::string body;
    Writer json(body);
    json.begin_object().member("status", "ok");
    append_store(json, health);
    append_recovery(json, engine.scheduler().awaited(engine.now()));
    json.end_object();
    respond(json_response(std::move(body)));
}

}  // namespace distributo::coordinator::api
