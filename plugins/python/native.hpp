#pragma once

#include "host.hpp"
#include "python_object.hpp"

namespace script {

/// The module `_distributo`: constants for statuses, and the type of what make_call() makes.
PyMODINIT_FUNC make_native_module();

/// What a script asks its host through; null with an exception set. Both need the interpreter's
/// lock. Its methods raise RuntimeError once end_call() was called.
[[nodiscard]] Object make_call(const Host& host, dto_call* call);
void end_call(PyObject* call);

}  // namespace script
