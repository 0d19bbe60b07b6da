#pragma once

#include "base/clock.hpp"
#include "runtime/calls.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace distributo::runtime {

/// One call that executes or is pending, readable from outside without its help: lies in memory
/// that a runner process shares with its supervisor, so that it can be read after the process has
/// died.
struct alignas(64) CallSlot {
    std::atomic<CallId> call{0};           ///< 0: nothing
    std::atomic<std::int64_t> started{0};  ///< of `call`, on the machine's monotonic clock, ns
    std::atomic<std::int64_t> extra{0};    ///< how much longer than its limit it may take, ns

    void begin(CallId id, base::TimePoint now, base::Duration longer = {}) noexcept {
        extra.store(longer.count(), std::memory_order_relaxed);
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
    base::Duration extra{};
};

[[nodiscard]] inline RunningCall look_at(const CallSlot& slot) noexcept {
    const auto call = slot.call.load(std::memory_order_acquire);
    const auto started = slot.started.load(std::memory_order_acquire);
    const auto extra = slot.extra.load(std::memory_order_acquire);
    if (call == 0 || slot.call.load(std::memory_order_relaxed) != call)
        return {};
    return {call, base::TimePoint(base::Duration(started)), base::Duration(extra)};
}

/// Slots of which the first `used` have been in use. Does not own them: in a runner process they
/// are memory that the supervisor sees too.
struct SlotTable {
    std::span<CallSlot> all;
    std::atomic<std::uint32_t>* used = nullptr;

    /// Those that were ever in use; the rest is not worth a look, nor a page of memory.
    [[nodiscard]] std::span<CallSlot> live() const noexcept {
        if (!used)
            return {};
        return all.first(std::min<std::size_t>(used->load(std::memory_order_acquire), all.size()));
    }
    [[nodiscard]] std::size_t left() const noexcept { return all.size() - live().size(); }
    /// One that was never in use; there must be one left. One thread at a time.
    [[nodiscard]] CallSlot& take() const noexcept {
        return all[used->fetch_add(1, std::memory_order_acq_rel)];
    }
};

/// Calls of one process that can be pending or in batches at the same time, beside the one that
/// each thread executes. A slot takes memory only once it was used.
inline constexpr std::uint32_t most_units = 16 * 1024;

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
