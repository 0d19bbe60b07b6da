#pragma once

#include "base/ids.hpp"
#include "runtime/plugin_cache.hpp"
#include "runtime/runner.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace distributo::runtime {

/// A private folder that goes with its owner.
class Folder {
public:
    Folder() : path_(std::filesystem::temp_directory_path() / ("runtime-" + base::random_hex(6))) {
        std::filesystem::create_directories(path_);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
};

/// Payload of a `test.crash` that does not crash.
inline const std::string harmless = R"({"how":"segv","times":0})";

inline std::filesystem::path test_plugin(const std::string& name) {
    return std::filesystem::path(TEST_PLUGINS) / (name + ".so");
}

/// Starts a runner on a test plugin and records what it reports.
class Probe : public RunnerEvents {
public:
    struct Log {
        CallId call;
        std::string stream, text;
    };

    RunnerOptions options(const std::string& plugin) {
        auto copy = cache_plugin(test_plugin(plugin), folder.path() / "cache");
        if (!copy)
            throw std::runtime_error(copy.error().message);
        std::filesystem::create_directories(folder.path() / "data");
        std::filesystem::create_directories(folder.path() / "work");
        RunnerOptions options;
        options.library = copy->library;
        options.data_dir = folder.path() / "data";
        options.work_root = folder.path() / "work";
        options.runner_program = RUNNER_PROGRAM;
        options.host_id = "test-host";
        options.sandbox.writable = {folder.path()};
        options.threads = 4;
        return options;
    }
    void start(Isolation isolation, RunnerOptions with) {
        runner = make_runner(io, isolation, std::move(with), *this);
    }
    void start(Isolation isolation, const std::string& plugin, std::uint32_t threads = 4) {
        auto with = options(plugin);
        with.threads = threads;
        start(isolation, std::move(with));
    }
    /// Runs the io_context until `done`; fails the test when that takes implausibly long.
    void until(const std::function<bool()>& done) {
        const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (!done()) {
            ASSERT_LT(std::chrono::steady_clock::now(), give_up) << "nothing happens any more";
            io.restart();
            io.run_one_for(std::chrono::seconds(1));
        }
    }
    void until_ready() {
        until([this] { return ready || is_gone; });
        ASSERT_TRUE(ready) << why;
    }
    CallId execute(const std::string& type,
                   std::string payload = "{}",
                   base::Duration timeout = {},
                   std::uint32_t attempt = 1) {
        const CallId call = ++last_call;
        runner->execute({.call = call,
                         .type = type,
                         .task_id = "t" + std::to_string(call),
                         .attempt = attempt,
                         .payload = std::move(payload),
                         .content_key = {},
                         .install_dir = {},
                         .timeout = timeout});
        return call;
    }
    const CallResult& result(CallId call) {
        runner->flush();
        until([&] { return results.count(call) != 0; });
        return results[call];
    }
    const CallResult& run(const std::string& type,
                          std::string payload = "{}",
                          base::Duration timeout = {}) {
        return result(execute(type, std::move(payload), timeout));
    }
    [[nodiscard]] std::string logged(CallId call, std::string_view stream) const {
        std::string all;
        for (const auto& log : logs)
            if (log.call == call && log.stream == stream)
                all += log.text + "\n";
        return all;
    }

    void on_ready(const ModuleInfo& loaded) override {
        EXPECT_FALSE(ready) << "on_ready came twice";
        ready = true;
        module = loaded;
    }
    void on_results(std::vector<CallResult> batch) override {
        ++batches;
        for (auto& one : batch) {
            const auto call = one.call;
            EXPECT_FALSE(is_gone && call <= calls_when_gone) << "a result after on_gone";
            EXPECT_TRUE(results.emplace(call, std::move(one)).second) << "two results";
            if (on_result)
                on_result(call);
        }
    }
    void on_log(CallId call, std::string_view stream, std::string_view text) override {
        logs.push_back({call, std::string(stream), std::string(text)});
    }
    void on_progress(CallId call, double fraction, std::string_view text) override {
        progress.push_back({call, std::to_string(fraction), std::string(text)});
    }
    void on_gone(bool was_expected, const std::string& reason) override {
        EXPECT_FALSE(is_gone) << "on_gone came twice";
        is_gone = true;
        calls_when_gone = last_call;
        expected = was_expected;
        why = reason;
    }

    Folder folder;
    boost::asio::io_context io;
    bool ready = false;
    bool is_gone = false;
    bool expected = false;
    std::string why;
    ModuleInfo module;
    std::map<CallId, CallResult> results;
    std::vector<Log> logs;
    std::vector<Log> progress;  // stream: the fraction
    std::function<void(CallId)> on_result;
    std::size_t batches = 0;
    CallId last_call = 0;
    CallId calls_when_gone = 0;
    std::unique_ptr<Runner> runner;
};

}  // namespace distributo::runtime
