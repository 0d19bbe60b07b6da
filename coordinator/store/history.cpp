#include "coordinator/store/history.hpp"

#include <algorithm>
#include <cstdint>

namespace distributo::coordinator::store {
namespace {

using core::Attempt;
using core::Charge;
using core::Control;
using core::TaskHistory;

/// The highest attempt number that counts no more because of what was asked for later.
struct Forgotten {
    std::uint32_t everything = 0;  ///< the attempts of earlier generations
    std::uint32_t waiting = 0;     ///< and what those that were released had to wait for
};

Forgotten apply_controls(TaskHistory& history, std::span<const Control> controls) {
    Forgotten forgotten;
    for (const Control& control : controls) {
        if (control.kind == Control::Kind::retry)
            forgotten.everything = std::max(forgotten.everything, control.after_attempt);
        if (control.kind == Control::Kind::retry || control.kind == Control::Kind::release)
            forgotten.waiting = std::max(forgotten.waiting, control.after_attempt);
    }
    if (controls.empty())
        return forgotten;
    const Control& last = controls.back();
    history.cancelling = last.kind == Control::Kind::cancel;
    history.held = last.kind == Control::Kind::hold;
    history.released = last.kind == Control::Kind::release;
    if (history.held)
        history.hold_reason = last.reason;
    return forgotten;
}

void charge(TaskHistory& history, const Attempt& attempt, const Forgotten& forgotten) {
    switch (attempt.charge) {
        case Charge::none:
            break;
        case Charge::failure:
            ++history.failures;
            break;
        case Charge::crash:
            ++history.crashes;
            break;
        case Charge::install:
            ++history.install_failures;
            break;
        case Charge::interruption:
            if (attempt.number > forgotten.waiting)
                ++history.interruptions;
            break;
        case Charge::lost:
            ++history.lost;
            break;
    }
}

/// Did the coordinator give it up, instead of its host telling how it ended?
bool unreported(const Attempt& attempt) {
    return attempt.status == wire::AttemptStatus::interrupted &&
           (attempt.charge == Charge::none || attempt.charge == Charge::lost);
}

void exclude(TaskHistory& history, const std::string& host_id) {
    auto& excluded = history.excluded_hosts;
    if (std::ranges::find(excluded, host_id) == excluded.end())
        excluded.push_back(host_id);
}

}  // namespace

TaskHistory fold_history(std::span<const Attempt> attempts, std::span<const Control> controls) {
    TaskHistory history;
    const auto forgotten = apply_controls(history, controls);
    for (std::size_t i = 0; i < attempts.size(); ++i) {
        const Attempt& attempt = attempts[i];
        history.last_attempt = attempt.number;
        const bool came_back = i + 1 < attempts.size() && attempts[i + 1].number == attempt.number;
        if (came_back || attempt.number <= forgotten.everything)
            continue;
        charge(history, attempt, forgotten);
        if (attempt.excludes_host && !attempt.host_id.empty())
            exclude(history, attempt.host_id);
        history.retry_at = attempt.number > forgotten.waiting ? attempt.retry_at : base::WallTime{};
        history.last_lost = unreported(attempt);
        history.last_charged = history.last_lost && attempt.charge == Charge::lost;
        if (!history.last_lost)
            history.last_error = attempt.message;
    }
    return history;
}

}  // namespace distributo::coordinator::store
