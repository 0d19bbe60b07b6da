#include "coordinator/store/sqlite/options_text.hpp"

#include "wire/json.hpp"

#include <array>
#include <chrono>

namespace distributo::coordinator::store {
namespace {

namespace json = wire::json;
using core::TaskOptions;

void put(json::Writer& out, std::string_view name, const wire::Labels& labels) {
    if (labels.empty())
        return;
    out.key(name).begin_object();
    for (const auto& [key, value] : labels)
        out.escaped_key(key).string(value);
    out.end_object();
}

void put(json::Writer& out, std::string_view name, const std::optional<base::WallTime>& time) {
    if (time)
        out.member(name, time->time_since_epoch().count());
}

template <typename Number>
requires std::is_integral_v<Number>
void put(json::Writer& out, std::string_view name, Number number) {
    if (number != 0)
        out.member(name, number);
}

void put(json::Writer& out, std::string_view name, const std::string& text) {
    if (!text.empty())
        out.member(name, text);
}

void put(json::Writer& out, std::string_view name, const std::vector<std::string>& texts) {
    if (texts.empty())
        return;
    out.key(name).begin_array();
    for (const auto& text : texts)
        out.string(text);
    out.end_array();
}

// Layers by number: what a newer version knows more comes back the same.
void put(json::Writer& out, std::string_view name, const wire::Confinement& confinement) {
    if (confinement != wire::Confinement{})
        out.key(name)
            .begin_array()
            .number(std::uint64_t{confinement.isolation})
            .number(std::uint64_t{confinement.layers.bits()})
            .end_array();
}

void put(json::Writer& out, std::string_view name, const base::Bytes& value) {
    if (!value.empty())
        out.member_raw(name, value.view());
}

bool take(const json::Value& value, std::string& out) {
    auto text = value.string();
    if (text)
        out = std::move(*text);
    return text.has_value();
}

template <typename Number>
requires std::is_integral_v<Number>
bool take(const json::Value& value, Number& out) {
    const auto number = value.integer();
    if (number)
        out = static_cast<Number>(*number);
    return number.has_value();
}

bool take(const json::Value& value, std::optional<base::WallTime>& out) {
    const auto number = value.integer();
    if (number)
        out = base::WallTime(std::chrono::milliseconds(*number));
    return number.has_value();
}

bool take(const json::Value& value, wire::Labels& out) {
    json::Reader reader(value.text);
    std::string_view key;
    json::Value member;
    if (!reader.begin_object())
        return false;
    while (reader.next_member(key)) {
        std::string name;
        std::string text;
        const auto quoted = '"' + std::string(key) + '"';
        if (!take({json::Kind::string, quoted}, name) || !reader.value(member) ||
            !take(member, text))
            return false;
        out[std::move(name)] = std::move(text);
    }
    return !reader.failed();
}

bool take(const json::Value& value, std::vector<std::string>& out) {
    json::Reader reader(value.text);
    json::Value element;
    if (!reader.begin_array())
        return false;
    while (reader.next_element())
        if (!reader.value(element) || !take(element, out.emplace_back()))
            return false;
    return !reader.failed();
}

bool take(const json::Value& value, wire::Confinement& out) {
    json::Reader reader(value.text);
    json::Value isolation;
    json::Value layers;
    std::uint32_t bits = 0;
    if (!reader.begin_array() || !reader.next_element() || !reader.value(isolation) ||
        !reader.next_element() || !reader.value(layers) || !take(isolation, out.isolation) ||
        !take(layers, bits))
        return false;
    out.layers = wire::Layers::of_bits(bits);
    return true;
}

bool take(const json::Value& value, base::Bytes& out) {
    out = base::Bytes::copy(value.text);
    return true;
}

/// Calls `visit(name, field)` for every member, so that reading and writing agree.
template <typename Options, typename Visit>
void each_member(Options& options, Visit visit) {
    visit("id", options.given_id);
    visit("project", options.project);
    visit("group", options.group);
    visit("unique_key", options.unique_key);
    visit("dedupe_key", options.dedupe_key);
    visit("labels", options.labels);
    visit("requires_labels", options.requires_labels);
    visit("confinement", options.requires_confinement);
    visit("version", options.version_range);
    visit("install", options.install);
    visit("args", options.args);
    visit("env", options.env);
    visit("not_before", options.not_before);
    visit("deadline", options.deadline);
    visit("timeout_ms", options.timeout_ms);
    visit("priority", options.priority);
    visit("max_attempts", options.max_attempts);
}

}  // namespace

std::string to_text(const TaskOptions& options) {
    std::string text;
    json::Writer out(text);
    out.begin_object();
    each_member(options, [&](std::string_view name, const auto& field) { put(out, name, field); });
    out.end_object();
    return text;
}

std::optional<TaskOptions> options_from_text(std::string_view text) {
    TaskOptions options;
    json::Reader reader(text);
    std::string_view key;
    json::Value value;
    bool good = reader.begin_object();
    while (good && reader.next_member(key)) {
        good = reader.value(value);
        if (good)
            each_member(options, [&](std::string_view name, auto& field) {
                good = good && (name != key || take(value, field));
            });
    }
    if (!good || reader.failed())
        return std::nullopt;
    return options;
}

}  // namespace distributo::coordinator::store
