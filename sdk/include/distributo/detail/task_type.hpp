#pragma once

#include <distributo/detail/context.hpp>
#include <distributo/detail/schema.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace distributo {
namespace detail {

template <class R, class C, bool ReadOnly, class... A>
struct FunctionShape {
    using Result = R;
    using Class = C;  ///< void for a free function
    using Arguments = std::tuple<std::remove_cvref_t<A>...>;
    static constexpr bool read_only = ReadOnly;
};

template <class F>
struct Function;
template <class R, class... A>
struct Function<R (*)(A...)> : FunctionShape<R, void, true, A...> {};
template <class R, class... A>
struct Function<R (*)(A...) noexcept> : FunctionShape<R, void, true, A...> {};
template <class R, class C, class... A>
struct Function<R (C::*)(A...)> : FunctionShape<R, C, false, A...> {};
template <class R, class C, class... A>
struct Function<R (C::*)(A...) noexcept> : FunctionShape<R, C, false, A...> {};
template <class R, class C, class... A>
struct Function<R (C::*)(A...) const> : FunctionShape<R, C, true, A...> {};
template <class R, class C, class... A>
struct Function<R (C::*)(A...) const noexcept> : FunctionShape<R, C, true, A...> {};

/// The argument that is not the context; void when there is none.
template <class Context, class Arguments>
struct Input;
template <class Context>
struct Input<Context, std::tuple<>> {
    using type = void;
};
template <class Context, class... Rest>
struct Input<Context, std::tuple<Context, Rest...>> : Input<Context, std::tuple<Rest...>> {};
template <class Context, class First, class... Rest>
struct Input<Context, std::tuple<First, Rest...>> {
    using type = First;
    static_assert(std::is_void_v<typename Input<Context, std::tuple<Rest...>>::type>,
                  "a plugin function takes one payload at most, and its context");
};

template <auto Fn, class Context>
using InputOf = typename Input<Context, typename Function<decltype(Fn)>::Arguments>::type;

template <class Wanted, class Context, class Payload>
auto& pick(Context& context, Payload& payload) {
    if constexpr (std::is_same_v<Wanted, Context>) {
        return context;
    } else {
        return payload;
    }
}

/// Calls Fn with its arguments in the order in which it declares them.
template <auto Fn, class Context, class Payload, class... A>
decltype(auto) call_in_order(void* state, Context& context, Payload& payload, std::tuple<A...>*) {
    using Class = typename Function<decltype(Fn)>::Class;
    if constexpr (std::is_void_v<Class>) {
        return Fn(pick<A>(context, payload)...);
    } else {
        return (static_cast<Class*>(state)->*Fn)(pick<A>(context, payload)...);
    }
}

template <auto Fn, class Context>
decltype(auto) call_decoded(void* state,
                            Context& context,
                            std::string_view json,
                            std::string_view root) {
    using Arguments = typename Function<decltype(Fn)>::Arguments;
    using Payload = InputOf<Fn, Context>;
    constexpr Arguments* order = nullptr;
    if constexpr (std::is_void_v<Payload>) {
        int none = 0;
        return call_in_order<Fn>(state, context, none, order);
    } else {
        auto payload = decode_text<Payload>(json, root);
        return call_in_order<Fn>(state, context, payload, order);
    }
}

template <auto Fn>
void run_execute(void* state, Task& task) {
    using Result = std::remove_cvref_t<typename Function<decltype(Fn)>::Result>;
    std::string json = "null";
    if constexpr (std::is_void_v<Result>) {
        call_decoded<Fn>(state, task, task.payload_json(), "payload");
    } else {
        json = encode_text<Result>(call_decoded<Fn>(state, task, task.payload_json(), "payload"),
                                   "result");
    }
    const auto result = task.table().result;
    if (result == nullptr) {
        throw permanent("the host takes no results");
    }
    if (const dto_status status = result(task.call(), {json.data(), json.size()}, {});
        status != DTO_OK) {
        throw Failure(status,
                      "the host refused a result of " + std::to_string(json.size()) + " bytes");
    }
}

template <auto Fn>
void run_install(void* state, Install& install) {
    call_decoded<Fn>(state, install, install.spec_json(), "install");
}

template <auto Fn>
bool run_verify(void* state, Install& install) {
    return call_decoded<Fn>(state, install, install.spec_json(), "install");
}

/// How the object that a stateful type's functions belong to is made. One object per process and
/// C++ type, shared by all task types whose functions are its members.
struct StateKind {
    void* (*make)(const Setup&);
    void (*destroy)(void*);
};

template <class T>
inline constexpr StateKind state_kind = {
    [](const Setup& setup) -> void* {
        if constexpr (std::is_constructible_v<T, const Setup&>) {
            return new T(setup);
        } else {
            return new T();
        }
    },
    [](void* state) { delete static_cast<T*>(state); },
};

template <class T>
constexpr const StateKind* state_kind_of() {
    if constexpr (std::is_void_v<T>) {
        return nullptr;
    } else {
        return &state_kind<T>;
    }
}

template <class T>
std::string schema_or_empty() {
    if constexpr (std::is_void_v<T> || std::is_same_v<T, RawJson>) {
        return {};
    } else {
        return schema_text<T>();
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

    template <auto Fn>
    void use_state() {
        using Class = typename detail::Function<decltype(Fn)>::Class;
        if constexpr (!std::is_void_v<Class>) {
            static_assert(std::is_constructible_v<Class, const Setup&> ||
                              std::is_default_constructible_v<Class>,
                          "the plugin's struct needs a constructor from const distributo::Setup&, "
                          "or one without arguments");
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
    std::int64_t timeout_ms = 0;
    std::int64_t cancel_grace_ms = 0;
    std::int64_t install_timeout_ms = 0;
    const detail::StateKind* state = nullptr;
    void (*execute_fn)(void* state, Task& task) = nullptr;
    void (*install_fn)(void* state, Install& install) = nullptr;
    bool (*verify_fn)(void* state, Install& install) = nullptr;
};

/// Declares that tasks of type `name` are run by Fn, a free function or a member of the plugin's
/// struct: `Result run(const Payload&, Task&)`; each argument may be left out. Free functions and
/// const members may run on several threads at once.
template <auto Fn>
[[nodiscard]] TaskType task_type(std::string_view name) {
    using Shape = detail::Function<decltype(Fn)>;
    using Result = std::remove_cvref_t<typename Shape::Result>;
    TaskType type(name);
    type.use_state<Fn>();
    type.execute_fn = &detail::run_execute<Fn>;
    type.payload_schema = detail::schema_or_empty<detail::InputOf<Fn, Task>>();
    if constexpr (std::is_void_v<Result>) {
        type.result_schema = R"({"type":"null"})";
    } else {
        type.result_schema = detail::schema_or_empty<Result>();
    }
    type.flags = Shape::read_only ? std::uint32_t{DTO_TASK_REENTRANT} : 0U;
    return type;
}

}  // namespace distributo
