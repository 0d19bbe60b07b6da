#pragma once

#include "runtime/calls.hpp"
#include "runtime/extension_runner.hpp"
#include "runtime/frame.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

/// The frames between an ExtensionRunner and its process.
namespace distributo::runtime {

/// A call, as the process gets it. Views into the frame.
struct ExtensionWork {
    FrameKind kind{};  ///< open, next, deliver, write, flush
    CallId call = 0;
    base::Duration timeout{};
    ExtensionKind extension{};            ///< open
    std::string_view config, checkpoint;  ///< open
    std::uint32_t room = 0;               ///< next, deliver
    std::vector<OutcomeView> outcomes;    ///< deliver, write
};

void write_open(std::string& out,
                CallId call,
                base::Duration timeout,
                ExtensionKind kind,
                std::string_view config,
                std::string_view checkpoint);
/// `kind`: next, deliver, write or flush.
void write_extension_call(std::string& out,
                          FrameKind kind,
                          CallId call,
                          base::Duration timeout,
                          std::uint32_t room,
                          std::span<const OutcomeView> outcomes);
[[nodiscard]] std::optional<ExtensionWork> read_extension_work(Frame& frame);

void write_extension(std::string& out, const ExtensionModule& module);
[[nodiscard]] std::optional<ExtensionModule> read_extension(Frame& frame);

void write_opened(std::string& out, CallId call, const ExtensionOpened& opened);
[[nodiscard]] std::optional<ExtensionOpened> read_opened(Frame& frame);
void write_batch(std::string& out, CallId call, const ExtensionBatch& batch);
[[nodiscard]] std::optional<ExtensionBatch> read_batch(Frame& frame);
void write_written(std::string& out, CallId call, const ExtensionWritten& written);
[[nodiscard]] std::optional<ExtensionWritten> read_written(Frame& frame);

}  // namespace distributo::runtime
