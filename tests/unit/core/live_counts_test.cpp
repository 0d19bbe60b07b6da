#include "tests/unit/core/bed.hpp"

namespace distributo::coordinator::core {
namespace {

class LiveCountsTest : public testing::Test {
protected:
    static TaskOptions in(std::string group) {
        TaskOptions options;
        options.group = std::move(group);
        return options;
    }
    [[nodiscard]] std::uint64_t nightly(TaskState state) const {
        return bed.scheduler.live_of_group("nightly")[state];
    }

    Bed bed;
};

TEST_F(LiveCountsTest, AGroupIsCountedByState) {
    bed.host("alpha", 1);
    const auto running = bed.add("echo", in("nightly"));
    bed.dispatch();
    const auto waiting = bed.add("echo", in("nightly"));
    auto later = in("nightly");
    later.not_before = bed.wall + 1h;
    bed.add("render", later);
    bed.add("echo", in("other"));
    bed.add_plain("echo");
    EXPECT_TRUE(bed.scheduler.hold(waiting, "", bed.now));

    EXPECT_EQ(nightly(TaskState::running), 1U);
    EXPECT_EQ(nightly(TaskState::held), 1U);
    EXPECT_EQ(nightly(TaskState::scheduled), 1U);
    EXPECT_EQ(nightly(TaskState::pending), 0U);
    EXPECT_EQ(bed.scheduler.live_of_group("nightly").total(), 3U);
    EXPECT_EQ(bed.scheduler.live_of_group("other").total(), 1U);
    EXPECT_EQ(bed.scheduler.live_of_group("").total(), 0U);
    EXPECT_EQ(bed.scheduler.live_of_group("nightl").total(), 0U);
    EXPECT_TRUE(bed.scheduler.cancel(running, bed.now));
    EXPECT_EQ(nightly(TaskState::cancelling), 1U);
}

TEST_F(LiveCountsTest, AGeneratorIsCountedByState) {
    bed.host("alpha", 1);
    bed.add_plain("echo", 7);  // without options
    const auto handed = bed.dispatch_one();
    const auto waiting = bed.add_plain("echo", 7);
    bed.add_plain("echo", 8);
    bed.add_plain("echo");
    EXPECT_TRUE(bed.scheduler.hold(waiting, "", bed.now));
    const auto seven = [&](TaskState state) { return bed.scheduler.live_of_generator(7)[state]; };

    EXPECT_EQ(seven(TaskState::running), 1U);
    EXPECT_EQ(seven(TaskState::held), 1U);
    EXPECT_EQ(bed.scheduler.live_of_generator(7).total(), 2U);
    EXPECT_EQ(bed.scheduler.live_of_generator(8)[TaskState::pending], 1U);
    EXPECT_EQ(bed.scheduler.live_of_generator(0).total(), 0U);
    EXPECT_EQ(bed.scheduler.live_of_generator(9).total(), 0U);

    bed.report(handed);
    EXPECT_EQ(seven(TaskState::running), 1U) << "its end is not recorded yet";
    bed.commit();
    EXPECT_EQ(bed.scheduler.live_of_generator(7).total(), 1U);
    bed.add_plain("echo");  // in the slot of that one
    EXPECT_EQ(bed.scheduler.live_of_generator(7).total(), 1U);
}

TEST_F(LiveCountsTest, ATypeIsCountedByState) {
    bed.host("alpha", 1);
    bed.add_many("echo", 3);
    bed.add("render");
    bed.dispatch();

    const auto echo = bed.scheduler.live_of_type("echo");
    EXPECT_EQ(echo[TaskState::running], 1U);
    EXPECT_EQ(echo[TaskState::pending], 2U);
    EXPECT_EQ(echo.total(), 3U);
    EXPECT_EQ(bed.scheduler.live_of_type("render").total(), 1U);
    EXPECT_EQ(bed.scheduler.live_of_type("unheard").total(), 0U);
}

TEST_F(LiveCountsTest, ATaskCountsUntilItsEndIsRecorded) {
    bed.host("alpha", 1);
    bed.add("echo", in("nightly"));
    const auto handed = bed.dispatch_one();
    bed.report(handed);
    EXPECT_EQ(nightly(TaskState::running), 1U);
    EXPECT_EQ(bed.scheduler.live_of_type("echo").total(), 1U);

    bed.commit();
    EXPECT_EQ(bed.scheduler.live_of_group("nightly").total(), 0U);
    EXPECT_EQ(bed.scheduler.live_of_type("echo").total(), 0U);
}

TEST_F(LiveCountsTest, AGroupThatNobodyIsInIsForgottenAndMayComeBack) {
    for (const char* name : {"a", "b", "a", "c"}) {
        const auto id = bed.add("echo", in(name));
        EXPECT_EQ(bed.scheduler.live_of_group(name).total(), 1U) << name;
        EXPECT_TRUE(bed.scheduler.cancel(id, bed.now));
        bed.collect();
        bed.commit();
        EXPECT_EQ(bed.scheduler.live_of_group(name).total(), 0U) << name;
    }
}

}  // namespace
}  // namespace distributo::coordinator::core
