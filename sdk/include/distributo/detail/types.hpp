#pragma once

#include <boost/describe.hpp>

#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <vector>

namespace distributo {

/// One JSON value of any shape, as text. As a payload or member it takes everything; as a result
/// it is passed on as it is.
struct RawJson {
    std::string text = "null";
};

namespace detail {

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

template <class T>
inline constexpr bool is_vector = false;
template <class T, class A>
inline constexpr bool is_vector<std::vector<T, A>> = true;

/// std::map or std::unordered_map from std::string: a JSON object with free member names.
template <class T>
inline constexpr bool is_map = false;
template <class T, class C, class A>
inline constexpr bool is_map<std::map<std::string, T, C, A>> = true;
template <class T, class H, class E, class A>
inline constexpr bool is_map<std::unordered_map<std::string, T, H, E, A>> = true;

template <class T>
inline constexpr bool is_integer =
    std::is_integral_v<T> && !std::is_same_v<T, bool> && !std::is_same_v<T, char> &&
    !std::is_same_v<T, wchar_t> && !std::is_same_v<T, char8_t> && !std::is_same_v<T, char16_t> &&
    !std::is_same_v<T, char32_t>;

template <class T>
inline constexpr bool is_described_enum = boost::describe::has_describe_enumerators<T>::value;
template <class T>
inline constexpr bool is_described_struct = boost::describe::has_describe_members<T>::value;

template <class T>
using MembersOf =
    boost::describe::describe_members<T,
                                      boost::describe::mod_public | boost::describe::mod_inherited>;

/// Calls visit(descriptor) for every described member; a descriptor has .name and .pointer.
template <class T, class Visit>
constexpr void each_member(Visit&& visit) {
    boost::mp11::mp_for_each<MembersOf<T>>(visit);
}

template <class T, class Visit>
constexpr void each_enumerator(Visit&& visit) {
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>(visit);
}

template <class T, class Descriptor>
using MemberType = std::remove_cvref_t<decltype(std::declval<T&>().*Descriptor::pointer)>;

template <class>
inline constexpr bool unsupported = false;

}  // namespace detail
}  // namespace distributo
