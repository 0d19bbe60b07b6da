// What the scheduler costs per task: one cycle is add, dispatch, result and commit.

#include "coordinator/core/scheduler.hpp"

#include <benchmark/benchmark.h>

#include <malloc.h>
#include <string>
#include <vector>

namespace {

using namespace distributo;
using namespace distributo::coordinator::core;

constexpr std::string_view payload = R"({"text":"hello"})";
constexpr std::string_view result = R"({"text":"hello"})";

/// A scheduler with hosts that answer at once, and a clock that stands still.
class Bench {
public:
    Bench(std::uint32_t hosts, std::uint32_t credit)
        : scheduler_(settings(), 1, 1, LeaseKey{1, 2}) {
        std::vector<wire::TokenVerdict> verdicts;
        for (std::uint32_t i = 0; i < hosts; ++i) {
            HostJoin join;
            join.hello.host_id = "host" + std::to_string(i);
            join.hello.name = join.hello.host_id;
            join.hello.slots = 4;
            const auto index = scheduler_.host_joined(join, now_, wall_, verdicts);
            wire::Capabilities offer;
            offer.types.push_back(capability("echo", credit));
            offer.types.push_back(capability("hash", credit));
            scheduler_.host_capabilities(index, offer, now_);
            for (const auto& change : scheduler_.actions().hosts)
                scheduler_.host_committed(change.host, change.serial, now_);
            scheduler_.actions().clear();
        }
    }

    void add(std::string_view type) {
        NewTask task;
        task.id = ++last_id_;
        task.type = names_.intern(type);
        task.payload = base::Bytes::copy(payload);
        scheduler_.add(std::move(task), now_, wall_);
    }

    /// Hands out what fits, ends all of it and records it; returns how many tasks that were.
    std::size_t turn() {
        scheduler_.dispatch(now_);
        Actions& actions = scheduler_.actions();
        running_.clear();
        for (const auto& assign : actions.assigns)
            running_.push_back({assign.host, assign.item.token});
        actions.clear();
        for (const auto& [host, token] : running_) {
            wire::ResultItem item;
            item.token = token;
            item.result = result;
            scheduler_.host_result(host, item, now_, wall_);
        }
        ended_.clear();
        for (const auto& outcome : actions.outcomes)
            ended_.push_back(outcome.id);
        scheduler_.committed(ended_, now_);
        actions.clear();
        return ended_.size();
    }

private:
    static Settings settings() {
        Settings made;
        made.max_tasks = 1'000'000'000;
        return made;
    }
    static wire::Capability capability(std::string type, std::uint32_t credit) {
        wire::Capability made;
        made.type = std::move(type);
        made.credit = credit;
        return made;
    }

    struct Running {
        HostIndex host;
        wire::Token token;
    };
    TypeNames names_;
    Scheduler scheduler_;
    base::TimePoint now_{};
    base::WallTime wall_{};
    TaskId last_id_ = 0;
    std::vector<Running> running_;
    std::vector<TaskId> ended_;
};

/// Arguments: tasks queued all the time, tasks of types that nobody offers, hosts, credit.
void cycle(benchmark::State& state) {
    Bench bench(static_cast<std::uint32_t>(state.range(2)),
                static_cast<std::uint32_t>(state.range(3)));
    for (std::int64_t i = 0; i < state.range(1); ++i)
        bench.add("unserved" + std::to_string(i % 100));
    for (std::int64_t i = 0; i < state.range(0); ++i)
        bench.add("echo");
    std::size_t done = 0;
    std::size_t last = bench.turn();
    for (auto _ : state) {
        for (std::size_t i = 0; i < last; ++i)
            bench.add("echo");
        last = bench.turn();
        done += last;
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(done));
    state.counters["ns_per_task"] = benchmark::Counter(
        static_cast<double>(done) / 1e9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

/// One task at a time through a large idle fleet.
void single(benchmark::State& state) {
    Bench bench(static_cast<std::uint32_t>(state.range(0)), 5);
    for (auto _ : state) {
        bench.add("echo");
        benchmark::DoNotOptimize(bench.turn());
    }
    state.SetItemsProcessed(state.iterations());
}

/// Heap bytes per queued task, its payload block not counted.
void memory(benchmark::State& state) {
    const auto count = state.range(0);
    for (auto _ : state) {
        Bench bench(1, 4);
        std::vector<base::Bytes> payloads;
        const auto used = [] {
            const auto info = mallinfo2();
            return info.uordblks + info.hblkhd;
        };
        const auto before = used();
        for (std::int64_t i = 0; i < count; ++i)
            bench.add("unserved");
        const auto after = used();
        payloads.reserve(static_cast<std::size_t>(count));
        const auto blocks_before = used();
        for (std::int64_t i = 0; i < count; ++i)
            payloads.push_back(base::Bytes::copy(payload));
        const auto blocks = used() - blocks_before;
        state.counters["bytes_per_task"] =
            static_cast<double>(after - before - blocks) / static_cast<double>(count);
    }
}

BENCHMARK(cycle)
    ->ArgNames({"queued", "unserved", "hosts", "credit"})
    ->ArgsProduct({{1'000, 100'000, 1'000'000}, {0, 100'000}, {1}, {256}})
    ->ArgsProduct({{1'000'000}, {0}, {10, 1'000}, {5, 256}});
BENCHMARK(single)->ArgName("hosts")->Arg(1)->Arg(100)->Arg(5'000);
BENCHMARK(memory)->ArgName("queued")->Arg(100'000)->Arg(1'000'000)->Iterations(1);

}  // namespace

BENCHMARK_MAIN();
