#include "tests/simulation/runner.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

namespace distributo::simulation {
namespace {

/// Seeds that one thread takes at a time.
constexpr std::uint64_t portion = 64;

class Pool {
public:
    explicit Pool(const Plan& plan) : plan_(plan) {}

    Result run() {
        std::vector<std::thread> threads;
        for (unsigned i = 1; i < plan_.jobs; ++i)
            threads.emplace_back([this] { work(false); });
        work(true);
        for (auto& thread : threads)
            thread.join();
        return std::move(result_);
    }

private:
    void work(bool reports) {
        boost::asio::io_context io(1);
        Totals totals;
        for (;;) {
            const auto from = next_.fetch_add(portion);
            if (from >= limit_.load())
                break;
            for (auto i = from; i < std::min(from + portion, limit_.load()); ++i)
                totals.add(run_one(io, plan_.first_seed + i));
            if (reports && plan_.progress)
                plan_.progress(std::min(next_.load(), plan_.histories));
        }
        const std::lock_guard lock(mutex_);
        result_.totals.add(totals);
    }

    Totals run_one(boost::asio::io_context& io, std::uint64_t seed) {
        const auto scenario = make_scenario(seed, plan_.profile);
        const auto real = plan_.real_store ? plan_.real_store(seed) : MakeStore();
        auto report = History(io, scenario, false, real).run();
        if (!report.violation && !real && plan_.repeat_every != 0 &&
            seed % plan_.repeat_every == 0 &&
            History(io, scenario, false).run().hash != report.hash)
            report.violation = Violation{"I13", "the same seed gave another history"};
        if (report.violation)
            fail({seed, *report.violation});
        return report.totals;
    }

    void fail(Failure failure) {
        const std::lock_guard lock(mutex_);
        if (result_.failure && result_.failure->seed < failure.seed)
            return;
        limit_ = failure.seed - plan_.first_seed;
        result_.failure = std::move(failure);
    }

    const Plan& plan_;
    std::atomic<std::uint64_t> next_ = 0;
    std::atomic<std::uint64_t> limit_ = plan_.histories;
    std::mutex mutex_;
    Result result_;
};

}  // namespace

Result run(const Plan& plan) {
    return Pool(plan).run();
}

}  // namespace distributo::simulation
