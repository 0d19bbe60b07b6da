#include "base/version.hpp"
#include "coordinator/api/handlers.hpp"
#include "wire/json.hpp"

namespace distributo::coordinator::api {
namespace {

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

net::Response health(bool good) {
    if (good)
        return json_response(R"({"status":"ok"})");
    return to_response({.status = Status::unavailable,
                        .code = "store_failed",
                        .detail = "the store has failed: nothing is accepted any more",
                        .hint = "the coordinator's log says why; restart it when that is mended",
                        .faults = {},
                        .extra = {}});
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
    json.end_object();
    respond(json_response(std::move(body)));
}

void get_healthz(Context&, const Request&, net::Respond respond) {
    respond(health(true));
}

void get_readyz(Context& context, const Request&, net::Respond respond) {
    respond(health(context.engine.healthy()));
}

}  // namespace distributo::coordinator::api
