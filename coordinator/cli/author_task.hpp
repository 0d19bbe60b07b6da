#pragma once

#include "base/result.hpp"
#include "coordinator/cli/plugin_options.hpp"
#include "runtime/check/samples.hpp"

namespace distributo::coordinator::cli {

/// The task that `plugin run` was given: by --payload, --task, standard input, or the sample beside
/// the plugin. Its type is empty when nobody named one.
[[nodiscard]] base::Result<runtime::check::Sample> read_task(const PluginRunOptions& options);

/// How the task went.
struct AuthorResult {
    enum class Status { completed, failed, refused, timeout } status = Status::refused;
    std::string result;   ///< JSON, of a completed task
    std::string message;  ///< why not
    bool crashed = false;
    std::vector<std::int64_t> elapsed_us;  ///< of each run
    std::size_t different = 0;             ///< runs whose result was not that of the first
};

struct AuthorRun {
    runtime::check::Sample task;
    std::string file;
    std::string config = "{}";
    std::int64_t timeout_ms = 0;  ///< 0: that of the type
    std::uint32_t repeat = 1;
    bool in_process = false;
    bool quiet = false;  ///< neither phases nor progress; log lines go to standard error anyway
};

/// Runs setup, install when there is something to install, and execute, in a runner that is made
/// for this. Blocks until it is gone.
[[nodiscard]] base::Result<AuthorResult> run_author_task(const AuthorRun& run);

}  // namespace distributo::coordinator::cli
