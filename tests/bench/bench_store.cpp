// What the durable store costs per task: a submit and an outcome, each with 100 bytes, synced. The
// folder is TMPDIR's: on a memory file system it shows the CPU alone.

#include "coordinator/store/sqlite/sqlite_store.hpp"
#include "tests/support/temporary_directory.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace distributo;
using namespace distributo::coordinator;

/// Commits transactions of `batch` submits and as many ends, in no order among the youngest
/// thousands, and waits for each `depth` of them.
class Bench {
public:
    Bench(std::size_t batch, std::size_t depth)
        : batch_(batch),
          depth_(depth),
          store_(store::make_sqlite_store({.directory = folder_.path()},
                                          [this](auto function) { post(std::move(function)); })) {
        next_id_ = store_->open()->next_id;
    }

    void fill(std::size_t tasks) {
        const auto batch = std::exchange(batch_, 10'000);
        while (next_id_ < tasks)
            round();
        batch_ = batch;
    }

    void round() {
        for (std::size_t i = 0; i < depth_; ++i)
            store_->commit(transaction(), [this](auto committed) {
                good_ &= committed.has_value();
                ++answers_;
            });
        for (answers_ = 0; answers_ < depth_;)
            run();
    }

    [[nodiscard]] bool good() const { return good_; }
    [[nodiscard]] std::size_t tasks_per_round() const { return batch_ * depth_; }
    [[nodiscard]] double bytes_per_task() const {
        return double(store_->health().bytes) / double(next_id_);
    }

private:
    void run() {
        std::unique_lock lock(mutex_);
        arrived_.wait(lock, [&] { return !posted_.empty(); });
        const auto posted = std::exchange(posted_, {});
        lock.unlock();
        for (const auto& function : posted)
            function();
    }

    void post(std::function<void()> function) {
        const std::lock_guard lock(mutex_);
        posted_.push_back(std::move(function));
        arrived_.notify_one();
    }

    store::Transaction transaction() {
        constexpr std::size_t window = 5000;
        store::Transaction made;
        made.submits.resize(batch_);
        for (auto& task : made.submits) {
            task.id = next_id_++;
            task.type = "resize";
            task.payload = base::Bytes::copy(text_);
            task.created = base::WallTime(std::chrono::milliseconds(1'700'000'000'000 + next_id_));
            waiting_.push_back(task.id);
        }
        for (std::size_t i = 0; i < batch_ && waiting_.size() > window; ++i) {
            std::swap(waiting_.front(), waiting_[random_() % window]);
            core::Outcome outcome;
            outcome.id = waiting_.front();
            outcome.result = base::Bytes::copy(text_);
            outcome.attempt.number = 1;
            outcome.attempt.host = "worker-1";
            outcome.attempt.host_id = "0123456789abcdef";
            outcome.attempt.version = "1.0.0";
            outcome.attempt.finished = base::WallTime(std::chrono::milliseconds(1'700'000'001'000));
            outcome.attempt.started = outcome.attempt.finished - std::chrono::milliseconds(20);
            outcome.attempt.times = {20, 0, 0, 20'000};
            made.outcomes.push_back(std::move(outcome));
            waiting_.pop_front();
        }
        return made;
    }

    std::size_t batch_;
    std::size_t depth_;
    std::string text_ = '"' + std::string(98, 'x') + '"';
    tests::TemporaryDirectory folder_;
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::vector<std::function<void()>> posted_;
    std::unique_ptr<store::Store> store_;
    core::TaskId next_id_ = 1;
    std::deque<core::TaskId> waiting_;
    std::minstd_rand random_;
    std::size_t answers_ = 0;
    bool good_ = true;
};

void life_cycles(benchmark::State& state) {
    Bench bench(std::size_t(state.range(0)), std::size_t(state.range(1)));
    bench.fill(std::size_t(state.range(2)));
    for (auto _ : state)
        bench.round();
    if (!bench.good())
        state.SkipWithError("a commit failed");
    state.SetItemsProcessed(state.iterations() * std::int64_t(bench.tasks_per_round()));
    state.counters["file B/task"] = bench.bytes_per_task();
}

}  // namespace

BENCHMARK(life_cycles)
    ->ArgNames({"batch", "depth", "rows"})
    ->Args({100, 1, 0})
    ->Args({1000, 1, 0})
    ->Args({1000, 4, 0})
    ->Args({1000, 4, 1'000'000})
    ->MeasureProcessCPUTime()
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

BENCHMARK_MAIN();
