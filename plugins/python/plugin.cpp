// Runs a script in CPython: this library under the script's own name beside it, words.so beside
// words.py. Its task types are the script's functions, which discover() names.
#include "host.hpp"
#include "interpreter.hpp"
#include "script.hpp"
#include "worker.hpp"

#include <dlfcn.h>
#include <exception>
#include <memory>
#include <string>
#include <vector>

namespace script {
namespace {

namespace fs = std::filesystem;

/// Of the library that is shipped, which has no script.
constexpr std::string_view own_name = "python";

fs::path library_file() {
    Dl_info about{};
    return dladdr(reinterpret_cast<const void*>(&library_file), &about) != 0 ? about.dli_fname : "";
}

struct Instance {
    explicit Instance(const dto_host* offered) : host(offered) {}

    Host host;
    std::unique_ptr<Worker> worker;
    std::unique_ptr<Script> script;
    std::vector<dto_task_type> types;
    std::vector<const dto_task_type*> tables;
};

Instance& instance_of(void* opaque) {
    return *static_cast<Instance*>(opaque);
}

/// Ends the call with what the function says; no exception leaves it.
template <typename Function>
dto_status contained(Instance& instance, dto_call* call, const Function& function) noexcept {
    Outcome outcome{.status = DTO_RETRY, .result = {}, .message = {}, .detail = {}};
    try {
        outcome = function();
        return outcome.status == DTO_OK && outcome.result.empty()
                   ? dto_status{DTO_OK}
                   : instance.host.end(call, outcome);
    } catch (const std::exception& error) {
        outcome.status = DTO_RETRY;
        outcome.message.assign(error.what());
    }
    return instance.host.end(call, outcome);
}

dto_status DTO_CALL create(const dto_host* offered, dto_call*, void** instance) {
    *instance = new Instance(offered);
    return DTO_OK;
}

void describe(Instance& instance) {
    for (const Type& type : instance.script->types()) {
        dto_task_type table{};
        table.struct_size = sizeof table;
        table.name = abi_text(type.name);
        table.version = abi_text(type.version);
        table.summary = abi_text(type.summary);
        table.payload_schema = abi_text(type.payload_schema);
        table.result_schema = abi_text(type.result_schema);
        table.max_concurrency = 1;
        table.timeout_ms = type.timeout_ms;
        instance.types.push_back(table);
    }
    for (const auto& type : instance.types)
        instance.tables.push_back(&type);
}

dto_status DTO_CALL setup(void* opaque, dto_call* call, const dto_setup* request) {
    Instance& instance = instance_of(opaque);
    return contained(instance, call, [&] {
        Outcome outcome;
        const fs::path file = library_file().replace_extension(".py");
        const std::string config = copy_text(request->config_json);
        instance.worker = std::make_unique<Worker>();
        outcome.message = instance.worker->fault();
        instance.worker->run(
            [&] { instance.script = Script::load(file, config, outcome.message); });
        if (instance.script && outcome.message.empty())
            describe(instance);
        else
            outcome.status = DTO_PERMANENT;
        return outcome;
    });
}

dto_status DTO_CALL discover(void* opaque,
                             dto_call*,
                             const dto_task_type* const** types,
                             std::uint32_t* count) {
    const Instance& instance = instance_of(opaque);
    *types = instance.tables.data();
    *count = static_cast<std::uint32_t>(instance.tables.size());
    return DTO_OK;
}

dto_status DTO_CALL execute(void* opaque, dto_call* call, const dto_execute* request) {
    Instance& instance = instance_of(opaque);
    return contained(instance, call, [&] {
        Outcome outcome;
        instance.worker->run(
            [&] { outcome = instance.script->run(instance.host, call, *request); });
        return outcome;
    });
}

void DTO_CALL cancel(void* opaque, dto_call* running) {
    instance_of(opaque).script->cancel(running);
}

/// Also after a setup that failed: everything that was started ends.
void end(Instance& instance) {
    if (instance.script) {
        instance.worker->run([&] { instance.script->tear_down(); });
        instance.script->silence();
        instance.worker->run([&] { instance.script.reset(); });
    }
    instance.worker.reset();
}

void DTO_CALL teardown(void* opaque, dto_call*) {
    end(instance_of(opaque));
}

void DTO_CALL destroy(void* opaque) {
    const std::unique_ptr<Instance> instance(&instance_of(opaque));
    end(*instance);
}

constexpr dto_task_api make_api() {
    dto_task_api api{};
    api.struct_size = sizeof api;
    api.create = create;
    api.setup = setup;
    api.execute = execute;
    api.cancel = cancel;
    api.teardown = teardown;
    api.destroy = destroy;
    api.discover = discover;
    return api;
}
const dto_task_api api = make_api();

const void* DTO_CALL get_interface(const char* id) {
    return std::string_view(id) == DTO_INTERFACE_TASK ? &api : nullptr;
}

const dto_module& module() {
    static const std::string name = library_file().stem();
    static const dto_module table = [] {
        dto_module made{};
        made.struct_size = sizeof made;
        made.abi_minor = DTO_ABI_MINOR;
        made.flags = DTO_MODULE_KEEP_LOADED | DTO_MODULE_NEEDS_ISOLATION;
        made.name = abi_text(name);
        made.version = abi_text("1.0.0");
        made.vendor = abi_text("Distributo");
        made.license = abi_text("MIT");
        made.get_interface = get_interface;
        return made;
    }();
    return table;
}

}  // namespace
}  // namespace script

extern "C" DTO_EXPORT const dto_module* DTO_CALL distributo_module_v1(const dto_entry* entry);
extern "C" const dto_module* DTO_CALL distributo_module_v1(const dto_entry* entry) {
    const dto_module& module = script::module();
    if (script::copy_text(module.name) != script::own_name)
        return &module;
    entry->refuse(entry->ctx,
                  script::abi_text("it runs scripts and has none: put a name.py into the plugin "
                                   "folder of a host"));
    return nullptr;
}
