#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::runtime {

/// One task type as its plugin declares it (dto_task_type, copied and checked).
struct TypeInfo {
    std::string name, version, summary;
    std::string payload_schema, result_schema, install_schema;  ///< JSON text or empty
    std::uint32_t max_concurrency = 0;  ///< 0: as many as there are slots; 1 when not reentrant
    std::int64_t timeout_ms = 0, cancel_grace_ms = 0, install_timeout_ms = 0;  ///< 0: default
    bool needs_install = false;
    bool deterministic = false;
};

struct ModuleInfo {
    std::string name, version, vendor, license;
    std::vector<TypeInfo> types;
    bool keep_loaded = false;
    bool needs_isolation = false;
};

enum class Isolation : std::uint8_t {
    process,  ///< a child process per plugin version: a crash ends only that
    inproc,   ///< inside the host, for trusted plugins; never unloaded
};

/// Host-chosen number of a call, unique among those not yet done.
using CallId = std::uint64_t;

struct ExecuteCall {
    CallId call = 0;
    std::string type;
    std::string task_id;
    std::uint32_t attempt = 1;
    std::string payload;      ///< JSON
    std::string content_key;  ///< empty when nothing was installed
    std::string install_dir;
    base::Duration timeout{};  ///< of this call; zero: none. Shown to the plugin as its deadline
};

struct InstallCall {
    CallId call = 0;
    std::string type;
    std::string content_key;
    std::string spec;         ///< JSON of the task's `install`
    std::string staging_dir;  ///< exists, empty
    std::uint32_t attempt = 1;
    base::Duration timeout{};
};

/// How a call ended.
struct CallResult {
    CallId call = 0;
    enum class Status : std::uint8_t {
        ok, retry, retry_elsewhere, permanent, cancelled,  // as the plugin said
        timeout,  ///< ran past its limit (the plugin gave up, or its process was ended)
        crashed,  ///< this call's process died, and this call is to blame
        aborted,  ///< its process went because of somebody else (sibling crash, stop): run again
    } status = Status::ok;
    bool suspect = false;  ///< with aborted: it ran in the process that died, and may be to blame
    std::string result;      ///< JSON value, with ok; "null" when the plugin set none
    std::string message;
    std::string detail;      ///< JSON or empty
    std::int64_t retry_after_ms = 0;
    std::int64_t elapsed_us = 0;  ///< inside the plugin
};

/// What a runner reports; always on the io_context, never from inside a call into the runner.
class RunnerEvents {
public:
    virtual ~RunnerEvents() = default;
    /// Library loaded, checked and set up: calls may be made. Comes once, before any result.
    virtual void on_ready(const ModuleInfo& module) = 0;
    /// A batch of ended calls.
    virtual void on_results(std::vector<CallResult> results) = 0;
    virtual void on_log(CallId call, std::string_view stream, std::string_view text) = 0;
    virtual void on_progress(CallId call, double fraction, std::string_view text) = 0;
    /// The runner is gone: it never became ready (`why` says what is wrong with the plugin), it
    /// died (`why`: "killed by SIGSEGV …"), or stop() has completed (`expected`). Every open call
    /// has had its result before. Last event.
    virtual void on_gone(bool expected, const std::string& why) = 0;
};

struct RunnerOptions {
    std::filesystem::path library;   ///< absolute path of the private copy
    std::filesystem::path data_dir;  ///< of this plugin, created by the caller
    std::filesystem::path work_root; ///< calls get private directories below it
    std::filesystem::path runner_program;  ///< path of distributo-runner; process mode
    std::string host_id;
    std::string config = "{}";       ///< JSON given to the plugin's setup
    std::uint32_t threads = 1;       ///< calls that may run at once
    base::Duration setup_timeout = std::chrono::seconds(60);
    base::Duration cancel_grace = std::chrono::seconds(10);  ///< when the type names none
};

/// One loaded plugin that runs calls. Starts by itself at construction.
/// Not thread-safe: lives on the io_context.
class Runner {
public:
    virtual ~Runner() = default;  ///< ends everything at once, without events

    virtual void execute(ExecuteCall call) = 0;
    virtual void install(InstallCall call) = 0;
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
