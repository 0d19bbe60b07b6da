#include "runtime/executor.hpp"

#include "runtime/executor_impl.hpp"

#include <algorithm>
#include <thread>
#include <utility>

namespace distributo::runtime {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr base::Duration short_call = microseconds(50);
/// Work that one thread takes at once, and how long a finished result may wait for company.
constexpr base::Duration batch_time = microseconds(100);
constexpr base::Duration longest_wait = microseconds(200);
/// Less queued work than this is not worth waking another thread.
constexpr base::Duration worth_waking = microseconds(200);
/// After this a call that was expected to be short is treated as a long one.
constexpr base::Duration surprise = milliseconds(1);

/// Of calls whose time says nothing about their type.
constexpr std::uint32_t no_type = 0xFFFF'FFFF;

constexpr std::uint64_t make_range(std::uint64_t next, std::uint64_t end) {
    return end << 32U | next;
}
constexpr std::uint32_t next_of(std::uint64_t range) {
    return static_cast<std::uint32_t>(range);
}
constexpr std::uint32_t end_of(std::uint64_t range) {
    return static_cast<std::uint32_t>(range >> 32U);
}

}  // namespace

Executor::Executor(std::shared_ptr<ExecutorOutput> output, SlotTable slots, Options options)
    : output_(std::move(output)), slots_(slots), options_(std::move(options)) {}

Executor::~Executor() = default;

void Executor::start() {
    const std::lock_guard lock(mutex_);
    const std::uint32_t threads = options_.threads + (options_.source ? 1 : 0);
    for (std::uint32_t i = 0; i < threads; ++i)
        spawn();
    std::thread([self = shared_from_this()] { self->watch(); }).detach();
}

void Executor::spawn() {
    auto place = std::find_if(
        workers_.begin(), workers_.end(), [](const auto& worker) { return worker->vacant; });
    if (place == workers_.end())
        place = workers_.insert(
            place, std::make_unique<Worker>(*output_, options_.work_root, slots_.take()));
    Worker& worker = **place;
    worker.vacant = false;
    std::thread([self = shared_from_this(), &worker] { self->work(worker); }).detach();
    ++alive_;
}

void Executor::open(std::unique_ptr<TaskPlugin> plugin) {
    const std::lock_guard lock(mutex_);
    plugin_ = std::move(plugin);
    make_gates();
    open_ = true;
    for (auto& work : std::exchange(early_, {}))
        add(std::move(work));
    wake_.notify_all();
}

void Executor::make_gates() {
    const auto& types = plugin_->info().types;
    averages_ = std::make_unique<std::atomic<std::int64_t>[]>(types.size());
    gates_.resize(1);  // of all types that are not reentrant
    for (std::uint32_t type = 0; type < types.size(); ++type) {
        if (!plugin_->reentrant(type)) {
            gate_of_.push_back(0);
            continue;
        }
        gate_of_.push_back(static_cast<std::uint32_t>(gates_.size()));
        const auto most = types[type].async ? most_units : options_.threads;
        const auto limit = types[type].max_concurrency;
        gates_.emplace_back().limit = limit != 0          ? std::min(limit, most)
                                      : types[type].async ? std::min(default_async_calls, most)
                                                          : most;
    }
}

// ---- what comes in ---------------------------------------------------------------------------

void Executor::add(Work&& work) {
    if (!open_) {
        early_.push_back(std::move(work));
        return;
    }
    // A probe waits for those that must run alone, like one of them.
    const auto gate = work.kind == WorkKind::probe ? 0 : gate_of_[work.type];
    gates_[gate].queue.push_back(std::move(work));
    ++queued_;
}

void Executor::enqueue(std::vector<Work>& work) {
    const std::lock_guard lock(mutex_);
    for (auto& each : work)
        add(std::move(each));
    work.clear();
}

void Executor::submit(std::vector<Work>& work) {
    bool wake = false;
    {
        const std::lock_guard lock(mutex_);
        for (auto& each : work)
            add(std::move(each));
        wake = needs_another_thread();
    }
    work.clear();
    if (wake)
        wake_.notify_one();
}

void Executor::cancel(CallId call) {
    {
        const std::lock_guard lock(mutex_);
        cancels_.push_back({.call = call, .tries_left = 3});
    }
    watch_.fire_now();
}

void Executor::stop() {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
}

