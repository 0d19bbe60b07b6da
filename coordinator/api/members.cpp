#include "coordinator/api/members.hpp"

#include "base/config.hpp"
#include "coordinator/api/time_text.hpp"
#include "wire/limits.hpp"

#include <algorithm>

namespace distributo::coordinator::api {

using wire::json::Kind;
using wire::json::Reader;
using wire::json::Value;

namespace {

std::string_view kind_name(Kind kind) {
    switch (kind) {
        case Kind::null:
            return "null";
        case Kind::boolean:
            return "boolean";
        case Kind::number:
            return "number";
        case Kind::string:
            return "string";
        case Kind::array:
            return "array";
        case Kind::object:
            return "object";
    }
    return "nothing";
}

/// A key as part of a JSON pointer.
std::string step(std::string_view key) {
    std::string text = "/";
    for (const char c : key) {
        if (c == '~')
            text += "~0";
        else if (c == '/')
            text += "~1";
        else
            text += c;
    }
    return text;
}

}  // namespace

Checked<> read_object(std::string_view text, std::vector<Member>& members) {
    members.clear();
    Reader reader(text);
    Member member;
    if (reader.begin_object()) {
        while (reader.next_member(member.key) && reader.value(member.value)) {
            for (const Member& earlier : members)
                if (earlier.key == member.key)
                    return invalid_member(step(member.key), "the member stands there twice");
            members.push_back(member);
        }
        if (!reader.failed() && reader.at_end())
            return {};
    }
    const auto whole = wire::json::parse(text);
    return whole ? wrong_kind("", "object", *whole) : malformed(whole.error());
}

Problem invalid_member(std::string pointer, std::string detail) {
    std::string sentence = pointer.empty() ? "request body" : pointer.substr(1);
    std::replace(sentence.begin(), sentence.end(), '/', '.');
    sentence += ": " + detail;
    return {.status = Status::bad_request,
            .code = "invalid_member",
            .detail = std::move(sentence),
            .hint = {},
            .faults = {{std::move(pointer), std::move(detail)}},
            .extra = {}};
}

Problem wrong_kind(std::string pointer, std::string_view expected, const Value& value) {
    return invalid_member(
        std::move(pointer),
        "expected " + std::string(expected) + ", got " + std::string(kind_name(value.kind)));
}

std::string name_fault(std::string_view name, std::size_t max) {
    if (name.empty())
        return "must not be empty";
    if (name.size() > max)
        return "at most " + std::to_string(max) + " bytes, got " + std::to_string(name.size());
    if (name == "." || name == "..")
        return "must not be \".\" or \"..\"";
    for (std::size_t i = 0; i < name.size(); ++i) {
        const auto byte = static_cast<unsigned char>(name[i]);
        const bool c1 =
            byte == 0xC2 && i + 1 < name.size() && static_cast<unsigned char>(name[i + 1]) < 0xA0;
        if (byte == '/')
            return "must not contain '/'";
        if (byte < 0x20 || byte == 0x7F || c1)
            return "must not contain control characters";
    }
    return {};
}

Checked<std::string> read_text(const std::string& pointer,
                               const Value& value,
                               std::size_t max_bytes) {
    auto text = value.string();
    if (!text)
        return wrong_kind(pointer, "string", value);
    if (text->size() > max_bytes)
        return invalid_member(
            pointer,
            "at most " + std::to_string(max_bytes) + " bytes, got " + std::to_string(text->size()));
    return std::move(*text);
}

Checked<std::string> read_name(const std::string& pointer,
                               const Value& value,
                               std::size_t max_bytes) {
    auto text = value.string();
    if (!text)
        return wrong_kind(pointer, "string", value);
    if (std::string fault = name_fault(*text, max_bytes); !fault.empty())
        return invalid_member(pointer, std::move(fault));
    return std::move(*text);
}

Checked<std::int64_t> read_integer(const std::string& pointer,
                                   const Value& value,
                                   std::int64_t min,
                                   std::int64_t max) {
    const std::string range = "integer from " + std::to_string(min) + " to " + std::to_string(max);
    if (value.kind != Kind::number)
        return wrong_kind(pointer, range, value);
    const auto number = value.integer();
    if (!number || *number < min || *number > max)
        return invalid_member(
            pointer, "expected " + range + ", got " + std::string(value.text.substr(0, 32)));
    return *number;
}

Checked<std::int64_t> read_duration(const std::string& pointer, const Value& value) {
    const auto text = value.string();
    if (!text)
        return wrong_kind(pointer, "a duration such as \"30s\"", value);
    const auto milliseconds = base::parse_duration(*text);
    if (!milliseconds || *milliseconds <= 0)
        return invalid_member(
            pointer, "expected a duration such as \"30s\", got \"" + text->substr(0, 64) + '"');
    return *milliseconds;
}

Checked<base::WallTime> read_time(const std::string& pointer, const Value& value) {
    const auto text = value.string();
    if (!text)
        return wrong_kind(pointer, "a time such as \"2026-05-04T09:12:33Z\"", value);
    const auto time = parse_time(*text);
    if (!time)
        return invalid_member(
            pointer,
            "expected a time such as \"2026-05-04T09:12:33Z\", got \"" + text->substr(0, 64) + '"');
    return *time;
}

Checked<std::vector<std::string>> read_texts(const std::string& pointer, const Value& value) {
    Reader reader(value.text);
    if (!reader.begin_array())
        return wrong_kind(pointer, "array of strings", value);
    std::vector<std::string> texts;
    Value element;
    while (reader.next_element()) {
        if (!reader.value(element))
            return malformed(reader.error());
        auto text = element.string();
        if (!text)
            return wrong_kind(pointer + '/' + std::to_string(texts.size()), "string", element);
        texts.push_back(std::move(*text));
    }
    return texts;
}

Checked<wire::Labels> read_labels(const std::string& pointer,
                                  const Value& value,
                                  std::size_t max_count,
                                  std::size_t max_bytes) {
    Reader reader(value.text);
    if (!reader.begin_object())
        return wrong_kind(pointer, "object of strings", value);
    wire::Labels labels;
    std::string_view raw;
    Value element;
    while (reader.next_member(raw)) {
        // The quotes around a key are part of the same text.
        const Value key{Kind::string, {raw.data() - 1, raw.size() + 2}};
        std::string name = key.string().value_or(std::string(raw));
        if (!reader.value(element))
            return malformed(reader.error());
        const std::string place = pointer + step(name);
        auto text = element.string();
        if (!text)
            return wrong_kind(place, "string", element);
        if (name.size() > wire::limits::label_length || text->size() > max_bytes)
            return invalid_member(place, "name or value is too long");
        if (!labels.emplace(std::move(name), std::move(*text)).second)
            return invalid_member(place, "the member stands there twice");
        if (labels.size() > max_count)
            return invalid_member(pointer, "at most " + std::to_string(max_count) + " members");
    }
    return labels;
}

Checked<std::string> read_reason(std::string_view body) {
    constexpr std::size_t max_reason = 1024;
    std::vector<Member> members;
    if (body.find_first_not_of(" \t\r\n") == std::string_view::npos)
        return std::string("held by hand");
    if (auto read = read_object(body, members); !read)
        return read.error();
    std::string reason = "held by hand";
    for (const Member& member : members) {
        if (member.key != "reason")
            return invalid_member("/" + std::string(member.key.substr(0, 64)),
                                  "the only member known here is \"reason\"");
        auto text = read_text("/reason", member.value, max_reason);
        if (!text)
            return text.error();
        if (!text->empty())
            reason = std::move(*text);
    }
    return reason;
}

}  // namespace distributo::coordinator::api
