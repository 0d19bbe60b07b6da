#pragma once

#include "base/clock.hpp"
#include "base/config.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "host/plugin_config.hpp"
#include "host/quarantine.hpp"
#include "runtime/runner.hpp"
#include "wire/messages.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace distributo::host {

/// Of a coordinator, when a URL names none.
inline constexpr std::uint16_t default_port = 4000;

/// The settings of a host, checked.
struct Options {
    std::string coordinator;   ///< URL; empty: find one
    std::string service_type;  ///< "_distributo._tcp"; empty: no discovery
    base::Duration discovery_timeout = std::chrono::seconds(10);
    std::vector<std::filesystem::path> plugin_dirs;
    std::filesystem::path data_dir;
    std::uint32_t slots = 1;
    std::string name;
    wire::Labels labels;
    runtime::Isolation isolation = runtime::Isolation::process;
    runtime::Isolation min_isolation = runtime::Isolation::inproc;  ///< no plugin gets less
    PluginConfig plugins;
    std::vector<std::string> readable;  ///< absolute paths that all plugins may read
    std::vector<std::string> writable;  ///< likewise write, besides their own directories
    QuarantineSettings quarantine;
    std::filesystem::path runner_program;
    base::Duration plugin_drain_limit = std::chrono::minutes(10);
    bool exit_when_idle = false;
    base::log::Options log;
};

/// The flags of distributo-host, for base::Config.
[[nodiscard]] std::vector<base::Option> option_list();

/// Reads and checks the values; fills in what depends on the machine.
[[nodiscard]] base::Result<Options> read_options(const base::Config& config);

}  // namespace distributo::host
