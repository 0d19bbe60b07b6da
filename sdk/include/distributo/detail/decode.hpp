#pragma once

#include <distributo/detail/reader.hpp>
#include <distributo/detail/types.hpp>

#include <bitset>
#include <cmath>
#include <limits>
#include <system_error>
#include <utility>

namespace distributo::detail {

template <class T>
void decode(Reader& in, const Path& at, T& out);

template <class T>
void decode_integer(Reader& in, const Path& at, T& out) {
    constexpr std::string_view wanted = std::is_unsigned_v<T> ? "unsigned integer" : "integer";
    const std::string_view text = in.number(wanted, at);
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, out);
    if (error == std::errc() && stop == end) {
        return;
    }
    // JSON has one kind of number, so 3.0 and 3e2 are integers too.
    double value = 0.5;
    std::from_chars(text.data(), end, value);
    constexpr double exact = 9007199254740992.0;
    const bool integral = std::trunc(value) == value && std::abs(value) <= exact;
    if (!integral || value < static_cast<double>(std::numeric_limits<T>::min()) ||
        value > static_cast<double>(std::numeric_limits<T>::max())) {
        at.fail(std::string("expected ")
                    .append(wanted)
                    .append(" from ")
                    .append(std::to_string(std::numeric_limits<T>::min()))
                    .append(" to ")
                    .append(std::to_string(std::numeric_limits<T>::max()))
                    .append(", got ")
                    .append(text));
    }
    out = static_cast<T>(value);
}

template <class T>
void decode_number(Reader& in, const Path& at, T& out) {
    const std::string_view text = in.number("number", at);
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc()) {
        at.fail(std::string("number out of range: ").append(text));
    }
}

template <class T>
void decode_enum(Reader& in, const Path& at, T& out) {
    std::string scratch;
    const std::string_view text = in.string(scratch, at);
    bool found = false;
    std::string names;
    each_enumerator<T>([&](auto enumerator) {
        if (text == enumerator.name) {
            out = enumerator.value;
            found = true;
        }
        names.append(names.empty() ? "" : ", ").append(enumerator.name);
    });
    if (!found) {
        at.fail(
            std::string("\"").append(text).append("\" is not an allowed value, expected one of ") +
            names);
    }
}

template <class T>
void decode_vector(Reader& in, const Path& at, T& out) {
    if (!in.consume('[')) {
        in.mismatch("array", at);
    }
    out.clear();
    if (in.consume(']')) {
        return;
    }
    do {
        typename T::value_type item{};
        decode(in, Path(at, out.size()), item);
        out.push_back(std::move(item));
    } while (in.consume(','));
    in.expect(']', at);
}

template <class T>
void decode_map(Reader& in, const Path& at, T& out) {
    if (!in.consume('{')) {
        in.mismatch("object", at);
    }
    out.clear();
    if (in.consume('}')) {
        return;
    }
    std::string scratch;
    do {
        std::string key(in.string(scratch, at));
        in.expect(':', at);
        typename T::mapped_type value{};
        const Path here(at, key);
        decode(in, here, value);
        if (!out.emplace(key, std::move(value)).second) {
            here.fail("given twice");
        }
    } while (in.consume(','));
    in.expect('}', at);
}

/// Reads the value of one member; false when T has no member of that name.
template <class T, std::size_t N>
bool decode_member(Reader& in, const Path& at, T& out, std::bitset<N>& seen) {
    std::size_t index = 0;
    bool found = false;
    std::string scratch;
    const std::string_view key = in.string(scratch, at);
    const Path here(at, key);
    in.expect(':', at);
    each_member<T>([&](auto member) {
        if (!found && key == member.name) {
            found = true;
            if (seen[index]) {
                here.fail("given twice");
            }
            seen.set(index);
            decode(in, here, out.*member.pointer);
        }
        ++index;
    });
    if (!found) {
        std::string names;
        each_member<T>(
            [&](auto member) { names.append(names.empty() ? "" : ", ").append(member.name); });
        here.fail("unknown member, expected one of " + names);
    }
    return found;
}

template <class T>
void decode_struct(Reader& in, const Path& at, T& out) {
    if (!in.consume('{')) {
        in.mismatch("object", at);
    }
    std::bitset<boost::mp11::mp_size<MembersOf<T>>::value> seen;
    if (!in.consume('}')) {
        do {
            decode_member(in, at, out, seen);
        } while (in.consume(','));
        in.expect('}', at);
    }
    std::size_t index = 0;
    each_member<T>([&](auto member) {
        if (!is_optional<MemberType<T, decltype(member)>> && !seen[index]) {
            Path(at, member.name).fail("missing");
        }
        ++index;
    });
}

/// Reads one value of type T. Throws a permanent Failure that names the path.
template <class T>
void decode(Reader& in, const Path& at, T& out) {
    if (at.depth() > max_json_depth) {
        at.fail("nested too deeply");
    }
    if constexpr (std::is_same_v<T, bool>) {
        out = in.consume_word("true");
        if (!out && !in.consume_word("false")) {
            in.mismatch("boolean", at);
        }
    } else if constexpr (is_integer<T>) {
        decode_integer(in, at, out);
    } else if constexpr (std::is_floating_point_v<T>) {
        decode_number(in, at, out);
    } else if constexpr (std::is_same_v<T, std::string>) {
        std::string scratch;
        out = in.string(scratch, at);
    } else if constexpr (std::is_same_v<T, RawJson>) {
        out.text = in.skip(at);
    } else if constexpr (is_optional<T>) {
        out.reset();
        if (!in.consume_word("null")) {
            decode(in, at, out.emplace());
        }
    } else if constexpr (is_vector<T>) {
        decode_vector(in, at, out);
    } else if constexpr (is_map<T>) {
        decode_map(in, at, out);
    } else if constexpr (is_described_enum<T>) {
        decode_enum(in, at, out);
    } else if constexpr (is_described_struct<T>) {
        decode_struct(in, at, out);
    } else {
        static_assert(unsupported<T>,
                      "this type cannot come from JSON: describe it with BOOST_DESCRIBE_STRUCT or "
                      "BOOST_DESCRIBE_ENUM, or use bool, integers, double, std::string, "
                      "std::optional, std::vector, std::map<std::string, T> or RawJson");
    }
}

/// Reads the whole text; `root` is how messages call it: "payload".
template <class T>
[[nodiscard]] T decode_text(std::string_view text, std::string_view root) {
    T out{};
    Reader in(text);
    const Path at(root);
    decode(in, at, out);
    in.finish(at);
    return out;
}

}  // namespace distributo::detail
