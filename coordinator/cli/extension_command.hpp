#pragma once

#include "coordinator/cli/extension_options.hpp"

#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace distributo::coordinator::cli {

/// What the commands of one kind were given on the command line. Lives as long as the parser.
struct ExtensionArguments {
    ExtensionRunOptions run;
    ExtensionResetOptions reset;
    std::string name;
    std::vector<std::string> names;
};

/// Adds the command `generator` or `sink`. Its subcommand that was given sets `action`.
void add_extension_commands(CLI::App& app,
                            Context& context,
                            Extension kind,
                            ExtensionArguments& arguments,
                            std::function<CommandResult()>& action);

}  // namespace distributo::coordinator::cli
