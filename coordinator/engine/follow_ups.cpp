#include "coordinator/engine/follow_ups.hpp"

#include "base/digest.hpp"
#include "wire/json.hpp"
#include "wire/type_choice.hpp"

#include <algorithm>
#include <optional>

namespace distributo::coordinator::engine {
namespace {

namespace limits = wire::limits;
using core::TaskOptions;
using wire::json::Kind;
using wire::json::Value;

/// The same as for tasks that people submit.
constexpr std::int64_t highest_priority = 1000;
constexpr std::int64_t most_attempts = 1000;
/// Of a key's SHA-256, as hexadecimal digits: 128 bits.
constexpr std::size_t dedupe_digits = 32;

std::string wrong(std::string_view member, std::string_view expected) {
    return std::string(member) + ": expected " + std::string(expected);
}

std::string read_name(std::string_view member, const Value& value, std::string& out) {
    auto text = value.string();
    if (!text || text->empty() || text->size() > limits::id_length)
        return wrong(member, "a string of 1 to " + std::to_string(limits::id_length) + " bytes");
    out = std::move(*text);
    return {};
}

template <typename Integer>
std::string read_integer(std::string_view member,
                         const Value& value,
                         std::int64_t least,
                         std::int64_t most,
                         Integer& out) {
    const auto number = value.integer();
    if (!number || *number < least || *number > most)
        return wrong(member,
                     "an integer from " + std::to_string(least) + " to " + std::to_string(most));
    out = static_cast<Integer>(*number);
    return {};
}

std::string read_label(wire::Labels& labels, std::string_view key, const Value& value) {
    const std::string quoted = '"' + std::string(key) + '"';
    auto decoded = Value{Kind::string, quoted}.string();
    auto text = value.string();
    if (!decoded || !text || decoded->size() > limits::label_length ||
        text->size() > limits::label_length || labels.size() == limits::label_count)
        return wrong("requires.labels", "an object of at most 64 strings");
    labels.emplace(std::move(*decoded), std::move(*text));
    return {};
}

/// {"labels":{"gpu":"yes"}}
std::string read_requires(const Value& value, TaskOptions& options) {
    wire::json::Reader reader(value.text);
    std::string_view key;
    std::string fault;
    if (!reader.begin_object())
        return wrong("requires", "an object");
    while (fault.empty() && reader.next_member(key)) {
        if (key != "labels")
            return "requires: the only member known here is \"labels\"";
        if (!reader.begin_object())
            return wrong("requires.labels", "an object");
        Value label;
        while (fault.empty() && reader.next_member(key) && reader.value(label))
            fault = read_label(options.requires_labels, key, label);
    }
    return fault;
}

std::string read_key(const Value& value, TaskOptions& options) {
    auto key = value.string();
    if (!key || key->empty() || key->size() > limits::dedupe_key_length)
        return wrong("dedupe_key",
                     "a string of 1 to " + std::to_string(limits::dedupe_key_length) + " bytes");
    options.given_id = dedupe_id(*key);
    options.dedupe_key = std::move(*key);
    return {};
}

/// A name, behind which a range of versions may stand.
std::string read_type(const Value& value, std::string& type, std::string& version_range) {
    const auto text = value.string().value_or(std::string());
    const auto name = std::string_view(text).substr(0, text.find('@'));
    if (name.empty() || name.size() > limits::type_length || name.find('/') != name.npos)
        return wrong("type",
                     "a name of 1 to " + std::to_string(limits::type_length) + " bytes without /");
    type = name;
    const auto choice = wire::parse_type_choice(text);
    if (!choice)
        return "type: " + choice.error().message;
    version_range = choice->version_range;
    return {};
}

std::string read_payload(const Value& value, base::Bytes& payload) {
    if (value.text.size() > limits::inline_payload)
        return wrong("payload", "at most " + std::to_string(limits::inline_payload) + " bytes");
    payload = base::Bytes::copy(value.text);
    return {};
}

std::string read_member(std::string_view key, const Value& value, FollowUp& task, TaskOptions& o) {
    if (key == "type")
        return read_type(value, task.type, o.version_range);
    if (key == "payload")
        return read_payload(value, task.payload);
    if (key == "install")
        return read_payload(value, o.install);
    if (key == "dedupe_key")
        return read_key(value, o);
    if (key == "group")
        return read_name("group", value, o.group);
    if (key == "requires")
        return read_requires(value, o);
    if (key == "priority")
        return read_integer("priority", value, -highest_priority, highest_priority, o.priority);
    if (key == "max_attempts")
        return read_integer("max_attempts", value, 1, most_attempts, o.max_attempts);
    if (key == "timeout_ms")
        return read_integer("timeout_ms", value, 1, limits::max_duration_ms, o.timeout_ms);
    return "this coordinator does not know the member \"" + std::string(key.substr(0, 64)) + '"';
}

using SharedOptions = std::shared_ptr<const TaskOptions>;

FollowUp read_follow_up(const Value& element, const SharedOptions& defaults) {
    FollowUp task;
    TaskOptions options = defaults ? *defaults : TaskOptions();
    bool plain = true;
    wire::json::Reader reader(element.text);
    std::string_view key;
    Value value;
    if (!reader.begin_object()) {
        task.fault = "expected an object";
        return task;
    }
    while (reader.next_member(key) && reader.value(value)) {
        plain &= key == "type" || key == "payload";
        auto fault = read_member(key, value, task, options);
        if (task.fault.empty())
            task.fault = std::move(fault);
    }
    if (task.type.empty() && task.fault.empty())
        task.fault = "it has no type";
    if (task.payload.view().empty())
        task.payload = base::Bytes::copy("{}");
    if (plain && options.version_range.empty())
        task.options = defaults;
    else
        task.options = std::make_shared<const TaskOptions>(std::move(options));
    return task;
}

}  // namespace

std::string dedupe_id(std::string_view key) {
    return "dedupe-" + base::sha256(key).substr(0, dedupe_digits);
}

std::vector<FollowUp> read_follow_ups(std::string_view array, const FollowUpRules& rules) {
    std::vector<FollowUp> tasks;
    wire::json::Reader reader(array);
    Value element;
    SharedOptions defaults;
    if (!rules.group.empty()) {
        TaskOptions options;
        options.group = rules.group;
        defaults = std::make_shared<const TaskOptions>(std::move(options));
    }
    if (!reader.begin_array()) {
        tasks.emplace_back().fault = "expected an array of tasks";
        return tasks;
    }
    while (reader.next_element() && reader.value(element)) {
        if (tasks.size() == rules.most) {
            tasks.emplace_back().fault =
                "more than " + std::to_string(rules.most) + ": the rest is left out";
            break;
        }
        tasks.push_back(read_follow_up(element, defaults));
    }
    return tasks;
}

}  // namespace distributo::coordinator::engine
