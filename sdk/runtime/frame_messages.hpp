#pragma once

#include "runtime/calls.hpp"
#include "runtime/frame.hpp"
#include "runtime/task_plugin.hpp"

#include <optional>
#include <string>

/// The bodies of the larger frames.
namespace distributo::runtime {

/// What a runner process is started with.
struct StartMessage {
    std::string library;
    SetupRequest setup;
    SandboxPolicy sandbox{};
    bool extension = false;   ///< a generator or sink: of `setup`, threads and config do not count
    std::string directory{};  ///< where the process works; empty: data_dir
};

void write_start(std::string& out, const StartMessage& message);
[[nodiscard]] std::optional<StartMessage> read_start(Frame& frame);

void write_execute(std::string& out, CallId id, std::uint16_t type, const ExecuteCall& call);
void write_install(std::string& out, CallId id, std::uint16_t type, const InstallCall& call);
void write_probe(std::string& out, CallId id, base::Duration timeout);
[[nodiscard]] std::optional<Work> read_work(Frame& frame);

void write_ready(std::string& out, const ModuleInfo& module);
[[nodiscard]] std::optional<ModuleInfo> read_ready(Frame& frame);

void write_result(std::string& out, const CallResult& result);
[[nodiscard]] std::optional<CallResult> read_result(Frame& frame);

void write_log(std::string& out, CallId id, std::string_view stream, std::string_view text);
void write_progress(std::string& out, CallId id, double fraction, std::string_view text);

}  // namespace distributo::runtime