void Executor::abort() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        for (auto& worker : workers_)
            take_back(*worker);
        for (auto& gate : gates_)
            gate.queue = {};
        queued_ = 0;
        for (const auto& slot : slots_.live())
            if (const auto running = look_at(slot); running.call != 0)
                cancels_.push_back({.call = running.call, .tries_left = 3});
        wake_.notify_all();
    }
    watch_.fire_now();
}

bool Executor::wait_stopped(base::Duration limit) {
    std::unique_lock lock(mutex_);
    return gone_.wait_for(lock, limit, [this] { return ended_; });
}

// ---- a thread's life -------------------------------------------------------------------------

void Executor::work(Worker& worker) {
    std::unique_lock lock(mutex_);
    while (!worker.replaced) {
        if (claim(worker)) {
            lock.unlock();
            run(worker);
            lock.lock();
            release(worker);
        } else if (stopping_ && queued_ == 0 && free_units_.size() == units_.size()) {
            break;
        } else {
            idle(worker, lock);
        }
    }
    leave(worker, lock);
}

std::size_t Executor::next_gate() const {
    for (std::size_t i = 0; i < gates_.size(); ++i) {
        const std::size_t at = (next_gate_ + i) % gates_.size();
        const Gate& gate = gates_[at];
        if (!gate.queue.empty() && gate.running < gate.limit &&
            (!plugin_->info().types[gate.queue.front().type].async || units_left() > 0))
            return at;
    }
    return gates_.size();
}

bool Executor::claimable() const {
    return queued_ > 0 && executing_ < options_.threads && next_gate() < gates_.size();
}

/// A little work is left to a thread that is busy with short calls and takes it next.
bool Executor::needs_another_thread() const {
    if (idle_ == 0 || !claimable())
        return false;
    const Work& next = gates_[next_gate()].queue.front();
    const auto average = averages_[next.type].load(std::memory_order_relaxed);
    return executing_short_ == 0 || !is_short(next) ||
           static_cast<std::int64_t>(queued_) * average > worth_waking.count();
}

bool Executor::claim(Worker& worker) {
    if (queued_ == 0 || executing_ >= options_.threads)
        return false;
    const auto at = next_gate();
    if (at == gates_.size())
        return false;
    Gate& gate = gates_[at];
    next_gate_ = at + 1;

    worker.batch.clear();
    worker.short_calls = is_short(gate.queue.front());
    worker.together = is_batched(gate.queue.front());
    worker.per_call = uses_unit(gate.queue.front());
    const std::size_t most = share(gate.queue.front(), gate);
    do {
        worker.batch.push_back(gate.queue.pop_front());
    } while (worker.batch.size() < most && !gate.queue.empty() &&
             may_join(worker, worker.batch.front(), gate.queue.front()));
    worker.together = worker.together && worker.batch.size() > 1;
    if (worker.together || worker.per_call)
        take_units(worker, at);
    queued_ -= worker.batch.size();
    worker.range.store(make_range(0, worker.batch.size()));
    worker.gate = at;
    worker.executing = true;
    gate.running += worker.per_call ? static_cast<std::uint32_t>(worker.batch.size()) : 1;
    ++executing_;
    worker.soon_free = worker.short_calls;
    executing_short_ += worker.soon_free ? 1 : 0;
    wake_helpers(worker);
    return true;
}

void Executor::wake_helpers(const Worker& worker) {
    const bool nobody_reads = options_.source && !reading_;
    if (idle_ > 0 && nobody_reads && !worker.short_calls) {
        wake_.notify_one();
    } else if (needs_another_thread()) {
        wake_.notify_one();
    }
    if (worker.short_calls || (nobody_reads && idle_ == 0))
        watch_.arm(surprise);
}

void Executor::run(Worker& worker) {
    if (!worker.short_calls)
        flush(worker);
    base::TimePoint now = steady_clock::now();
    while (run_next(worker, now))
        if (now - worker.unflushed_since > longest_wait)
            flush(worker);
}

