#pragma once

#include "runtime/executor.hpp"

namespace distributo::runtime {

/// What both parts of the executor know of a call that is not its thread's only one.
struct Executor::Unit final : Call::Pending {
    Unit(Executor& executor, CallSlot& place)
        : owner(executor),
          context(*executor.output_, executor.options_.work_root, this),
          slot(place) {}

    void pending_ended(CallResult&& result) override {
        owner.pending_ended(*this, std::move(result));
    }

    Executor& owner;
    Call context;
    CallSlot& slot;
    Work work;              // what `request` points to, until the call ends
    dto_execute request{};  // the plugin's until the call ends
    base::TimePoint started{};
    std::size_t gate = 0;
    Worker* worker = nullptr;  // that took it last
};

/// One thread. `batch` and the plain members belong to it while it executes, to whoever holds the
/// mutex otherwise.
struct Executor::Worker {
    Worker(CallReporter& reporter, const std::filesystem::path& work_root, CallSlot& place)
        : context(reporter, work_root), slot(place) {}

    Call context;
    CallSlot& slot;
    dto_execute request{};
    std::vector<Work> batch;
    std::vector<Unit*> units;  // one for each of `batch`, or none; null: on its own now
    /// The slot of the call that its thread is inside of: its own or a unit's.
    std::atomic<const CallSlot*> inside{&slot};
    /// Which of the batch are not started: taken one by one by the thread, or all at once by
    /// take_back().
    std::atomic<std::uint64_t> range{0};
    std::size_t gate = 0;
    std::uint32_t ended_here = 0;  // calls in units that were not left pending
    base::TimePoint unflushed_since{};
    bool unflushed = false;
    bool short_calls = false;
    bool together = false;   // the batch is one call of the plugin
    bool per_call = false;   // each call of the batch counts in the gate until it has ended
    bool executing = false;  // guarded by the mutex, like the next three
    bool soon_free = false;  // counted in executing_short_
    bool replaced = false;
    bool vacant = false;  // its thread has left
};

}  // namespace distributo::runtime
