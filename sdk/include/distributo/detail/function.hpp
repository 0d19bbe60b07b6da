#pragma once

#include <distributo/detail/decode.hpp>

#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

/// What a plugin function takes and gives, and how it is called with a decoded payload.
namespace distributo::detail {

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

/// Calls Fn, on `state` when it is a member.
template <auto Fn, class... A>
decltype(auto) invoke(void* state, A&&... arguments) {
    using Class = typename Function<decltype(Fn)>::Class;
    if constexpr (std::is_void_v<Class>) {
        return Fn(std::forward<A>(arguments)...);
    } else {
        return (static_cast<Class*>(state)->*Fn)(std::forward<A>(arguments)...);
    }
}

/// Calls Fn with its arguments in the order in which it declares them.
template <auto Fn, class Context, class Payload, class... A>
decltype(auto) call_in_order(void* state, Context& context, Payload& payload, std::tuple<A...>*) {
    return invoke<Fn>(state, pick<A>(context, payload)...);
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

}  // namespace distributo::detail
