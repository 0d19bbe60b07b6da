#pragma once

#include <string>
#include <string_view>

namespace distributo::runtime::check {

/// How one check ended.
struct Verdict {
    enum class Status : unsigned char { ok, failed, skipped };

    Status status = Status::ok;
    std::string why;   ///< ok: what was seen, may be empty; else what is wrong or missing
    std::string hint;  ///< what to do about it, may be empty

    [[nodiscard]] static Verdict ok(std::string seen = {}) {
        return {Status::ok, std::move(seen), {}};
    }
    [[nodiscard]] static Verdict failed(std::string why, std::string hint = {}) {
        return {Status::failed, std::move(why), std::move(hint)};
    }
    [[nodiscard]] static Verdict skipped(std::string why, std::string hint = {}) {
        return {Status::skipped, std::move(why), std::move(hint)};
    }
};

[[nodiscard]] constexpr std::string_view status_name(Verdict::Status status) {
    return status == Verdict::Status::ok       ? "ok"
           : status == Verdict::Status::failed ? "failed"
                                               : "skipped";
}

}  // namespace distributo::runtime::check
