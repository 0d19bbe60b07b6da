#include "runtime/module_check.hpp"

#include "runtime/abi_text.hpp"
#include "runtime/table_check.hpp"
#include "wire/limits.hpp"

#include <algorithm>
#include <string>

namespace distributo::runtime {
namespace {

/// Sizes of version 1.0: what every plugin has at least.
constexpr std::size_t task_type_v1 = offsetof(dto_task_type, install_timeout_ms) + sizeof(int64_t);
constexpr std::size_t task_api_v1 = offsetof(dto_task_api, destroy) + sizeof(void*);
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
    auto module = check_head(declared);
    if (!module)
        return module.error();
    TaskModule checked;
    auto& info = checked.info;
    info = module->info;

    const void* const table =
        module->table.get_interface ? module->table.get_interface(DTO_INTERFACE_TASK) : nullptr;
    if (!table) {
        const auto get = module->table.get_interface;
        const bool other = get && (get(DTO_INTERFACE_GENERATOR) || get(DTO_INTERFACE_SINK));
        return refused(other ? std::string(only_for_coordinators)
                             : "offers no task types: it has no interface " DTO_INTERFACE_TASK);
    }
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
    const auto& all = module.info.types;
    if (all.empty())
        return refused("discovers no task types");
    const auto& version = all.front().version;
    if (module.api.type_count == 0 &&
        std::ranges::all_of(all, [&](const TypeInfo& type) { return type.version == version; }))
        module.info.version = version;
    return {};
}

}  // namespace distributo::runtime
