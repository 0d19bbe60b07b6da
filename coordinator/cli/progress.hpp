#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <deque>
#include <string>
#include <utility>

namespace distributo::coordinator::cli {

/// How far a batch has come.
struct Tally {
    std::uint64_t total = 0;   ///< submitted so far
    std::uint64_t done = 0;    ///< ended in any way
    std::uint64_t failed = 0;  ///< ended, but not completed
};

/// One line on standard error that is redrawn while work goes on; without a terminal, one line
/// per ten percent. Silent when `enabled` is false.
class Progress {
public:
    Progress(bool enabled, base::TimePoint start);
    void show(const Tally& tally, base::TimePoint now);
    /// Any other line; without a terminal, one every ten seconds.
    void show_text(const std::string& text, base::TimePoint now);
    /// Clears the line.
    void finish();

    /// The line itself, for `now`.
    [[nodiscard]] std::string line(const Tally& tally, base::TimePoint now);

private:
    bool enabled_;
    bool terminal_;
    base::TimePoint drawn_;
    std::uint64_t tenths_ = 0;
    std::deque<std::pair<base::TimePoint, std::uint64_t>> recent_;  // for the rate of the last 10 s
};

}  // namespace distributo::coordinator::cli
