#include "runtime/follow_ups.hpp"

#include "runtime/abi_text.hpp"
#include "wire/json.hpp"
#include "wire/limits.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace distributo::runtime {
namespace {

using base::Errc;
namespace limits = wire::limits;
namespace json = wire::json;

base::Error refused(std::string_view what, std::string_view why) {
    return base::error(Errc::invalid_argument,
                       "follow-up task refused: " + std::string(what) + std::string(why));
}

base::Error too_much(std::string_view why) {
    return base::error(Errc::limit, "follow-up task refused: " + std::string(why));
}

/// A member that an older plugin's struct does not have is empty.
#define SPEC_MEMBER(spec, member) \
    (DTO_HAS(dto_task_spec, &(spec), member) ? (spec).member : decltype((spec).member){})

base::Result<void> check_name(std::string_view what, std::string_view name, std::size_t most) {
    if (name.size() > most)
        return refused(what, " has more than " + std::to_string(most) + " bytes");
    const bool plain = std::none_of(name.begin(), name.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7F;
    });
    if (!plain)
        return refused(what, " contains control characters");
    return {};
}

base::Result<void> check_json(std::string_view what, std::string_view text, bool object) {
    const auto value = json::parse(text);
    if (!value)
        return refused(what, " is not JSON: " + value.error().message);
    if (object && value->kind != json::Kind::object)
        return refused(what, " is not a JSON object");
    return {};
}

void write(std::string& out, const dto_task_spec& spec, std::string_view payload) {
    json::Writer writer(out);
    writer.begin_object().member("type", view_text(spec.type)).member_raw("payload", payload);
    if (const auto install = view_text(SPEC_MEMBER(spec, install_json)); !install.empty())
        writer.member_raw("install", install);
    if (const auto key = view_text(SPEC_MEMBER(spec, dedupe_key)); !key.empty())
        writer.member("dedupe_key", key);
    if (const auto group = view_text(SPEC_MEMBER(spec, group)); !group.empty())
        writer.member("group", group);
    if (const auto needed = view_text(SPEC_MEMBER(spec, requires_json)); !needed.empty())
        writer.member_raw("requires", needed);
    if (const auto priority = SPEC_MEMBER(spec, priority); priority != 0)
        writer.member("priority", priority);
    if (const auto attempts = SPEC_MEMBER(spec, max_attempts); attempts > 0)
        writer.member("max_attempts", attempts);
    if (const auto timeout = SPEC_MEMBER(spec, timeout_ms); timeout > 0)
        writer.member("timeout_ms", std::min(timeout, limits::max_duration_ms));
    writer.end_object();
}

base::Result<void> check(const dto_task_spec& spec, std::string_view payload) {
    if (view_text(spec.type).empty())
        return refused("it has no type", "");
    // A range of versions may stand behind the name; the coordinator reads both.
    constexpr auto longest_type = limits::type_length + 1 + limits::version_length;
    if (auto fine = check_name("type", view_text(spec.type), longest_type); !fine)
        return fine;
    if (auto fine = check_name("group", view_text(SPEC_MEMBER(spec, group)), limits::id_length);
        !fine)
        return fine;
    if (view_text(SPEC_MEMBER(spec, dedupe_key)).size() > limits::dedupe_key_length)
        return refused("dedupe_key",
                       " has more than " + std::to_string(limits::dedupe_key_length) + " bytes");
    if (auto fine = check_json("payload", payload, false); !fine)
        return fine;
    if (const auto install = view_text(SPEC_MEMBER(spec, install_json)); !install.empty())
        if (auto fine = check_json("install", install, false); !fine)
            return fine;
    if (const auto needed = view_text(SPEC_MEMBER(spec, requires_json)); !needed.empty())
        if (auto fine = check_json("requires", needed, true); !fine)
            return fine;
    return {};
}

}  // namespace

base::Result<void> FollowUps::add(const dto_task_spec& spec) {
    if (!DTO_HAS(dto_task_spec, &spec, type))
        return refused("struct_size", " is not that of a dto_task_spec");
    if (count_ >= limits_.count)
        return too_much("a call may emit " + std::to_string(limits_.count) + " at most");
    auto payload = view_text(SPEC_MEMBER(spec, payload_json));
    if (payload.empty())
        payload = "{}";
    if (auto fine = check(spec, payload); !fine)
        return fine;

    std::string text;
    write(text, spec, payload);
    if (text.size() + 2 > limits_.bytes)  // it would not fit into the next call either
        return refused("it has " + std::to_string(text.size()) + " bytes",
                       ", at most " + std::to_string(limits_.bytes - 2) + " fit into a call");
    if (array_.size() + text.size() + 2 > limits_.bytes)
        return too_much("all of a call together may have " + std::to_string(limits_.bytes) +
                        " bytes at most");
    // Inside the array, as it travels, nesting is deeper than in the parts that were checked.
    if (const auto whole = json::parse('[' + text + ']'); !whole)
        return refused("it is nested too deep", "");
    array_ += array_.empty() ? '[' : ',';
    array_ += text;
    ++count_;
    return {};
}

void FollowUps::back_to(const Mark& mark) {
    array_.resize(mark.bytes);
    count_ = mark.count;
}

std::string FollowUps::take() {
    if (count_ == 0)
        return {};
    array_ += ']';
    count_ = 0;
    return std::exchange(array_, {});
}

void FollowUps::clear() noexcept {
    array_.clear();
    count_ = 0;
}

#undef SPEC_MEMBER

}  // namespace distributo::runtime
