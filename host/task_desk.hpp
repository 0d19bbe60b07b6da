#pragma once

#include "base/clock.hpp"
#include "host/data_dir.hpp"
#include "host/link.hpp"
#include "host/options.hpp"
#include "host/outbox.hpp"
#include "host/phase_machine.hpp"
#include "host/plugin_set.hpp"
#include "host/spool.hpp"
#include "host/telemetry.hpp"
#include "wire/codec.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::host {

/// Where the coordinator's messages, the tasks and the plugins meet. What one turn of the loop
/// brings in is answered together at its end: calls to the runners, then results to the
/// coordinator. Not thread-safe: lives on the io_context.
class TaskDesk final : public wire::FromCoordinator, PhaseActions, public PluginSetEvents {
public:
    TaskDesk(boost::asio::io_context& io,
             const base::Clock& clock,
             const Options& options,
             const DataDir& directory);
    ~TaskDesk() override;

    /// Called once, before anything else: the two ends that the desk joins.
    void connect(Link& link, PluginSet& plugins);
    /// Called at the end of every turn in which something may have become finished or idle.
    std::function<void()> on_settled;
    std::function<void()> on_drain_requested;

    [[nodiscard]] std::string hello() const;
    /// A message of the coordinator; the error ends the connection.
    [[nodiscard]] base::Result<void> receive(std::string_view text);
    void on_disconnected();
    /// Does at the end of this turn of the loop what has become possible.
    void wake();

    /// Takes no more tasks; those that have not started go back.
    void close();
    void cancel_all();
    void abandon_all();

    /// Nothing is assigned and every outcome is acknowledged.
    [[nodiscard]] bool idle() const noexcept {
        return machine_.open_tasks() == 0 && outbox_.empty();
    }
    /// Every outcome that is to survive this process is on disk, or cannot be put there.
    [[nodiscard]] bool results_kept() const noexcept { return outbox_.all_kept(); }
    [[nodiscard]] std::uint32_t open_tasks() const noexcept { return machine_.open_tasks(); }
    [[nodiscard]] std::uint64_t assigned() const noexcept { return assigned_; }
    [[nodiscard]] bool offered_something() const noexcept { return offered_something_; }

private:
    // wire::FromCoordinator
    base::Result<void> on_welcome(wire::Welcome message) override;
    base::Result<void> on_assign(const wire::AssignItem& item) override;
    base::Result<void> on_ack(const wire::AckItem& item) override;
    base::Result<void> on_cancel(const wire::CancelItem& item) override;
    base::Result<void> on_drain() override;
    base::Result<void> on_error(const base::Error& error) override;
    base::Result<void> on_unknown(std::string_view op) override;
    base::Result<void> on_unsupported(std::string_view op) override;

    // PhaseActions
    void execute(PluginId plugin, runtime::ExecuteCall&& call) override;
    void execute_alone(PluginId plugin, runtime::ExecuteCall&& call) override;
    base::Result<void> install(PluginId plugin, runtime::InstallCall call) override;
    base::Result<void> keep_install(const std::string& content_key) override;
    void drop_install(const std::string& content_key) override;
    void verify_install(PluginId plugin, runtime::InstallCall call) override;
    void remove_install(const std::string& content_key) override;
    void cancel_call(PluginId plugin, runtime::CallId call) override;
    void report_phase(const wire::PhaseItem& item) override;
    void finish(Outcome&& outcome) override;

    // PluginSetEvents
    void on_offered(const Plugin& plugin) override;
    void on_draining(PluginId plugin) override;
    [[nodiscard]] bool needs(PluginId plugin) const override { return machine_.needs(plugin); }
    [[nodiscard]] CallCounts calls_of(PluginId plugin) const override {
        return machine_.calls_of(plugin);
    }
    void on_drain_limit(PluginId plugin, std::string_view why) override;
    void on_withdrawn(PluginId plugin, std::string_view why) override;
    void on_offer_changed() override;
    void on_call_started(runtime::CallId call) override;
    void on_call_results(std::vector<runtime::CallResult> results) override;
    void on_call_unstartable(runtime::CallId call, const std::string& why) override;
    void on_call_log(runtime::CallId call, std::string_view stream, std::string_view text) override;
    void on_call_progress(runtime::CallId call, double fraction, std::string_view text) override;

    void settle();
    [[nodiscard]] bool join(const std::string& coordinator_id);
    void restore_results();
    void keep_results();
    void spool_results();
    void on_spooled(std::vector<SealedResults> batch, std::uint64_t file);
    void send_results();
    void send_telemetry();
    void send_credit();
    void send_capabilities();
    void send_health();
    void watch_health();
    void watch_phases();
    [[nodiscard]] bool may_send() const;

    boost::asio::io_context& io_;
    const base::Clock& clock_;
    const Options& options_;
    const DataDir& directory_;
    std::string boot_id_;
    std::string coordinator_id_;  // whose the tasks are; empty before the first welcome
    Link* link_ = nullptr;
    PluginSet* plugins_ = nullptr;
    PhaseMachine machine_;
    Outbox outbox_;
    SpoolDirectory spool_files_;
    Spool spool_;
    boost::asio::steady_timer gather_timer_;
    base::TimePoint gather_until_{};
    bool gathering_ = false;
    Telemetry telemetry_;
    std::vector<wire::Credit> credits_;  // kept for its memory
    base::TimePoint turn_time_{};        // one reading of the clock serves a whole message
    boost::asio::steady_timer phase_timer_;
    bool phase_timer_runs_ = false;
    /// Of health messages: what the coordinator wants to hear of a host that does nothing.
    base::Duration health_period_ = std::chrono::seconds(5);
    boost::asio::steady_timer health_timer_;
    std::uint64_t health_sent_ = 0;  // revision
    std::string trouble_sent_;
    bool health_wanted_ = true;
    bool woken_ = false;
    bool closed_ = false;  // close() was called
    bool offer_changed_ = false;
    bool offered_something_ = false;
    std::uint64_t capability_sequence_ = 0;
    std::uint64_t assigned_ = 0;
    std::shared_ptr<bool> alive_;
};

}  // namespace distributo::host
