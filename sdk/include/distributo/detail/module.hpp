#pragma once

#include <distributo/detail/task_type.hpp>

#include <cstring>
#include <deque>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace distributo {
namespace detail {

/// The tables of a plugin. Built by the first call of the entry function, constant afterwards.
class Module {
public:
    Module(std::string_view name, std::string_view version) : name_(name), version_(version) {}
    Module(const Module&) = delete;
    Module& operator=(const Module&) = delete;

    void add(TaskType type) { types_.push_back(std::move(type)); }

    /// Anything with define(Module&): options, generators, sinks.
    template <class Element>
    requires requires(Element& element, Module& module) { element.define(module); }
    void add(Element element) { element.define(*this); }

    void add_interface(std::string_view id, const void* table) {
        interfaces_.emplace_back(id, table);
    }
    void set_flag(std::uint32_t flag) { module_.flags |= flag; }

    /// No more elements: fixes the addresses of everything that the tables point to.
    void finish(const void*(DTO_CALL* get_interface)(const char*), dto_task_api api) {
        for (const TaskType& type : types_) {
            abi_types_.push_back(describe(type));
        }
        for (const dto_task_type& type : abi_types_) {
            type_pointers_.push_back(&type);
        }
        api_ = api;
        api_.struct_size = sizeof api_;
        api_.type_count = static_cast<std::uint32_t>(type_pointers_.size());
        api_.types = type_pointers_.data();
        api_.config_schema = to_abi(config_schema);
        if (!types_.empty()) {
            add_interface(DTO_INTERFACE_TASK, &api_);
        }
        module_.struct_size = sizeof module_;
        module_.abi_minor = DTO_ABI_MINOR;
        module_.name = to_abi(name_);
        module_.version = to_abi(version_);
        module_.vendor = to_abi(vendor);
        module_.license = to_abi(license);
        module_.homepage = to_abi(homepage);
        module_.get_interface = get_interface;
    }

    [[nodiscard]] const dto_module* table() const noexcept { return &module_; }
    [[nodiscard]] const std::deque<TaskType>& types() const noexcept { return types_; }

    [[nodiscard]] const void* interface(std::string_view id) const {
        for (const auto& [name, table] : interfaces_) {
            if (name == id) {
                return table;
            }
        }
        return nullptr;
    }

    std::string vendor;
    std::string license;
    std::string homepage;
    std::string config_schema;

private:
    [[nodiscard]] dto_task_type describe(const TaskType& type) const {
        dto_task_type out{};
        out.struct_size = sizeof out;
        out.flags = type.flags;
        out.name = to_abi(type.name);
        out.version = to_abi(type.type_version.empty() ? version_ : type.type_version);
        out.summary = to_abi(type.description);
        out.payload_schema = to_abi(type.payload_schema);
        out.result_schema = to_abi(type.result_schema);
        out.install_schema = to_abi(type.install_schema);
        out.resources_json = to_abi(type.resources);
        out.max_concurrency = type.max_concurrency;
        out.timeout_ms = type.timeout_ms;
        out.cancel_grace_ms = type.cancel_grace_ms;
        out.install_timeout_ms = type.install_timeout_ms;
        return out;
    }

    std::string name_;
    std::string version_;
    std::deque<TaskType> types_;
    std::vector<dto_task_type> abi_types_;
    std::vector<const dto_task_type*> type_pointers_;
    std::vector<std::pair<std::string, const void*>> interfaces_;
    dto_task_api api_{};
    dto_module module_{};
};

/// Runs `body` and turns whatever it throws into a status, with the reason in the call.
template <class Body>
dto_status guarded(const Host& host, dto_call* call, Body&& body) noexcept {
    const auto fail = [&](dto_status status,
                          std::string_view message,
                          std::string_view detail = {},
                          std::int64_t retry_after_ms = 0) {
        if (host.table().set_error != nullptr) {
            dto_error error{};
            error.struct_size = sizeof error;
            error.code = status;
            error.message = to_abi(message);
            error.detail_json = to_abi(detail);
            error.retry_after_ms = retry_after_ms;
            host.table().set_error(call, &error);
        }
        return status;
    };
    try {
        body();
        return DTO_OK;
    } catch (const Cancelled&) {
        return DTO_CANCELLED;
    } catch (const Failure& failure) {
        return fail(
            failure.status(), failure.what(), failure.detail_json(), failure.retry_after().count());
    } catch (const std::bad_alloc&) {
        return fail(DTO_RETRY, "out of memory");
    } catch (const std::exception& error) {
        return fail(DTO_RETRY, error.what());
    } catch (...) {
        return fail(DTO_RETRY, "an exception that is not a std::exception");
    }
}

/// What create() makes: the host's table, and the objects of stateful task types.
class Instance {
public:
    Instance(const Module& module, const dto_host& host) : module_(module), host_(host) {}
    Instance(const Instance&) = delete;
    Instance& operator=(const Instance&) = delete;
    ~Instance() { clear(); }

