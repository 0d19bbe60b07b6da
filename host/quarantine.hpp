#pragma once

#include "base/clock.hpp"

#include <algorithm>

namespace distributo::host {

struct QuarantineSettings {
    base::Duration first = std::chrono::seconds(60);
    base::Duration longest = std::chrono::hours(1);
    /// A plugin that ran this long after a quarantine has earned the short one again.
    base::Duration good_conduct = std::chrono::minutes(10);
};

/// How long a plugin that crashes is left alone: each time twice as long, until it has behaved.
class QuarantineSchedule {
public:
    explicit QuarantineSchedule(const QuarantineSettings& settings)
        : settings_(settings), next_(settings.first) {}

    /// Goes on after a quarantine of an earlier process.
    void resume(base::Duration pause) noexcept { next_ = std::min(pause * 2, settings_.longest); }
    void came_up(base::TimePoint now) noexcept { up_since_ = now; }
    /// When it is to be tried again; `was_up`: it came up and crashed, instead of not coming up.
    [[nodiscard]] base::TimePoint failed(base::TimePoint now, bool was_up) noexcept {
        if (was_up && now - up_since_ >= settings_.good_conduct)
            next_ = settings_.first;
        const auto delay = next_;
        next_ = std::min(next_ * 2, settings_.longest);
        return now + delay;
    }

private:
    QuarantineSettings settings_;
    base::Duration next_;
    base::TimePoint up_since_{};
};

}  // namespace distributo::host
