#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <memory>
#include <string>

namespace script {

/// A reference that is given back; only with the interpreter's lock.
struct GiveBack {
    void operator()(PyObject* object) const { Py_DECREF(object); }
};
using Object = std::unique_ptr<PyObject, GiveBack>;

/// Text of a str; empty for anything else, and for what is not valid Unicode.
[[nodiscard]] inline std::string text_of(PyObject* object) {
    Py_ssize_t size = 0;
    const char* const text =
        object && PyUnicode_Check(object) ? PyUnicode_AsUTF8AndSize(object, &size) : nullptr;
    if (text)
        return {text, static_cast<std::size_t>(size)};
    PyErr_Clear();
    return {};
}

/// The exception that is set, as "Name: text", which is cleared.
[[nodiscard]] inline std::string take_error() {
    PyObject *type = nullptr, *value = nullptr, *trace = nullptr;
    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    const Object owned_type(type), owned_value(value), owned_trace(trace);
    if (!value)
        return "no reason was given";
    const Object text(PyObject_Str(value));
    std::string line = Py_TYPE(value)->tp_name;
    if (const std::string said = text_of(text.get()); !said.empty())
        line += ": " + said;
    PyErr_Clear();
    return line;
}

}  // namespace script
