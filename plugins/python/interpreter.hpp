#pragma once

#include "python_object.hpp"

#include <string>

namespace script {

/// Starts CPython in this process, the first time with this thread as Python's main thread, and
/// makes the module `distributo` importable. It is never finished: extension modules do not survive
/// that. The caller does not hold the interpreter's lock afterwards. Empty, or why it failed.
[[nodiscard]] std::string start_interpreter();

/// Of the module `distributo`; null with an exception set. Needs the interpreter's lock.
[[nodiscard]] Object distributo_member(const char* name);

}  // namespace script
