#include "runtime/module_check.hpp"

#include "base/semver.hpp"
#include "runtime/abi_text.hpp"
#include "runtime/services.hpp"
#include "wire/json.hpp"
#include "wire/limits.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>

namespace distributo::runtime {
namespace {

using base::Errc;

/// Sizes of version 1.0: what every plugin has at least.
constexpr std::size_t module_v1 = offsetof(dto_module, get_interface) + sizeof(void*);
constexpr std::size_t task_type_v1 = offsetof(dto_task_type, install_timeout_ms) + sizeof(int64_t);
constexpr std::size_t task_api_v1 = offsetof(dto_task_api, destroy) + sizeof(void*);
/// No table will ever be this long; a larger number is not a size.
constexpr std::size_t longest_table = 64 * 1024;

constexpr std::uint32_t must_understand = 0xFFFF'0000;

base::Error refused(std::string message, std::string hint = {}) {
    return base::error(Errc::invalid_argument, std::move(message), std::move(hint));
}

template <typename Table>
base::Result<Table> own_copy(const Table* table, std::size_t least, std::string_view name) {
    if (!table)
        return refused("its " + std::string(name) + " is a null pointer");
    if (table->struct_size < least || table->struct_size > longest_table)
        return refused("its " + std::string(name) + " has struct_size " +
                           std::to_string(table->struct_size) + ", expected at least " +
                           std::to_string(least),
                       "set struct_size to sizeof the table");
    Table copy{};
    std::memcpy(&copy, table, std::min<std::size_t>(table->struct_size, sizeof copy));
    return copy;
}

base::Result<void> check_flags(std::uint32_t flags, std::uint32_t known, std::string_view where) {
    const std::uint32_t unknown = flags & must_understand & ~known;
    if (unknown == 0)
        return {};
    return refused(std::string(where) + " has flag bit " +
                       std::to_string(31 - __builtin_clz(unknown)) +
                       ", which a host must understand and this one does not",
                   "update this host");
}

bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/// `separators`: what may stand between letters and digits.
base::Result<void> check_name(std::string_view name,
                              std::string_view what,
                              std::string_view separators) {
    const auto fits = [&](char c) {
        return is_alphanumeric(c) || separators.find(c) != separators.npos;
    };
    if (!name.empty() && name.size() <= wire::limits::type_length && is_alphanumeric(name[0]) &&
        std::ranges::all_of(name, fits))
        return {};
    return refused(
        "the " + std::string(what) + " \"" + std::string(name.substr(0, 100)) + "\" is not usable",
        "1 to " + std::to_string(wire::limits::type_length) + " of a-z 0-9 and any of " +
            std::string(separators) + ", a letter or digit first");
}

base::Result<void> check_version(std::string_view version, std::string_view of) {
    if (const auto parsed = base::parse_version(version); !parsed)
        return refused("the version of " + std::string(of) + ": " + parsed.error().message,
                       parsed.error().hint);
    return {};
}

base::Result<void> check_schema(std::string_view schema, std::string_view what) {
    if (schema.empty())
        return {};
    if (schema.size() > wire::limits::schema_length)
        return refused(std::string(what) + " is longer than " +
                       std::to_string(wire::limits::schema_length) + " bytes");
    if (auto parsed = wire::json::parse(schema); !parsed)
        return refused(std::string(what) + " is not JSON: " + parsed.error().message);
    return {};
}

/// Services by id, the members of dto_host by name, as `required` names them.
bool host_has(std::string_view requirement) {
    static constexpr std::string_view members[] = {"log_enabled",
                                                   "log",
                                                   "set_error",
                                                   "progress",
                                                   "cancelled",
                                                   "wait",
                                                   "cancel_handle",
                                                   "remaining_ms",
                                                   "work_dir",
                                                   "result",
                                                   "result_reserve",
                                                   "result_commit",
                                                   "scratch",
                                                   "complete",
                                                   "notify",
                                                   "get_service"};
    constexpr std::string_view prefix = "host.";
    if (find_service(requirement) != nullptr)
        return true;
    return requirement.substr(0, prefix.size()) == prefix &&
           std::find(std::begin(members), std::end(members), requirement.substr(prefix.size())) !=
               std::end(members);
}

base::Result<void> check_required(const dto_module& module) {
    if (module.required_count != 0 && !module.required)
        return refused("its required is a null pointer, but required_count is " +
                       std::to_string(module.required_count));
    for (std::uint32_t i = 0; i < module.required_count; ++i) {
        const auto name = view_text(module.required[i]);
        if (!host_has(name))
            return refused("needs " + std::string(name) + ", which this host does not have",
                           "update this host");
    }
    return {};
}

base::Result<TypeInfo> check_type(const dto_task_type& type) {
    TypeInfo info;
    info.name = copy_text(type.name);
    if (auto checked = check_name(info.name, "task type", "._-:"); !checked)
        return checked.error();
    info.version = copy_text(type.version);
    if (auto checked = check_version(info.version, info.name); !checked)
        return checked.error();
    if (auto checked = check_flags(type.flags, 0, "task type " + info.name); !checked)
        return checked.error();
    info.summary = copy_text(type.summary);
    info.payload_schema = copy_text(type.payload_schema);
    info.result_schema = copy_text(type.result_schema);
    info.install_schema = copy_text(type.install_schema);
    const std::pair<const std::string*, const char*> schemas[] = {
        {&info.payload_schema, "payload_schema"},
        {&info.result_schema, "result_schema"},
        {&info.install_schema, "install_schema"}};
    for (const auto& [schema, what] : schemas)
        if (auto checked = check_schema(*schema, info.name + ": " + what); !checked)
            return checked.error();
    info.reentrant = (type.flags & DTO_TASK_REENTRANT) != 0;
    info.max_concurrency = info.reentrant ? type.max_concurrency : 1;
    info.timeout_ms = std::max<std::int64_t>(type.timeout_ms, 0);
    info.cancel_grace_ms = std::max<std::int64_t>(type.cancel_grace_ms, 0);
    info.install_timeout_ms = std::max<std::int64_t>(type.install_timeout_ms, 0);
    info.needs_install = (type.flags & DTO_TASK_NEEDS_INSTALL) != 0;
    info.async = (type.flags & DTO_TASK_ASYNC) != 0;
    info.deterministic = (type.flags & DTO_TASK_DETERMINISTIC) != 0;
    return info;
}

/// Appends those of one table, which the plugin gives in its constant tables or by discover().
base::Result<void> append_types(TaskModule& module,
                                const dto_task_type* const* types,
                                std::uint32_t count) {
    auto& all = module.info.types;
    const auto& api = module.api;
    if (count > wire::limits::type_count - all.size())
        return refused("offers " + std::to_string(all.size() + count) + " task types, at most " +
                       std::to_string(wire::limits::type_count));
    if (count != 0 && !types)
        return refused("its list of task types is a null pointer");
    for (std::uint32_t i = 0; i < count; ++i) {
        auto type =
            own_copy(types[i], task_type_v1, "dto_task_type number " + std::to_string(all.size()));
        if (!type)
            return type.error();
        auto info = check_type(*type);
        if (!info)
            return info.error();
        if (std::ranges::find(all, info->name, &TypeInfo::name) != all.end())
            return refused("offers the task type " + info->name + " twice");
        if (info->needs_install && !api.install)
            return refused("task type " + info->name +
                           " needs install, but there is no such function");
        info->verifies = api.verify != nullptr;
        if (api.execute_batch)
            info->max_batch = std::clamp(type->max_batch, 1U, most_in_batch);
        all.push_back(std::move(*info));
        module.flags.push_back(type->flags);
    }
    return {};
}

base::Result<void> check_types(TaskModule& module) {
    const auto& api = module.api;
    if (!api.discover && (api.type_count == 0 || !api.types))
        return refused("offers no task types");
    return append_types(module, api.types, api.type_count);
}

base::Result<void> check_functions(const dto_task_api& api) {
    const std::pair<bool, const char*> needed[] = {{api.create != nullptr, "create"},
                                                   {api.setup != nullptr, "setup"},
                                                   {api.execute != nullptr, "execute"},
                                                   {api.teardown != nullptr, "teardown"},
                                                   {api.destroy != nullptr, "destroy"}};
    for (const auto& [there, name] : needed)
        if (!there)
            return refused("its dto_task_api lacks the function " + std::string(name));
    return {};
}

}  // namespace

base::Result<TaskModule> check_module(const dto_module& declared) {
    auto module = own_copy(&declared, module_v1, "dto_module");
    if (!module)
        return module.error();
    TaskModule checked;
    auto& info = checked.info;
    if (auto flags = check_flags(module->flags, DTO_MODULE_NEEDS_ISOLATION, "it"); !flags)
        return flags.error();
    info.name = copy_text(module->name);
    if (auto name = check_name(info.name, "plugin name", "._-"); !name)
        return name.error();
    info.version = copy_text(module->version);
    if (auto version = check_version(info.version, info.name); !version)
        return version.error();
    info.vendor = copy_text(module->vendor);
    info.license = copy_text(module->license);
    info.keep_loaded = (module->flags & DTO_MODULE_KEEP_LOADED) != 0;
    info.needs_isolation = (module->flags & DTO_MODULE_NEEDS_ISOLATION) != 0;
    if (auto required = check_required(*module); !required)
        return required.error();

    const void* const table =
        module->get_interface ? module->get_interface(DTO_INTERFACE_TASK) : nullptr;
    if (!table)
        return refused("offers no task types: it has no interface " DTO_INTERFACE_TASK);
    auto api = own_copy(static_cast<const dto_task_api*>(table), task_api_v1, "dto_task_api");
    if (!api)
        return api.error();
    checked.api = *api;
    if (auto functions = check_functions(checked.api); !functions)
        return functions.error();
    if (auto types = check_types(checked); !types)
        return types.error();
    info.probes = checked.api.probe != nullptr;
    return checked;
}

base::Result<void> add_types(TaskModule& module,
                             const dto_task_type* const* types,
                             std::uint32_t count) {
    if (auto added = append_types(module, types, count); !added)
        return added.error();
    if (module.info.types.empty())
        return refused("discovers no task types");
    return {};
}

}  // namespace distributo::runtime
