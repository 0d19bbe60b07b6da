#include "coordinator/api/task_text.hpp"

#include "base/config.hpp"
#include "base/ids.hpp"
#include "coordinator/api/extension_text.hpp"
#include "coordinator/api/time_text.hpp"
#include "wire/json.hpp"

#include <algorithm>

namespace distributo::coordinator::api {
namespace {

using core::TaskOptions;
using wire::json::Writer;

bool is_on_host(const core::TaskView& view) {
    return view.state == wire::TaskState::running || view.state == wire::TaskState::cancelling;
}

void labels_member(Writer& json, std::string_view name, const wire::Labels& labels) {
    json.key(name).begin_object();
    for (const auto& [key, value] : labels) {
        std::string quoted;
        Writer(quoted).string(key);
        json.member(std::string_view(quoted).substr(1, quoted.size() - 2), value);
    }
    json.end_object();
}

/// The generator that a task came from; absent when somebody submitted it.
void generator_member(Writer& json, const engine::Engine& engine, core::ExtensionNumber number) {
    if (const auto name = generator_name(engine, number); !name.empty())
        json.member("generator", name);
}

/// The version of the type that ran, or runs; absent when that is not known.
void version_member(Writer& json, std::string_view version) {
    if (!version.empty())
        json.member("version", version);
}

void append_requires(Writer& json, const TaskOptions& options) {
    const auto& [isolation, layers] = options.requires_confinement;
    if (options.requires_labels.empty() && isolation == 0 && layers.empty())
        return;
    json.key("requires").begin_object();
    if (!options.requires_labels.empty())
        labels_member(json, "labels", options.requires_labels);
    if (isolation != 0)
        json.member("isolation", wire::isolation_name(isolation));
    if (!layers.empty()) {
        json.key("sandbox").begin_array();
        for (const auto layer : layers.names())
            json.string(layer);
        json.end_array();
    }
    json.end_object();
}

/// Options that say where a task belongs and when it may run.
void append_brief_options(Writer& json, const TaskOptions& options) {
    if (!options.version_range.empty())
        json.member("version_range", options.version_range);
    if (!options.project.empty())
        json.member("project", options.project);
    if (!options.group.empty())
        json.member("group", options.group);
    if (!options.unique_key.empty())
        json.member("unique_key", options.unique_key);
    if (!options.labels.empty())
        labels_member(json, "labels", options.labels);
    append_requires(json, options);
    if (options.priority != 0)
        json.member("priority", options.priority);
    if (options.not_before)
        json.member("not_before", time_text(*options.not_before));
    if (options.deadline)
        json.member("deadline", time_text(*options.deadline));
    if (options.timeout_ms != 0)
        json.member("timeout", base::duration_text(options.timeout_ms));
    if (options.max_attempts != 0)
        json.member("max_attempts", options.max_attempts);
}

void append_full_options(Writer& json, const TaskOptions& options) {
    if (!options.install.empty())
        json.member_raw("install", options.install.view());
    if (!options.args.empty()) {
        json.key("args").begin_array();
        for (const std::string& argument : options.args)
            json.string(argument);
        json.end_array();
    }
    if (!options.env.empty())
        labels_member(json, "env", options.env);
}

/// What is known of a task that has not ended.
void append_live(Writer& json, const core::TaskView& view) {
    if (is_on_host(view)) {
        json.member("phase", to_string(view.phase));
        json.member("host", view.host);
        version_member(json, view.version);
    }
    json.member("attempts", view.attempts);
    if (view.progress >= 0)
        json.member("progress", view.progress);
    if (!view.progress_text.empty())
        json.member("progress_text", view.progress_text);
    if (!view.hold_reason.empty())
        json.member("hold_reason", view.hold_reason);
    if (!view.last_error.empty())
        json.member("error", view.last_error);
    if (view.next_try > base::Duration::zero())
        json.member("next_try_seconds", std::chrono::duration<double>(view.next_try).count());
}

void append_times(Writer& json, const wire::PhaseTimes& times) {
    json.key("times").begin_object();
    json.member("wait_us", times.wait_us);
    json.member("setup_us", times.setup_us);
    json.member("install_us", times.install_us);
    json.member("execute_us", times.execute_us);
    json.end_object();
}

/// Members that tell how a task ended, `attempts` or `attempt` excepted.
void append_outcome(Writer& json, const core::Outcome& outcome, Detail detail) {
    if (outcome.reason != wire::FailReason::none)
        json.member("reason", to_string(outcome.reason));
    if (detail != Detail::brief && outcome.state == wire::TaskState::completed)
        json.member_raw("result", outcome.result.empty() ? "null" : outcome.result.view());
    if (!outcome.attempt.message.empty())
        json.member("error", outcome.attempt.message);
    if (outcome.attempt.number != 0) {
        json.member("host", outcome.attempt.host);
        version_member(json, outcome.attempt.version);
        json.member("started", time_text(outcome.attempt.started));
    }
    json.member("finished", time_text(outcome.attempt.finished));
    if (detail == Detail::full && outcome.attempt.number != 0)
        append_times(json, outcome.attempt.times);
}

std::string_view to_string(core::Charge charge) {
    switch (charge) {
        case core::Charge::none:
            return "none";
        case core::Charge::failure:
            return "failure";
        case core::Charge::crash:
            return "crash";
        case core::Charge::install:
            return "install";
        case core::Charge::interruption:
            return "interruption";
        case core::Charge::lost:
            return "lost";
    }
    return "unknown";
}

std::string_view to_string(core::Control::Kind kind) {
    switch (kind) {
        case core::Control::Kind::cancel:
            return "cancel";
        case core::Control::Kind::hold:
            return "hold";
        case core::Control::Kind::release:
            return "release";
        case core::Control::Kind::retry:
            return "retry";
    }
    return "unknown";
}

/// Which generation of the task an attempt belongs to: 1 until somebody asked for another try.
std::uint32_t generation_of(const store::TaskRecord& record, std::uint32_t attempt) {
    std::uint32_t generation = 1;
    for (const core::Control& control : record.controls)
        generation +=
            control.kind == core::Control::Kind::retry && control.after_attempt < attempt ? 1 : 0;
    return generation;
}

void append_attempt(Writer& json, const store::TaskRecord& record, const core::Attempt& attempt) {
    json.begin_object();
    json.member("number", attempt.number);
    json.member("generation", generation_of(record, attempt.number));
    json.member("host", attempt.host);
    if (!attempt.host_id.empty())
        json.member("host_id", attempt.host_id);
    version_member(json, attempt.version);
    json.member("status", to_string(attempt.status));
    if (!attempt.message.empty())
        json.member("message", attempt.message);
    if (attempt.charge != core::Charge::none)
        json.member("charge", to_string(attempt.charge));
    if (attempt.excludes_host)
        json.member_raw("excludes_host", "true");
    if (attempt.retry_at != base::WallTime{})
        json.member("retry_at", time_text(attempt.retry_at));
    json.member("started", time_text(attempt.started));
    json.member("finished", time_text(attempt.finished));
    append_times(json, attempt.times);
    json.end_object();
}

void append_control(Writer& json, const core::Control& control) {
    json.begin_object();
    json.member("action", to_string(control.kind));
    if (!control.reason.empty())
        json.member("reason", control.reason);
    json.member("time", time_text(control.when));
    json.member("after_attempt", control.after_attempt);
    json.end_object();
}

/// A task that was cancelled while it waited for its next attempt has had the ones before.
std::uint32_t attempts_of(const store::TaskRecord& record) {
    const std::uint32_t last = record.attempts.empty() ? 0 : record.attempts.back().number;
    return std::max(last, record.outcome->attempt.number);
}

}  // namespace

std::string shown_id(core::TaskId id, const TaskOptions* options) {
    if (options && !options->given_id.empty())
        return options->given_id;
    return base::NumberText(id).str();
}

std::string shown_id(const engine::Engine& engine,
                     const engine::Submitted& submitted,
                     const TaskOptions* options) {
    if (submitted.kind == engine::Submitted::Kind::repeated && options &&
        !options->unique_key.empty()) {
        const auto task = engine.live(submitted.id);
        return task ? task->shown_id() : base::NumberText(submitted.id).str();
    }
    return shown_id(submitted.id, options);
}

void append_task(std::string& out,
                 const engine::Engine& engine,
                 const engine::TaskDetails& task,
                 Detail detail,
                 Repeated repeated) {
    const core::NewTask& submitted = task.record.task;
    const TaskOptions* options = submitted.options.get();
    Writer json(out);
    json.begin_object();
    json.member("id", shown_id(submitted.id, options));
    json.member("type", submitted.type);
    json.member("state", to_string(task.state()));
    if (repeated == Repeated::yes)
        json.member_raw("repeated", "true");
    json.member("created", time_text(submitted.created));
    if (options)
        append_brief_options(json, *options);
    generator_member(json, engine, submitted.generator);
    if (submitted.parent != 0)
        json.member("parent", base::NumberText(submitted.parent).view());
    if (const auto generation = generation_of(task.record, ~std::uint32_t{0}); generation > 1)
        json.member("generation", generation);
    if (detail == Detail::full) {
        json.member_raw("payload", submitted.payload.view());
        if (options)
            append_full_options(json, *options);
    }
    if (task.record.outcome) {
        json.member("attempts", attempts_of(task.record));
        append_outcome(json, *task.record.outcome, detail);
        json.member("seq", task.record.sequence);
    } else if (task.live) {
        append_live(json, *task.live);
    }
    json.end_object();
}

void append_result(std::string& out,
                   const engine::Engine& engine,
                   const store::TaskRecord& record,
                   Detail detail) {
    const core::NewTask& submitted = record.task;
    const core::Outcome& outcome = *record.outcome;
    const TaskOptions* options = submitted.options.get();
    Writer json(out);
    json.begin_object();
    json.member("seq", record.sequence);
    if (options && !options->given_id.empty())
        json.member("id", options->given_id);
    else
        json.member("id", base::NumberText(submitted.id).view());
    json.member("type", submitted.type);
    json.member("state", to_string(outcome.state));
    if (detail == Detail::full) {
        json.member("created", time_text(submitted.created));
        if (options)
            append_brief_options(json, *options);
        json.member_raw("payload", submitted.payload.view());
        if (options)
            append_full_options(json, *options);
    } else if (options && !options->group.empty()) {
        json.member("group", options->group);
    }
    generator_member(json, engine, submitted.generator);
    json.member("attempt", outcome.attempt.number);
    append_outcome(json, outcome, detail);
    json.end_object();
}

void append_attempts(std::string& out, const engine::TaskDetails& task) {
    Writer json(out);
    json.begin_object().key("items").begin_array();
    std::uint32_t last = 0;
    for (const core::Attempt& attempt : task.record.attempts) {
        append_attempt(json, task.record, attempt);
        last = attempt.number;
    }
    const auto& outcome = task.record.outcome;
    if (outcome && outcome->attempt.number > last)
        append_attempt(json, task.record, outcome->attempt);
    if (task.live && is_on_host(*task.live)) {
        json.begin_object();
        json.member("number", task.live->attempts);
        json.member("generation", generation_of(task.record, task.live->attempts));
        json.member("host", task.live->host);
        version_member(json, task.live->version);
        json.member("status", "running");
        json.member("phase", to_string(task.live->phase));
        json.end_object();
    }
    json.end_array().key("controls").begin_array();
    for (const core::Control& control : task.record.controls)
        append_control(json, control);
    json.end_array().end_object();
}

void keep_on_one_line(std::string& out, std::size_t begin) {
    for (const char line_break : {'\n', '\r'})
        for (std::size_t i = out.find(line_break, begin); i != std::string::npos;
             i = out.find(line_break, i + 1))
            out[i] = ' ';
}

}  // namespace distributo::coordinator::api
