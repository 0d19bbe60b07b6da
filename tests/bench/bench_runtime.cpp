// Calls per second through a runner, in this process and in one of its own.
//     bench_runtime [calls per run] [threads]
#include "runtime/plugin_cache.hpp"
#include "runtime/runner.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <sys/resource.h>

namespace distributo::runtime {
namespace {

using std::chrono::steady_clock;

class Load final : public RunnerEvents {
public:
    Load(Isolation isolation, const std::string& plugin, std::uint32_t threads) {
        const auto folder = std::filesystem::temp_directory_path() / "bench-runtime";
        auto copy = cache_plugin(std::filesystem::path(TEST_PLUGINS) / (plugin + ".so"), folder);
        if (!copy)
            throw std::runtime_error(copy.error().message);
        RunnerOptions options;
        options.library = copy->library;
        options.data_dir = folder;
        options.work_root = folder / "work";
        options.runner_program = RUNNER_PROGRAM;
        options.threads = threads;
        runner_ = make_runner(io_, isolation, options, *this);
        wait([this] { return ready_; });
    }

    /// Keeps `window` calls open until `calls` are done; seconds.
    double run(const std::string& type, std::size_t calls, std::size_t window) {
        type_ = type;
        left_ = calls;
        done_ = 0;
        const auto start = steady_clock::now();
        add(window);
        wait([&] { return done_ == calls; });
        return std::chrono::duration<double>(steady_clock::now() - start).count();
    }

private:
    void add(std::size_t count) {
        for (count = std::min(count, left_); count > 0; --count, --left_) {
            ExecuteCall call;
            call.call = ++last_;
            call.type = type_;
            call.task_id = "t1";
            call.payload = R"({"n":1234567,"name":"a small payload"})";
            call.timeout = std::chrono::seconds(300);
            runner_->execute(std::move(call));
        }
        runner_->flush();
    }
    template <typename Done>
    void wait(const Done& done) {
        while (!done())
            io_.run_one();
    }

    void on_ready(const ModuleInfo&) override { ready_ = true; }
    void on_results(std::vector<CallResult> results) override {
        for (const auto& result : results)
            if (result.status != CallResult::Status::ok)
                throw std::runtime_error(result.message);
        done_ += results.size();
        add(results.size());
    }
    void on_log(CallId, std::string_view, std::string_view) override {}
    void on_progress(CallId, double, std::string_view) override {}
    void on_gone(bool, const std::string& why) override { throw std::runtime_error(why); }

    boost::asio::io_context io_{1};
    std::unique_ptr<Runner> runner_;
    std::string type_;
    std::size_t left_ = 0;
    std::size_t done_ = 0;
    CallId last_ = 0;
    bool ready_ = false;
};

void measure(Isolation isolation, const char* name, std::size_t calls, std::uint32_t threads) {
    for (const auto& [plugin, type] :
         {std::pair{"good/test_noop", "test.noop"}, std::pair{"good/test_basics", "test.echo"}}) {
        Load load(isolation, plugin, threads);
        for (const std::size_t window : {1, 8, 64, 1024}) {
            const std::size_t some = window == 1 ? calls / 20 : calls;
            load.run(type, some / 10, window);
            const double time = load.run(type, some, window);
            std::printf("%-8s %-10s threads %u window %4zu: %9.0f calls/s  %7.2f us each\n",
                        name,
                        type,
                        threads,
                        window,
                        static_cast<double>(some) / time,
                        time * 1e6 / static_cast<double>(some));
            std::fflush(stdout);
        }
    }
}

void measure_start() {
    std::vector<double> times;
    for (int i = 0; i < 30; ++i) {
        const auto start = steady_clock::now();
        Load load(Isolation::process, "good/test_basics", 2);
        load.run("test.echo", 1, 1);
        times.push_back(std::chrono::duration<double>(steady_clock::now() - start).count());
    }
    std::sort(times.begin(), times.end());
    rusage usage{};
    getrusage(RUSAGE_CHILDREN, &usage);
    std::printf("start, load, first result: median %.2f ms; largest runner %.1f MiB\n",
                times[times.size() / 2] * 1e3,
                static_cast<double>(usage.ru_maxrss) / 1024);
}

}  // namespace
}  // namespace distributo::runtime

int main(int count, char** arguments) {
    using namespace distributo::runtime;
    const std::size_t calls = count > 1 ? std::strtoull(arguments[1], nullptr, 10) : 500'000;
    const auto threads =
        static_cast<std::uint32_t>(count > 2 ? std::strtoul(arguments[2], nullptr, 10) : 1);
    measure_start();
    measure(Isolation::inproc, "inproc", calls, threads);
    measure(Isolation::process, "process", calls, threads);
    return 0;
}
