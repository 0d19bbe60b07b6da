// What a plugin call costs: directly, through a runner in this process, and in one of its own; how
// long a runner takes to start, and to be back after a crash. tests/bench/bench.py prints ratios.
#include "runtime/plugin_cache.hpp"
#include "runtime/runner.hpp"
#include "runtime/task_plugin.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>

namespace distributo::runtime {
namespace {

using std::chrono::steady_clock;

constexpr const char* payload = R"({"n":1234567,"name":"a small payload"})";

std::filesystem::path folder() {
    return std::filesystem::temp_directory_path() / "distributo-bench-runtime";
}

std::filesystem::path cached(const std::string& plugin) {
    auto copy = cache_plugin(std::filesystem::path(TEST_PLUGINS) / (plugin + ".so"), folder());
    if (!copy)
        throw std::runtime_error(copy.error().message);
    return copy->library;
}

ExecuteCall call_of(CallId id, const std::string& type, const char* body) {
    ExecuteCall call;
    call.call = id;
    call.type = type;
    call.task_id = "t1";
    call.payload = body;
    call.timeout = std::chrono::seconds(300);
    return call;
}

/// One runner, and calls on it.
class Bed final : public RunnerEvents {
public:
    Bed(Isolation isolation, const std::string& plugin) {
        RunnerOptions options;
        options.library = cached(plugin);
        options.data_dir = folder();
        options.work_root = folder() / "work";
        options.runner_program = RUNNER_PROGRAM;
        runner_ = make_runner(io_, isolation, options, *this);
        wait([this] { return ready_; });
    }

    /// Keeps `window` calls open until `calls` are done.
    void run(const std::string& type, std::size_t calls, std::size_t window) {
        type_ = type;
        left_ = calls;
        done_ = 0;
        add(window);
        wait([&] { return done_ == calls; });
    }

    CallResult run_one(const std::string& type, const char* body) {
        left_ = done_ = 0;
        runner_->execute(call_of(++last_, type, body));
        runner_->flush();
        wait([&] { return done_ == 1; });
        return latest_;
    }

private:
    void add(std::size_t count) {
        for (count = std::min(count, left_); count > 0; --count, --left_)
            runner_->execute(call_of(++last_, type_, payload));
        runner_->flush();
    }
    template <typename Done>
    void wait(const Done& done) {
        while (!done())
            io_.run_one();
    }

    void on_ready(const ModuleInfo&) override { ready_ = true; }
    void on_results(std::vector<CallResult> results) override {
        done_ += results.size();
        add(results.size());
        latest_ = std::move(results.back());
    }
    void on_log(CallId, std::string_view, std::string_view) override {}
    void on_progress(CallId, double, std::string_view) override {}
    void on_gone(bool, const std::string& why) override { throw std::runtime_error(why); }

    boost::asio::io_context io_{1};
    std::unique_ptr<Runner> runner_;
    std::string type_;
    CallResult latest_;
    std::size_t left_ = 0;
    std::size_t done_ = 0;
    CallId last_ = 0;
    bool ready_ = false;
};

class Silence final : public CallReporter {
    void log(CallId, std::string_view, std::string_view) override {}
    void progress(CallId, double, std::string_view) override {}
};

void direct(benchmark::State& state) {
    Silence silence;
    auto plugin = TaskPlugin::load(cached("good/test_noop"), silence);
    if (!plugin)
        throw std::runtime_error(plugin.error().message);
    SetupRequest setup;
    setup.data_dir = setup.work_root = folder();
    if (auto ready = (*plugin)->set_up(setup); !ready)
        throw std::runtime_error(ready.error().message);
    Call context(silence, folder());
    Work work;
    work.id = 1;
    work.task_id = "t1";
    work.body = payload;
    dto_execute request{};
    for (auto _ : state) {
        CallResult result;
        (*plugin)->run(context, work, request, steady_clock::now(), result);
        benchmark::DoNotOptimize(result);
    }
}

/// Argument: how many calls are open at any time. The counter `each` is seconds per call.
void through_runner(benchmark::State& state, Isolation isolation) {
    const auto window = static_cast<std::size_t>(state.range(0));
    const std::size_t calls = window == 1 ? 256 : 4096;
    Bed bed(isolation, "good/test_noop");
    bed.run("test.noop", calls, window);
    for (auto _ : state)
        bed.run("test.noop", calls, window);
    state.counters["each"] = benchmark::Counter(
        static_cast<double>(calls),
        benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

/// Process, library, setup and the result of a first call.
void start_runner(benchmark::State& state) {
    for (auto _ : state) {
        Bed bed(Isolation::process, "good/test_noop");
        bed.run_one("test.noop", payload);
    }
}

/// From handing over a call that crashes to the result of a healthy one in the next process.
void crash_to_next(benchmark::State& state) {
    constexpr const char* crash = R"({"how":"segv"})";
    constexpr const char* healthy = R"({"how":"segv","times":0})";
    for (auto _ : state) {
        Bed bed(Isolation::process, "good/test_crash");
        const auto start = steady_clock::now();
        if (bed.run_one("test.crash", crash).status != CallResult::Status::crashed)
            throw std::runtime_error("it did not crash");
        if (bed.run_one("test.crash", healthy).status != CallResult::Status::ok)
            throw std::runtime_error("the call after the crash failed");
        const std::chrono::duration<double> time = steady_clock::now() - start;
        state.SetIterationTime(time.count());
    }
}

BENCHMARK(direct);
BENCHMARK_CAPTURE(through_runner, inproc, Isolation::inproc)
    ->ArgsProduct({{1, 8, 64, 1024}})
    ->UseRealTime();
BENCHMARK_CAPTURE(through_runner, process, Isolation::process)
    ->ArgsProduct({{1, 8, 64, 1024}})
    ->UseRealTime();
BENCHMARK(start_runner)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(crash_to_next)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace distributo::runtime

BENCHMARK_MAIN();
