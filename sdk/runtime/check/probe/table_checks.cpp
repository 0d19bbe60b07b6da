#include "runtime/abi_text.hpp"
#include "runtime/check/catalog.hpp"
#include "runtime/check/probe/checks.hpp"
#include "runtime/check/probe/process_state.hpp"
#include "runtime/extension_plugin.hpp"
#include "wire/json_scan.hpp"
#include "wire/schema.hpp"

#include <algorithm>
#include <optional>

namespace distributo::runtime::check {
namespace {

Verdict entry_is_pure(const ProbeRequest& request) {
    Subject subject(request);
    auto entered = subject.open();
    if (entered)
        entered = subject.enter();
    if (!entered)
        return Verdict::failed(entered.error().message, entered.error().hint);
    const dto_module* const first = subject.declared();
    if (auto again = subject.enter(); !again || subject.declared() != first)
        return Verdict::failed("the entry function answers differently when it is called again",
                               "return the address of the same constant table every time");
    if (!first->get_interface)
        return Verdict::failed("get_interface is a null pointer");
    if (first->get_interface(DTO_INTERFACE_TASK) != first->get_interface(DTO_INTERFACE_TASK))
        return Verdict::failed("get_interface answers differently when it is called again",
                               "return the address of the same constant table every time");
    if (first->get_interface("distributo.nobody/1"))
        return Verdict::failed("get_interface answers to a name that nobody knows",
                               "compare the whole name and return NULL otherwise");
    return Verdict::ok();
}

/// Looks at memory only where the process has some.
class Memories {
public:
    [[nodiscard]] bool readable(const void* start, std::size_t size) const {
        auto at = reinterpret_cast<std::uintptr_t>(start);
        const std::uintptr_t end = at + size;
        if (end < at)
            return false;
        for (const Mapping& mapping : mappings_)
            if (mapping.readable && mapping.from <= at && at < mapping.to)
                at = mapping.to;
        return at >= end;
    }
    [[nodiscard]] bool executable(const void* function) const {
        const auto at = reinterpret_cast<std::uintptr_t>(function);
        return std::any_of(mappings_.begin(), mappings_.end(), [at](const Mapping& mapping) {
            return mapping.executable && mapping.from <= at && at < mapping.to;
        });
    }

private:
    std::vector<Mapping> mappings_ = mappings();
};

/// Names of texts with the texts, of one table.
using Texts = std::vector<std::pair<std::string, dto_str>>;

Texts texts_of(const dto_module& module) {
    return {{"name", module.name},
            {"version", module.version},
            {"vendor", module.vendor},
            {"license", module.license},
            {"homepage", module.homepage}};
}

Texts texts_of(const dto_task_type& type) {
    return {{"name", type.name},
            {"version", type.version},
            {"summary", type.summary},
            {"payload_schema", type.payload_schema},
            {"result_schema", type.result_schema},
            {"install_schema", type.install_schema},
            {"resources_json", type.resources_json}};
}

std::optional<std::string> wild_text(const Memories& memory, const Texts& texts) {
    for (const auto& [name, text] : texts)
        if (text.len != 0 && !memory.readable(text.ptr, text.len))
            return name;
    return std::nullopt;
}

Verdict wild(std::string_view what) {
    return Verdict::failed(std::string(what) + " points to no memory",
                           "tables and texts have to live until the library is unloaded");
}

Verdict check_functions(const Memories& memory, const dto_task_api& api) {
    const std::pair<const void*, const char*> functions[] = {
        {reinterpret_cast<const void*>(api.create), "create"},
        {reinterpret_cast<const void*>(api.setup), "setup"},
        {reinterpret_cast<const void*>(api.probe), "probe"},
        {reinterpret_cast<const void*>(api.install), "install"},
        {reinterpret_cast<const void*>(api.verify), "verify"},
        {reinterpret_cast<const void*>(api.execute), "execute"},
        {reinterpret_cast<const void*>(api.cancel), "cancel"},
        {reinterpret_cast<const void*>(api.teardown), "teardown"},
        {reinterpret_cast<const void*>(api.destroy), "destroy"},
        {reinterpret_cast<const void*>(DTO_HAS(dto_task_api, &api, discover) ? api.discover
                                                                             : nullptr),
         "discover"}};
    for (const auto& [function, name] : functions)
        if (function && !memory.executable(function))
            return Verdict::failed(std::string(name) + " points to no function");
    return Verdict::ok();
}

constexpr std::size_t first_module = offsetof(dto_module, get_interface) + sizeof(void*);
constexpr std::size_t first_api = offsetof(dto_task_api, destroy) + sizeof(void*);
constexpr std::size_t first_type = offsetof(dto_task_type, install_timeout_ms) + sizeof(int64_t);

/// Tables that are too short are for tables.contract to name, with the numbers.
bool is_long_enough(const void* table, std::size_t least) {
    return *static_cast<const std::uint32_t*>(table) >= least;
}

Verdict pointers(const ProbeRequest& request) {
    Subject subject(request);
    auto entered = subject.open();
    if (entered)
        entered = subject.enter();
    if (!entered)
        return broken("loading", entered.error());
    const Memories memory;
    const dto_module* const module = subject.declared();
    if (!memory.readable(module, first_module))
        return wild("the module");
    if (!is_long_enough(module, first_module))
        return Verdict::ok();
    if (const auto name = wild_text(memory, texts_of(*module)))
        return wild("the module's " + *name);
    if (module->required_count != 0 &&
        !memory.readable(module->required, module->required_count * sizeof(dto_str)))
        return wild("required");
    if (!memory.executable(reinterpret_cast<const void*>(module->get_interface)))
        return Verdict::failed("get_interface points to no function");
    const auto* const api =
        static_cast<const dto_task_api*>(module->get_interface(DTO_INTERFACE_TASK));
    if (!api)
        return Verdict::ok();
    if (!memory.readable(api, first_api))
        return wild("the table of " DTO_INTERFACE_TASK);
    if (!is_long_enough(api, first_api))
        return Verdict::ok();
    if (Verdict verdict = check_functions(memory, *api); verdict.status != Verdict::Status::ok)
        return verdict;
    if (api->type_count != 0 && !memory.readable(api->types, api->type_count * sizeof(void*)))
        return wild("types");
    for (std::uint32_t i = 0; i < api->type_count; ++i) {
        const std::string number = "task type number " + std::to_string(i);
        if (!memory.readable(api->types[i], first_type))
            return wild(number);
        if (!is_long_enough(api->types[i], first_type))
            continue;
        if (const auto name = wild_text(memory, texts_of(*api->types[i])))
            return wild(*name + " of " + number);
    }
    return Verdict::ok();
}

bool is_utf8(std::string_view text) {
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at != end) {
        at = static_cast<signed char>(*at) >= 0 ? at + 1 : wire::json::scan::skip_utf8(at, end);
        if (!at)
            return false;
    }
    return true;
}

Verdict judge_texts(const Texts& all) {
    for (const auto& [name, text] : all)
        if (!is_utf8(view_text(text)))
            return Verdict::failed(name + " is not UTF-8", "save the source file as UTF-8");
    return Verdict::ok();
}

Verdict texts(const ProbeRequest& request) {
    Subject subject(request);
    if (auto opened = subject.open(); !opened)
        return broken("loading", opened.error());
    if (auto entered = subject.enter(); !entered)
        return broken("loading", entered.error());
    const dto_module& module = *subject.declared();
    Texts all = is_long_enough(&module, first_module) ? texts_of(module) : Texts();
    const auto* const api =
        static_cast<const dto_task_api*>(module.get_interface(DTO_INTERFACE_TASK));
    for (std::uint32_t i = 0; api && is_long_enough(api, first_api) && i < api->type_count; ++i)
        if (is_long_enough(api->types[i], first_type))
            for (auto& [name, text] : texts_of(*api->types[i]))
                all.emplace_back(name + " of task type number " + std::to_string(i), text);
    return judge_texts(all);
}

/// What a library is to a coordinator: "generator lines, sink table".
std::string described(const ExtensionModule& info) {
    std::string text;
    if (info.generator)
        text = "generator " + info.generator->name;
    if (info.sink)
        text += (text.empty() ? "sink " : ", sink ") + info.sink->name;
    return text;
}

Verdict contract(const ProbeRequest& request) {
    Subject subject(request);
    auto loaded = subject.open();
    if (loaded)
        loaded = subject.enter();
    if (!loaded)
        return Verdict::failed(loaded.error().message, loaded.error().hint);
    const auto extension = check_extension(*subject.declared());
    if (!extension)
        return Verdict::failed(extension.error().message, extension.error().hint);
    const std::string offered = described(extension->info);
    if (offered.empty() || subject.offers_tasks()) {
        if (auto understood = subject.understand(); !understood)
            return Verdict::failed(understood.error().message, understood.error().hint);
    }
    std::string seen = extension->info.name + " " + extension->info.version;
    if (subject.offers_tasks())
        seen += ", " + std::to_string(subject.module().info.types.size()) + " task type(s)" +
                (subject.module().api.discover ? " before setup" : "");
    return Verdict::ok(seen + (offered.empty() ? "" : ", " + offered));
}

Verdict tasks(const ProbeRequest& request) {
    Subject subject(request);
    if (auto opened = subject.open(); !opened)
        return broken("loading", opened.error());
    if (auto entered = subject.enter(); !entered)
        return broken("loading", entered.error());
    return subject.offers_tasks() ? Verdict::ok() : Verdict::skipped("it offers no task types");
}

Verdict judge_schemas(const Subject& subject) {
    std::vector<std::pair<std::string, std::string_view>> all;
    for (const TypeInfo& type : subject.module().info.types) {
        all.emplace_back("payload_schema of " + type.name, type.payload_schema);
        all.emplace_back("result_schema of " + type.name, type.result_schema);
        all.emplace_back("install_schema of " + type.name, type.install_schema);
    }
    all.emplace_back("config_schema", view_text(subject.module().api.config_schema));
    std::string unchecked;
    for (const auto& [name, text] : all) {
        if (text.empty())
            continue;
        const auto schema = wire::Schema::compile(text);
        if (!schema)
            return Verdict::failed(name + ": " + schema.error().message, schema.error().hint);
        for (const std::string& keyword : schema->unchecked())
            unchecked += (unchecked.empty() ? "keywords that nobody checks: " : ", ") + keyword;
    }
    return Verdict::ok(std::move(unchecked));
}

Verdict schemas(const ProbeRequest& request) {
    Subject subject(request);
    if (auto loaded = subject.load(); !loaded)
        return broken("loading", loaded.error());
    return judge_schemas(subject);
}

Verdict judge_resources(const Subject& subject) {
    for (const dto_task_type* const type : subject.tables()) {
        const std::string_view text = view_text(type->resources_json);
        if (text.empty())
            continue;
        const std::string where = "resources_json of " + copy_text(type->name);
        constexpr const char* hint = R"(write it like {"cpu":1,"memory_mib":256,"gpu":0})";
        const auto whole = wire::json::parse(text);
        if (!whole || whole->kind != wire::json::Kind::object)
            return Verdict::failed(where + " is not a JSON object", hint);
        wire::json::Reader reader(text);
        reader.begin_object();
        for (std::string_view key; reader.next_member(key);) {
            wire::json::Value value;
            if (!reader.value(value) || value.number().value_or(-1) < 0)
                return Verdict::failed(where + ": " + std::string(key) + " is not an amount", hint);
        }
    }
    return Verdict::ok();
}

Verdict resources(const ProbeRequest& request) {
    Subject subject(request);
    if (auto loaded = subject.load(); !loaded)
        return broken("loading", loaded.error());
    return judge_resources(subject);
}

constexpr ProbeCheck checks[] = {
    {"tables.entry", &entry_is_pure},
    {"tables.pointers", &pointers},
    {"tables.text", &texts},
    {"tables.contract", &contract},
    {offers_tasks, &tasks},
    {"tables.schemas", &schemas},
    {"tables.resources", &resources},
};

}  // namespace

std::span<const ProbeCheck> table_checks() {
    return checks;
}

Verdict judge_types(const Subject& subject) {
    Texts all;
    for (const dto_task_type* const type : subject.tables())
        for (auto& [name, text] : texts_of(*type))
            all.emplace_back(name + " of task type " + copy_text(type->name), text);
    if (Verdict verdict = judge_texts(all); verdict.status != Verdict::Status::ok)
        return verdict;
    if (Verdict verdict = judge_resources(subject); verdict.status != Verdict::Status::ok)
        return verdict;
    return judge_schemas(subject);
}

}  // namespace distributo::runtime::check
