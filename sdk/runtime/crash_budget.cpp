#include "runtime/crash_budget.hpp"

#include <algorithm>

namespace distributo::runtime {

bool CrashBudget::crashed(base::TimePoint now, std::span<const std::uint64_t> tasks) {
    while (!crashes_.empty() && now - crashes_.front().when > window)
        crashes_.pop_front();
    const bool known = std::ranges::any_of(crashes_, [&](const Crash& crash) {
        return std::ranges::find_first_of(crash.tasks, tasks) != crash.tasks.end();
    });
    if (!known)
        crashes_.push_back({now, {tasks.begin(), tasks.end()}});
    return crashes_.size() >= limit;
}

}  // namespace distributo::runtime
