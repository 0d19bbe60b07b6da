#pragma once

#include "base/clock.hpp"
#include "host/call_counts.hpp"
#include "host/plugin.hpp"
#include "host/plugin_config.hpp"
#include "host/plugin_copies.hpp"
#include "host/plugin_history.hpp"
#include "runtime/plugin_watch.hpp"
#include "wire/messages.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::host {

/// What the rest of the host hears of its plugins and their calls.
class PluginSetEvents {
public:
    virtual ~PluginSetEvents() = default;
    /// The types of `plugin` go to it from now on.
    virtual void on_offered(const Plugin& plugin) = 0;
    /// It is not offered any more, but still runs what no other one may run.
    virtual void on_draining(PluginId plugin) = 0;
    /// Does a task wait for it, or run in it?
    [[nodiscard]] virtual bool needs(PluginId plugin) const = 0;
    [[nodiscard]] virtual CallCounts calls_of(PluginId plugin) const = 0;
    /// It has drained for too long: what waits for it or runs in it is to go back.
    virtual void on_drain_limit(PluginId plugin, std::string_view why) = 0;
    /// It takes no more tasks, its calls go on.
    virtual void on_withdrawn(PluginId plugin, std::string_view why) = 0;
    /// A new capabilities message is due.
    virtual void on_offer_changed() = 0;

    virtual void on_call_started(runtime::CallId call) = 0;
    virtual void on_call_results(std::vector<runtime::CallResult> results) = 0;
    virtual void on_call_unstartable(runtime::CallId call, const std::string& why) = 0;
    virtual void on_call_log(runtime::CallId call,
                             std::string_view stream,
                             std::string_view text) = 0;
    virtual void on_call_progress(runtime::CallId call, double fraction, std::string_view text) = 0;
};

struct PluginSetOptions {
    std::filesystem::path cache;                 ///< private copies
    std::vector<std::filesystem::path> folders;  ///< where the library that runs scripts may lie
    std::filesystem::path data;                  ///< one directory per plugin file below it
    runtime::Isolation isolation = runtime::Isolation::process;
    runtime::Isolation min_isolation = runtime::Isolation::inproc;  ///< of all, whatever they say
    PluginConfig plugins;
    runtime::RunnerOptions runner;  ///< for all; library and data_dir are filled in
    /// How long a version that was replaced or removed may go on with the tasks it has.
    base::Duration drain_limit = std::chrono::minutes(10);
    /// How long it stays at least, for tasks that are on their way to this host.
    base::Duration linger = std::chrono::seconds(1);
    /// A version that crashes too often in this time goes, and the one before it comes back. Later
    /// it has proven itself, and whatever makes it crash would not spare its predecessor. Twice is
    /// too often while no call has ended otherwise, so that no task is charged a third crash, which
    /// would be its end.
    base::Duration trial = std::chrono::hours(1);
    QuarantineSettings quarantine;
};

/// The plugins of the folders: which file offers what, which are refused and why.
///
///   file ─► private copy ─► runner ─► ready ─► offered ─► (replaced or removed) ─► drains ─► gone
///                │             │        │         └► (crashes too often) ─► the version before it
///                │             │        └► refused: another plugin has the type
///                └─────────────┴► refused: not a library, does not load, …
///
/// Of two plugins that claim one type the first keeps it; two files with different versions of one
/// plugin are both offered. A changed file is started beside its old version, which serves until
/// the new one is ready, and goes on if the new one is refused. When a new version crashes too
/// often, or there is none that runs at the host's start, the last one that was offered comes back,
/// until the file changes. The library that runs scripts is no plugin itself; when it comes or
/// changes, the scripts are looked at again. Not thread-safe: lives on the io_context.
class PluginSet final : PluginOwner {
public:
    PluginSet(boost::asio::io_context& io,
              const base::Clock& clock,
              PluginSetOptions options,
              PluginSetEvents& events);
    ~PluginSet() override;

    void apply(const runtime::PluginChanges& changes);
    /// Ends all plugins in order; `done` follows when the last has torn down.
    void stop(std::function<void()> done);

    /// nullptr once it is gone.
    [[nodiscard]] Plugin* find(PluginId id) const noexcept {
        return id < by_id_.size() ? by_id_[id] : nullptr;
    }
    /// Hands over everything that was queued in this turn.
    void flush();

