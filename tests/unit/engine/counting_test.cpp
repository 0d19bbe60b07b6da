#include "tests/unit/engine/engine_fixture.hpp"

namespace distributo::coordinator::engine {
namespace {

using wire::TaskState;

class CountingTest : public EngineTest {
protected:
    static Submit in_group(std::string_view type) {
        core::TaskOptions options;
        options.group = "g";
        return {type, base::Bytes::copy("{}"), std::make_shared<core::TaskOptions>(options)};
    }
    StateCounts counts() {
        const auto answer =
            ask<GroupSummary>([&](auto done) { engine_->group("g", std::move(done)); });
        EXPECT_TRUE(answer->here());
        return (*answer)->tasks;
    }
};

TEST_F(CountingTest, WhatTheStoreKnowsToHaveEndedDoesNotRunAnyMore) {
    const auto host = join("alpha", 2);
    submit({in_group("echo"), in_group("echo"), in_group("other")});
    EXPECT_EQ(counts()[TaskState::running], 2U);
    // The end of one is durable, but the scheduler has not heard of it yet.
    store_->newer_tally = store::Tally{.total = 3, .completed = 1};

    EXPECT_EQ(counts()[TaskState::completed], 1U);
    EXPECT_EQ(counts()[TaskState::running], 1U);
    EXPECT_EQ(counts()[TaskState::pending], 1U);
    EXPECT_EQ(counts().total(), 3U);
    store_->newer_tally = store::Tally{.total = 3, .completed = 3};
    EXPECT_EQ(counts().total(), 3U);
    EXPECT_EQ(counts()[TaskState::pending], 0U);
}

TEST_F(CountingTest, WhatTheSchedulerHasNotHeardOfYetWaits) {
    submit({in_group("other")});
    store_->newer_tally = store::Tally{.total = 4, .failed = 1};

    EXPECT_EQ(counts()[TaskState::pending], 3U);
    EXPECT_EQ(counts()[TaskState::failed], 1U);
    EXPECT_EQ(counts().total(), 4U);
}

}  // namespace
}  // namespace distributo::coordinator::engine
