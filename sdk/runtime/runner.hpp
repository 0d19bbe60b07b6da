#pragma once

#include "base/clock.hpp"
#include "runtime/calls.hpp"
#include "runtime/isolation.hpp"
#include "runtime/recycling.hpp"
#include "runtime/sandbox_policy.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::runtime {

class ValueCache;

/// What became of one of a runner's processes; for statistics.
struct ProcessNews {
    enum class Kind : std::uint8_t {
        ready,     ///< set up, after `setup`
        measured,  ///< it ran `tasks` since it was measured last, and grew by `growth`
        ended,     ///< as the runner wanted: it was used up, idle, recycled, or stopped
        recycled,  ///< a fresh process has taken its place, for `reason`; `ended` follows
        killed,    ///< by the runner: a call in it did not end when it should
        crashed,   ///< by itself
        failed,    ///< it never became ready
    } kind = Kind::ready;
    base::Duration setup{};
    std::uint64_t tasks = 0;
    ProcessUsage growth{};  ///< of the most that it has held
    RecycleReason reason = RecycleReason::tasks;
    std::string why{};  ///< recycled: in words
};

/// What a runner reports; always on the io_context, never from inside a call into the runner.
class RunnerEvents {
public:
    virtual ~RunnerEvents() = default;
    /// Library loaded, checked and set up: calls may be made. Comes once, before any result.
    virtual void on_ready(const ModuleInfo& module) = 0;
    /// A batch of ended calls.
    virtual void on_results(std::vector<CallResult> results) = 0;
    /// One or more lines. `stream`: "plugin" (the plugin's own log), "stdout" or "stderr" (process
    /// mode only). What is printed belongs to the call that runs; when several run, to the one that
    /// was started last. `call` is 0 when none runs, and during setup.
    virtual void on_log(CallId call, std::string_view stream, std::string_view text) = 0;
    virtual void on_progress(CallId call, double fraction, std::string_view text) = 0;
    /// A call of execute_alone() has its process now.
    virtual void on_started(CallId) {}
    /// No process could be started for a call of execute_alone(); it has no other result.
    virtual void on_unstartable(CallId, const std::string& /*why*/) {}
    virtual void on_process(const ProcessNews&) {}
    /// The runner gives up: calls that had not started were aborted and no more are taken. Those
    /// that run go on; on_gone() follows when the last of them has ended. Left out when none runs.
    virtual void on_giving_up(const std::string& /*why*/) {}
    /// The runner is gone: it never became ready (`why` says what is wrong with the plugin), it
    /// died (`why`: "killed by SIGSEGV …"), or stop() has completed (`expected`). Every open call
    /// has had its result before. Last event, but that a call made later is answered: aborted.
    /// Without stop() it means that the runner has given up: its plugin does not load, or its
    /// processes crashed on 3 tasks within 60 s (CrashBudget). Single crashes show in results only;
    /// the runner starts new processes by itself.
    virtual void on_gone(bool expected, const std::string& why) = 0;
    /// The plugin says that its probe would answer differently now.
    virtual void on_capabilities_changed() {}
};

struct RunnerOptions {
    std::filesystem::path library;         ///< absolute path of the private copy
    std::filesystem::path data_dir;        ///< of this plugin, created by the caller
    std::filesystem::path work_root;       ///< calls get private directories below it
    std::filesystem::path runner_program;  ///< path of distributo-runner; process mode
    std::string host_id;
    std::string config = "{}";  ///< JSON given to the plugin's setup
    SandboxPolicy sandbox{};    ///< process mode
    std::uint32_t threads = 1;  ///< calls that may run at once
    /// Isolation `inproc`: nobody else needs this process. Otherwise a module that needs isolation
    /// is reported as ready with what its tables say and not set up; it is to be started again
    /// with another isolation.
    bool own_process = false;
    std::shared_ptr<ValueCache> cache{};  ///< that the plugins of this host share; null: its own
    /// Most processes for types that are not reentrant, one call in each; 0: as many as `threads`.
    std::uint32_t processes = 0;
    /// Isolation `task`: most processes that are set up before their task comes; there are never
    /// more of them than tasks may run.
    std::uint32_t spares = 0xFFFF'FFFF;
    RecycleLimits recycle;  ///< process modes
    /// How often processes that run something are measured, and idle ones looked for.
    base::Duration housekeeping = std::chrono::seconds(1);
    base::Duration idle_time = std::chrono::seconds(30);  ///< then a process too many is ended
    base::Duration setup_timeout = std::chrono::seconds(60);
    base::Duration cancel_grace = std::chrono::seconds(10);  ///< when the type names none
};

/// One loaded plugin that runs calls. Starts by itself at construction.
/// Not thread-safe: lives on the io_context.
class Runner {
public:
    virtual ~Runner() = default;  ///< ends everything at once, without events

    virtual void execute(ExecuteCall call) = 0;
    /// In a process that runs nothing else and ends with the call (inproc: like execute()).
    virtual void execute_alone(ExecuteCall call) = 0;
    virtual void install(InstallCall call) = 0;
    /// Asks the plugin whether this host is still able. The result is what it says, as JSON.
    virtual void probe(CallId call) = 0;
    /// Asks a call to end; it gets its grace time, then its process is killed (process mode).
    virtual void cancel(CallId call) = 0;
    /// No more calls; teardown when the open ones are done, then on_gone.
    virtual void stop() = 0;
    /// Hands over everything that was queued by execute(); call it at the end of a turn.
    virtual void flush() = 0;
    [[nodiscard]] virtual Isolation isolation() const noexcept = 0;
};

[[nodiscard]] std::unique_ptr<Runner> make_runner(boost::asio::io_context& io,
                                                  Isolation isolation,
                                                  RunnerOptions options,
                                                  RunnerEvents& events);

/// Path of the distributo-runner program that belongs to this executable: beside it, or in
/// ../libexec/distributo.
[[nodiscard]] std::filesystem::path default_runner_program();

}  // namespace distributo::runtime
