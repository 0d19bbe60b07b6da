#pragma once

#include <distributo/detail/encode.hpp>

#include <string>

namespace distributo::detail {

/// Appends the JSON Schema (2020-12) of T. `Outer` are the types that are being described: one
/// that contains itself is "anything" where it recurs; the decoder still checks it.
template <class T, class... Outer>
void append_schema(std::string& out);

template <class T, class... Outer>
void append_struct_schema(std::string& out) {
    std::string required;
    std::string properties;
    each_member<T>([&](auto member) {
        using Member = MemberType<T, decltype(member)>;
        properties.append(properties.empty() ? "" : ",");
        append_string(properties, member.name);
        properties.push_back(':');
        if constexpr (is_optional<Member>) {  // left out when there is none
            append_schema<typename Member::value_type, T, Outer...>(properties);
        } else {
            append_schema<Member, T, Outer...>(properties);
            required.append(required.empty() ? "" : ",");
            append_string(required, member.name);
        }
    });
    out.append(R"({"type":"object","properties":{)").append(properties).append("}");
    if (!required.empty()) {
        out.append(R"(,"required":[)").append(required).append("]");
    }
    out.append(R"(,"additionalProperties":false})");
}

template <class T>
void append_enum_schema(std::string& out) {
    out.append(R"({"enum":)");
    char separator = '[';
    each_enumerator<T>([&](auto enumerator) {
        out.push_back(separator);
        separator = ',';
        append_string(out, enumerator.name);
    });
    out.append(separator == '[' ? "[]}" : "]}");
}

template <class T, class... Outer>
void append_schema(std::string& out) {
    if constexpr (std::is_same_v<T, void>) {
        out.append(R"({"type":"null"})");
    } else if constexpr (std::is_same_v<T, bool>) {
        out.append(R"({"type":"boolean"})");
    } else if constexpr (is_integer<T>) {
        out.append(std::is_unsigned_v<T> ? R"({"type":"integer","minimum":0})"
                                         : R"({"type":"integer"})");
    } else if constexpr (std::is_floating_point_v<T>) {
        out.append(R"({"type":"number"})");
    } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
        out.append(R"({"type":"string"})");
    } else if constexpr (is_optional<T>) {
        out.append(R"({"anyOf":[)");
        append_schema<typename T::value_type, Outer...>(out);
        out.append(R"(,{"type":"null"}]})");
    } else if constexpr (is_vector<T>) {
        out.append(R"({"type":"array","items":)");
        append_schema<typename T::value_type, Outer...>(out);
        out.append("}");
    } else if constexpr (is_map<T>) {
        out.append(R"({"type":"object","additionalProperties":)");
        append_schema<typename T::mapped_type, Outer...>(out);
        out.append("}");
    } else if constexpr (is_described_enum<T>) {
        append_enum_schema<T>(out);
    } else if constexpr (is_described_struct<T> && !(std::is_same_v<T, Outer> || ...)) {
        append_struct_schema<T, Outer...>(out);
    } else {
        out.append("{}");
    }
}

template <class T>
[[nodiscard]] std::string schema_text() {
    std::string out;
    append_schema<T>(out);
    return out;
}

}  // namespace distributo::detail
