#include "coordinator/extensions/definition_json.hpp"

#include "base/config.hpp"
#include "wire/limits.hpp"

#include <algorithm>
#include <iterator>
#include <stdexcept>

namespace distributo::coordinator::extensions {
namespace {

using wire::json::Kind;
using wire::json::Reader;
using wire::json::Value;
using wire::json::Writer;
using Read = DefinitionResult<void>;
namespace limits = wire::limits;

constexpr std::size_t max_name = 64;
/// A configuration is text that somebody writes; it stands in every answer about its instance.
constexpr std::size_t max_config = 1024 * 1024;
/// Length of a path on Linux.
constexpr std::size_t max_directory = 4096;
/// Waiting tasks of one generator: as many as a coordinator of ours has been seen to hold.
constexpr std::uint64_t max_water = 10'000'000;
constexpr double max_rate = 1e9;
/// Of one list of a filter: every outcome is compared with all of them.
constexpr std::size_t max_patterns = 256;
/// Numbers up to this one survive every JSON reader.
constexpr std::uint64_t max_number = (std::uint64_t{1} << 53U) - 1;

std::string_view json_kind(Kind kind) {
    constexpr std::string_view names[] = {"null", "boolean", "number", "string", "array", "object"};
    return names[static_cast<std::size_t>(kind)];
}

DefinitionFault invalid(std::string pointer, std::string message, std::string hint = {}) {
    return {
        DefinitionFault::Kind::invalid, std::move(pointer), std::move(message), std::move(hint)};
}

DefinitionFault not_a(std::string pointer, const std::string& expected, const Value& value) {
    return invalid(std::move(pointer),
                   "expected " + expected + ", got " + std::string(json_kind(value.kind)));
}

struct Draft {
    Definition definition;
    bool low_given = false, high_given = false;
};

Read read_limited(const std::string& pointer,
                  const Value& value,
                  std::size_t max_bytes,
                  std::string& target) {
    auto text = value.string();
    if (!text)
        return not_a(pointer, "string", value);
    if (text->empty() || text->size() > max_bytes)
        return invalid(pointer,
                       "expected 1 to " + std::to_string(max_bytes) + " bytes, got " +
                           std::to_string(text->size()));
    target = std::move(*text);
    return {};
}

Read read_count(const std::string& pointer,
                const Value& value,
                std::uint64_t min,
                std::uint64_t max,
                std::uint64_t& target) {
    const std::string range = "integer from " + std::to_string(min) + " to " + std::to_string(max);
    if (value.kind != Kind::number)
        return not_a(pointer, range, value);
    const auto number = value.unsigned_integer();
    if (!number || *number < min || *number > max)
        return invalid(pointer,
                       "expected " + range + ", got " + std::string(value.text.substr(0, 32)));
    target = *number;
    return {};
}

Read read_name(const Value& value, Draft& draft) {
    auto name = value.string();
    if (!name)
        return not_a("/name", "string", value);
    if (!is_extension_name(*name))
        return invalid("/name",
                       "expected up to 64 of a-z, 0-9, '.', '_' and '-', the first one a letter "
                       "or digit, got \"" +
                           name->substr(0, max_name) + '"');
    draft.definition.name = std::move(*name);
    return {};
}

Read read_plugin(const Value& value, Draft& draft) {
    return read_limited("/plugin", value, limits::type_length, draft.definition.plugin);
}

Read read_config(const Value& value, Draft& draft) {
    if (value.kind != Kind::object)
        return not_a("/config", "object", value);
    if (value.text.size() > max_config)
        return invalid("/config", "at most 1 MiB, got " + std::to_string(value.text.size()));
    draft.definition.config = value.text;
    return {};
}

Read read_directory(const Value& value, Draft& draft) {
    if (auto read = read_limited("/directory", value, max_directory, draft.definition.directory);
        !read)
        return read;
    if (draft.definition.directory.front() != '/')
        return invalid("/directory",
                       "expected an absolute path, got \"" +
                           draft.definition.directory.substr(0, max_name) + '"');
    return {};
}

Read read_timeout(const Value& value, Draft& draft) {
    const auto text = value.string();
    if (!text)
        return not_a("/timeout", "a duration such as \"30s\"", value);
    const auto milliseconds = base::parse_duration(*text);
    if (!milliseconds || *milliseconds <= 0 || *milliseconds > limits::max_duration_ms)
        return invalid("/timeout",
                       "expected a duration such as \"30s\", got \"" + text->substr(0, 32) + '"');
    draft.definition.timeout = std::chrono::milliseconds(*milliseconds);
    return {};
}

Read read_memory(const Value& value, Draft& draft) {
    const auto text = value.string();
    if (!text)
        return read_count("/memory", value, 0, max_number, draft.definition.memory);
    const auto bytes = base::parse_size(*text);
    if (!bytes || static_cast<std::uint64_t>(*bytes) > max_number)
        return invalid(
            "/memory",
            "expected bytes or a size such as \"512MiB\", got \"" + text->substr(0, 32) + '"');
    draft.definition.memory = static_cast<std::uint64_t>(*bytes);
    return {};
}

Read read_low_water(const Value& value, Draft& draft) {
    std::uint64_t count = 0;
    auto read = read_count("/low_water", value, 1, max_water, count);
    draft.definition.low_water = static_cast<std::uint32_t>(count);
    draft.low_given = true;
    return read;
}

Read read_high_water(const Value& value, Draft& draft) {
    std::uint64_t count = 0;
    auto read = read_count("/high_water", value, 1, max_water, count);
    draft.definition.high_water = static_cast<std::uint32_t>(count);
    draft.high_given = true;
    return read;
}

Read read_max_tasks(const Value& value, Draft& draft) {
    return read_count("/max_tasks", value, 0, max_number, draft.definition.max_tasks);
}

Read read_max_rate(const Value& value, Draft& draft) {
    const auto rate = value.number();
    if (!rate || *rate < 0 || *rate > max_rate)
        return value.kind == Kind::number
                   ? invalid("/max_rate",
                             "expected tasks per second from 0 to 1000000000, got " +
                                 std::string(value.text.substr(0, 32)))
                   : not_a("/max_rate", "tasks per second", value);
    draft.definition.max_rate = *rate;
    return {};
}

Read read_group(const Value& value, Draft& draft) {
    return read_limited("/group", value, limits::id_length, draft.definition.group);
}

Read read_patterns(const std::string& pointer,
                   const Value& value,
                   std::vector<std::string>& patterns) {
    Reader reader(value.text);
    if (!reader.begin_array())
        return not_a(pointer, "array of strings", value);
    Value element;
    while (reader.next_element() && reader.value(element)) {
        if (patterns.size() == max_patterns)
            return invalid(pointer, "at most " + std::to_string(max_patterns) + " of them");
        std::string pattern;
        const std::string place = pointer + '/' + std::to_string(patterns.size());
        if (auto read = read_limited(place, element, limits::id_length, pattern); !read)
            return read;
        patterns.push_back(std::move(pattern));
    }
    return {};
}

Read read_types(const Value& value, Draft& draft) {
    return read_patterns("/types", value, draft.definition.filter.types);
}

Read read_groups(const Value& value, Draft& draft) {
    return read_patterns("/groups", value, draft.definition.filter.groups);
}

Read read_generators(const Value& value, Draft& draft) {
    return read_patterns("/generators", value, draft.definition.filter.generators);
}

/// `known` as they are listed in a message, and which of them `got` was probably meant to be.
DefinitionFault unknown_choice(std::string pointer,
                               const std::vector<std::string>& known,
                               const std::string& got) {
    std::string words;
    for (const std::string& word : known)
        words += (words.empty() ? "" : ", ") + word;
    const std::string near = base::nearest(got, known);
    return invalid(std::move(pointer),
                   "expected one of " + words + ", got \"" + got.substr(0, max_name) + '"',
                   near.empty() ? "" : "did you mean '" + near + "'?");
}

Read read_states(const Value& value, Draft& draft) {
    static const std::vector<std::string> ends = {"completed", "failed", "cancelled", "expired"};
    auto& states = draft.definition.filter.states;
    if (auto read = read_patterns("/states", value, states); !read)
        return read;
    for (std::size_t i = 0; i < states.size(); ++i)
        if (std::ranges::find(ends, states[i]) == ends.end())
            return unknown_choice("/states/" + std::to_string(i), ends, states[i]);
    return {};
}

Read read_start(const Value& value, Draft& draft) {
    const auto text = value.string();
    if (!text)
        return not_a("/start", "\"oldest\" or \"newest\"", value);
    if (*text != "oldest" && *text != "newest")
        return unknown_choice("/start", {"oldest", "newest"}, *text);
    draft.definition.from_newest = *text == "newest";
    return {};
}

enum class Of : std::uint8_t { both, generators, sinks };

struct DefinitionMember {
    std::string_view name;
    Of of;
    Read (*read)(const Value& value, Draft& draft);
};

constexpr DefinitionMember definition_members[] = {
    {"name", Of::both, read_name},
    {"plugin", Of::both, read_plugin},
    {"config", Of::both, read_config},
    {"directory", Of::both, read_directory},
    {"timeout", Of::both, read_timeout},
    {"memory", Of::both, read_memory},
    {"low_water", Of::generators, read_low_water},
    {"high_water", Of::generators, read_high_water},
    {"max_tasks", Of::generators, read_max_tasks},
    {"max_rate", Of::generators, read_max_rate},
    {"group", Of::generators, read_group},
    {"types", Of::sinks, read_types},
    {"groups", Of::sinks, read_groups},
    {"generators", Of::sinks, read_generators},
    {"states", Of::sinks, read_states},
    {"start", Of::sinks, read_start},
};

bool has(ExtensionKind kind, const DefinitionMember& member) {
    return member.of != (kind == ExtensionKind::generator ? Of::sinks : Of::generators);
}

DefinitionFault unknown_member(ExtensionKind kind, std::string_view key) {
    std::vector<std::string> known;
    std::string list;
    for (const DefinitionMember& member : definition_members) {
        if (!has(kind, member))
            continue;
        known.emplace_back(member.name);
        list += (list.empty() ? "" : ", ") + known.back();
    }
    const std::string name(key.substr(0, max_name));
    const std::string near = base::nearest(name, known);
    return {DefinitionFault::Kind::unknown,
            '/' + name,
            kind == ExtensionKind::generator ? "a generator has no such member"
                                             : "a sink has no such member",
            near.empty() ? "known: " + list : "did you mean '" + near + "'?"};
}

/// Of two marks of which one is given, the other one follows when its preset does not fit.
Read settle_water(Draft& draft) {
    std::uint32_t& low = draft.definition.low_water;
    std::uint32_t& high = draft.definition.high_water;
    if (low <= high)
        return {};
    if (draft.low_given && draft.high_given)
        return invalid("/low_water",
                       "expected at most high_water, " + std::to_string(high) + ", got " +
                           std::to_string(low));
    if (draft.low_given)
        high = low * 2;
    else
        low = std::max<std::uint32_t>(high / 2, 1);
    return {};
}

Read read_members(ExtensionKind kind, Reader& reader, Draft& draft) {
    std::vector<std::string_view> seen;
    std::string_view key;
    Value value;
    while (reader.next_member(key) && reader.value(value)) {
        const auto* const member = std::ranges::find_if(
            definition_members, [&](const auto& one) { return one.name == key && has(kind, one); });
        if (member == std::end(definition_members))
            return unknown_member(kind, key);
        if (std::ranges::find(seen, key) != seen.end())
            return invalid('/' + std::string(key), "the member stands there twice");
        seen.push_back(key);
        if (auto read = member->read(value, draft); !read)
            return read;
    }
    return {};
}

void append_patterns(Writer& json,
                     std::string_view name,
                     const std::vector<std::string>& patterns) {
    json.key(name).begin_array();
    for (const std::string& pattern : patterns)
        json.string(pattern);
    json.end_array();
}

}  // namespace

base::Error to_error(const DefinitionFault& fault) {
    std::string place = fault.pointer.empty() ? std::string() : fault.pointer.substr(1) + ": ";
    std::replace(place.begin(), place.end(), '/', '.');
    return base::error(base::Errc::invalid_argument, place + fault.message, fault.hint);
}

void throw_exception_from_error(const DefinitionFault& fault, const boost::source_location& where) {
    throw std::logic_error(std::string(where.function_name()) +
                           ": value of a faulty definition was used: " + fault.message);
}

DefinitionResult<Definition> read_definition(ExtensionKind kind, std::string_view json) {
    if (const auto whole = wire::json::parse(json); !whole)
        return DefinitionFault{
            DefinitionFault::Kind::malformed, {}, whole.error().message, whole.error().hint};
    else if (whole->kind != Kind::object)
        return DefinitionFault{DefinitionFault::Kind::malformed,
                               {},
                               "expected object, got " + std::string(json_kind(whole->kind)),
                               {}};
    Draft draft;
    draft.definition.kind = kind;
    Reader reader(json);
    reader.begin_object();
    if (auto read = read_members(kind, reader, draft); !read)
        return read.error();
    if (draft.definition.plugin.empty())
        return DefinitionFault{DefinitionFault::Kind::missing,
                               "/plugin",
                               "required, but not there",
                               "GET /v1/extensions lists those that the coordinator has"};
    if (auto settled = settle_water(draft); !settled)
        return settled.error();
    return std::move(draft.definition);
}

void append_definition(Writer& json, const Definition& definition) {
    if (!definition.name.empty())
        json.member("name", definition.name);
    json.member("plugin", definition.plugin);
    json.member_raw("config", definition.config);
    if (!definition.directory.empty())
        json.member("directory", definition.directory);
    json.member(
        "timeout",
        base::duration_text(
            std::chrono::duration_cast<std::chrono::milliseconds>(definition.timeout).count()));
    json.member("memory", definition.memory);
    if (definition.kind == ExtensionKind::generator) {
        json.member("low_water", definition.low_water);
        json.member("high_water", definition.high_water);
        json.member("max_tasks", definition.max_tasks);
        json.member("max_rate", definition.max_rate);
        if (!definition.group.empty())
            json.member("group", definition.group);
        return;
    }
    append_patterns(json, "types", definition.filter.types);
    append_patterns(json, "groups", definition.filter.groups);
    append_patterns(json, "generators", definition.filter.generators);
    append_patterns(json, "states", definition.filter.states);
    json.member("start", definition.from_newest ? "newest" : "oldest");
}

std::string definition_text(const Definition& definition) {
    std::string text;
    Writer json(text);
    json.begin_object();
    append_definition(json, definition);
    json.end_object();
    return text;
}

bool is_extension_name(std::string_view name) noexcept {
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    };
    return !name.empty() && name.size() <= max_name && std::ranges::all_of(name, fits) &&
           std::string_view("._-").find(name.front()) == std::string_view::npos;
}

}  // namespace distributo::coordinator::extensions