bool Executor::run_next(Worker& worker, base::TimePoint& now) {
    auto range = worker.range.load(std::memory_order_relaxed);
    do {
        if (next_of(range) == end_of(range))
            return false;
    } while (!worker.range.compare_exchange_weak(
        range, worker.together ? make_range(end_of(range), end_of(range)) : range + 1));
    if (worker.together) {
        run_together(worker, now);
        return false;
    }
    if (worker.per_call) {
        run_in_unit(worker, next_of(range), now);
        return true;
    }
    const Work& work = worker.batch[next_of(range)];
    const base::TimePoint started = now;
    worker.slot.begin(work.id, now);
    CallResult result;
    plugin_->run(worker.context, work, worker.request, now, result);
    returned(worker, work.id, work.kind == WorkKind::execute ? work.type : no_type, now);
    worker.slot.end();
    result.elapsed_us = (now - started).count() / 1000;
    hand_back(worker, std::move(result), now);
    return true;
}

/// The plugin has come back from a call that began at `now`, which becomes the present.
void Executor::returned(Worker& worker, CallId call, std::uint32_t type, base::TimePoint& now) {
    const base::TimePoint ended = steady_clock::now();
    const bool printed = !worker.short_calls && output_->long_call_ended(call);
    if (type != no_type)
        measured(type, printed ? std::max(ended - now, short_call) : ended - now);
    now = ended;
}

void Executor::hand_back(Worker& worker, CallResult&& result, base::TimePoint now) {
    if (!worker.unflushed) {
        worker.unflushed = true;
        worker.unflushed_since = now;
    }
    output_->result(std::move(result));
}

void Executor::flush(Worker& worker) {
    if (!std::exchange(worker.unflushed, false))
        return;
    output_->flush();
}

void Executor::release(Worker& worker) {
    give_back_units(worker);
    if (worker.replaced)
        return;
    worker.executing = false;
    gates_[worker.gate].running -= worker.per_call ? 0 : 1;
    --executing_;
    executing_short_ -= std::exchange(worker.soon_free, false) ? 1 : 0;
    if (stopping_)
        wake_.notify_all();
    else if (idle_ > 0 && gates_[worker.gate].limit < options_.threads && claimable())
        wake_.notify_one();
}

void Executor::idle(Worker& worker, std::unique_lock<std::mutex>& lock) {
    if (worker.unflushed) {
        lock.unlock();
        flush(worker);
        lock.lock();
        return;
    }
    if (options_.source && !reading_ && !stopping_) {
        reading_ = true;
        lock.unlock();
        options_.source->read(*this);
        lock.lock();
        reading_ = false;
        return;
    }
    ++idle_;
    wake_.wait(lock);
    --idle_;
}

void Executor::leave(Worker& worker, std::unique_lock<std::mutex>& lock) {
    lock.unlock();
    flush(worker);
    lock.lock();
    worker.vacant = true;
    if (std::exchange(worker.replaced, false)) {
        --hung_;
        return;
    }
    if (--alive_ > 0)
        return;
    // A call that hangs still uses the instance: it is torn down when that thread lets go of us.
    const bool clear = hung_ == 0;
    lock.unlock();
    if (plugin_ && clear)
        plugin_->tear_down();
    output_->stopped();
    lock.lock();
    ended_ = true;
    gone_.notify_all();
    watch_.fire_now();
}

// ---- averages --------------------------------------------------------------------------------

bool Executor::is_short(const Work& work) const {
    const auto average = averages_[work.type].load(std::memory_order_relaxed);
    return work.kind == WorkKind::execute && average != 0 && average < short_call.count();
}

std::size_t Executor::share(const Work& first, const Gate& gate) const {
    std::size_t most = 1;
    if (is_batched(first))
        most = std::min<std::size_t>(plugin_->info().types[first.type].max_batch, units_left());
    else if (is_short(first))
        most = static_cast<std::size_t>(
            batch_time.count() /
            std::max<std::int64_t>(averages_[first.type].load(std::memory_order_relaxed), 1));
    if (uses_unit(first))
        most = std::min({most, units_left(), std::size_t{gate.limit - gate.running}});
    return std::clamp<std::size_t>(most, 1, most_at_once);
}

/// Falls fast and rises slowly: the first calls of a process are slow for reasons of their own.
void Executor::measured(std::uint32_t type, base::Duration time) {
    const std::int64_t sample = std::max<std::int64_t>(time.count(), 1);
    const auto old = averages_[type].load(std::memory_order_relaxed);
    const auto average = old == 0       ? sample
                         : sample < old ? (old + sample) / 2
                                        : old + (sample - old) / 8;
    averages_[type].store(average, std::memory_order_relaxed);
}

// ---- the watch thread ------------------------------------------------------------------------

