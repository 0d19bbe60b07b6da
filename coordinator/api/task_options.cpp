#include "coordinator/api/task_options.hpp"

#include "base/config.hpp"
#include "wire/limits.hpp"

#include <algorithm>
#include <limits>

namespace distributo::coordinator::api {
namespace {

using core::TaskOptions;
using wire::json::Value;
namespace limits = wire::limits;

constexpr std::size_t max_unique_key = 255;
constexpr std::size_t max_env = 256;
constexpr std::size_t max_env_bytes = 32 * 1024;

struct Draft {
    TaskOptions options;
    base::WallTime now;
};

/// Stores what a reader returned, or passes its problem on.
template <typename T, typename Target>
Checked<> put(Checked<T> value, Target& target) {
    if (!value)
        return value.error();
    target = static_cast<Target>(std::move(*value));
    return {};
}

Checked<> read_id(const Value& value, Draft& draft) {
    return put(read_name("/id", value, limits::id_length), draft.options.given_id);
}

Checked<> read_project(const Value& value, Draft& draft) {
    return put(read_name("/project", value, limits::id_length), draft.options.project);
}

Checked<> read_group(const Value& value, Draft& draft) {
    return put(read_name("/group", value, limits::id_length), draft.options.group);
}

Checked<> read_unique_key(const Value& value, Draft& draft) {
    auto key = read_text("/unique_key", value, max_unique_key);
    if (key && key->empty())
        return invalid_member("/unique_key", "must not be empty");
    return put(std::move(key), draft.options.unique_key);
}

Checked<> read_task_labels(const Value& value, Draft& draft) {
    return put(read_labels("/labels", value, limits::label_count, limits::label_length),
               draft.options.labels);
}

/// "expected one of a, b, c, got \"d\"", and which of them was probably meant.
Problem unknown_word(const std::string& pointer,
                     const std::vector<std::string>& known,
                     const std::string& got) {
    std::string words;
    for (const auto& word : known)
        words += (words.empty() ? "" : ", ") + word;
    Problem problem =
        invalid_member(pointer, "expected one of " + words + ", got \"" + got.substr(0, 64) + '"');
    if (const auto near = base::nearest(got, known); !near.empty())
        problem.hint = "did you mean '" + near + "'?";
    return problem;
}

Checked<> read_required_isolation(const Value& value, Draft& draft) {
    const auto name = read_text("/requires/isolation", value, limits::type_length);
    if (!name)
        return name.error();
    draft.options.requires_confinement.isolation = wire::isolation_rank(*name);
    if (draft.options.requires_confinement.isolation == 0)
        return unknown_word("/requires/isolation",
                            {std::begin(wire::isolation_modes), std::end(wire::isolation_modes)},
                            *name);
    return {};
}

Checked<> read_required_layers(const Value& value, Draft& draft) {
    const auto names = read_texts("/requires/sandbox", value);
    if (!names)
        return names.error();
    for (std::size_t i = 0; i < names->size(); ++i) {
        const auto layer = wire::parse_layer((*names)[i]);
        if (!layer) {
            const auto all = wire::Layers::of_bits(~0U).names();
            return unknown_word(
                "/requires/sandbox/" + std::to_string(i), {all.begin(), all.end()}, (*names)[i]);
        }
        draft.options.requires_confinement.layers.add(*layer);
    }
    return {};
}

Checked<> read_required_labels(const Value& value, Draft& draft) {
    return put(read_labels("/requires/labels", value, limits::label_count, limits::label_length),
               draft.options.requires_labels);
}

Checked<> read_requires(const Value& value, Draft& draft) {
    std::vector<Member> members;
    if (value.kind != wire::json::Kind::object)
        return wrong_kind("/requires", "object", value);
    if (auto read = read_object(value.text, members); !read)
        return read.error();
    for (const Member& member : members) {
        auto read =
            member.key == "labels"      ? read_required_labels(member.value, draft)
            : member.key == "isolation" ? read_required_isolation(member.value, draft)
            : member.key == "sandbox"
                ? read_required_layers(member.value, draft)
                : Checked<>(unknown_word(
                      "/requires", {"labels", "isolation", "sandbox"}, std::string(member.key)));
        if (!read)
            return read.error();
    }
    return {};
}

Checked<> read_priority(const Value& value, Draft& draft) {
    return put(read_integer("/priority", value, -1000, 1000), draft.options.priority);
}

Checked<> read_not_before(const Value& value, Draft& draft) {
    if (draft.options.not_before)
        return invalid_member("/not_before", "give either \"delay\" or \"not_before\"");
    return put(read_time("/not_before", value), draft.options.not_before);
}

Checked<> read_delay(const Value& value, Draft& draft) {
    if (draft.options.not_before)
        return invalid_member("/delay", "give either \"delay\" or \"not_before\"");
    const auto delay = read_duration("/delay", value);
    if (!delay)
        return delay.error();
    draft.options.not_before = draft.now + std::chrono::milliseconds(*delay);
    return {};
}

Checked<> read_deadline(const Value& value, Draft& draft) {
    if (const auto relative = read_duration("/deadline", value)) {
        draft.options.deadline = draft.now + std::chrono::milliseconds(*relative);
        return {};
    }
    const auto time = read_time("/deadline", value);
    if (!time)
        return invalid_member("/deadline",
                              "expected a time such as \"2026-05-04T09:12:33Z\" or a duration "
                              "such as \"30s\"");
    draft.options.deadline = *time;
    return {};
}

Checked<> read_timeout(const Value& value, Draft& draft) {
    return put(read_duration("/timeout", value), draft.options.timeout_ms);
}

Checked<> read_max_attempts(const Value& value, Draft& draft) {
    return put(read_integer("/max_attempts", value, 1, 1000), draft.options.max_attempts);
}

Checked<> read_install(const Value& value, Draft& draft) {
    if (value.text.size() > limits::inline_payload)
        return invalid_member("/install", "at most 1 MiB");
    draft.options.install = base::Bytes::copy(value.text);
    return {};
}

Checked<> read_args(const Value& value, Draft& draft) {
    return put(read_texts("/args", value), draft.options.args);
}

Checked<> read_env(const Value& value, Draft& draft) {
    return put(read_labels("/env", value, max_env, max_env_bytes), draft.options.env);
}

struct OptionMember {
    std::string_view name;
    Checked<> (*read)(const Value& value, Draft& draft);
};

constexpr OptionMember option_members[] = {
    {"id", read_id},
    {"project", read_project},
    {"group", read_group},
    {"unique_key", read_unique_key},
    {"labels", read_task_labels},
    {"requires", read_requires},
    {"priority", read_priority},
    {"not_before", read_not_before},
    {"delay", read_delay},
    {"deadline", read_deadline},
    {"timeout", read_timeout},
    {"max_attempts", read_max_attempts},
    {"install", read_install},
    {"args", read_args},
    {"env", read_env},
};

Problem unknown_member(std::string_view key) {
    std::vector<std::string> known = {"type", "payload"};
    for (const OptionMember& member : option_members)
        known.emplace_back(member.name);
    const std::string name(key.substr(0, 64));
    const std::string near = base::nearest(name, known);
    Problem problem = invalid_member('/' + name, "a task has no such member");
    problem.code = "unknown_member";
    problem.detail = "a task has no member \"" + name + '"';
    problem.hint = near.empty() ? "GET /openapi.json lists the members of a task"
                                : "did you mean '" + near + "'?";
    return problem;
}

}  // namespace

Checked<std::shared_ptr<const TaskOptions>> read_options(std::span<const Member> members,
                                                         base::WallTime now) {
    Draft draft{{}, now};
    for (const Member& member : members) {
        const auto* found = std::find_if(
            std::begin(option_members), std::end(option_members), [&](const OptionMember& option) {
                return option.name == member.key;
            });
        if (found == std::end(option_members))
            return unknown_member(member.key);
        if (auto read = found->read(member.value, draft); !read)
            return read.error();
    }
    return std::make_shared<const TaskOptions>(std::move(draft.options));
}

}  // namespace distributo::coordinator::api
