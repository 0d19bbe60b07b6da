#pragma once

#include "host/plugin.hpp"
#include "runtime/runner.hpp"
#include "wire/messages.hpp"

#include <string>
#include <vector>

namespace distributo::host {

/// What makes a plugin's declaration impossible to advertise; empty when nothing does. One bad
/// declaration would end the connection that all plugins of the host share.
[[nodiscard]] std::string fault_of(const runtime::ModuleInfo& module);

/// One capability per type of the plugin, without credit.
void append_capabilities(const Plugin& plugin, std::vector<wire::Capability>& out);

/// The message, kept below the longest that the protocol allows by leaving out schemas.
[[nodiscard]] std::string encode_offer(wire::Capabilities offer);

}  // namespace distributo::host
