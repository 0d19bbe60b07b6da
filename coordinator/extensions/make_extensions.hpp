#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "coordinator/engine/engine.hpp"
#include "coordinator/extensions/extensions.hpp"
#include "runtime/extension_runner.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace distributo::coordinator::extensions {

using RunnerFactory =
    std::function<std::unique_ptr<runtime::ExtensionRunner>(boost::asio::io_context& io,
                                                            runtime::ExtensionRunnerOptions options,
                                                            runtime::ExtensionEvents& events)>;

/// How long generators and sinks are left alone.
struct Pace {
    /// A generator that has nothing is asked again: first, and doubling up to last.
    base::Duration idle_first = std::chrono::milliseconds(100);
    base::Duration idle_last = std::chrono::seconds(10);
    /// One that failed is called again, when it does not say itself when.
    base::Duration retry_first = std::chrono::seconds(1);
    base::Duration retry_last = std::chrono::minutes(5);
    /// What the queue or a full disk has refused is fed again.
    base::Duration refused = std::chrono::milliseconds(200);
    /// From one write of a sink's cursor to the next: a restart sends this much once more.
    base::Duration cursor = std::chrono::milliseconds(50);
    /// As many crashes in this time are too many.
    std::size_t crashes = 3;
    base::Duration crash_window = std::chrono::seconds(60);
};

/// A definition that a configuration file makes.
struct Declaration {
    Definition definition;
    std::string place;  ///< "words.toml:3:1"
};

/// Reads the tables [[generator]] and [[sink]] of a coordinator's configuration file. An error
/// names the place: "words.toml:7:1: low_water: expected …".
[[nodiscard]] base::Result<std::vector<Declaration>> read_declarations(const std::string& file);

struct ExtensionsOptions {
    std::vector<std::filesystem::path> folders;  ///< of plugins, watched
    std::filesystem::path cache;                 ///< private copies of them
    std::filesystem::path data;                  ///< one folder per generator and sink below it
    std::filesystem::path runner_program;
    std::filesystem::path directory;  ///< paths of definitions that name no directory; absolute
    std::vector<Declaration> declarations;
    Pace pace{};
    RunnerFactory make_runner = &runtime::make_extension_runner;
};

/// The Extensions of a running coordinator.
class RunningExtensions : public Extensions {
public:
    /// Takes over what the engine has recovered and begins to look for plugins. After
    /// Engine::start().
    [[nodiscard]] virtual base::Result<void> start() = 0;
    /// Closes all of them in order; `done` follows when the last process is gone. Afterwards
    /// nothing may be asked any more.
    virtual void stop(std::function<void()> done) = 0;
};

[[nodiscard]] std::unique_ptr<RunningExtensions> make_extensions(boost::asio::io_context& io,
                                                                 const base::Clock& clock,
                                                                 engine::Engine& engine,
                                                                 ExtensionsOptions options);

}  // namespace distributo::coordinator::extensions
