#pragma once

#include "coordinator/cli/commands.hpp"

#include <cstdint>
#include <string>

/// The commands for authors of plugins; none of them needs a coordinator.
namespace distributo::coordinator::cli {

struct PluginNewOptions {
    std::string name;
    std::string language = "c++";  ///< c++, c, rust or python
    std::string folder;            ///< of the template; empty: what there is for the language
};
/// Writes a folder with a plugin that builds, is tested and runs.
[[nodiscard]] CommandResult plugin_new(const Context& context, const PluginNewOptions& options);

struct PluginCheckOptions {
    std::string file;             ///< a plugin, or a folder of plugins
    std::string task;             ///< FILE with samples; empty: beside the plugin
    std::string config = "{}";    ///< JSON or "@FILE"
    std::string timeout = "30s";  ///< of each check
    std::string manifest;         ///< FILE to write; empty: none
};
/// The exit code is that of the group of the first check that failed.
[[nodiscard]] CommandResult plugin_check(const Context& context, const PluginCheckOptions& options);

struct PluginRunOptions {
    std::string file;
    std::string task;     ///< FILE with a task, "-" for standard input
    std::string type;     ///< when the plugin has several
    std::string payload;  ///< JSON
    std::string install;  ///< JSON
    std::string config = "{}";
    std::string timeout;  ///< of the execute phase
    std::uint32_t repeat = 1;
    bool in_process = false;  ///< in this process, where a debugger sees it
    bool gdb = false;
};
/// Runs a task in a runner of its own. The result goes to standard output, the rest to standard
/// error.
[[nodiscard]] CommandResult plugin_run(const Context& context, const PluginRunOptions& options);

struct PluginWatchOptions {
    std::string folder;
    std::string build;   ///< command; empty: what fits the folder
    std::string target;  ///< folder to install into; empty: nowhere
    bool once = false;   ///< one round, without watching
};
/// Builds, checks, installs and runs on every change, until Ctrl-C.
[[nodiscard]] CommandResult plugin_watch(const Context& context, const PluginWatchOptions& options);

}  // namespace distributo::coordinator::cli
