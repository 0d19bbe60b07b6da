#include "runtime/recycling.hpp"

namespace distributo::runtime {
namespace {

/// Tasks after which a process has loaded what it needs.
constexpr std::uint64_t warm_up = 16;

template <typename Number>
Number growth(Number before, Number after) noexcept {
    return after > before ? after - before : 0;
}

template <typename Number>
bool exceeds(Number before, Number after, Number limit) noexcept {
    return limit != 0 && growth(before, after) >= limit;
}

}  // namespace

std::string_view to_string(RecycleReason reason) noexcept {
    switch (reason) {
        case RecycleReason::tasks:
            return "tasks";
        case RecycleReason::memory:
            return "memory";
        case RecycleReason::descriptors:
            return "descriptors";
        case RecycleReason::threads:
            return "threads";
    }
    return "";
}

std::optional<RecycleReason> RecyclePolicy::judge(const ProcessUsage& ready,
                                                  const ProcessUsage& now,
                                                  std::uint64_t tasks) {
    if (used_up(tasks))
        return RecycleReason::tasks;
    const bool warm = tasks >= warm_up;
    const auto check = [&](auto before, auto after, auto& limit) {
        if (!exceeds(before, after, limit))
            return false;
        if (!warm)
            limit *= 2;
        return warm;
    };
    if (check(ready.memory, now.memory, limits_.memory))
        return RecycleReason::memory;
    if (check(ready.descriptors, now.descriptors, limits_.descriptors))
        return RecycleReason::descriptors;
    if (check(ready.threads, now.threads, limits_.threads))
        return RecycleReason::threads;
    return std::nullopt;
}

std::string describe(RecycleReason reason,
                     const ProcessUsage& ready,
                     const ProcessUsage& now,
                     std::uint64_t tasks) {
    const std::string over = " over " + std::to_string(tasks) + " tasks";
    switch (reason) {
        case RecycleReason::tasks:
            return "it has run " + std::to_string(tasks) + " tasks";
        case RecycleReason::memory:
            return "its memory grew by " + std::to_string(growth(ready.memory, now.memory) >> 20U) +
                   " MiB" + over;
        case RecycleReason::descriptors:
            return "its open descriptors grew by " +
                   std::to_string(growth(ready.descriptors, now.descriptors)) + over;
        case RecycleReason::threads:
            return "its threads grew by " + std::to_string(growth(ready.threads, now.threads)) +
                   over;
    }
    return {};
}

}  // namespace distributo::runtime
