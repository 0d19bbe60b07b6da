#pragma once

#include <distributo/detail/instance.hpp>

#include <cstdint>
#include <exception>
#include <memory>

namespace distributo::detail {

/// The C functions of a plugin. Definition is a type of the plugin's own source file, so that two
/// plugins in one process never share these, however they were linked.
template <class Definition>
class Exported {
public:
    static const dto_module* enter(const dto_entry* entry) noexcept {
        try {
            return module().table();
        } catch (const std::exception& error) {
            if (entry != nullptr && entry->refuse != nullptr) {
                entry->refuse(entry->ctx, to_abi(error.what()));
            }
        } catch (...) {
            return nullptr;
        }
        return nullptr;
    }

private:
    static const Module& module() {
        static const std::unique_ptr<const Module> built = build();
        return *built;
    }

    static std::unique_ptr<const Module> build() {
        auto module = std::make_unique<Module>(Definition::name, Definition::version);
        Definition::define(*module);
        dto_task_api api{};
        api.create = &create;
        api.setup = &setup;
        api.install = &install;
        api.execute = &execute;
        if (module->probe.run != nullptr) {
            api.probe = &probe;
        }
        for (const TaskType& type : module->types()) {
            if (type.verify_fn != nullptr) {
                api.verify = &verify;
            }
            if (type.batch_fn != nullptr) {
                api.execute_batch = &execute_batch;
            }
        }
        api.cancel = &cancel;
        api.teardown = &teardown;
        api.destroy = &destroy;
        module->finish(&get_interface, api);
        return module;
    }

    static const void* DTO_CALL get_interface(const char* id) noexcept {
        return id == nullptr ? nullptr : module().interface(id);
    }

    static dto_status DTO_CALL create(const dto_host* host, dto_call* call, void** out) noexcept {
        return guarded(Host(*host).table(), call, [&] { *out = new Instance(module(), *host); });
    }
    static dto_status DTO_CALL setup(void* self,
                                     dto_call* call,
                                     const dto_setup* request) noexcept {
        return static_cast<Instance*>(self)->setup(call, *request);
    }
    static dto_status DTO_CALL install(void* self,
                                       dto_call* call,
                                       const dto_install* request) noexcept {
        return static_cast<Instance*>(self)->install(call, *request);
    }
    static dto_status DTO_CALL verify(void* self,
                                      dto_call* call,
                                      const dto_install* request) noexcept {
        return static_cast<Instance*>(self)->verify(call, *request);
    }
    static dto_status DTO_CALL execute(void* self,
                                       dto_call* call,
                                       const dto_execute* request) noexcept {
        return static_cast<Instance*>(self)->execute(call, *request);
    }
    static dto_status DTO_CALL execute_batch(void* self,
                                             dto_call* const* calls,
                                             const dto_execute* const* tasks,
                                             std::uint32_t count,
                                             dto_status* statuses) noexcept {
        auto& instance = *static_cast<Instance*>(self);
        return instance.execute_batch(
            {instance.host(), instance.stops(), calls, tasks, count, statuses});
    }
    static dto_status DTO_CALL probe(void* self, dto_call* call) noexcept {
        return static_cast<Instance*>(self)->probe(call);
    }
    static void DTO_CALL cancel(void* self, dto_call* running) noexcept {
        static_cast<Instance*>(self)->cancel(running);
    }
    static void DTO_CALL teardown(void* self, dto_call*) noexcept {
        static_cast<Instance*>(self)->clear();
    }
    static void DTO_CALL destroy(void* self) noexcept { delete static_cast<Instance*>(self); }
};

}  // namespace distributo::detail
