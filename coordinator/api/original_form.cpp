#include "coordinator/api/original_form.hpp"

#include "base/log.hpp"
#include "wire/limits.hpp"

#include <algorithm>
#include <cmath>

namespace distributo::coordinator::api {
namespace {

using core::TaskOptions;
using wire::json::Kind;
using wire::json::Reader;
using wire::json::Value;

constexpr double longest_timeout_ms = 1e12;

Problem refused(std::string text) {
    return {.status = Status::bad_request,
            .code = "invalid_member",
            .detail = std::move(text),
            .hint = {},
            .faults = {},
            .extra = {}};
}

const Value* find(const std::vector<Member>& members, std::string_view key) {
    for (const Member& member : members)
        if (member.key == key)
            return &member.value;
    return nullptr;
}

bool is_falsy(const Value* value) {
    return !value || value->kind == Kind::null || value->text == "\"\"" || value->text == "false" ||
           (value->kind == Kind::number && value->number() == 0.0);
}

/// A string, or the text of a number or boolean.
std::optional<std::string> scalar(const Value& value) {
    if (value.kind == Kind::string)
        return value.string();
    if (value.kind == Kind::number || value.kind == Kind::boolean)
        return std::string(value.text);
    return std::nullopt;
}

Checked<> read_task_id(const Value& value, TaskOptions& options) {
    const auto text = scalar(value);
    if (!text)
        return refused("taskId in options must be a string.");
    if (const std::string fault = name_fault(*text, wire::limits::id_length); !fault.empty())
        return refused("taskId in options: " + fault + '.');
    options.given_id = *text;
    return {};
}

Checked<> read_kind(const Value& value, TaskOptions& options) {
    const auto text = scalar(value);
    if (!text || text->size() > wire::limits::label_length)
        return refused("type in options must be a string of at most 128 bytes.");
    options.labels["type"] = *text;
    return {};
}

Checked<> read_arguments(const Value& value, TaskOptions& options) {
    Reader reader(value.text);
    if (!reader.begin_array())
        return refused("args in options must be an array of strings.");
    Value element;
    while (reader.next_element() && reader.value(element)) {
        auto text = scalar(element);
        if (!text)
            return refused("args in options must be an array of strings.");
        options.args.push_back(std::move(*text));
    }
    return {};
}

Checked<> read_environment(const Value& value, TaskOptions& options) {
    Reader reader(value.text);
    if (!reader.begin_object())
        return refused("env in options must be an object of strings.");
    std::string_view raw;
    Value element;
    while (reader.next_member(raw) && reader.value(element)) {
        const Value key{Kind::string, {raw.data() - 1, raw.size() + 2}};
        auto text = scalar(element);
        if (!text)
            return refused("env in options must be an object of strings.");
        options.env.insert_or_assign(key.string().value_or(std::string(raw)), std::move(*text));
    }
    return {};
}

Checked<> read_milliseconds(const Value& value, TaskOptions& options) {
    const auto number = value.number();
    if (value.kind != Kind::number || !number || *number < 0 || *number > longest_timeout_ms)
        return refused("timeout in options must be a number of milliseconds.");
    options.timeout_ms = static_cast<std::int64_t>(std::ceil(*number));
    return {};
}

struct OriginalMember {
    std::string_view name;
    Checked<> (*read)(const Value& value, TaskOptions& options);
};

constexpr OriginalMember original_members[] = {
    {"taskId", read_task_id},
    {"type", read_kind},
    {"args", read_arguments},
    {"env", read_environment},
    {"timeout", read_milliseconds},
};

Problem project_refused(const std::string& project) {
    return refused("Project name \"" + project.substr(0, 64) +
                   "\" is not allowed: it must be the plain name of a project, without path parts, "
                   "control characters or more than 128 bytes.");
}

}  // namespace

Checked<engine::Submit> OriginalForm::read(std::string_view text) {
    project_json_ = "\"undefined\"";
    Reader peek(text);
    const Kind kind = peek.peek();
    const bool blank = text.find_first_not_of(" \t\r\n") == std::string_view::npos;
    members_.clear();
    if (!blank) {
        const auto whole = wire::json::parse(text);
        if (!whole)
            return malformed(whole.error());
        if (kind == Kind::object)
            if (auto read = read_object(text, members_); !read)
                return read.error();
    }
    const auto project = project_name(find(members_, "projectName"));
    if (!project)
        return project.error();
    if (auto read = read_task_options(find(members_, "options")); !read)
        return read.error();
    const auto type = task_type();
    if (!type)
        return type.error();
    auto read = options(*project);
    if (!read)
        return read.error();

    const Value* payload = find(options_, "payload");
    if (!payload)
        payload = find(options_, "additionalOptions");
    auto submit = reader_.make(*type, payload ? payload->text : "{}", std::move(*read));
    if (submit)
        return submit;
    Problem problem = submit.error();
    if (!problem.faults.empty())
        problem.detail +=
            " (" + problem.faults.front().pointer + ": " + problem.faults.front().detail + ')';
    return problem;
}

Checked<std::string> OriginalForm::project_name(const Value* value) {
    if (is_falsy(value))
        return refused(missing_project_);
    project_json_ = value->text;
    const auto name = value->string();
    if (!name)
        return refused("projectName must be a string.");
    if (!name_fault(*name, wire::limits::id_length).empty() ||
        name->find('\\') != std::string::npos)
        return project_refused(*name);
    return *name;
}

Checked<> OriginalForm::read_task_options(const Value* options) {
    options_.clear();
    if (!options || options->kind != Kind::object)
        return {};
    return read_object(options->text, options_);
}

Checked<std::string> OriginalForm::task_type() const {
    const Value* value = find(options_, "taskType");
    if (is_falsy(value))
        return refused("Missing taskType in options.");
    auto type = scalar(*value);
    if (!type)
        return refused("taskType in options must be a string.");
    return std::move(*type);
}

Checked<OriginalForm::Options> OriginalForm::options(const std::string& project) {
    const bool plain = std::all_of(options_.begin(), options_.end(), [](const Member& member) {
        return member.key == "taskType" || member.key == "payload" ||
               member.key == "additionalOptions";
    });
    if (plain && plain_ && plain_->project == project)
        return plain_;

    TaskOptions options;
    options.project = project;
    options.group = project;
    for (const OriginalMember& known : original_members) {
        const Value* value = find(options_, known.name);
        if (!value || value->kind == Kind::null || value->text == "\"\"")
            continue;
        if (auto read = known.read(*value, options); !read)
            return read.error();
    }
    if (find(options_, "workingDirectory"))
        warn_of_directory(project);
    auto made = std::make_shared<const TaskOptions>(std::move(options));
    if (plain)
        plain_ = made;
    return made;
}

void OriginalForm::warn_of_directory(const std::string& project) {
    if (!warned_)
        base::log::warn("api.working_directory_ignored", {{"project", project}});
    warned_ = true;
}

}  // namespace distributo::coordinator::api
