#include "host/task_desk.hpp"

#include "base/ids.hpp"
#include "base/log.hpp"
#include "base/version.hpp"
#include "host/offer.hpp"
#include "wire/limits.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>

namespace distributo::host {
namespace {

namespace asio = boost::asio;
namespace log = base::log;

constexpr base::Duration telemetry_period = std::chrono::milliseconds(50);

PhaseSettings machine_settings(const Options& options, const DataDir& directory) {
    PhaseSettings settings;
    settings.slots = options.slots;
    settings.installs_dir = directory.installs().string();
    settings.report_after = telemetry_period;
    return settings;
}

}  // namespace

TaskDesk::TaskDesk(asio::io_context& io,
                   const base::Clock& clock,
                   const Options& options,
                   const DataDir& directory)
    : io_(io),
      clock_(clock),
      options_(options),
      directory_(directory),
      boot_id_(base::random_hex(16)),
      machine_(machine_settings(options, directory), *this),
      spool_files_(directory.spool()),
      spool_(io, clock, spool_files_),
      gather_timer_(io),
      phase_timer_(io),
      health_timer_(io),
      alive_(std::make_shared<bool>(true)) {
    for (auto& key : directory.finished_installs())
        machine_.add_install(std::move(key));
    coordinator_id_ = spool_.open();
    restore_results();
}

TaskDesk::~TaskDesk() {
    *alive_ = false;
}

void TaskDesk::connect(Link& link, PluginSet& plugins) {
    link_ = &link;
    plugins_ = &plugins;
}

// ---- turns of the loop -----------------------------------------------------------------------

void TaskDesk::wake() {
    if (woken_)
        return;
    woken_ = true;
    asio::post(io_, [this, alive = alive_] {
        if (*alive)
            settle();
    });
}

void TaskDesk::settle() {
    woken_ = false;
    machine_.dispatch(clock_.now());
    plugins_->flush();
    if (offer_changed_ && link_->up()) {
        send_capabilities();
        send_health();
    }
    keep_results();
    send_results();
    send_credit();
    if (!phase_timer_runs_ && (machine_.open_tasks() > 0 || !telemetry_.empty()))
        watch_phases();
    if (on_settled)
        on_settled();
}

void TaskDesk::watch_phases() {
    phase_timer_runs_ = true;
    phase_timer_.expires_after(telemetry_period);
    phase_timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
        if (error || !*alive)
            return;
        phase_timer_runs_ = false;
        const bool more = machine_.report_phases(clock_.now());
        send_telemetry();
        if (more)
            watch_phases();
    });
}

// ---- sending ---------------------------------------------------------------------------------

bool TaskDesk::may_send() const {
    return link_->up() && link_->queued_bytes() < wire::limits::send_queue_soft;
}

void TaskDesk::send_results() {
    if (!outbox_.has_unsent() || !may_send())
        return;
    send_telemetry();  // a task's output arrives before its end
    while (outbox_.has_unsent() && may_send())
        if (auto message = outbox_.next_message(); !message.empty())
            link_->send(std::move(message));
}

void TaskDesk::send_telemetry() {
    if (telemetry_.empty() || !may_send())
        return;
    for (auto& message : telemetry_.take())
        link_->send(std::move(message));
}

void TaskDesk::send_credit() {
    if (!link_->up())
        return;
    credits_.clear();
    machine_.collect_credit(outbox_.full(), credits_);
    if (!credits_.empty())
        link_->send(wire::encode_credit(credits_));
}

void TaskDesk::send_capabilities() {
    wire::Capabilities message;
    message.sequence = ++capability_sequence_;
    for (const auto* plugin : plugins_->offered())
        append_capabilities(*plugin, message.types);
    for (auto& type : message.types)
        type.credit = std::max(1U, machine_.credit(type.type, type.version));
    message.refused = plugins_->refused();
    machine_.credit_announced();
    offer_changed_ = false;
    offered_something_ = offered_something_ || !message.types.empty();
    link_->send(encode_offer(std::move(message)));
}

