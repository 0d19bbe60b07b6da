#pragma once

#include "base/result.hpp"
#include "runtime/call.hpp"
#include "runtime/module_check.hpp"
#include "runtime/plugin_library.hpp"

#include <filesystem>
#include <memory>
#include <string>

namespace distributo::runtime {

/// What a plugin is set up with.
struct SetupRequest {
    std::filesystem::path data_dir, work_root;
    std::string host_id;
    std::string config = "{}";
    std::uint32_t threads = 1;
};

/// A call that waits for a thread.
struct Work {
    CallId id = 0;  ///< never 0
    std::uint32_t type = 0;
    std::uint32_t attempt = 1;
    bool install = false;
    base::Duration timeout{};
    std::string body;  ///< payload, or the install's spec
    std::string task_id;
    std::string content_key;
    std::string directory;  ///< of the install
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

    [[nodiscard]] const ModuleInfo& info() const noexcept { return module_.info; }
    [[nodiscard]] bool reentrant(std::uint32_t type) const noexcept;

    [[nodiscard]] base::Result<void> set_up(const SetupRequest& request);
    /// Runs the call to its end; `now` is when it starts.
    void run(Call& context, const Work& work, base::TimePoint now, CallResult& result) noexcept;
    /// Asks a call that runs in `context` to end; false when another, or none, runs there.
    bool cancel(Call& context, CallId id) noexcept;
    /// No call may be running. Afterwards nothing may be called any more.
    void tear_down() noexcept;

private:
    TaskPlugin(PluginLibrary library, TaskModule module, CallReporter& reporter);
    [[nodiscard]] base::Result<void> create();
    [[nodiscard]] dto_status execute(dto_call* call, const Work& work);
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
