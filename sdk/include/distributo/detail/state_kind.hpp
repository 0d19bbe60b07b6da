#pragma once

#include <distributo/detail/context.hpp>

#include <type_traits>

namespace distributo::detail {

/// How the object that a stateful type's functions belong to is made. One object per process and
/// C++ type, shared by all task types whose functions are its members.
struct StateKind {
    void* (*make)(const Setup&);
    void (*destroy)(void*);
};

template <class T>
inline constexpr StateKind state_kind = {
    [](const Setup& setup) -> void* {
        static_assert(
            std::is_constructible_v<T, const Setup&> || std::is_default_constructible_v<T>,
            "the plugin's struct needs a constructor from const distributo::Setup&, or one without "
            "arguments");
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

}  // namespace distributo::detail
