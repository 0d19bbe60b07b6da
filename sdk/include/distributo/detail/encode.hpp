#pragma once

#include <distributo/detail/reader.hpp>
#include <distributo/detail/types.hpp>

#include <charconv>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>

namespace distributo::detail {

/// Appends a JSON string. The text is taken as UTF-8 and not checked.
inline void append_string(std::string& out, std::string_view text) {
    constexpr std::string_view hex = "0123456789abcdef";
    out.push_back('"');
    std::size_t done = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c >= 0x20 && c != '"' && c != '\\') {
            continue;
        }
        out.append(text, done, i - done);
        done = i + 1;
        switch (c) {
            case '"':
                out.append("\\\"");
                break;
            case '\\':
                out.append("\\\\");
                break;
            case '\n':
                out.append("\\n");
                break;
            case '\r':
                out.append("\\r");
                break;
            case '\t':
                out.append("\\t");
                break;
            default:
                out.append("\\u00").append({hex[c >> 4], hex[c & 15]});
                break;
        }
    }
    out.append(text, done, text.size() - done).push_back('"');
}

template <class T>
void append_number(std::string& out, const Path& at, T value) {
    if constexpr (std::is_floating_point_v<T>) {
        if (!std::isfinite(value)) {
            at.fail("not a finite number, which JSON cannot express");
        }
    }
    char text[40];
    const auto end = std::to_chars(text, text + sizeof text, value).ptr;
    out.append(text, end);
}

/// Appends one value. Throws a permanent Failure that names the path.
template <class T>
void encode(std::string& out, const Path& at, const T& value);

template <class T>
void encode_struct(std::string& out, const Path& at, const T& value) {
    char separator = '{';
    each_member<T>([&](auto member) {
        const auto& item = value.*member.pointer;
        if constexpr (is_optional<MemberType<T, decltype(member)>>) {
            if (!item) {
                return;
            }
        }
        out.push_back(separator);
        separator = ',';
        append_string(out, member.name);
        out.push_back(':');
        encode(out, Path(at, member.name), item);
    });
    out.append(separator == '{' ? "{}" : "}");
}

template <class T>
void encode_enum(std::string& out, const Path& at, const T& value) {
    const char* const name = boost::describe::enum_to_string(value, nullptr);
    if (name == nullptr) {
        at.fail("not an enumerator: " + std::to_string(static_cast<long long>(value)));
    }
    append_string(out, name);
}

template <class T>
void encode(std::string& out, const Path& at, const T& value) {
    if constexpr (std::is_same_v<T, bool>) {
        out.append(value ? "true" : "false");
    } else if constexpr (is_integer<T> || std::is_floating_point_v<T>) {
        append_number(out, at, value);
    } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
        append_string(out, value);
    } else if constexpr (std::is_same_v<T, RawJson>) {
        out.append(value.text);
    } else if constexpr (is_optional<T>) {
        if (value) {
            encode(out, at, *value);
        } else {
            out.append("null");
        }
    } else if constexpr (is_vector<T>) {
        out.push_back('[');
        std::size_t index = 0;
        for (const typename T::value_type& item : value) {
            out.append(index == 0 ? "" : ",");
            encode(out, Path(at, index++), item);
        }
        out.push_back(']');
    } else if constexpr (is_map<T>) {
        char separator = '{';
        for (const auto& [key, item] : value) {
            out.push_back(separator);
            separator = ',';
            append_string(out, key);
            out.push_back(':');
            encode(out, Path(at, key), item);
        }
        out.append(separator == '{' ? "{}" : "}");
    } else if constexpr (is_described_enum<T>) {
        encode_enum(out, at, value);
    } else if constexpr (is_described_struct<T>) {
        encode_struct(out, at, value);
    } else {
        static_assert(unsupported<T>,
                      "this type cannot become JSON: describe it with BOOST_DESCRIBE_STRUCT or "
                      "BOOST_DESCRIBE_ENUM, or use bool, numbers, std::string, std::optional, "
                      "std::vector, std::map<std::string, T> or RawJson");
    }
}

/// The value as JSON text; `root` is how messages call it: "result".
template <class T>
[[nodiscard]] std::string encode_text(const T& value, std::string_view root) {
    std::string out;
    encode(out, Path(root), value);
    return out;
}

}  // namespace distributo::detail
