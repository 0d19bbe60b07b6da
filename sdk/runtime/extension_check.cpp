#include "runtime/abi_text.hpp"
#include "runtime/extension_plugin.hpp"
#include "runtime/table_check.hpp"

#include <utility>

namespace distributo::runtime {
namespace {

constexpr std::size_t generator_v1 = offsetof(dto_generator_api, close) + sizeof(void*);
constexpr std::size_t sink_v1 = offsetof(dto_sink_api, close) + sizeof(void*);

/// What generators and sinks have in common.
template <typename Api>
base::Result<ExtensionInterface> describe(const Api& api, const std::string& what) {
    ExtensionInterface found;
    found.name = copy_text(api.name);
    if (auto name = check_name(found.name, what + " name", "._-"); !name)
        return name.error();
    found.version = copy_text(api.version);
    if (auto version = check_version(found.version, what + ' ' + found.name); !version)
        return version.error();
    if (auto flags = check_flags(api.flags, 0, what + ' ' + found.name); !flags)
        return flags.error();
    found.config_schema = copy_text(api.config_schema);
    if (auto schema = check_schema(found.config_schema, what + " config_schema"); !schema)
        return schema.error();
    return found;
}

base::Result<void> check_functions(std::initializer_list<std::pair<bool, const char*>> needed,
                                   std::string_view table) {
    for (const auto& [there, name] : needed)
        if (!there)
            return refused("its " + std::string(table) + " lacks the function " + name);
    return {};
}

base::Result<void> check_generator(const void* table, ExtensionTables& tables) {
    auto api =
        own_copy(static_cast<const dto_generator_api*>(table), generator_v1, "dto_generator_api");
    if (!api)
        return api.error();
    if (auto functions = check_functions({{api->open != nullptr, "open"},
                                          {api->next_batch != nullptr, "next_batch"},
                                          {api->close != nullptr, "close"}},
                                         "dto_generator_api");
        !functions)
        return functions;
    auto found = describe(*api, "generator");
    if (!found)
        return found.error();
    found->takes_results = api->on_result != nullptr;
    tables.generator = *api;
    tables.info.generator = std::move(*found);
    return {};
}

base::Result<void> check_sink(const void* table, ExtensionTables& tables) {
    auto api = own_copy(static_cast<const dto_sink_api*>(table), sink_v1, "dto_sink_api");
    if (!api)
        return api.error();
    if (auto functions = check_functions({{api->open != nullptr, "open"},
                                          {api->write != nullptr, "write"},
                                          {api->flush != nullptr, "flush"},
                                          {api->close != nullptr, "close"}},
                                         "dto_sink_api");
        !functions)
        return functions;
    auto found = describe(*api, "sink");
    if (!found)
        return found.error();
    tables.sink = *api;
    tables.info.sink = std::move(*found);
    return {};
}

}  // namespace

base::Result<ExtensionTables> check_extension(const dto_module& module) {
    auto head = check_head(module);
    if (!head)
        return head.error();
    ExtensionTables tables;
    tables.info.name = head->info.name;
    tables.info.version = head->info.version;
    const auto get = head->table.get_interface;
    if (!get)
        return tables;
    tables.info.tasks = get(DTO_INTERFACE_TASK) != nullptr;
    if (const void* const table = get(DTO_INTERFACE_GENERATOR))
        if (auto checked = check_generator(table, tables); !checked)
            return checked.error();
    if (const void* const table = get(DTO_INTERFACE_SINK))
        if (auto checked = check_sink(table, tables); !checked)
            return checked.error();
    return tables;
}

}  // namespace distributo::runtime
