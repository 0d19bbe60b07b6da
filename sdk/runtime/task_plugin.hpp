#pragma once

#include "base/result.hpp"
#include "runtime/call.hpp"
#include "runtime/module_check.hpp"
#include "runtime/plugin_library.hpp"

#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace distributo::runtime {

/// What a plugin is set up with.
struct SetupRequest {
    std::filesystem::path data_dir, work_root;
    std::string host_id;
    std::string config = "{}";
    std::uint32_t threads = 1;
};

enum class WorkKind : std::uint8_t { execute, install, verify, probe };

/// A call that waits for a thread.
struct Work {
    CallId id = 0;           ///< never 0
    std::uint32_t type = 0;  ///< not of a probe
    std::uint32_t attempt = 1;
    WorkKind kind = WorkKind::execute;
    base::Duration timeout{};
    std::string body;  ///< payload, or the install's spec
    std::string task_id;
    std::string content_key;
    std::string directory;  ///< of the install
};

/// One of the calls that are handed to the plugin together.
struct BatchCall {
    Call* context = nullptr;
    const Work* work = nullptr;
    dto_execute* request = nullptr;  ///< filled; the plugin's until the call ends
    dto_status status = DTO_PENDING;
};

/// A task plugin in this process: loaded, checked, with its one instance.
/// load, set_up and tear_down belong to one thread at a time; run and cancel may come from several.
class TaskPlugin {
public:
    /// Runs the library's code: constructors, the entry function and create().
    [[nodiscard]] static base::Result<std::unique_ptr<TaskPlugin>> load(
        const std::filesystem::path& library, CallReporter& reporter);
    TaskPlugin(const TaskPlugin&) = delete;
    TaskPlugin& operator=(const TaskPlugin&) = delete;
    ~TaskPlugin();

    /// Complete after set_up(), which may find types that the tables do not name.
    [[nodiscard]] const ModuleInfo& info() const noexcept { return module_.info; }
    [[nodiscard]] bool reentrant(std::uint32_t type) const noexcept;

    [[nodiscard]] base::Result<void> set_up(const SetupRequest& request);
    /// Runs the call, which must not be of an async type, to its end; `now` is when it starts.
    /// `request` is memory for what the plugin is shown, its own until the call ends.
    void run(Call& context,
             const Work& work,
             dto_execute& request,
             base::TimePoint now,
             CallResult& result) noexcept;
    /// Begins the call and returns what the plugin's function returns; Call::end() comes next.
    [[nodiscard]] dto_status enter(Call& context,
                                   const Work& work,
                                   dto_execute& request,
                                   base::TimePoint now) noexcept;
    /// The same for several calls of one type, by execute_batch; fills in their statuses.
    void enter_batch(std::span<BatchCall> calls, base::TimePoint deadline) noexcept;
    /// Asks a call that runs in `context` to end; false when another, or none, runs there.
    bool cancel(Call& context, CallId id) noexcept;
    /// No call may be running. Afterwards nothing may be called any more.
    void tear_down() noexcept;

private:
    TaskPlugin(PluginLibrary library, TaskModule module, CallReporter& reporter);
    [[nodiscard]] base::Result<void> create();
    [[nodiscard]] base::Result<void> discover();
    [[nodiscard]] Call::Kind kind_of(const Work& work) const noexcept;
    void describe(const Work& work, dto_execute& request) const;
    [[nodiscard]] dto_status enter_function(dto_call* call, const Work& work, dto_execute& request);
    [[nodiscard]] dto_status install(dto_call* call, const Work& work);

    enum class State : std::uint8_t { loaded, created, ready, gone };

    PluginLibrary library_;
    TaskModule module_;
    CallReporter& reporter_;
    Call root_;
    dto_host host_;
    void* instance_ = nullptr;
    State state_ = State::loaded;
};

}  // namespace distributo::runtime
