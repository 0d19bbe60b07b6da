#include "runtime/check/probe_verdict.hpp"

#include "wire/json.hpp"

#include <optional>

namespace distributo::runtime::check {

std::string verdict_text(const Verdict& verdict) {
    std::string text;
    wire::json::Writer(text)
        .begin_object()
        .member("status", status_name(verdict.status))
        .member("why", verdict.why)
        .member("hint", verdict.hint)
        .end_object();
    return text;
}

base::Result<Verdict> parse_verdict(std::string_view text) {
    const base::Error unreadable = base::error(base::Errc::invalid_argument, "is no verdict");
    wire::json::Reader reader(text);
    if (!reader.begin_object())
        return unreadable;
    Verdict verdict;
    std::optional<Verdict::Status> status;
    for (std::string_view key; reader.next_member(key);) {
        wire::json::Value value;
        if (!reader.value(value))
            return unreadable;
        const std::string member = value.string().value_or("");
        if (key == "why")
            verdict.why = member;
        else if (key == "hint")
            verdict.hint = member;
        else if (key == "status")
            for (const auto one :
                 {Verdict::Status::ok, Verdict::Status::failed, Verdict::Status::skipped})
                if (member == status_name(one))
                    status = one;
    }
    if (!status || reader.failed())
        return unreadable;
    verdict.status = *status;
    return verdict;
}

}  // namespace distributo::runtime::check
