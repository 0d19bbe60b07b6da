#pragma once

#include "base/clock.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

namespace distributo::runtime {

/// Counts the crashes of one plugin version over all its processes.
///
/// What counts is how many *different* tasks it crashes on. A task that kills its process, is run
/// again alone and kills that too has said nothing new about the plugin: it ends by itself as
/// poison, and must not take its type away from everybody. So a crash is counted unless one of the
/// tasks that ran in the process has crashed one within the same time before.
class CrashBudget {
public:
    static constexpr std::size_t limit = 3;
    static constexpr base::Duration window = std::chrono::seconds(60);

    /// `tasks`: numbers of those that ran in the process; empty: it died while it ran nothing.
    /// True when this was one too many.
    [[nodiscard]] bool crashed(base::TimePoint now, std::span<const std::uint64_t> tasks);

private:
    struct Crash {
        base::TimePoint when;
        std::vector<std::uint64_t> tasks;
    };
    std::deque<Crash> crashes_;
};

}  // namespace distributo::runtime