    [[nodiscard]] std::vector<const Plugin*> offered() const;
    [[nodiscard]] std::vector<wire::RefusedPlugin> refused() const;
    /// Of every version that is here, also of those that drain, and of files that are refused.
    [[nodiscard]] std::vector<wire::PluginHealth> health() const;
    /// Another number when the figures have changed.
    [[nodiscard]] std::uint64_t health_revision() const;
    /// Files that are being copied or started.
    [[nodiscard]] bool loading() const noexcept;

private:
    struct File {
        std::unique_ptr<Plugin> current;   // offered, or quarantined
        std::unique_ptr<Plugin> incoming;  // being started
        std::string refusal;               // why the file as it is now is not offered
        bool conflict = false;             // refused for a type that another file has
        bool since_start = false;          // it has not changed since the host started
        bool copying = false;
        bool offered = false;   // `current` has its types
        bool fallback = false;  // `current` or what comes is an earlier version, not the file
        bool given_up = false;  // `current` could run, but its first calls crashed
        base::TimePoint offered_since{};
        std::uint64_t version = 0;  // number of its last change
    };
    struct Draining {
        std::unique_ptr<Plugin> plugin;
        std::string why;
        base::TimePoint since{};
        bool limited = false;  // its tasks were given back
    };
    using Files = std::map<std::filesystem::path, File>;

    void on_plugin_ready(Plugin& plugin) override;
    void on_plugin_failed(Plugin& plugin, const std::string& why) override;
    void on_plugin_unable(Plugin& plugin, const std::string& why) override;
    void on_plugin_quarantined(Plugin& plugin, const std::string& why) override;
    void on_plugin_stopped(Plugin& plugin) override;
    void on_call_started(runtime::CallId call) override;
    void on_call_results(std::vector<runtime::CallResult> results) override;
    void on_call_unstartable(runtime::CallId call, const std::string& why) override;
    void on_call_log(runtime::CallId call, std::string_view stream, std::string_view text) override;
    void on_call_progress(runtime::CallId call, double fraction, std::string_view text) override;

    void load_scripts();
    void remove(const std::filesystem::path& path);
    void load(const std::filesystem::path& path);
    enum class Copy : std::uint8_t { of_file, of_earlier };
    [[nodiscard]] PluginCopies::Done when_copied(const std::filesystem::path& path,
                                                 File& file,
                                                 Copy kind);
    void copied(const std::filesystem::path& path,
                File& file,
                Copy kind,
                base::Result<runtime::CachedPlugin> copy);
    void start(const std::filesystem::path& path, File& file, runtime::CachedPlugin copy);
    void refuse(const std::filesystem::path& path, File& file, std::string why, bool conflict);
    /// Starts the last version on offer that was not `bad`, if there is one.
    bool go_back(const std::filesystem::path& path, File& file, std::string_view bad);
    /// Goes back from what is offered, while it is on trial and there is something to go back to.
    bool give_up(const std::filesystem::path& path, File& file, const std::string& why);
    void note_quarantine(const Plugin& plugin);
    void resume_quarantine(File& file);
    void check_trials();
    /// It was offered: lets it drain.
    void retire(std::unique_ptr<Plugin> plugin, std::string why);
    /// It has no tasks, or only calls that run.
    void end(std::unique_ptr<Plugin> plugin);
    void check_draining();
    void remember(const std::filesystem::path& path, const Plugin& plugin);
    void prune();
    void discard(std::unique_ptr<Plugin> plugin);
    void retry_conflicts();
    void tell_missing(const runtime::SandboxReport& sandbox);
    [[nodiscard]] std::string conflict_of(const Plugin& plugin) const;
    [[nodiscard]] Files::iterator file_of(const Plugin& plugin);

    boost::asio::io_context& io_;
    const base::Clock& clock_;
    PluginSetOptions options_;
    PluginSetEvents& events_;
    Files files_;
    std::vector<Draining> draining_;
    std::vector<std::unique_ptr<Plugin>> retired_;
    std::vector<Plugin*> by_id_{nullptr};
    wire::Layers told_missing_;      // logged once, not for every plugin
    std::function<void()> stopped_;  // of stop(); empty before
    boost::asio::steady_timer drain_timer_;
    PluginCopies copies_;
    PluginHistory history_;
    QuarantineBook quarantines_;
    std::uint64_t last_change_ = 0;  // of any file
    bool scanned_ = false;           // the folders were seen once
};

}  // namespace distributo::host
