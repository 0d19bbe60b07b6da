#include "script.hpp"

#include "interpreter.hpp"
#include "native.hpp"

#include <chrono>

namespace script {
namespace {

/// The host cancels a call at its limit; this is for one that does not.
constexpr std::chrono::seconds overtime{1};

Alarm::Time due(const Host& host, dto_call* call) {
    const auto left = host.remaining_ms(call);
    return left < 0 ? Alarm::Time::max()
                    : std::chrono::steady_clock::now() + std::chrono::milliseconds(left) + overtime;
}

PyObject* make_text(dto_str text) {
    return PyUnicode_DecodeUTF8(text.ptr, static_cast<Py_ssize_t>(text.len), "replace");
}

void flush(const char* stream) {
    if (PyObject* const file = PySys_GetObject(stream))
        const Object done(PyObject_CallMethod(file, "flush", nullptr));
    PyErr_Clear();
}

}  // namespace

Script::Script(Object object, Object exception)
    : object_(std::move(object)), alarm_(std::make_unique<Alarm>(std::move(exception))) {}

std::unique_ptr<Script> Script::load(const std::filesystem::path& file,
                                     const std::string& config,
                                     std::string& fault) {
    const Object type = distributo_member("_Script");
    Object cancelled = distributo_member("Cancelled");
    Object object(type ? PyObject_CallFunction(
                             type.get(), "sss", file.c_str(), file.stem().c_str(), config.c_str())
                       : nullptr);
    std::unique_ptr<Script> script;
    if (object && cancelled)
        script.reset(new Script(std::move(object), std::move(cancelled)));
    if (!script || !script->describe()) {
        fault = take_error();
        // What the Python side has found out itself is said in its own words.
        constexpr std::string_view own = "_Refused: ";
        if (const auto at = fault.find(own); at != std::string::npos)
            fault.erase(0, at + own.size());
    }
    flush("stdout");
    flush("stderr");
    return script;
}

bool Script::describe() {
    const Object list(PyObject_CallMethod(object_.get(), "described", nullptr));
    if (!list)
        return false;
    for (Py_ssize_t i = 0; i < PyList_Size(list.get()); ++i) {
        Type type;
        const char *name = nullptr, *version = nullptr, *summary = nullptr, *payload = nullptr,
                   *result = nullptr;
        long long timeout_ms = 0;
        if (!PyArg_ParseTuple(PyList_GetItem(list.get(), i),
                              "sssssL",
                              &name,
                              &version,
                              &summary,
                              &payload,
                              &result,
                              &timeout_ms))
            return false;
        types_.push_back({name, version, summary, payload, result, timeout_ms});
    }
    return true;
}

Outcome Script::run(const Host& host, dto_call* call, const dto_execute& task) {
    const Object native = make_call(host, call);
    if (!native)
        return {.status = DTO_RETRY, .result = {}, .message = take_error(), .detail = {}};
    alarm_->arm(call, due(host, call));
    // Who cancelled before the alarm was armed is heard here.
    Outcome outcome{.status = DTO_CANCELLED, .result = {}, .message = {}, .detail = {}};
    if (!host.cancelled(call))
        outcome = this->call(native.get(), task);
    alarm_->disarm();
    end_call(native.get());
    flush("stdout");
    flush("stderr");
    return outcome;
}

Outcome Script::call(PyObject* native, const dto_execute& task) {
    const Object name(make_text(task.task_type));
    const Object id(make_text(task.task_id));
    const Object payload(make_text(task.payload_json));
    Outcome outcome{.status = DTO_RETRY, .result = {}, .message = {}, .detail = {}};
    const Object ended(name && id && payload ? PyObject_CallMethod(object_.get(),
                                                                   "run",
                                                                   "OOOIO",
                                                                   native,
                                                                   name.get(),
                                                                   id.get(),
                                                                   task.attempt,
                                                                   payload.get())
                                             : nullptr);
    PyObject *result = nullptr, *message = nullptr, *detail = nullptr;
    long long after_ms = 0;
    if (!ended ||
        !PyArg_ParseTuple(
            ended.get(), "iOOOL", &outcome.status, &result, &message, &detail, &after_ms)) {
        // The alarm may ring at any place, also in what surrounds the script's own function.
        const Object cancelled = distributo_member("Cancelled");
        const bool is_cancelled =
            cancelled && PyErr_Occurred() && PyErr_ExceptionMatches(cancelled.get()) != 0;
        outcome.message = take_error();
        outcome.status = is_cancelled ? DTO_CANCELLED : DTO_RETRY;
        return outcome;
    }
    outcome.result = text_of(result);
    outcome.message = text_of(message);
    outcome.detail = text_of(detail);
    outcome.after_ms = after_ms;
    return outcome;
}

void Script::tear_down() {
    const Object done(PyObject_CallMethod(object_.get(), "teardown", nullptr));
    PyErr_Clear();
    object_.reset();
    PyGC_Collect();
    flush("stdout");
    flush("stderr");
}

}  // namespace script
