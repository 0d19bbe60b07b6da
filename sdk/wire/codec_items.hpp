#pragma once

#include "wire/codec_input.hpp"
#include "wire/messages.hpp"

/// Reading the objects inside of messages. Each function takes one object; its members are
/// numbered as in codec_names.hpp. False: `Input::error` says why.
namespace distributo::wire {

bool read(Input& in, AssignItem& item);
bool read(Input& in, ResultItem& item);
bool read(Input& in, Credit& item);
bool read(Input& in, PhaseItem& item);
bool read(Input& in, ProgressItem& item);
bool read(Input& in, LogItem& item);
bool read(Input& in, CancelItem& item);
bool read(Input& in, TokenVerdict& item);
bool read(Input& in, RefusedPlugin& item);
bool read(Input& in, PluginHealth& item);
bool read(Input& in, Capability& item);

}  // namespace distributo::wire
