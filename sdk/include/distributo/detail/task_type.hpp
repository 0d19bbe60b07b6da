#pragma once

#include <distributo/detail/async.hpp>
#include <distributo/detail/batch.hpp>
#include <distributo/detail/function.hpp>
#include <distributo/detail/outcome.hpp>
#include <distributo/detail/schema.hpp>
#include <distributo/detail/state_kind.hpp>
#include <distributo/detail/task.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace distributo {
namespace detail {

template <auto Fn>
dto_status run_execute(void* state, const ExecuteCall& call) {
    Task task(call.host, call.call, call.request, call.stops);
    using Result = std::remove_cvref_t<typename Function<decltype(Fn)>::Result>;
    if constexpr (std::is_void_v<Result>) {
        call_decoded<Fn>(state, task, task.payload_json(), "payload");
        set_result(task, "null");
    } else {
        const Result result = call_decoded<Fn>(state, task, task.payload_json(), "payload");
        set_result(task, encode_text(result, "result"));
    }
    return DTO_OK;
}

template <auto Fn>
void run_install(void* state, Install& install) {
    call_decoded<Fn>(state, install, install.spec_json(), "install");
}

template <auto Fn>
bool run_verify(void* state, Install& install) {
    return call_decoded<Fn>(state, install, install.spec_json(), "install");
}

template <class T>
std::string schema_or_empty() {
    if constexpr (std::is_void_v<T> || std::is_same_v<T, RawJson>) {
        return {};
    } else {
        return schema_text<T>();
    }
}

template <class Result>
std::string result_schema() {
    if constexpr (std::is_void_v<Result>) {
        return R"({"type":"null"})";
    } else {
        return schema_or_empty<Result>();
    }
}

}  // namespace detail

/// A task type as it is declared in DISTRIBUTO_PLUGIN; made by task_type<>().
class TaskType {
public:
    explicit TaskType(std::string_view type_name) : name(type_name) {}

    /// At most so many at once in one process.
    TaskType&& concurrency(std::uint32_t most) && {
        max_concurrency = most;
        return std::move(*this);
    }
    /// For a member function that is not const and yet may run on several threads at once.
    TaskType&& reentrant() && {
        flags |= DTO_TASK_REENTRANT;
        return std::move(*this);
    }
    /// For a free function that must not run on several threads at once.
    TaskType&& one_at_a_time() && {
        flags &= ~static_cast<std::uint32_t>(DTO_TASK_REENTRANT);
        return std::move(*this);
    }
    /// Same payload, same result.
    TaskType&& deterministic() && {
        flags |= DTO_TASK_DETERMINISTIC;
        return std::move(*this);
    }
    /// Running it twice does no harm.
    TaskType&& idempotent() && {
        flags |= DTO_TASK_IDEMPOTENT;
        return std::move(*this);
    }
    /// What one task needs, as a JSON object: {"cpu":2,"memory_mib":512}.
    TaskType&& needs(std::string_view json) && {
        resources = json;
        return std::move(*this);
    }
    TaskType&& summary(std::string_view line) && {
        description = line;
        return std::move(*this);
    }
    TaskType&& version(std::string_view semantic) && {
        type_version = semantic;
        return std::move(*this);
    }
    TaskType&& timeout(std::chrono::milliseconds limit) && {
        timeout_ms = limit.count();
        return std::move(*this);
    }
    TaskType&& install_timeout(std::chrono::milliseconds limit) && {
        install_timeout_ms = limit.count();
        return std::move(*this);
    }
    /// Time between cancel and kill.
    TaskType&& cancel_grace(std::chrono::milliseconds time) && {
        cancel_grace_ms = time.count();
        return std::move(*this);
    }

    /// Fn runs once per content key before the first task that has it: (const Spec&, Install&).
    template <auto Fn>
    TaskType&& install() && {
        use_state<Fn>();
        install_schema = detail::schema_or_empty<detail::InputOf<Fn, Install>>();
        install_fn = &detail::run_install<Fn>;
        flags |= DTO_TASK_NEEDS_INSTALL;
        return std::move(*this);
    }
    /// Fn says whether an entry of an earlier process is still good: bool (Install&).
    template <auto Fn>
    TaskType&& verify() && {
        use_state<Fn>();
        verify_fn = &detail::run_verify<Fn>;
        return std::move(*this);
    }

    /// Fn runs up to `most` tasks together when so many wait:
    /// `void run(std::span<BatchItem<Payload, Result>>)`, with the types of the task's function,
    /// which runs when only one waits.
    template <auto Fn>
    TaskType&& batch(std::uint32_t most) && {
        using Shape = detail::BatchOf<Fn>;
        use_state<Fn>();
        if (detail::schema_or_empty<typename Shape::Payload>() != payload_schema ||
            detail::result_schema<typename Shape::Result>() != result_schema) {
            throw permanent(name + ": its batch function has another payload or result");
        }
        if ((flags & DTO_TASK_ASYNC) != 0) {
            throw permanent(name + ": tasks that end later do not come in batches");
        }
        max_batch = most;
        batch_fn = &detail::run_batch<Fn>;
        return std::move(*this);
    }

    template <auto Fn>
    void use_state() {
        using Class = typename detail::Function<decltype(Fn)>::Class;
        if constexpr (!std::is_void_v<Class>) {
            if (state != nullptr && state != &detail::state_kind<Class>) {
                throw permanent(name + ": its functions belong to different structs");
            }
            state = &detail::state_kind<Class>;
        }
    }

    std::string name;
    std::string type_version;
    std::string description;
    std::string payload_schema;
    std::string result_schema;
    std::string install_schema;
    std::string resources;
    std::uint32_t flags = 0;
    std::uint32_t max_concurrency = 0;
    std::uint32_t max_batch = 0;
    std::int64_t timeout_ms = 0;
    std::int64_t cancel_grace_ms = 0;
    std::int64_t install_timeout_ms = 0;
    const detail::StateKind* state = nullptr;
    dto_status (*execute_fn)(void* state, const detail::ExecuteCall& call) = nullptr;
    void (*batch_fn)(void* state, const detail::BatchCall& batch) = nullptr;
    void (*install_fn)(void* state, Install& install) = nullptr;
    bool (*verify_fn)(void* state, Install& install) = nullptr;
};

/// Declares that tasks of type `name` are run by Fn, a free function or a member of the plugin's
/// struct: `Result run(const Payload&, Task&)`; each argument may be left out. With
/// `void start(const Payload&, AsyncTask<Result>)` they end later. Free functions and const members
/// may run on several threads at once.
template <auto Fn>
[[nodiscard]] TaskType task_type(std::string_view name) {
    using Shape = detail::Function<decltype(Fn)>;
    TaskType type(name);
    type.use_state<Fn>();
    type.flags = Shape::read_only ? std::uint32_t{DTO_TASK_REENTRANT} : 0U;
    if constexpr (detail::AsyncOf<Fn>::value) {
        type.execute_fn = &detail::run_async<Fn>;
        type.payload_schema = detail::schema_or_empty<typename detail::AsyncOf<Fn>::Payload>();
        type.result_schema = detail::result_schema<typename detail::AsyncOf<Fn>::Result>();
        type.flags |= DTO_TASK_ASYNC;
    } else {
        type.execute_fn = &detail::run_execute<Fn>;
        type.payload_schema = detail::schema_or_empty<detail::InputOf<Fn, Task>>();
        type.result_schema = detail::result_schema<std::remove_cvref_t<typename Shape::Result>>();
    }
    return type;
}

}  // namespace distributo
