#include "coordinator/api/submit_reader.hpp"

#include "coordinator/api/task_options.hpp"
#include "wire/limits.hpp"
#include "wire/type_choice.hpp"

namespace distributo::coordinator::api {
namespace {

using core::TaskOptions;
using wire::json::Value;

Problem missing_type() {
    Problem problem = invalid_member("/type", "required, but not there");
    problem.code = "missing_member";
    problem.detail = "a task needs the member \"type\"";
    problem.hint = "GET /v1/types lists the types that hosts offer now";
    return problem;
}

Problem payload_too_large(std::size_t size) {
    return {.status = Status::too_large,
            .code = "payload_too_large",
            .detail = "payload: at most " + std::to_string(wire::limits::inline_payload) +
                      " bytes, got " + std::to_string(size),
            .hint = "put the data where hosts can fetch it, and its address into the payload",
            .faults = {},
            .extra = {}};
}

Problem schema_mismatch(const std::string& type,
                        const std::string& text,
                        const std::vector<wire::SchemaViolation>& violations) {
    Problem problem{.status = Status::unprocessable,
                    .code = "schema_mismatch",
                    .detail = "payload does not match the schema of " + text,
                    .hint = "GET /v1/types/" + type + " shows the schema of the newest version",
                    .faults = {},
                    .extra = {}};
    for (const wire::SchemaViolation& violation : violations)
        problem.faults.push_back({"/payload" + violation.pointer, violation.message});
    return problem;
}

}  // namespace

SubmitReader::SubmitReader(Context& context) : context_(context), now_(context.clock.wall()) {}

Checked<engine::Submit> SubmitReader::read(std::string_view text) {
    if (auto read = read_object(text, members_); !read)
        return read.error();

    const Value* type_value = nullptr;
    std::string_view payload = "{}";
    option_members_.clear();
    for (const Member& member : members_) {
        if (member.key == "type")
            type_value = &member.value;
        else if (member.key == "payload")
            payload = member.value.text;
        else
            option_members_.push_back(member);
    }
    auto task_options = options();
    if (!task_options)
        return task_options.error();
    if (!type_value)
        return missing_type();

    if (const auto plain = type_value->plain_string())
        return make(*plain, payload, std::move(*task_options));
    const auto decoded = type_value->string();
    if (!decoded)
        return wrong_kind("/type", "string", *type_value);
    return make(*decoded, payload, std::move(*task_options));
}

Checked<engine::Submit> SubmitReader::make(std::string_view name,
                                           std::string_view payload,
                                           std::shared_ptr<const TaskOptions> options) {
    const auto found = type(name);
    if (!found)
        return found.error();
    if (payload.size() > wire::limits::inline_payload)
        return payload_too_large(payload.size());
    Type& type = **found;
    if (type.schema) {
        const auto violations = type.schema->check(payload);
        if (!violations.empty())
            return schema_mismatch(type.name, type.text, violations);
    }
    if (!type.version_range.empty())
        options = pin(type, std::move(options));
    return engine::Submit{type.name, base::Bytes::copy(payload), std::move(options)};
}

std::shared_ptr<const TaskOptions> SubmitReader::pin(Type& type,
                                                     std::shared_ptr<const TaskOptions> options) {
    if (!type.pinned || type.unpinned != options) {
        auto pinned =
            options ? std::make_shared<TaskOptions>(*options) : std::make_shared<TaskOptions>();
        pinned->version_range = type.version_range;
        type.pinned = std::move(pinned);
        type.unpinned = std::move(options);
    }
    return type.pinned;
}

Checked<SubmitReader::Type*> SubmitReader::type(std::string_view text) {
    if (last_type_ && last_type_->text == text)
        return last_type_;
    auto found = types_.find(text);
    if (found == types_.end()) {
        const auto choice = wire::parse_type_choice(text);
        if (!choice) {
            Problem problem = invalid_member("/type", choice.error().message);
            problem.hint = choice.error().hint;
            return problem;
        }
        const auto& [name, range] = *choice;
        if (std::string fault = name_fault(name, wire::limits::type_length); !fault.empty())
            return invalid_member("/type", std::move(fault));
        const wire::Capability* offer = context_.engine.scheduler().capability(name, range);
        auto entry = std::make_unique<Type>();
        entry->text = text;
        entry->name = name;
        entry->version_range = range;
        if (offer)
            entry->schema = context_.schemas.compiled(offer->payload_schema);
        const std::string_view key = entry->text;
        found = types_.emplace(key, std::move(entry)).first;
    }
    last_type_ = found->second.get();
    return last_type_;
}

Checked<std::shared_ptr<const TaskOptions>> SubmitReader::options() {
    if (option_members_.empty())
        return std::shared_ptr<const TaskOptions>();
    next_option_text_.clear();
    for (const Member& member : option_members_) {
        next_option_text_ += member.key;
        next_option_text_ += '\0';
        next_option_text_ += member.value.text;
        next_option_text_ += '\0';
    }
    if (last_options_ && next_option_text_ == option_text_)
        return last_options_;

    auto read = read_options(option_members_, now_);
    if (!read)
        return read.error();
    last_options_ = *read;
    option_text_.swap(next_option_text_);
    return read;
}

}  // namespace distributo::coordinator::api
