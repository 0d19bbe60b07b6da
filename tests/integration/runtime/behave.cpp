// A generator and a sink that do what their configuration says, good or bad.
#include <distributo/generator.hpp>
#include <distributo/sink.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <unistd.h>

namespace {

struct Config {
    std::string how;  ///< count, crash, hang, throw, permanent, wait, more, print, folder, exit
    std::optional<std::uint64_t> last;
};
BOOST_DESCRIBE_STRUCT(Config, (), (how, last))

struct Number {
    std::uint64_t n = 0;
};
BOOST_DESCRIBE_STRUCT(Number, (), (n))

void behave(const std::string& how) {
    if (how == "crash")
        std::raise(SIGSEGV);
    if (how == "exit")
        _exit(3);
    if (how == "hang")
        for (;;)
            std::this_thread::sleep_for(std::chrono::hours(1));
    if (how == "throw")
        throw std::runtime_error("oh");
    if (how == "permanent")
        throw distributo::permanent("never");
    if (how == "retry")
        throw distributo::retry(std::chrono::seconds(7), "later");
    if (how == "print")
        std::puts("printed");
}

class Counter {
public:
    Counter(const Config& config, distributo::Source& source) : config_(config), source_(source) {
        if (config_.how == "open_fails")
            throw distributo::permanent("nothing to read");
        if (config_.how == "more")
            notifier_ = std::thread([this] { source_.more(); });
    }
    Counter(const Counter&) = delete;
    Counter& operator=(const Counter&) = delete;
    ~Counter() {
        if (notifier_.joinable())
            notifier_.join();
    }

    void next(Number& cursor, distributo::Feed& feed) {
        if (config_.how == "wait")
            feed.sleep(std::chrono::hours(1));
        while (config_.how == "chatty") {  // and deaf
            feed.info("still here");
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        if (config_.how == "folder")
            feed.info("in " + std::filesystem::current_path().string());
        if (config_.how == "bad")
            static_cast<void>(feed.emit("", Number{}));
        if (config_.how == "large")
            static_cast<void>(feed.emit("test.echo", std::string(std::size_t{9} << 20, 'x')));
        behave(config_.how);
        const auto last = config_.last.value_or(~std::uint64_t{0});
        while (cursor.n < last && feed.emit("test.echo", cursor, {.dedupe_key = "k"}))
            ++cursor.n;
        if (cursor.n == last)
            feed.end();
    }

    /// Refuses 13, cannot do 17 now; follows every other one by a task.
    void on_result(Number& cursor, const distributo::Outcome& outcome, distributo::Feed& feed) {
        const auto n = outcome.payload_as<Number>().n;
        if (feed.emit("test.follow", Number{n}))
            cursor.n = n;
        if (n == 13)
            throw distributo::permanent("unlucky");
        if (n == 17)
            throw distributo::retry("not now");
    }

private:
    const Config config_;
    distributo::Source& source_;
    std::thread notifier_;
};

/// Stores all but the last of each write; flush() stores that, too.
class Sink {
public:
    explicit Sink(const Config& config) : config_(config) {}
    std::uint64_t last_stored() const { return config_.last.value_or(0); }
    std::size_t write(std::span<const distributo::Outcome> outcomes) {
        behave(config_.how);
        for (const auto& outcome : outcomes)
            std::printf("%s %s %s\n",
                        std::string(outcome.task_id).c_str(),
                        std::string(outcome.state).c_str(),
                        std::string(outcome.generator).c_str());
        if (config_.how == "boasts")
            return outcomes.size() + 100;
        return outcomes.size() - 1;
    }
    void flush() { behave(config_.how); }

private:
    const Config config_;
};

}  // namespace

DISTRIBUTO_PLUGIN("test.behave",
                  "1.2.3",
                  distributo::generator<Counter>("counter"),
                  distributo::sink<Sink>("lines"));
