#include "coordinator/engine/rate_meter.hpp"
#include "tests/unit/engine/engine_fixture.hpp"

namespace distributo::coordinator::engine {
namespace {

using base::Errc;
using std::chrono::milliseconds;
using std::chrono::seconds;

class UpkeepTest : public EngineTest {
protected:
    auto backup(const std::string& file) {
        return ask<std::uint64_t>([&](auto done) { engine_->backup(file, std::move(done)); });
    }
};

TEST_F(UpkeepTest, WhatHasEndedIsForgottenInTime) {
    const auto id = add(task("other"));
    cancel(id);
    engine_->keep({.completed = seconds(1), .unsuccessful = seconds(5)});

    advance(seconds(4));
    EXPECT_TRUE(find(id)->value->has_value());
    advance(seconds(2));
    EXPECT_EQ(find(id)->error(), Errc::not_found);
}

TEST_F(UpkeepTest, NothingIsForgottenUnlessItIsAskedFor) {
    advance(seconds(100));
    EXPECT_EQ(store_->prunes, 0);
    EXPECT_EQ(engine_->next_due(), base::TimePoint::max());
}

TEST_F(UpkeepTest, ItIsLookedAtEverySecondAndAtOnceWhileThereIsMore) {
    engine_->keep({});
    advance({});
    EXPECT_EQ(store_->prunes, 1);
    advance(milliseconds(900));
    EXPECT_EQ(store_->prunes, 1);
    advance(milliseconds(100));
    EXPECT_EQ(store_->prunes, 2);

    store_->slices_left = 2;
    advance(seconds(1));
    advance({});
    advance({});
    EXPECT_EQ(store_->prunes, 5) << "there was more, twice";
    EXPECT_EQ(engine_->next_due(), clock_.now() + seconds(1));
}

TEST_F(UpkeepTest, WhatIsToBecomeDurableGoesFirst) {
    engine_->keep({});
    advance({});
    store_->shut = true;
    engine_->submit({task("other")}, [](auto) {});
    settle();
    advance(seconds(1));
    advance(seconds(1));
    EXPECT_EQ(store_->prunes, 1);

    store_->open_gate();
    advance(seconds(1));
    EXPECT_EQ(store_->prunes, 2);
}

TEST_F(UpkeepTest, OneBackupAtATime) {
    const auto first = std::make_shared<Answer<std::uint64_t>>();
    engine_->backup("abc", [first](auto size) { first->value = size; });
    const auto second = backup("x");

    ASSERT_TRUE(first->here() && second->here());
    EXPECT_EQ(**first, 3U);
    EXPECT_EQ(second->error(), Errc::conflict);
    EXPECT_EQ(**backup("abcd"), 4U);
}

TEST_F(UpkeepTest, TheWaitForRoomFollowsThePaceOfTheHosts) {
    core::Settings settings;
    settings.max_tasks = 1000;
    make(settings);
    EXPECT_EQ(engine_->time_until_room(), seconds(1)) << "there is room";
    submit(std::vector<Submit>(1000, task("other")));
    EXPECT_EQ(engine_->time_until_room(), seconds(60)) << "nothing ends";

    for (int round = 0; round < 10; ++round) {
        advance(seconds(1));
        cancel(base::NumberText(static_cast<TaskId>(round + 1)).str());
        add(task("other"));
    }
    // One per second: ten of a thousand take ten seconds.
    advance(seconds(1));
    EXPECT_EQ(engine_->time_until_room(), seconds(10));
}

TEST(RateMeterTest, CountsTheLastTenSeconds) {
    RateMeter meter;
    base::TimePoint now{seconds(1000)};
    EXPECT_EQ(meter.rate(now), 0);
    for (int i = 0; i < 20; ++i) {
        meter.count(7, now);
        now += seconds(1);
    }
    EXPECT_EQ(meter.rate(now), 7);
    EXPECT_DOUBLE_EQ(meter.rate(now + seconds(4)), 4.2);
    EXPECT_EQ(meter.rate(now + seconds(1000)), 0);
}

}  // namespace
}  // namespace distributo::coordinator::engine
