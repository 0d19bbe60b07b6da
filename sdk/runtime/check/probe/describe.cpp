#include "runtime/abi_text.hpp"
#include "runtime/check/probe/checks.hpp"
#include "runtime/extension_plugin.hpp"
#include "wire/json.hpp"

#include <utility>

namespace distributo::runtime::check {
namespace {

using wire::json::Writer;
using Flags = std::span<const std::pair<std::uint32_t, std::string_view>>;

constexpr std::pair<std::uint32_t, std::string_view> module_flags[] = {
    {DTO_MODULE_KEEP_LOADED, "keep_loaded"},
    {DTO_MODULE_FORK_SAFE, "fork_safe"},
    {DTO_MODULE_NEEDS_ISOLATION, "needs_isolation"}};

constexpr std::pair<std::uint32_t, std::string_view> type_flags[] = {
    {DTO_TASK_REENTRANT, "reentrant"},
    {DTO_TASK_ASYNC, "async"},
    {DTO_TASK_IDEMPOTENT, "idempotent"},
    {DTO_TASK_DETERMINISTIC, "deterministic"},
    {DTO_TASK_NEEDS_INSTALL, "needs_install"}};

void write_flags(Writer& out, std::uint32_t flags, Flags known) {
    out.key("flags").begin_array();
    for (const auto& [bit, name] : known)
        if ((flags & bit) != 0)
            out.string(name);
    out.end_array();
}

/// A JSON text as it is; left out when there is none, or it is none.
void write_json(Writer& out, std::string_view name, dto_str text) {
    if (wire::json::parse(view_text(text)))
        out.member_raw(name, view_text(text));
}

void write_type(Writer& out, const dto_task_type& type) {
    out.begin_object()
        .member("name", view_text(type.name))
        .member("version", view_text(type.version))
        .member("summary", view_text(type.summary));
    write_flags(out, type.flags, type_flags);
    write_json(out, "payload_schema", type.payload_schema);
    write_json(out, "result_schema", type.result_schema);
    write_json(out, "install_schema", type.install_schema);
    write_json(out, "resources", type.resources_json);
    out.member("max_concurrency", type.max_concurrency)
        .member("max_batch", type.max_batch)
        .member("timeout_ms", type.timeout_ms)
        .member("cancel_grace_ms", type.cancel_grace_ms)
        .member("install_timeout_ms", type.install_timeout_ms)
        .end_object();
}

void write_interface(Writer& out, std::string_view kind, const ExtensionInterface& one) {
    out.key(kind).begin_object().member("name", one.name).member("version", one.version);
    if (!one.config_schema.empty())
        out.member_raw("config_schema", one.config_schema);
    out.end_object();
}

}  // namespace

std::string describe_module(const Subject& subject) {
    const dto_module& module = *subject.declared();
    std::string text;
    Writer out(text);
    out.begin_object()
        .member("name", view_text(module.name))
        .member("version", view_text(module.version))
        .member("vendor", view_text(module.vendor))
        .member("license", view_text(module.license))
        .member("homepage", view_text(module.homepage));
    out.key("abi")
        .begin_object()
        .member("major", DTO_ABI_MAJOR)
        .member("minor", module.abi_minor)
        .end_object();
    write_flags(out, module.flags, module_flags);
    out.key("required").begin_array();
    for (std::uint32_t i = 0; i < module.required_count; ++i)
        out.string(view_text(module.required[i]));
    out.end_array();
    const dto_task_api& api = subject.module().api;
    write_json(out, "config_schema", api.config_schema);
    out.key("types").begin_array();
    for (const dto_task_type* const type : subject.tables())
        write_type(out, *type);
    out.end_array();
    if (const auto extension = check_extension(module)) {
        if (extension->info.generator)
            write_interface(out, "generator", *extension->info.generator);
        if (extension->info.sink)
            write_interface(out, "sink", *extension->info.sink);
    }
    out.end_object();
    return text;
}

}  // namespace distributo::runtime::check
