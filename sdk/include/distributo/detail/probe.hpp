#pragma once

#include <distributo/detail/context.hpp>
#include <distributo/detail/encode.hpp>
#include <distributo/detail/function.hpp>

#include <string>
#include <tuple>
#include <type_traits>

namespace distributo::detail {

/// The result of a probe as abi.h wants it.
template <class Answer>
std::string probe_text(const Answer& answer) {
    if constexpr (std::is_same_v<Answer, bool>) {
        return answer ? R"({"healthy":true})" : R"({"healthy":false})";
    } else if constexpr (is_optional<Answer>) {
        return answer ? probe_text(*answer) : probe_text(false);
    } else {
        static_assert(is_described_struct<Answer>,
                      "a probe returns bool, a described struct, or a std::optional of one");
        return R"({"healthy":true,"attributes":)" + encode_text(answer, "attributes") + "}";
    }
}

template <auto Fn>
std::string run_probe(void* state, const Context& context) {
    if constexpr (std::tuple_size_v<typename Function<decltype(Fn)>::Arguments> == 0) {
        return probe_text(invoke<Fn>(state));
    } else {
        return probe_text(invoke<Fn>(state, context));
    }
}

}  // namespace distributo::detail
