#pragma once

#include "base/result.hpp"
#include "runtime/call.hpp"
#include "runtime/extension_runner.hpp"
#include "runtime/plugin_library.hpp"

#include <distributo/abi.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

namespace distributo::runtime {

/// The tables of a library's generator and sink, checked; members that a table lacks are null.
struct ExtensionTables {
    ExtensionModule info;
    dto_generator_api generator{};  ///< with info.generator
    dto_sink_api sink{};            ///< with info.sink
};

/// Checks what the contract says about these tables and copies them. Calls get_interface, nothing
/// else. A library that has neither is no error.
[[nodiscard]] base::Result<ExtensionTables> check_extension(const dto_module& module);

/// A library in this process with one open generator or sink. One thread at a time, but cancel().
class ExtensionPlugin {
public:
    /// Runs the library's constructors and its entry function.
    [[nodiscard]] static base::Result<std::unique_ptr<ExtensionPlugin>> load(
        const std::filesystem::path& library,
        const std::filesystem::path& work_root,
        CallReporter& reporter);
    ExtensionPlugin(const ExtensionPlugin&) = delete;
    ExtensionPlugin& operator=(const ExtensionPlugin&) = delete;
    ~ExtensionPlugin() { close(); }

    [[nodiscard]] const ExtensionModule& info() const noexcept { return tables_.info; }

    // `call`: a number for cancel(), never used before; `deadline` is what the plugin is told.
    [[nodiscard]] ExtensionOpened open(CallId call,
                                       base::TimePoint deadline,
                                       ExtensionKind kind,
                                       std::string_view config,
                                       std::string_view checkpoint);
    [[nodiscard]] ExtensionBatch next(CallId call, base::TimePoint deadline, std::uint32_t room);
    [[nodiscard]] ExtensionBatch deliver(CallId call,
                                         base::TimePoint deadline,
                                         std::span<const OutcomeView> outcomes,
                                         std::uint32_t room);
    [[nodiscard]] ExtensionWritten write(CallId call,
                                         base::TimePoint deadline,
                                         std::span<const OutcomeView> outcomes);
    [[nodiscard]] ExtensionWritten flush(CallId call, base::TimePoint deadline);
    /// Nothing may be called any more.
    void close() noexcept;

    /// Any thread: asks a call to end, now or when it begins.
    void cancel(CallId call) noexcept;

private:
    enum class State : std::uint8_t { loaded, generator, sink, gone };
    enum class Reply : std::uint8_t { plain, feed };  // idle and end are failures, or they are not

    ExtensionPlugin(PluginLibrary library,
                    ExtensionTables tables,
                    const std::filesystem::path& work_root,
                    CallReporter& reporter);
    template <typename Function>
    ExtensionAnswer called(CallId call, dto_call* handle, Reply reply, const Function& function);
    void observe_cancel(CallId call);
    [[nodiscard]] static ExtensionAnswer misplaced(std::string_view function);

    PluginLibrary library_;
    ExtensionTables tables_;
    CallReporter& reporter_;
    Call root_;
    Call context_;
    dto_host host_;
    void* instance_ = nullptr;
    State state_ = State::loaded;
    std::atomic<CallId> cancelled_{0};  // the highest call that was to end
};

}  // namespace distributo::runtime
