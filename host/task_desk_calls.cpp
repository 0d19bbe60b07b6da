#include "base/log.hpp"
#include "host/task_desk.hpp"

#include <filesystem>
#include <system_error>

namespace distributo::host {
namespace {

namespace fs = std::filesystem;
namespace log = base::log;

}  // namespace

// ---- what the phase machine wants ------------------------------------------------------------

void TaskDesk::execute(PluginId plugin, runtime::ExecuteCall&& call) {
    plugins_->find(plugin)->execute(std::move(call));
}

void TaskDesk::execute_alone(PluginId plugin, runtime::ExecuteCall&& call) {
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

void TaskDesk::verify_install(PluginId plugin, runtime::InstallCall call) {
    call.staging_dir = (directory_.installs() / call.content_key).string();
    call.verify = true;
    plugins_->find(plugin)->install(std::move(call));
}

void TaskDesk::remove_install(const std::string& content_key) {
    log::info("install.not_good_any_more", {{"key", content_key.substr(0, 12)}});
    std::error_code ignored;  // what is left is replaced when the next install is kept
    fs::remove_all(directory_.installs() / content_key, ignored);
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

void TaskDesk::finish(Outcome&& outcome) {
    outbox_.add(std::move(outcome));
}

// ---- what the plugins report -----------------------------------------------------------------

void TaskDesk::on_offered(const Plugin& plugin) {
    machine_.offer(plugin.id(), plugin.digest(), plugin.module().types, clock_.now());
    wake();
}

void TaskDesk::on_draining(PluginId plugin) {
    machine_.drain(plugin, clock_.now());
    wake();
}

void TaskDesk::on_drain_limit(PluginId plugin, std::string_view why) {
    machine_.give_back(plugin, why, clock_.now());
    wake();
}

void TaskDesk::on_withdrawn(PluginId plugin, std::string_view why) {
    machine_.withdraw(plugin, why, clock_.now());
    wake();
}

void TaskDesk::on_offer_changed() {
    offer_changed_ = true;
    wake();
}

void TaskDesk::on_call_started(runtime::CallId call) {
    machine_.call_started(call, clock_.now());
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