void Executor::watch() {
    for (;;) {
        watch_.wait();
        std::unique_lock lock(mutex_);
        if (ended_)
            return;
        carry_out_cancels(lock);
        const bool surprised = look_after_workers();
        lock.unlock();
        if (surprised)
            output_->flush();
    }
}

/// True when a call takes long, so that results of its thread may be waiting.
bool Executor::look_after_workers() {
    const base::TimePoint now = steady_clock::now();
    bool surprised = false;
    bool busy = !cancels_.empty();
    for (const auto& worker : workers_) {
        if (!worker->executing)
            continue;
        const auto running = look_at(*worker->inside.load(std::memory_order_acquire));
        if (running.call != 0 && now - running.started >= surprise) {
            take_back(*worker);
            executing_short_ -= std::exchange(worker->soon_free, false) ? 1 : 0;
            surprised = true;
        } else {
            busy = true;
        }
    }
    const bool nobody_reads = options_.source && !reading_ && !stopping_;
    if (surprised && idle_ > 0 && (nobody_reads || claimable()))
        wake_.notify_one();
    if (busy || (nobody_reads && surprised && idle_ == 0))
        watch_.arm(surprise);
    return surprised;
}

void Executor::take_back(Worker& worker) {
    if (!worker.executing)
        return;
    auto range = worker.range.load();
    while (!worker.range.compare_exchange_weak(range, make_range(next_of(range), next_of(range)))) {
    }
    auto& queue = gates_[worker.gate].queue;
    for (auto i = end_of(range); i > next_of(range); --i)
        queue.push_front(std::move(worker.batch[i - 1]));
    const std::uint32_t back = end_of(range) - next_of(range);
    queued_ += back;
    gates_[worker.gate].running -= worker.per_call ? back : 0;
}

/// The thread that is inside of this call.
Executor::Worker* Executor::find(CallId call) {
    for (const auto& worker : workers_)
        if (worker->executing && look_at(*worker->inside.load()).call == call)
            return worker.get();
    for (const auto& unit : units_)
        if (look_at(unit->slot).call == call)
            return unit->worker->executing && unit->worker->together ? unit->worker : nullptr;
    return nullptr;
}

Call* Executor::find_context(CallId call) {
    for (const auto& worker : workers_)
        if (worker->executing && look_at(worker->slot).call == call)
            return &worker->context;
    for (const auto& unit : units_)
        if (look_at(unit->slot).call == call)
            return &unit->context;
    return nullptr;
}

bool Executor::end_queued(CallId call) {
    for (const auto& worker : workers_)
        take_back(*worker);
    for (auto& gate : gates_) {
        if (!gate.queue.remove(call))
            continue;
        --queued_;
        CallResult result;
        result.call = call;
        result.status = CallResult::Status::cancelled;
        result.message = "cancelled before it started";
        output_->result(std::move(result));
        return true;
    }
    return false;
}

void Executor::carry_out_cancels(std::unique_lock<std::mutex>& lock) {
    for (const auto& cancel : std::exchange(cancels_, {})) {
        const bool queued = end_queued(cancel.call);
        Call* const context = queued ? nullptr : find_context(cancel.call);
        // Between the queue and its slot a call is nowhere for a moment: it is looked for again.
        if (!queued && !context && cancel.tries_left > 0 && executing_ > 0)
            cancels_.push_back({.call = cancel.call, .tries_left = cancel.tries_left - 1});
        lock.unlock();
        if (context)
            plugin_->cancel(*context, cancel.call);
        if (queued)
            output_->flush();
        lock.lock();
    }
    if (idle_ > 0 && claimable())
        wake_.notify_one();
}

bool Executor::replace(CallId call) {
    const std::lock_guard lock(mutex_);
    Worker* const worker = find(call);
    const bool room =
        workers_.size() < thread_slots(options_) ||
        std::any_of(workers_.begin(), workers_.end(), [](const auto& w) { return w->vacant; });
    if (!worker || !room)
        return false;
    take_back(*worker);
    worker->replaced = true;
    worker->executing = false;
    gates_[worker->gate].running -= worker->per_call ? 0 : 1;
    --executing_;
    executing_short_ -= std::exchange(worker->soon_free, false) ? 1 : 0;
    --alive_;
    ++hung_;
    spawn();
    return true;
}

}  // namespace distributo::runtime
