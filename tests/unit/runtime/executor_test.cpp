#include "runtime/executor.hpp"

#include "base/ids.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <map>

namespace distributo::runtime {
namespace {

namespace fs = std::filesystem;
using Status = CallResult::Status;

/// Collects what the executor's threads hand back.
class Collector final : public ExecutorOutput {
public:
    void result(CallResult&& result) override {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(std::move(result));
    }
    void flush() override {
        const std::lock_guard lock(mutex_);
        for (auto& result : waiting_)
            results_[result.call] = std::move(result);
        waiting_.clear();
        changed_.notify_all();
    }
    bool long_call_ended(CallId) override { return false; }
    void stopped() override { stopped_.set_value(); }
    void log(CallId call, std::string_view, std::string_view) override {
        const std::lock_guard lock(mutex_);
        logged_.push_back(call);
        changed_.notify_all();
    }
    void progress(CallId, double, std::string_view) override {}

    /// Waits until `count` results were handed back; they have not when it takes a minute.
    std::map<CallId, CallResult> results(std::size_t count) {
        std::unique_lock lock(mutex_);
        EXPECT_TRUE(changed_.wait_for(
            lock, std::chrono::minutes(1), [&] { return results_.size() >= count; }));
        return results_;
    }
    CallResult wait_for(CallId call) {
        std::unique_lock lock(mutex_);
        EXPECT_TRUE(changed_.wait_for(
            lock, std::chrono::minutes(1), [&] { return results_.count(call) != 0; }));
        return results_[call];
    }
    void wait_until_logged(CallId call) {
        std::unique_lock lock(mutex_);
        EXPECT_TRUE(changed_.wait_for(lock, std::chrono::minutes(1), [&] {
            return std::find(logged_.begin(), logged_.end(), call) != logged_.end();
        }));
    }
    std::future<void> stopped_future() { return stopped_.get_future(); }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<CallResult> waiting_;
    std::map<CallId, CallResult> results_;
    std::vector<CallId> logged_;
    std::promise<void> stopped_;
};

class ExecutorTest : public testing::Test {
protected:
    ExecutorTest() { fs::create_directories(root); }
    ~ExecutorTest() override {
        if (executor) {
            executor->abort();
            EXPECT_TRUE(executor->wait_stopped(std::chrono::minutes(1)));
        }
        fs::remove_all(root);
    }

    void start(const std::string& name, std::uint32_t threads) {
        executor = std::make_shared<Executor>(
            output,
            SlotTable{.all = slots, .used = &used},
            Executor::Options{
                .threads = threads, .spare_threads = 4, .work_root = root, .source = nullptr});
        executor->start();
        auto plugin = TaskPlugin::load(fs::path(TEST_PLUGINS) / (name + ".so"), *output);
        ASSERT_TRUE(plugin) << plugin.error().message;
        for (std::uint32_t i = 0; i < (*plugin)->info().types.size(); ++i)
            types[(*plugin)->info().types[i].name] = i;
        ASSERT_TRUE((*plugin)->set_up({.data_dir = root,
                                       .work_root = root,
                                       .host_id = "h",
                                       .config = "{}",
                                       .threads = threads}));
        executor->open(std::move(*plugin));
    }
    CallId add(const std::string& type, std::string payload) {
        Work work;
        work.id = ++last;
        work.type = types.at(type);
        work.body = std::move(payload);
        work_.push_back(std::move(work));
        return last;
    }
    void submit() { executor->submit(work_); }
    CallResult wait_for(CallId call) { return output->wait_for(call); }

