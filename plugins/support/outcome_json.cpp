#include "outcome_json.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

namespace support {

namespace {

using distributo::Outcome;

constexpr std::string_view first_member = R"({"sequence":)";

void append_text(std::string& out, std::string_view text) {
    distributo::detail::append_string(out, text);
}

/// A JSON value that somebody else wrote, perhaps in several lines. A line end cannot be part of a
/// JSON string, so a blank means the same.
void append_json(std::string& out, std::string_view value) {
    const std::size_t from = out.size();
    out.append(value);
    std::replace_if(
        out.begin() + static_cast<std::ptrdiff_t>(from),
        out.end(),
        [](char c) { return c == '\n' || c == '\r'; },
        ' ');
}

using Append = void (*)(std::string& out, const Outcome& outcome);
using IsThere = bool (*)(const Outcome& outcome);

struct Member {
    std::string_view name;
    IsThere is_there;
    Append append;
};

template <std::string_view Outcome::*Text>
constexpr Member text_member(std::string_view name) {
    return {name,
            [](const Outcome& outcome) { return !(outcome.*Text).empty(); },
            [](std::string& out, const Outcome& outcome) { append_text(out, outcome.*Text); }};
}

template <std::string_view Outcome::*Value>
constexpr Member json_member(std::string_view name) {
    return {name,
            [](const Outcome& outcome) { return !(outcome.*Value).empty(); },
            [](std::string& out, const Outcome& outcome) { append_json(out, outcome.*Value); }};
}

template <Time Outcome::*When>
constexpr Member time_member(std::string_view name) {
    return {name,
            [](const Outcome& outcome) { return outcome.*When != Time(); },
            [](std::string& out, const Outcome& outcome) {
                append_text(out, time_text(outcome.*When));
            }};
}

constexpr std::array all_members{
    text_member<&Outcome::task_id>("id"),
    text_member<&Outcome::task_type>("type"),
    text_member<&Outcome::state>("state"),
    text_member<&Outcome::reason>("reason"),
    text_member<&Outcome::message>("error"),
    Member{"attempt",
           [](const Outcome&) { return true; },
           [](std::string& out, const Outcome& outcome) {
               out.append(std::to_string(outcome.attempt));
           }},
    text_member<&Outcome::group>("group"),
    text_member<&Outcome::generator>("generator"),
    text_member<&Outcome::dedupe_key>("dedupe_key"),
    text_member<&Outcome::host_name>("host"),
    text_member<&Outcome::host_id>("host_id"),
    time_member<&Outcome::created>("created"),
    time_member<&Outcome::finished>("finished"),
    json_member<&Outcome::payload>("payload"),
    json_member<&Outcome::result>("result"),
};

[[noreturn]] void refuse(std::string_view field) {
    std::string names;
    for (const Member& member : all_members) {
        names.append(names.empty() ? "" : ", ").append(member.name);
    }
    throw distributo::permanent("config.fields: \"" + std::string(field) +
                                "\" is none of: " + names);
}

}  // namespace

std::string time_text(Time time) {
    const std::int64_t unix_ms = time.time_since_epoch().count();
    const std::time_t seconds = unix_ms / 1000;
    std::tm parts{};
    if (unix_ms <= 0 || gmtime_r(&seconds, &parts) == nullptr) {
        return {};
    }
    std::array<char, 64> text{};
    const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    const std::string ms = std::to_string(1000 + unix_ms % 1000);
    return std::string(text.data(), size).append(".").append(ms, 1, 3).append("Z");
}

OutcomeJson::OutcomeJson(const std::optional<std::vector<std::string>>& fields) {
    std::vector<bool> wanted(all_members.size(), !fields);
    for (const std::string& field : fields.value_or(std::vector<std::string>())) {
        const auto* const found = std::find_if(all_members.begin(),
                                               all_members.end(),
                                               [&](const Member& m) { return m.name == field; });
        if (found != all_members.end()) {
            wanted[static_cast<std::size_t>(found - all_members.begin())] = true;
        } else if (field != "sequence") {
            refuse(field);
        }
    }
    for (std::size_t i = 0; i < all_members.size(); ++i) {
        if (wanted[i]) {
            members_.push_back(i);
        }
    }
}

void OutcomeJson::append(std::string& out, const Outcome& outcome) const {
    out.append(first_member).append(std::to_string(outcome.sequence));
    for (const std::size_t i : members_) {
        const Member& member = all_members[i];
        if (member.is_there(outcome)) {
            out.append(",\"").append(member.name).append("\":");
            member.append(out, outcome);
        }
    }
    out.push_back('}');
}

std::string_view sequence_prefix() noexcept {
    return first_member;
}

std::optional<std::uint64_t> sequence_of(std::string_view line) noexcept {
    if (!line.starts_with(first_member)) {
        return std::nullopt;
    }
    line.remove_prefix(first_member.size());
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
    const bool ends = end != line.data() + line.size() && (*end == ',' || *end == '}');
    return error == std::errc() && ends ? std::optional(number) : std::nullopt;
}

}  // namespace support