void TaskDesk::send_health() {
    if (!health_wanted_ || !may_send())
        return;
    health_sent_ = plugins_->health_revision();
    trouble_sent_ = spool_.trouble();
    link_->send(
        wire::encode(wire::Health{.trouble = trouble_sent_, .plugins = plugins_->health()}));
}

/// Instead of a heartbeat, and no more often, so that large fleets send few of them.
void TaskDesk::watch_health() {
    health_timer_.expires_after(health_period_);
    health_timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
        if (error || !*alive)
            return;
        if (plugins_->health_revision() != health_sent_ || spool_.trouble() != trouble_sent_)
            send_health();
        watch_health();
    });
}

std::string TaskDesk::hello() const {
    wire::Hello hello;
    hello.host_id = directory_.host_id();
    hello.boot_id = boot_id_;
    hello.name = options_.name;
    hello.version = base::version;
    hello.slots = options_.slots;
    hello.labels = options_.labels;
    hello.coordinator_id = coordinator_id_;
    hello.running = machine_.claims();
    hello.finished = outbox_.claims();
    return wire::encode(hello);
}

// ---- the coordinator's messages --------------------------------------------------------------

base::Result<void> TaskDesk::receive(std::string_view text) {
    turn_time_ = clock_.now();
    wake();
    return wire::decode(text, *this);
}

base::Result<void> TaskDesk::on_welcome(wire::Welcome message) {
    if (message.coordinator_id != coordinator_id_ && !join(message.coordinator_id)) {
        link_->greet_again();
        return {};
    }
    link_->welcomed(message);
    if (closed_)  // a coordinator that was restarted does not know, and would only get tasks back
        link_->send(wire::encode_draining());
    outbox_.keep_first(message.durable);
    for (const auto& item : message.verdicts)
        if (item.verdict == wire::Verdict::cancel)
            machine_.cancel(item.token, turn_time_);
    outbox_.rewind();
    offer_changed_ = true;
    health_wanted_ = true;
    health_period_ = std::chrono::milliseconds(std::max<std::int64_t>(message.heartbeat_ms, 1000));
    watch_health();
    return {};
}

base::Result<void> TaskDesk::on_assign(const wire::AssignItem& item) {
    ++assigned_;
    machine_.assign(item, turn_time_);
    return {};
}

base::Result<void> TaskDesk::on_ack(const wire::AckItem& item) {
    outbox_.acknowledge(item.token);
    return {};
}

base::Result<void> TaskDesk::on_cancel(const wire::CancelItem& item) {
    machine_.cancel(item.token, turn_time_);
    return {};
}

base::Result<void> TaskDesk::on_drain() {
    log::info("host.draining", {{"why", "the coordinator asked"}});
    if (on_drain_requested)
        on_drain_requested();
    return {};
}

base::Result<void> TaskDesk::on_error(const base::Error& error) {
    log::error("coordinator.error", {{"message", error.message}, {"hint", error.hint}});
    return {};
}

base::Result<void> TaskDesk::on_unknown(std::string_view op) {
    link_->send(wire::encode_unsupported(op));
    return {};
}

base::Result<void> TaskDesk::on_unsupported(std::string_view op) {
    log::debug("coordinator.unsupported", {{"op", op}});
    if (op == "health")
        health_wanted_ = false;  // it is older than this host
    return {};
}

void TaskDesk::on_disconnected() {
    telemetry_.clear();
    wake();
}

// ---- shutdown --------------------------------------------------------------------------------

void TaskDesk::close() {
    closed_ = true;
    machine_.close("the host is shutting down", clock_.now());
    if (link_->up())
        link_->send(wire::encode_draining());
    wake();
}

void TaskDesk::cancel_all() {
    machine_.cancel_all(clock_.now());
    wake();
}

void TaskDesk::abandon_all() {
    machine_.abandon_all("the host was stopped", clock_.now());
    if (outbox_.unsealed() != 0)
        spool_results();
    outbox_.keep_first(false);  // nothing is waited for any more
    settle();
}

}  // namespace distributo::host
