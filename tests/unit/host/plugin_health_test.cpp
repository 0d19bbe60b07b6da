#include "host/plugin_health.hpp"

#include <gtest/gtest.h>

namespace distributo::host {
namespace {

using runtime::CallResult;
using runtime::ProcessNews;
using runtime::RecycleReason;
using Status = CallResult::Status;

class PluginHealthTest : public testing::Test {
protected:
    void end(Status status, std::int64_t elapsed_us = 10, runtime::CallId call = 1) {
        CallResult result;
        result.call = call;
        result.status = status;
        result.elapsed_us = elapsed_us;
        health.ended({result});
    }
    void process(ProcessNews::Kind kind) { health.process({.kind = kind}); }
    wire::PluginFigures figures() const {
        wire::PluginHealth out;
        health.write(out);
        return out.figures;
    }

    PluginHealth health;
};

TEST_F(PluginHealthTest, CountsTasksAndFailures) {
    for (const auto status : {Status::ok,
                              Status::ok,
                              Status::retry,
                              Status::permanent,
                              Status::timeout,
                              Status::crashed,
                              Status::cancelled})
        end(status);

    EXPECT_EQ(figures().tasks, 7U);
    EXPECT_EQ(figures().failures, 4U);
    EXPECT_EQ(figures().execute.count(), 7U);
}

TEST_F(PluginHealthTest, WhatRunsAgainDoesNotCount) {
    end(Status::aborted);

    EXPECT_EQ(figures().tasks, 0U);
    EXPECT_EQ(figures().failures, 0U);
}

TEST_F(PluginHealthTest, AnInstallIsTimedByItself) {
    health.install_begun(7);
    end(Status::ok, 5000, 7);
    end(Status::ok, 10, 7);  // the task that it was for

    EXPECT_EQ(figures().install.count(), 1U);
    EXPECT_EQ(figures().execute.count(), 1U);
    EXPECT_EQ(figures().tasks, 1U);
}

TEST_F(PluginHealthTest, CountsProcesses) {
    health.process({.kind = ProcessNews::Kind::ready, .setup = std::chrono::milliseconds(3)});
    process(ProcessNews::Kind::ready);
    EXPECT_EQ(figures().processes, 2U);
    EXPECT_EQ(figures().setup.count(), 2U);

    process(ProcessNews::Kind::ended);
    EXPECT_EQ(figures().processes, 1U);
    EXPECT_EQ(figures().restarts, 0U);

    process(ProcessNews::Kind::failed);
    EXPECT_EQ(figures().processes, 1U);
    health.no_processes();
    EXPECT_EQ(figures().processes, 0U);
}

TEST_F(PluginHealthTest, AProcessInThePlaceOfADeadOneIsARestart) {
    process(ProcessNews::Kind::ready);
    process(ProcessNews::Kind::crashed);
    EXPECT_EQ(figures().restarts, 0U);
    process(ProcessNews::Kind::ready);
    process(ProcessNews::Kind::killed);
    process(ProcessNews::Kind::ready);

    EXPECT_EQ(figures().crashes, 1U);
    EXPECT_EQ(figures().restarts, 2U);
    EXPECT_EQ(figures().processes, 1U);
}

TEST_F(PluginHealthTest, RecyclesAreCountedByReason) {
    health.process({.kind = ProcessNews::Kind::recycled, .reason = RecycleReason::memory});
    health.process({.kind = ProcessNews::Kind::recycled, .reason = RecycleReason::threads});
    health.process({.kind = ProcessNews::Kind::recycled, .reason = RecycleReason::threads});

    EXPECT_EQ(figures().recycles, (std::array<std::uint64_t, 4>{0, 1, 0, 2}));
}

TEST_F(PluginHealthTest, GrowthAddsUp) {
    const ProcessNews news{.kind = ProcessNews::Kind::measured,
                           .tasks = 10,
                           .growth = {.memory = 4096, .descriptors = 2, .threads = 1}};
    health.process(news);
    health.process(news);

    EXPECT_EQ(figures().measured_tasks, 20U);
    EXPECT_EQ(figures().grown_bytes, 8192U);
    EXPECT_EQ(figures().grown_descriptors, 4U);
    EXPECT_EQ(figures().grown_threads, 2U);
}

TEST_F(PluginHealthTest, TheRevisionRisesWithEverythingThatIsCounted) {
    const auto first = health.revision();
    end(Status::ok);
    const auto second = health.revision();
    process(ProcessNews::Kind::ready);

    EXPECT_LT(first, second);
    EXPECT_LT(second, health.revision());
}

}  // namespace
}  // namespace distributo::host