    const fs::path root = fs::temp_directory_path() / ("executor-" + base::random_hex(6));
    std::shared_ptr<Collector> output = std::make_shared<Collector>();
    std::vector<CallSlot> slots = std::vector<CallSlot>(1024);
    std::atomic<std::uint32_t> used{0};
    std::map<std::string, std::uint32_t> types;
    std::shared_ptr<Executor> executor;
    CallId last = 0;

private:
    std::vector<Work> work_;
};

TEST_F(ExecutorTest, TypesThatAreNotReentrantRunOneAtATime) {
    start("runtime/test_meet", 4);
    for (int i = 0; i < 20; ++i)
        add("test.alone", R"({"ms":1})");
    submit();

    for (const auto& [call, result] : output->results(20))
        EXPECT_EQ(result.result, "1");
}

TEST_F(ExecutorTest, ReentrantTypesRunSideBySide) {
    start("runtime/test_meet", 2);
    const auto first = add("test.meet", R"({"then":"wait"})");
    const auto second = add("test.meet", R"({"then":"wait"})");
    submit();

    output->wait_until_logged(first);
    output->wait_until_logged(second);
    executor->cancel(first);
    executor->cancel(second);
    EXPECT_EQ(output->results(2)[first].status, Status::cancelled);
}

TEST_F(ExecutorTest, ResultsDoNotWaitForACallThatUnexpectedlyTakesLong) {
    start("good/test_basics", 2);
    for (int i = 0; i < 300; ++i)  // until the type counts as short
        add("test.sleep", R"({"ms":0})");
    submit();
    output->results(300);

    for (int i = 0; i < 10; ++i)
        add("test.sleep", R"({"ms":0})");
    const auto endless = add("test.sleep", R"({"ms":3600000})");
    for (int i = 0; i < 10; ++i)
        add("test.sleep", R"({"ms":0})");
    submit();

    const auto results = output->results(320);
    EXPECT_EQ(results.count(endless), 0U);
    add("test.sleep", R"({"ms":0})");
    submit();
    output->results(321);
    executor->cancel(endless);
    EXPECT_EQ(output->results(322)[endless].status, Status::cancelled);
}

TEST_F(ExecutorTest, AHangingCallIsReplacedByAnotherThread) {
    start("runtime/test_meet", 1);
    const auto hanging = add("test.meet", R"({"then":"wait"})");
    const auto next = add("test.alone", R"({"ms":0})");
    submit();
    output->wait_until_logged(hanging);

    EXPECT_TRUE(executor->replace(hanging));

    EXPECT_EQ(output->results(1)[next].status, Status::ok);
    EXPECT_FALSE(executor->replace(next));
}

TEST_F(ExecutorTest, WhatIsQueuedTogetherIsHandedOverInBatches) {
    start("services/test_together", 2);
    for (int i = 0; i < 12; ++i)
        add("test.batch", "{}");
    submit();

    std::map<std::string, int> sizes;
    for (const auto& [call, result] : output->results(12))
        ++sizes[result.result];
    EXPECT_EQ(sizes, (std::map<std::string, int>{{"5", 10}, {"2", 2}}));
}

TEST_F(ExecutorTest, EachTaskOfABatchEndsInItsOwnWay) {
    start("services/test_together", 1);
    const auto good = add("test.batch", "{}");
    const auto bad = add("test.batch", R"("bad")");
    const auto also_good = add("test.batch", "{}");
    submit();

    auto results = output->results(3);
    EXPECT_EQ(results[good].result, "3");
    EXPECT_EQ(results[bad].status, Status::permanent);
    EXPECT_EQ(results[bad].message, "a bad one");
    EXPECT_EQ(results[also_good].result, "3");
}

TEST_F(ExecutorTest, OneTaskOfABatchCanBeCancelled) {
    start("services/test_together", 1);
    const auto waits = add("test.batch", R"("wait")");
    const auto beside = add("test.batch", "{}");
    submit();
    output->wait_until_logged(waits);
    executor->cancel(waits);

    auto results = output->results(2);
    EXPECT_EQ(results[waits].status, Status::cancelled);
    EXPECT_EQ(results[beside].status, Status::ok);
}

TEST_F(ExecutorTest, ATaskThatIsAloneInTheQueueIsExecutedAlone) {
    start("services/test_together", 1);
    const auto single = add("test.batch", "{}");
    submit();

    EXPECT_EQ(output->results(1)[single].result, "1");
}

TEST_F(ExecutorTest, PendingCallsHoldNoThread) {
    start("services/test_together", 1);
    constexpr std::size_t many = 500;
    for (std::size_t i = 0; i < many; ++i)
        add("test.later", "{}");
    const auto release = add("test.release", "{}");
    submit();
    std::size_t released = std::stoul(wait_for(release).result);
    while (released < many) {
        const auto again = add("test.release", "{}");
        submit();
        released += std::stoul(wait_for(again).result);
    }
    for (const auto& [call, result] : output->results(last))
        EXPECT_EQ(result.status, Status::ok);
}

TEST_F(ExecutorTest, PendingCallsAreCancelledOneByOne) {
    start("services/test_together", 1);
    const auto first = add("test.later", R"("tell")");
    const auto second = add("test.later", R"("tell")");
    submit();
    output->wait_until_logged(first);
    output->wait_until_logged(second);
    executor->cancel(second);
    EXPECT_EQ(wait_for(second).status, Status::cancelled);
    add("test.release", "{}");
    submit();
    EXPECT_EQ(wait_for(first).result, "\"done\"");
}

TEST_F(ExecutorTest, CompletingEarlyOrTwiceDoesNoHarm) {
    start("services/test_together", 1);
    for (int i = 0; i < 50; ++i)
        add("test.later", i % 2 == 0 ? R"("early")" : R"("twice")");
    submit();

    for (const auto& [call, result] : output->results(50))
        EXPECT_EQ(result.result, "\"done\"");
}

TEST_F(ExecutorTest, StopWaitsForWhatIsPending) {
    start("services/test_together", 1);
    auto stopped = output->stopped_future();
    const auto pending = add("test.later", R"("tell")");
    submit();
    output->wait_until_logged(pending);
    executor->stop();
    executor->cancel(pending);
    stopped.wait();

    EXPECT_EQ(output->results(1)[pending].status, Status::cancelled);
}

TEST_F(ExecutorTest, StopRunsWhatIsQueuedFirst) {
    start("good/test_basics", 2);
    auto stopped = output->stopped_future();
    for (int i = 0; i < 100; ++i)
        add("test.sleep", R"({"ms":0})");
    submit();

    executor->stop();
    stopped.wait();

    EXPECT_EQ(output->results(100).size(), 100U);
}

}  // namespace
}  // namespace distributo::runtime
