#pragma once

#include "base/clock.hpp"
#include "runtime/call_slot.hpp"
#include "runtime/task_plugin.hpp"
#include "runtime/watch.hpp"
#include "runtime/work_queue.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace distributo::runtime {

class Executor;

/// Where results go. Any thread.
class ExecutorOutput : public CallReporter {
public:
    /// Takes a result; it may stay until flush().
    virtual void result(CallResult&& result) = 0;
    virtual void flush() = 0;
    /// A call that is not short has returned; its result has not been taken yet. True when it
    /// printed: its type is then not treated as a short one, so that output is attributed well.
    virtual bool long_call_ended(CallId call) = 0;
    /// The last thread has left, the plugin is torn down. Comes once.
    virtual void stopped() = 0;
};

/// Where calls come from, when it is the executor's idle thread that waits for them.
class ExecutorSource {
public:
    virtual ~ExecutorSource() = default;
    /// Waits for input and hands it to enqueue(), cancel() or stop(). One thread at a time.
    virtual void read(Executor& executor) = 0;
};

/// Threads that run calls on a plugin.
///
/// With a source there is one thread more than may execute, and leader and followers: an idle
/// thread reads, and executes what it has read itself, so an idle process wakes up once per call.
/// Before a call that may take long it lets another thread read; a call that unexpectedly takes
/// long is noticed after a millisecond by the watch thread, which then does the same.
///
/// A thread takes several short calls at once (moving average below 50 µs) and hands back their
/// results together. What it has not started when one of them turns out to be long is taken away
/// from it again. Types that are not reentrant run one at a time.
///
/// A call that can outlive its thread (async), or shares it with others (batches), lives in a Unit,
/// which has a context and a slot of its own. Of a type with batches a thread takes as many as are
/// queued, up to max_batch, and hands them to the plugin together.
///
/// Its threads are detached and keep it alive: one that hangs inside the plugin cannot be joined.
class Executor final : public std::enable_shared_from_this<Executor> {
public:
    struct Options {
        std::uint32_t threads = 1;        ///< calls that may run at once
        std::uint32_t spare_threads = 0;  ///< more of them, in place of hung ones
        std::filesystem::path work_root;
        ExecutorSource* source = nullptr;  ///< outlives every thread
    };

    /// `slots`: at least thread_slots(options), and one more for each unit.
    Executor(std::shared_ptr<ExecutorOutput> output, SlotTable slots, Options options);
    /// One for each thread that may ever exist at the same time.
    [[nodiscard]] static std::size_t thread_slots(const Options& options) noexcept {
        return options.threads + options.spare_threads + (options.source ? 1 : 0);
    }
    ~Executor();

    /// Starts the threads. They read from the source, but execute nothing before open().
    void start();
    void open(std::unique_ptr<TaskPlugin> plugin);

    /// Any thread. submit() wakes a thread, enqueue() leaves the work to whoever called it.
    void submit(std::vector<Work>& work);
    void enqueue(std::vector<Work>& work);
    /// Ends a queued call at once, asks a running one to end.
    void cancel(CallId call);
    /// Runs what is queued, then tears down.
    void stop();
    /// Drops what is queued, asks everything to end, then as stop().
    void abort();
    /// A call that hangs: its thread does not count any more, another one takes its place. False
    /// when it does not run, or there is no slot left.
    bool replace(CallId call);
    /// True when all threads have left within `limit`.
    bool wait_stopped(base::Duration limit);

private:
    struct Worker;
    struct Unit;
    /// Types that share a limit: one reentrant type, or all that are not. Of async types each call
    /// counts until it has ended, of others each thread.
    struct Gate {
        WorkQueue queue;
        std::uint32_t limit = 1;
        std::uint32_t running = 0;
    };
    struct Cancel {
        CallId call;
        int tries_left;
    };

    static constexpr std::size_t most_at_once = 256;

    void spawn();
    void watch();
    void make_gates();
    void work(Worker& worker);
    bool claim(Worker& worker);
    void wake_helpers(const Worker& worker);
    [[nodiscard]] std::size_t share(const Work& first, const Gate& gate) const;
    [[nodiscard]] std::size_t next_gate() const;
    [[nodiscard]] bool claimable() const;
    [[nodiscard]] bool needs_another_thread() const;
    void run(Worker& worker);
    bool run_next(Worker& worker, base::TimePoint& now);
    void returned(Worker& worker, CallId call, std::uint32_t type, base::TimePoint& now);
    void hand_back(Worker& worker, CallResult&& result, base::TimePoint started);
    void release(Worker& worker);
    void flush(Worker& worker);
    void idle(Worker& worker, std::unique_lock<std::mutex>& lock);
    void leave(Worker& worker, std::unique_lock<std::mutex>& lock);
    void add(Work&& work);
    void take_back(Worker& worker);
    [[nodiscard]] Worker* find(CallId call);
    [[nodiscard]] Call* find_context(CallId call);

    // executor_units.cpp
    [[nodiscard]] bool uses_unit(const Work& work) const;
    [[nodiscard]] bool is_batched(const Work& work) const;
    [[nodiscard]] bool may_join(const Worker& worker, const Work& first, const Work& next) const;
    [[nodiscard]] std::size_t units_left() const;
    [[nodiscard]] std::size_t room_for_units() const;
    void take_units(Worker& worker, std::size_t gate);
    void give_back_units(Worker& worker);
    void run_in_unit(Worker& worker, std::uint32_t at, base::TimePoint& now);
    void run_together(Worker& worker, base::TimePoint now);
    void end_unit(Worker& worker, std::size_t at, dto_status status);
    void pending_ended(Unit& unit, CallResult&& result);
    bool end_queued(CallId call);
    bool look_after_workers();
    void carry_out_cancels(std::unique_lock<std::mutex>& lock);
    [[nodiscard]] bool is_short(const Work& work) const;
    void measured(std::uint32_t type, base::Duration time);

    const std::shared_ptr<ExecutorOutput> output_;
    const SlotTable slots_;
    const Options options_;
    std::unique_ptr<TaskPlugin> plugin_;                     // set once, before anything is claimed
    std::unique_ptr<std::atomic<std::int64_t>[]> averages_;  // per type, ns; 0: never measured
    Watch watch_;

    std::mutex mutex_;  // of everything below
    std::condition_variable wake_;
    std::condition_variable gone_;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::vector<std::unique_ptr<Unit>> units_;
    std::vector<Unit*> free_units_;
    std::vector<Gate> gates_;
    std::vector<std::uint32_t> gate_of_;  // by type
    std::vector<Work> early_;             // came before open()
    std::vector<Cancel> cancels_;
    std::size_t next_gate_ = 0;
    std::size_t queued_ = 0;
    std::uint32_t executing_ = 0;
    std::uint32_t executing_short_ = 0;  // of these: threads with short calls, soon free again
    std::uint32_t idle_ = 0;
    std::uint32_t alive_ = 0;  // threads, those that were replaced excluded
    std::uint32_t hung_ = 0;
    bool reading_ = false;
    bool open_ = false;
    bool stopping_ = false;
    bool ended_ = false;
};

}  // namespace distributo::runtime
