#include "coordinator/api/extension_text.hpp"

#include "base/base64.hpp"
#include "coordinator/api/time_text.hpp"
#include "coordinator/extensions/definition_json.hpp"

#include <algorithm>

namespace distributo::coordinator::api {
namespace {

using extensions::ExtensionKind;
using extensions::State;
using wire::json::Writer;

/// Can people read it, and write it on a command line?
bool is_printable(std::string_view text) {
    const auto is_control = [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7F;
    };
    if (std::ranges::any_of(text, is_control))
        return false;
    // What is no UTF-8 does not come back as it was.
    std::string quoted;
    Writer(quoted).string(text);
    return wire::json::Value{wire::json::Kind::string, quoted}.string() == text;
}

void append_checkpoint(Writer& json, std::string_view checkpoint) {
    if (is_printable(checkpoint)) {
        json.member("checkpoint", checkpoint);
        return;
    }
    json.member("checkpoint", base::base64(checkpoint));
    json.member("checkpoint_encoding", "base64");
}

void append_generator_figures(Writer& json, const extensions::Status& status) {
    const core::Cursor& cursor = status.cursor;
    json.member("ended", cursor.ended);
    json.member("emitted", cursor.tasks);
    json.member("duplicates", cursor.duplicates);
    json.member("faulty", status.faulty);
    json.member("waiting", status.load.waiting);
    json.member("running", status.load.running);
    append_checkpoint(json, cursor.checkpoint);
}

void append_last_call(Writer& json, const extensions::Status& status) {
    if (!status.last_error.empty())
        json.member("last_error", status.last_error);
    if (status.last_error_at)
        json.member("last_error_at", time_text(*status.last_error_at));
    if (status.last_success_at)
        json.member("last_success_at", time_text(*status.last_success_at));
    if (status.next_call_in > base::Duration::zero())
        json.member("next_call_s", std::chrono::duration<double>(status.next_call_in).count());
}

}  // namespace

void append_extension(std::string& out, const extensions::Status& status) {
    Writer json(out);
    json.begin_object();
    append_definition(json, status.definition);
    json.member("from_file", status.from_file);
    json.member("state", extensions::state_name(status.state));
    if (!status.reason.empty())
        json.member("reason", status.reason);
    if (!status.plugin_file.empty())
        json.member("plugin_file", status.plugin_file);
    if (!status.version.empty())
        json.member("version", status.version);
    if (status.definition.kind == ExtensionKind::generator)
        append_generator_figures(json, status);
    json.member("sequence", status.cursor.sequence);
    json.member("outcomes", status.cursor.outcomes);
    json.member("lag", status.lag);
    json.member("missed", status.missed);
    json.member("per_second", status.per_second);
    json.member("calls", status.calls);
    json.member("errors", status.errors);
    json.member("crashes", status.crashes);
    append_last_call(json, status);
    json.end_object();
}

void append_plugin_file(std::string& out, const extensions::PluginFile& file) {
    Writer json(out);
    json.begin_object();
    json.member("file", file.file);
    if (!file.name.empty())
        json.member("plugin", file.name);
    if (!file.version.empty())
        json.member("version", file.version);
    json.member("tasks", file.tasks);
    if (!file.generator.empty())
        json.member("generator", file.generator);
    if (!file.generator_schema.empty())
        json.member_raw("generator_schema", file.generator_schema);
    if (!file.sink.empty())
        json.member("sink", file.sink);
    if (!file.sink_schema.empty())
        json.member_raw("sink_schema", file.sink_schema);
    if (!file.refused.empty())
        json.member("refused", file.refused);
    json.end_object();
}

std::string_view generator_name(const engine::Engine& engine, core::ExtensionNumber number) {
    const core::ExtensionRecord* const record = engine.extension(number);
    return record ? std::string_view(record->name) : std::string_view();
}

core::ExtensionNumber generator_of(const engine::Engine& engine, const net::RequestHead& head) {
    const std::string* const name = head.parameter("generator");
    if (!name)
        return 0;
    core::ExtensionNumber number = ~core::ExtensionNumber{0};
    for (const core::ExtensionRecord& record : engine.known_extensions())
        if (record.kind == ExtensionKind::generator && record.name == *name)
            number = record.number;
    return number;
}

}  // namespace distributo::coordinator::api
