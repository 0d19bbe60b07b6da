#pragma once

#include "host/plugin.hpp"
#include "runtime/runner.hpp"
#include "wire/messages.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace distributo::host {

/// What makes a plugin's declaration impossible to advertise; empty when nothing does. One bad
/// declaration would end the connection that all plugins of the host share.
[[nodiscard]] std::string fault_of(const runtime::ModuleInfo& module);

/// Rounded up, so that it is not over when nothing is left.
[[nodiscard]] std::int64_t seconds_until(base::TimePoint then, base::TimePoint now);

/// Fills in what a quarantined plugin is and when it is tried again.
void describe_quarantine(const Plugin& plugin, base::TimePoint now, wire::RefusedPlugin& out);

[[nodiscard]] wire::PluginHealth health_of(const Plugin& plugin, base::TimePoint now);
[[nodiscard]] wire::PluginHealth health_of_refused(const std::filesystem::path& file,
                                                   const std::string& why);

/// One capability per type of the plugin, without credit.
void append_capabilities(const Plugin& plugin, std::vector<wire::Capability>& out);

/// The message, kept below the longest that the protocol allows by leaving out schemas.
[[nodiscard]] std::string encode_offer(wire::Capabilities offer);

}  // namespace distributo::host
