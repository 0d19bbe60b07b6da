#include "runtime/recycling.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/prctl.h>
#include <thread>
#include <unistd.h>

namespace distributo::runtime {
namespace {

constexpr std::uint64_t mib = 1 << 20;
constexpr ProcessUsage ready{.memory = 100 * mib, .descriptors = 10, .threads = 5};
constexpr RecycleLimits limits{.tasks = 1000, .memory = 50 * mib, .descriptors = 20, .threads = 8};

ProcessUsage grown(std::uint64_t memory, std::uint32_t descriptors, std::uint32_t threads) {
    return {.memory = ready.memory + memory,
            .descriptors = ready.descriptors + descriptors,
            .threads = ready.threads + threads};
}

TEST(RecyclePolicyTest, BelowItsBoundsAProcessStays) {
    RecyclePolicy policy(limits);

    EXPECT_EQ(policy.judge(ready, grown(50 * mib - 1, 19, 7), 999), std::nullopt);
    EXPECT_FALSE(policy.used_up(999));
}

TEST(RecyclePolicyTest, EachBoundIsAReason) {
    RecyclePolicy policy(limits);

    EXPECT_EQ(policy.judge(ready, ready, 1000), RecycleReason::tasks);
    EXPECT_EQ(policy.judge(ready, grown(50 * mib, 0, 0), 100), RecycleReason::memory);
    EXPECT_EQ(policy.judge(ready, grown(0, 20, 0), 100), RecycleReason::descriptors);
    EXPECT_EQ(policy.judge(ready, grown(0, 0, 8), 100), RecycleReason::threads);
}

TEST(RecyclePolicyTest, ZeroIsNever) {
    RecyclePolicy policy({.tasks = 0, .memory = 0, .descriptors = 0, .threads = 0});

    EXPECT_EQ(policy.judge(ready, grown(1000 * mib, 1000, 1000), 1'000'000), std::nullopt);
    EXPECT_FALSE(policy.used_up(1'000'000'000));
}

TEST(RecyclePolicyTest, AProcessThatShrankHasNotGrown) {
    RecyclePolicy policy(limits);

    EXPECT_EQ(policy.judge(ready, {.memory = 0, .descriptors = 0, .threads = 1}, 100),
              std::nullopt);
}

TEST(RecyclePolicyTest, WhatAPluginLoadsWithItsFirstTasksIsNoLeak) {
    RecyclePolicy policy(limits);

    EXPECT_EQ(policy.judge(ready, grown(60 * mib, 0, 0), 3), std::nullopt);
    EXPECT_EQ(policy.judge(ready, grown(60 * mib, 0, 0), 100), std::nullopt);
    EXPECT_EQ(policy.judge(ready, grown(100 * mib, 0, 0), 100), RecycleReason::memory);
}

TEST(RecyclePolicyTest, SaysWhyInWords) {
    EXPECT_EQ(describe(RecycleReason::memory, ready, grown(60 * mib, 0, 0), 100),
              "its memory grew by 60 MiB over 100 tasks");
    EXPECT_EQ(describe(RecycleReason::tasks, ready, ready, 1000), "it has run 1000 tasks");
}

TEST(ProcessMeterTest, SeesWhatThisProcessOpensAndStarts) {
    const ProcessMeter meter(getpid());
    const auto before = meter.read();
    const int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    std::thread waiting([] { pause(); });
    waiting.detach();
    std::vector<char> memory(64 * mib, 'x');
    const auto after = meter.read();
    close(file);

    ASSERT_TRUE(before && after);
    EXPECT_EQ(after->descriptors, before->descriptors + 1);
    EXPECT_EQ(after->threads, before->threads + 1);
    EXPECT_GE(after->memory, before->memory + memory.size() / 2);
}

TEST(ProcessMeterTest, AnUndumpableProcessStillShowsItsDescriptors) {
    const ProcessMeter meter(getpid());
    const auto before = meter.read();
    prctl(PR_SET_DUMPABLE, 0);
    const auto after = meter.read();
    prctl(PR_SET_DUMPABLE, 1);

    ASSERT_TRUE(before && after);
    EXPECT_GT(after->descriptors, 0U);
    EXPECT_EQ(after->descriptors, before->descriptors);
}

TEST(ProcessMeterTest, NothingIsKnownOfAProcessThatIsNotThere) {
    EXPECT_FALSE(ProcessMeter(1 << 30).read());
    EXPECT_FALSE(ProcessMeter().read());
}

}  // namespace
}  // namespace distributo::runtime
