#pragma once

#include "base/clock.hpp"
#include "runtime/calls.hpp"

#include <atomic>
#include <cstdint>
#include <span>

namespace distributo::runtime {

/// What one thread executes, readable from outside without its help: lies in memory that a runner
/// process shares with its supervisor, so that it can be read after the process has died.
struct alignas(64) CallSlot {
    std::atomic<CallId> call{0};           ///< 0: nothing
    std::atomic<std::int64_t> started{0};  ///< of `call`, on the machine's monotonic clock, ns

    void begin(CallId id, base::TimePoint now) noexcept {
        started.store(now.time_since_epoch().count(), std::memory_order_relaxed);
        call.store(id, std::memory_order_release);
    }
    void end() noexcept { call.store(0, std::memory_order_release); }
};
static_assert(std::atomic<CallId>::is_always_lock_free);

/// A consistent look at a slot.
struct RunningCall {
    CallId call = 0;  ///< 0: the slot is empty
    base::TimePoint started{};
};

[[nodiscard]] inline RunningCall look_at(const CallSlot& slot) noexcept {
    const auto call = slot.call.load(std::memory_order_acquire);
    const auto started = slot.started.load(std::memory_order_acquire);
    if (call == 0 || slot.call.load(std::memory_order_relaxed) != call)
        return {};
    return {call, base::TimePoint(base::Duration(started))};
}

/// The call that was started last, of those that run now; 0 when none does.
[[nodiscard]] inline CallId newest_call(std::span<const CallSlot> slots) noexcept {
    RunningCall newest;
    for (const auto& slot : slots) {
        const auto running = look_at(slot);
        if (running.call != 0 && (newest.call == 0 || running.started > newest.started))
            newest = running;
    }
    return newest.call;
}

}  // namespace distributo::runtime
