#pragma once

#include "base/clock.hpp"
#include "host/plugin_ability.hpp"
#include "host/plugin_health.hpp"
#include "host/plugin_id.hpp"
#include "host/quarantine.hpp"
#include "host/quarantine_book.hpp"
#include "runtime/plugin_cache.hpp"
#include "runtime/runner.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::host {

class Plugin;
class SoloRun;

/// What happens to the calls of a plugin and to the plugin itself. Called on the io_context.
class PluginOwner {
public:
    virtual ~PluginOwner() = default;
    /// Set up and able to run: the first time, again after a quarantine or after it was not able,
    /// or with other attributes than before.
    virtual void on_plugin_ready(Plugin& plugin) = 0;
    /// It never came up; `why` says what is wrong with it.
    virtual void on_plugin_failed(Plugin& plugin, const std::string& why) = 0;
    /// It says that this host is not able to run its tasks now; on_plugin_ready may follow.
    virtual void on_plugin_unable(Plugin& plugin, const std::string& why) = 0;
    /// It crashed too often and is left alone for a while, or still is since an earlier process of
    /// the host; quarantine() says how long. Comes again
    /// when it did not come up after that. Calls that run go on.
    virtual void on_plugin_quarantined(Plugin& plugin, const std::string& why) = 0;
    /// stop() has completed; the plugin may be destroyed after this call.
    virtual void on_plugin_stopped(Plugin& plugin) = 0;

    /// A call that runs alone has its process now.
    virtual void on_call_started(runtime::CallId call) = 0;
    virtual void on_call_results(std::vector<runtime::CallResult> results) = 0;
    virtual void on_call_unstartable(runtime::CallId call, const std::string& why) = 0;
    virtual void on_call_log(runtime::CallId call,
                             std::string_view stream,
                             std::string_view text) = 0;
    virtual void on_call_progress(runtime::CallId call, double fraction, std::string_view text) = 0;
};

struct PluginSource {
    PluginId id = 0;
    std::filesystem::path file;  ///< in the plugin folder; loaded is only the private copy
    runtime::CachedPlugin copy;
    runtime::Isolation isolation = runtime::Isolation::process;
    runtime::RunnerOptions runner;  ///< without `library`
    QuarantineSettings quarantine;
    std::optional<PastQuarantine> past;
};

/// Why a plugin is left alone, and until when.
struct Quarantine {
    std::string why;
    base::TimePoint until{};
};

/// One version of one plugin file with the runner that runs it. The runner survives single crashes;
/// when it gives up, the plugin is left alone for a minute, then tried again, less and less often.
///
///     starting ──ready──▶ ready ──gives up──▶ quarantined ──after a while──▶ (starting again)
///        │                  │                     ▲    │                        │   │
///        │ fails            │ stop                │    └────────────ready───────┼───┘
///        ▼                  ▼                     └─────────────fails───────────┘
///     (refused)          stopping
///
/// Not thread-safe: lives on the io_context. Must not be destroyed from inside its owner's
/// on_… calls, on_plugin_stopped excepted, which comes from a fresh turn of the loop.
class Plugin final : runtime::RunnerEvents {
public:
    Plugin(boost::asio::io_context& io,
           const base::Clock& clock,
           PluginSource source,
           PluginOwner& owner);
    ~Plugin() override;

    [[nodiscard]] PluginId id() const noexcept { return source_.id; }
    [[nodiscard]] const std::filesystem::path& file() const noexcept { return source_.file; }
    [[nodiscard]] const std::string& digest() const noexcept { return source_.copy.digest; }
    [[nodiscard]] runtime::Isolation isolation() const noexcept { return source_.isolation; }
    /// Known once it was ready.
    [[nodiscard]] const runtime::ModuleInfo& module() const noexcept { return module_; }
    /// What its probe found on this host: a JSON object, or empty.
    [[nodiscard]] const std::string& attributes() const noexcept {
        return ability_.ability().attributes;
    }
    /// nullptr when it is not in quarantine.
    [[nodiscard]] const Quarantine* quarantine() const noexcept {
        return state_ == State::quarantined ? &quarantine_ : nullptr;
    }
    [[nodiscard]] bool stopping() const noexcept { return state_ == State::stopping; }
    [[nodiscard]] const PluginHealth& health() const noexcept { return health_; }

    void execute(runtime::ExecuteCall&& call);
    /// In a process of its own, which ends with the call.
    void execute_alone(runtime::ExecuteCall&& call);
    void install(runtime::InstallCall call);
    void cancel(runtime::CallId call);
    void flush();
    /// No more calls; on_plugin_stopped follows when the open ones are done.
    void stop();

private:
    enum class State : std::uint8_t { starting, refused, ready, quarantined, stopping };

    void on_ready(const runtime::ModuleInfo& module) override;
    void on_started(runtime::CallId call) override;
    void on_unstartable(runtime::CallId call, const std::string& why) override;
    void on_process(const runtime::ProcessNews& news) override;
    void on_giving_up(const std::string& why) override;
    void on_results(std::vector<runtime::CallResult> results) override;
    void on_log(runtime::CallId call, std::string_view stream, std::string_view text) override;
    void on_progress(runtime::CallId call, double fraction, std::string_view text) override;
    void on_gone(bool expected, const std::string& why) override;
    void on_capabilities_changed() override;

    void start();
    void ask();
    void on_ability();
    void quarantine(const std::string& why, bool was_up);
    void leave_alone(const std::string& why, base::TimePoint until);
    void probe();
    void solo_ended(SoloRun& solo);
    void finish_stop();
    void refuse_call(runtime::CallId call);
    friend class SoloRun;

    boost::asio::io_context& io_;
    const base::Clock& clock_;
    PluginSource source_;
    PluginOwner& owner_;
    State state_ = State::starting;
    runtime::ModuleInfo module_;
    AbilityWatch ability_;
    std::unique_ptr<runtime::Runner> runner_;
    std::vector<std::unique_ptr<SoloRun>> solos_;
    PluginHealth health_;
    QuarantineSchedule schedule_;
    Quarantine quarantine_;
    bool probing_ = false;    // a runner was started to see whether it comes up
    bool probe_due_ = false;  // but calls of the runner that gave up still run
    boost::asio::steady_timer probe_timer_;
    std::shared_ptr<bool> alive_;  // for what is posted to the loop
    bool unflushed_ = false;
};

}  // namespace distributo::host
