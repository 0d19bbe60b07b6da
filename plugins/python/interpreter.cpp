#include "interpreter.hpp"

#include "distributo_py.hpp"
#include "native.hpp"

#include <dlfcn.h>
#include <mutex>

namespace script {
namespace {

/// The host loads plugins so that nobody sees their libraries' symbols, but Python's extension
/// modules expect those of libpython to be there.
void publish_libpython() {
    Dl_info about{};
    if (dladdr(reinterpret_cast<const void*>(&Py_InitializeFromConfig), &about) != 0)
        dlopen(about.dli_fname, RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD);
}

PyStatus initialize() {
    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    config.install_signal_handlers = 0;
    config.write_bytecode = 0;
    // Of the distribution, whatever is called python3 on somebody's PATH.
    auto status = PyConfig_SetBytesString(&config, &config.home, PYTHON_PREFIX);
    if (!PyStatus_Exception(status))
        status = PyConfig_SetBytesString(&config, &config.executable, PYTHON_PROGRAM);
    if (!PyStatus_Exception(status))
        status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    return status;
}

/// Runs distributo.py as the module of that name.
bool load_module() {
    const Object code(Py_CompileString(distributo_py, "distributo.py", Py_file_input));
    const Object module(code ? PyImport_ExecCodeModule("distributo", code.get()) : nullptr);
    const Object done(module ? PyObject_CallMethod(module.get(), "_prepare", nullptr) : nullptr);
    return done != nullptr;
}

std::string start() {
    publish_libpython();
    if (PyImport_AppendInittab("_distributo", &make_native_module) != 0)
        return "there is no room for its module";
    if (const auto status = initialize(); PyStatus_Exception(status))
        return std::string(status.err_msg ? status.err_msg : "no reason was given");
    std::string fault = load_module() ? std::string() : take_error();
    PyEval_SaveThread();
    return fault;
}

}  // namespace

std::string start_interpreter() {
    static std::once_flag once;
    static std::string fault;
    std::call_once(once, [] { fault = start(); });
    return fault.empty() ? fault : "Python does not start: " + fault;
}

Object distributo_member(const char* name) {
    const Object module(PyImport_ImportModule("distributo"));
    return Object(module ? PyObject_GetAttrString(module.get(), name) : nullptr);
}

}  // namespace script
