#pragma once

#include "coordinator/extensions/extensions.hpp"
#include "net/http_message.hpp"

#include <string>

/// How generators and sinks look in answers.
namespace distributo::coordinator::api {

/// One generator or sink as an object.
void append_extension(std::string& out, const extensions::Status& status);

/// One file of the coordinator's plugin folders as an object.
void append_plugin_file(std::string& out, const extensions::PluginFile& file);

/// The name of the one that has this number; empty when there is none. Removed ones have theirs.
[[nodiscard]] std::string_view generator_name(const engine::Engine& engine,
                                              core::ExtensionNumber number);

/// The number of the generator that the query parameter names, the newest one of that name; 0 when
/// there is no parameter, and a number that no generator has when there is no such generator.
[[nodiscard]] core::ExtensionNumber generator_of(const engine::Engine& engine,
                                                 const net::RequestHead& head);

}  // namespace distributo::coordinator::api
