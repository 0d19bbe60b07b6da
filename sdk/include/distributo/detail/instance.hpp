#pragma once

#include <distributo/detail/module.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace distributo::detail {

/// What create() makes: the host's table, and the objects of stateful task types.
class Instance {
public:
    Instance(const Module& module, const dto_host& host) : module_(module), host_(host) {}
    Instance(const Instance&) = delete;
    Instance& operator=(const Instance&) = delete;
    ~Instance() { clear(); }

    [[nodiscard]] const Host& host() const noexcept { return host_; }
    [[nodiscard]] Stops& stops() noexcept { return stops_; }

    dto_status setup(dto_call* call, const dto_setup& request) noexcept {
        const dto_status status = guarded(host_.table(), call, [&] {
            const Setup setup(host_, call, request);
            for (const TaskType& type : module_.types()) {
                make(type.state, setup);
            }
            make(module_.probe.state, setup);
        });
        if (status != DTO_OK) {
            clear();
        }
        return status;
    }

    dto_status execute(dto_call* call, const dto_execute& request) noexcept {
        return guarded(host_.table(), call, [&] {
            const TaskType& type = find(from_abi(request.task_type));
            return type.execute_fn(state_of(type.state), {host_, stops_, call, request});
        });
    }

    /// A type without a batch function runs its tasks one by one.
    dto_status execute_batch(const BatchCall& batch) noexcept {
        for (const TaskType& type : module_.types()) {
            if (type.name == from_abi(batch.tasks[0]->task_type) && type.batch_fn != nullptr) {
                type.batch_fn(state_of(type.state), batch);
                return DTO_OK;
            }
        }
        for (std::uint32_t i = 0; i < batch.count; ++i) {
            batch.statuses[i] = execute(batch.calls[i], *batch.tasks[i]);
        }
        return DTO_OK;
    }

    dto_status install(dto_call* call, const dto_install& request) noexcept {
        return guarded(host_.table(), call, [&] {
            const TaskType& type = find(from_abi(request.task_type));
            if (type.install_fn == nullptr) {
                throw permanent(type.name + " has nothing to install");
            }
            Install install(host_, call, request);
            type.install_fn(state_of(type.state), install);
        });
    }

    dto_status verify(dto_call* call, const dto_install& request) noexcept {
        return guarded(host_.table(), call, [&] {
            const TaskType& type = find(from_abi(request.task_type));
            Install install(host_, call, request);
            if (type.verify_fn != nullptr && !type.verify_fn(state_of(type.state), install)) {
                throw retry("the installed files are not good any more");
            }
        });
    }

    dto_status probe(dto_call* call) noexcept {
        return guarded(host_.table(), call, [&] {
            const Context context(host_, call);
            set_result(context, module_.probe.run(state_of(module_.probe.state), context));
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

    void make(const StateKind* kind, const Setup& setup) {
        if (kind != nullptr && state_of(kind) == nullptr) {
            states_.reserve(states_.size() + 1);
            states_.emplace_back(kind, kind->make(setup));
        }
    }

    [[nodiscard]] void* state_of(const StateKind* wanted) const noexcept {
        for (const auto& [kind, state] : states_) {
            if (kind == wanted) {
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

}  // namespace distributo::detail