    dto_status setup(dto_call* call, const dto_setup& request) noexcept {
        const dto_status status = guarded(host_, call, [&] {
            const Setup setup(host_, call, request);
            for (const TaskType& type : module_.types()) {
                if (type.state != nullptr && state_of(type) == nullptr) {
                    states_.reserve(states_.size() + 1);
                    states_.emplace_back(type.state, type.state->make(setup));
                }
            }
        });
        if (status != DTO_OK) {
            clear();
        }
        return status;
    }

    dto_status execute(dto_call* call, const dto_execute& request) noexcept {
        return guarded(host_, call, [&] {
            const TaskType& type = find(from_abi(request.task_type));
            Task task(host_, call, request, stops_);
            type.execute_fn(state_of(type), task);
        });
    }

    dto_status install(dto_call* call, const dto_install& request) noexcept {
        return guarded(host_, call, [&] {
            const TaskType& type = find(from_abi(request.task_type));
            if (type.install_fn == nullptr) {
                throw permanent(type.name + " has nothing to install");
            }
            Install install(host_, call, request);
            type.install_fn(state_of(type), install);
        });
    }

    dto_status verify(dto_call* call, const dto_install& request) noexcept {
        return guarded(host_, call, [&] {
            const TaskType& type = find(from_abi(request.task_type));
            Install install(host_, call, request);
            if (type.verify_fn != nullptr && !type.verify_fn(state_of(type), install)) {
                throw retry("the installed files are not good any more");
            }
        });
    }

    void cancel(dto_call* call) noexcept { stops_.cancel(call); }

    /// Destroys the objects in the reverse order of their making.
    void clear() noexcept {
        while (!states_.empty()) {
            states_.back().first->destroy(states_.back().second);
            states_.pop_back();
        }
    }

private:
    [[nodiscard]] const TaskType& find(std::string_view name) const {
        for (const TaskType& type : module_.types()) {
            if (type.name == name) {
                return type;
            }
        }
        throw permanent("this plugin has no task type " + std::string(name));
    }

    [[nodiscard]] void* state_of(const TaskType& type) const noexcept {
        for (const auto& [kind, state] : states_) {
            if (kind == type.state) {
                return state;
            }
        }
        return nullptr;
    }

    const Module& module_;
    Host host_;
    Stops stops_;
    std::vector<std::pair<const StateKind*, void*>> states_;
};

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
        api.verify = &verify;
        api.execute = &execute;
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
        return guarded(Host(*host), call, [&] { *out = new Instance(module(), *host); });
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
    static void DTO_CALL cancel(void* self, dto_call* running) noexcept {
        static_cast<Instance*>(self)->cancel(running);
    }
    static void DTO_CALL teardown(void* self, dto_call*) noexcept {
        static_cast<Instance*>(self)->clear();
    }
    static void DTO_CALL destroy(void* self) noexcept { delete static_cast<Instance*>(self); }
};

/// An element of DISTRIBUTO_PLUGIN that sets something of the module.
template <class Apply>
struct Option {
    Apply apply;
    void define(Module& module) { apply(module); }
};
template <class Apply>
Option(Apply) -> Option<Apply>;

}  // namespace detail

/// Further elements of DISTRIBUTO_PLUGIN, beside task types.
[[nodiscard]] inline auto vendor(std::string name) {
    return detail::Option{[name](detail::Module& module) { module.vendor = name; }};
}
[[nodiscard]] inline auto license(std::string spdx) {
    return detail::Option{[spdx](detail::Module& module) { module.license = spdx; }};
}
[[nodiscard]] inline auto homepage(std::string url) {
    return detail::Option{[url](detail::Module& module) { module.homepage = url; }};
}
/// The plugin's configuration is a Config: its schema is published, Setup::config reads it.
template <class Config>
[[nodiscard]] auto config() {
    return detail::Option{
        [](detail::Module& module) { module.config_schema = detail::schema_text<Config>(); }};
}
/// Never unload: the plugin leaves threads, thread-local objects or a language runtime behind.
[[nodiscard]] inline auto keep_loaded() {
    return detail::Option{[](detail::Module& module) { module.set_flag(DTO_MODULE_KEEP_LOADED); }};
}
/// Must not share a process with other plugins.
[[nodiscard]] inline auto needs_isolation() {
    return detail::Option{
        [](detail::Module& module) { module.set_flag(DTO_MODULE_NEEDS_ISOLATION); }};
}

}  // namespace distributo
