#include "native.hpp"

#include <utility>

namespace script {
namespace {

struct Call {
    PyObject_HEAD const Host* host;
    dto_call* call;  // null: it has ended
    unsigned long thread;
};

Call* running(PyObject* self) {
    auto* const call = reinterpret_cast<Call*>(self);
    if (call->call)
        return call;
    PyErr_SetString(PyExc_RuntimeError, "the task has ended");
    return nullptr;
}

PyObject* log(PyObject* self, PyObject* arguments) {
    const Call* const call = running(self);
    int level = 0;
    const char *text = nullptr, *fields = nullptr;
    Py_ssize_t size = 0, fields_size = 0;
    if (!call || !PyArg_ParseTuple(arguments, "is#s#", &level, &text, &size, &fields, &fields_size))
        return nullptr;
    call->host->log(call->call,
                    level,
                    {text, static_cast<std::size_t>(size)},
                    {fields, static_cast<std::size_t>(fields_size)});
    Py_RETURN_NONE;
}

PyObject* progress(PyObject* self, PyObject* arguments) {
    const Call* const call = running(self);
    double fraction = 0;
    const char* text = nullptr;
    Py_ssize_t size = 0;
    if (!call || !PyArg_ParseTuple(arguments, "ds#", &fraction, &text, &size))
        return nullptr;
    call->host->progress(call->call, fraction, {text, static_cast<std::size_t>(size)});
    Py_RETURN_NONE;
}

PyObject* cancelled(PyObject* self, PyObject*) {
    const Call* const call = running(self);
    return call ? PyBool_FromLong(call->host->cancelled(call->call) ? 1 : 0) : nullptr;
}

PyObject* wait(PyObject* self, PyObject* arguments) {
    const Call* const call = running(self);
    long long ms = 0;
    if (!call || !PyArg_ParseTuple(arguments, "L", &ms))
        return nullptr;
    // Without the lock, nobody but the task's own thread keeps the call from ending.
    if (call->thread != PyThread_get_thread_ident()) {
        PyErr_SetString(PyExc_RuntimeError,
                        "sleep() is for the thread that runs the task, others use time.sleep()");
        return nullptr;
    }
    bool slept = false;
    Py_BEGIN_ALLOW_THREADS slept = call->host->wait(call->call, ms);
    Py_END_ALLOW_THREADS return PyBool_FromLong(slept ? 1 : 0);
}

PyObject* remaining_ms(PyObject* self, PyObject*) {
    const Call* const call = running(self);
    return call ? PyLong_FromLongLong(call->host->remaining_ms(call->call)) : nullptr;
}

PyObject* work_dir(PyObject* self, PyObject*) {
    const Call* const call = running(self);
    if (!call)
        return nullptr;
    const std::string path = call->host->work_dir(call->call);
    if (!path.empty())
        return PyUnicode_DecodeFSDefault(path.c_str());
    PyErr_SetString(PyExc_OSError, "the host cannot make a work directory");
    return nullptr;
}

PyObject* emit(PyObject* self, PyObject* arguments) {
    const Call* const call = running(self);
    dto_str texts[6]{};
    Py_ssize_t sizes[6]{};
    dto_task_spec task{};
    long long timeout_ms = 0;
    if (!call || !PyArg_ParseTuple(arguments,
                                   "s#s#s#s#s#s#iiL",
                                   &texts[0].ptr,
                                   &sizes[0],
                                   &texts[1].ptr,
                                   &sizes[1],
                                   &texts[2].ptr,
                                   &sizes[2],
                                   &texts[3].ptr,
                                   &sizes[3],
                                   &texts[4].ptr,
                                   &sizes[4],
                                   &texts[5].ptr,
                                   &sizes[5],
                                   &task.priority,
                                   &task.max_attempts,
                                   &timeout_ms))
        return nullptr;
    for (std::size_t i = 0; i < 6; ++i)
        texts[i].len = static_cast<std::size_t>(sizes[i]);
    task.struct_size = sizeof task;
    task.type = texts[0];
    task.payload_json = texts[1];
    task.install_json = texts[2];
    task.dedupe_key = texts[3];
    task.group = texts[4];
    task.requires_json = texts[5];
    task.timeout_ms = timeout_ms;
    const dto_status status = call->host->emit(call->call, task);
    if (status == DTO_OK)
        Py_RETURN_NONE;
    PyErr_Format(PyExc_RuntimeError,
                 status == DTO_UNSUPPORTED ? "the host takes no follow-up tasks"
                                           : "the host does not take this follow-up task (status "
                                             "%d): it is too large, or there are too many",
                 static_cast<int>(status));
    return nullptr;
}

PyMethodDef methods[] = {{"log", log, METH_VARARGS, nullptr},
                         {"progress", progress, METH_VARARGS, nullptr},
                         {"cancelled", cancelled, METH_NOARGS, nullptr},
                         {"wait", wait, METH_VARARGS, nullptr},
                         {"remaining_ms", remaining_ms, METH_NOARGS, nullptr},
                         {"work_dir", work_dir, METH_NOARGS, nullptr},
                         {"emit", emit, METH_VARARGS, nullptr},
                         {nullptr, nullptr, 0, nullptr}};
PyType_Slot slots[] = {{Py_tp_methods, methods}, {0, nullptr}};
PyType_Spec spec = {"_distributo.Call",
                    sizeof(Call),
                    0,
                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                    slots};
PyTypeObject* call_type = nullptr;  // as long as the interpreter lives

PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_distributo", nullptr, -1, nullptr, nullptr, nullptr, nullptr, nullptr};

}  // namespace

PyMODINIT_FUNC make_native_module() {
    Object module(PyModule_Create(&definition));
    Object type(PyType_FromSpec(&spec));
    if (!module || !type)
        return nullptr;
    const std::pair<const char*, long> statuses[] = {{"OK", DTO_OK},
                                                     {"RETRY", DTO_RETRY},
                                                     {"RETRY_ELSEWHERE", DTO_RETRY_ELSEWHERE},
                                                     {"PERMANENT", DTO_PERMANENT},
                                                     {"CANCELLED", DTO_CANCELLED}};
    for (const auto& [name, status] : statuses)
        if (PyModule_AddIntConstant(module.get(), name, status) != 0)
            return nullptr;
    call_type = reinterpret_cast<PyTypeObject*>(type.release());
    return module.release();
}

Object make_call(const Host& host, dto_call* call) {
    auto* const made = PyObject_New(Call, call_type);
    if (!made)
        return nullptr;
    made->host = &host;
    made->call = call;
    made->thread = PyThread_get_thread_ident();
    return Object(reinterpret_cast<PyObject*>(made));
}

void end_call(PyObject* call) {
    reinterpret_cast<Call*>(call)->call = nullptr;
}

}  // namespace script
