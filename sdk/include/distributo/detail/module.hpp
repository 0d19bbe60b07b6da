#pragma once

#include <distributo/detail/state_kind.hpp>
#include <distributo/detail/task_type.hpp>

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace distributo::detail {

/// How a plugin's probe is run; see distributo::probe().
struct ProbeFunction {
    const StateKind* state = nullptr;
    std::string (*run)(void* state, const Context& context) = nullptr;
};

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
    void add_required(std::string id) { required_.push_back(std::move(id)); }
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
        for (const std::string& id : required_) {
            abi_required_.push_back(to_abi(id));
        }
        module_.required = abi_required_.data();
        module_.required_count = static_cast<std::uint32_t>(abi_required_.size());
        module_.get_interface = get_interface;
    }

    [[nodiscard]] const std::string& version() const noexcept { return version_; }
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
    ProbeFunction probe;

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
        out.max_batch = type.max_batch;
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
    std::vector<std::string> required_;
    std::vector<dto_str> abi_required_;
    dto_task_api api_{};
    dto_module module_{};
};

}  // namespace distributo::detail
