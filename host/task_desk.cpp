#include "host/task_desk.hpp"

#include "base/ids.hpp"
#include "base/log.hpp"
#include "base/version.hpp"
#include "host/offer.hpp"
#include "wire/limits.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <system_error>

namespace distributo::host {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace log = base::log;

constexpr base::Duration telemetry_period = std::chrono::milliseconds(50);

PhaseSettings machine_settings(const Options& options, const DataDir& directory) {
    PhaseSettings settings;
    settings.slots = options.slots;
    settings.isolated = options.isolation == runtime::Isolation::process;
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
      phase_timer_(io),
      alive_(std::make_shared<bool>(true)) {
    for (auto& key : directory.finished_installs())
        machine_.add_install(std::move(key));
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
    if (offer_changed_ && link_->up())
        send_capabilities();
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
        machine_.report_phases(clock_.now());
        send_telemetry();
        phase_timer_runs_ = false;
        if (machine_.open_tasks() > 0)
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
        type.credit = std::max(1U, machine_.credit(type.type));
    message.refused = plugins_->refused();
    machine_.credit_announced();
    offer_changed_ = false;
    offered_something_ = offered_something_ || !message.types.empty();
    link_->send(encode_offer(std::move(message)));
}

std::string TaskDesk::hello() const {
    wire::Hello hello;
    hello.host_id = directory_.host_id();
    hello.boot_id = boot_id_;
    hello.name = options_.name;
    hello.version = base::version;
    hello.slots = options_.slots;
    hello.labels = options_.labels;
    hello.running = machine_.tokens();
    hello.finished = outbox_.tokens();
    return wire::encode(hello);
}

// ---- the coordinator's messages --------------------------------------------------------------

base::Result<void> TaskDesk::receive(std::string_view text) {
    turn_time_ = clock_.now();
    wake();
    return wire::decode(text, *this);
}

base::Result<void> TaskDesk::on_welcome(wire::Welcome message) {
    link_->welcomed(message);
    for (const auto& item : message.verdicts)
        if (item.verdict == wire::Verdict::cancel)
            machine_.cancel(item.token, turn_time_);
    outbox_.rewind();
    offer_changed_ = true;
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
    return {};
}

void TaskDesk::on_disconnected() {
    telemetry_.clear();
    wake();
}

// ---- shutdown --------------------------------------------------------------------------------

void TaskDesk::close() {
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
    settle();
}

// ---- what the phase machine wants ------------------------------------------------------------

void TaskDesk::execute(PluginId plugin, runtime::ExecuteCall call) {
    plugins_->find(plugin)->execute(std::move(call));
}

void TaskDesk::execute_alone(PluginId plugin, runtime::ExecuteCall call) {
    plugins_->find(plugin)->execute_alone(std::move(call));
}

base::Result<void> TaskDesk::install(PluginId plugin, runtime::InstallCall call) {
    const auto staging = directory_.staging() / call.content_key;
    std::error_code error;
    fs::remove_all(staging, error);
    if (!error)
        fs::create_directory(staging, error);
    if (error)
        return base::error(
            base::Errc::io,
            "cannot make the staging directory " + staging.string() + ": " + error.message());
    call.staging_dir = staging.string();
    plugins_->find(plugin)->install(std::move(call));
    return {};
}

base::Result<void> TaskDesk::keep_install(const std::string& content_key) {
    const auto place = directory_.installs() / content_key;
    std::error_code error;
    fs::remove_all(place, error);
    fs::rename(directory_.staging() / content_key, place, error);
    if (error)
        return base::error(base::Errc::io,
                           "cannot move the install to " + place.string() + ": " + error.message());
    return {};
}

void TaskDesk::drop_install(const std::string& content_key) {
    std::error_code
        ignored;  // what is left is removed before the next install, or at the next start
    fs::remove_all(directory_.staging() / content_key, ignored);
}

void TaskDesk::cancel_call(PluginId id, runtime::CallId call) {
    if (auto* plugin = plugins_->find(id)) {
        plugin->cancel(call);
        wake();
    }
}

void TaskDesk::report_phase(const wire::PhaseItem& item) {
    telemetry_.phase(item);
}

void TaskDesk::finish(Outcome outcome) {
    outbox_.add(std::move(outcome));
}

// ---- what the plugins report -----------------------------------------------------------------

void TaskDesk::on_offered(const Plugin& plugin) {
    machine_.offer(plugin.id(), plugin.digest(), plugin.module().types, clock_.now());
    wake();
}

void TaskDesk::on_withdrawn(PluginId plugin, std::string_view why) {
    machine_.withdraw(plugin, why, clock_.now());
    wake();
}

void TaskDesk::on_down(PluginId plugin) {
    machine_.plugin_down(plugin, clock_.now());
}

void TaskDesk::on_up(PluginId plugin) {
    machine_.plugin_up(plugin, clock_.now());
    wake();
}

void TaskDesk::on_offer_changed() {
    offer_changed_ = true;
    wake();
}

void TaskDesk::on_call_results(std::vector<runtime::CallResult> results) {
    const auto now = clock_.now();
    for (auto& result : results)
        machine_.call_ended(std::move(result), now);
    wake();
}

void TaskDesk::on_call_unstartable(runtime::CallId call, const std::string& why) {
    machine_.call_unstartable(call, why, clock_.now());
    wake();
}

void TaskDesk::on_call_log(runtime::CallId call, std::string_view stream, std::string_view text) {
    if (const auto* task = machine_.find(call)) {
        telemetry_.log(task->token, stream, text);
        wake();
    } else if (log::enabled(log::Level::debug)) {
        log::debug("plugin.output", {{"stream", stream}, {"text", text}});
    }
}

void TaskDesk::on_call_progress(runtime::CallId call, double fraction, std::string_view text) {
    if (const auto* task = machine_.find(call)) {
        telemetry_.progress(task->token, fraction, text);
        wake();
    }
}

}  // namespace distributo::host
