#pragma once

#include "base/result.hpp"
#include "runtime/isolation.hpp"
#include "runtime/recycling.hpp"
#include "runtime/sandbox_policy.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace distributo::host {

/// What the operator says about one plugin.
struct PluginSettings {
    std::optional<runtime::Isolation> isolation{};  ///< nothing said: the host's
    runtime::SandboxPolicy sandbox{};
    std::uint32_t processes = 0;  ///< most of them at once; 0: as many as there are slots
    runtime::RecycleLimits recycle{};
    std::string config = "{}";  ///< JSON object for the plugin's setup
};

/// What a setting that names an isolation may be.
[[nodiscard]] std::vector<std::string> isolation_choices();

struct IsolationChoice {
    runtime::Isolation isolation = runtime::Isolation::process;
    std::string why{};  ///< it is more than was asked for; empty: it is what was asked for
};

/// What a plugin gets: its own setting or else `preset`, but never less than `floor`, and a process
/// when limits are set that only a process can have. The module's own demand comes later, when the
/// library is loaded.
[[nodiscard]] IsolationChoice choose_isolation(const PluginSettings& settings,
                                               runtime::Isolation preset,
                                               runtime::Isolation floor);

/// The policy for one plugin file: its settings, and the directories that every plugin of the host
/// may use. What lies beside the file, its data for instance, may be read.
[[nodiscard]] runtime::SandboxPolicy sandbox_of(const PluginSettings& settings,
                                                const runtime::SandboxPolicy& common,
                                                const std::filesystem::path& file);

/// The tables of the configuration file about plugins, by file stem:
///
///     [plugin]                  # defaults for all
///     open_files = 1024
///     [plugin.render]           # plugins/render.so
///     isolation = "process"
///     memory = "512MiB"
///     config = { gpu = 0 }
class PluginConfig {
public:
    PluginConfig() = default;  ///< nobody said anything

    /// An error names the place: "host.toml:7:10: memory: expected a size …".
    [[nodiscard]] static base::Result<PluginConfig> read(const std::string& file);

    [[nodiscard]] const PluginSettings& of(const std::string& stem) const;

private:
    PluginSettings defaults_;
    std::map<std::string, PluginSettings> plugins_;
};

}  // namespace distributo::host
