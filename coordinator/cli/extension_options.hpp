#pragma once

#include "coordinator/cli/commands.hpp"

#include <boost/json/fwd.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// The commands `distributo generator` and `distributo sink`, which have most in common.
namespace distributo::coordinator::cli {

enum class Extension : std::uint8_t { generator, sink };

/// "generator" or "sink".
[[nodiscard]] std::string_view word_of(Extension kind) noexcept;
/// "/v1/generators" or "/v1/sinks/NAME".
[[nodiscard]] std::string path_of(Extension kind, std::string_view name = {});

struct ExtensionRunOptions {
    std::string plugin, name;
    std::string config;             ///< JSON, "@FILE", "-", or the name of a .json or .toml file
    std::vector<std::string> sets;  ///< "key=value", members of the configuration
    std::string directory;          ///< empty: where the command runs
    std::string call_timeout, memory;
    bool detach = false;  ///< generators: do not wait for the end
    std::string timeout;  ///< of the waiting

    // generators
    std::string group;
    std::uint64_t low_water = 0, high_water = 0, max_tasks = 0;  ///< 0: the preset
    double max_rate = 0;

    // sinks
    std::vector<std::string> types, groups, generators, states;
    std::string start;
};

/// Makes one. A generator's progress is shown until it has ended and its tasks have; exit code 1
/// when it, or one of them, failed. An interrupt leaves it running.
[[nodiscard]] CommandResult generator_run(const Context& context,
                                          const ExtensionRunOptions& options);
[[nodiscard]] CommandResult sink_run(const Context& context, const ExtensionRunOptions& options);

/// The definition that the options stand for, as the API takes it. Errors: invalid_argument.
[[nodiscard]] base::Result<std::string> definition_of(Extension kind,
                                                      const ExtensionRunOptions& options);

[[nodiscard]] CommandResult extension_list(const Context& context, Extension kind);
[[nodiscard]] CommandResult extension_show(const Context& context,
                                           Extension kind,
                                           const std::string& name);
/// The files in the coordinator's plugin folders.
[[nodiscard]] CommandResult extension_plugins(const Context& context, Extension kind);

/// `what`: pause, resume, run or remove; each of the names is asked, the first error is the result.
[[nodiscard]] CommandResult extension_ask(const Context& context,
                                          Extension kind,
                                          const std::string& what,
                                          const std::vector<std::string>& names);

struct ExtensionResetOptions {
    std::string name;
    std::string checkpoint;      ///< of a generator; empty: its beginning
    bool base64 = false;         ///< the checkpoint is written so
    std::uint64_t sequence = 0;  ///< of a sink
};
[[nodiscard]] CommandResult extension_reset(const Context& context,
                                            Extension kind,
                                            const ExtensionResetOptions& options);

/// "words  running" for --quiet and for people, the document for --json.
[[nodiscard]] CommandResult show_state(const Context& context, const std::string& body);

}  // namespace distributo::coordinator::cli
