#pragma once

#include "coordinator/cli/commands.hpp"
#include "coordinator/cli/plugin_options.hpp"

#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace distributo::coordinator::cli {

/// What the `plugin` commands were given on the command line. Lives as long as the parser.
struct PluginArguments {
    PluginNewOptions create;
    PluginCheckOptions check;
    PluginRunOptions run;
    PluginWatchOptions watch;
};

/// Adds new, check, run and watch to the command `plugin`. The one that was given sets `action`.
void add_plugin_commands(CLI::App& plugin,
                         Context& context,
                         PluginArguments& arguments,
                         std::function<CommandResult()>& action);

}  // namespace distributo::coordinator::cli
