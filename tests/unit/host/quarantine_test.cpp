#include "host/quarantine.hpp"

#include <gtest/gtest.h>

namespace distributo::host {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class QuarantineScheduleTest : public testing::Test {
protected:
    base::Duration crash() { return schedule.failed(now, true) - now; }
    base::Duration stays_down() { return schedule.failed(now, false) - now; }
    void comes_up() { schedule.came_up(now); }

    QuarantineSchedule schedule{QuarantineSettings{}};
    base::TimePoint now{hours(100)};
};

TEST_F(QuarantineScheduleTest, DoublesUpToAnHour) {
    comes_up();
    EXPECT_EQ(crash(), seconds(60));
    for (const auto wanted : {2, 4, 8, 16, 32, 60, 60})
        EXPECT_EQ(stays_down(), minutes(wanted));
}

TEST_F(QuarantineScheduleTest, APluginThatCrashesSoonAgainIsLeftAloneForLonger) {
    comes_up();
    EXPECT_EQ(crash(), seconds(60));
    now += seconds(60);
    comes_up();
    now += minutes(10) - seconds(1);
    EXPECT_EQ(crash(), seconds(120));
}

TEST_F(QuarantineScheduleTest, GoesOnAfterARestartOfTheHost) {
    schedule.resume(minutes(4));
    comes_up();
    EXPECT_EQ(crash(), minutes(8));
    schedule.resume(minutes(40));
    EXPECT_EQ(stays_down(), hours(1));
}

TEST_F(QuarantineScheduleTest, GoodConductIsRewarded) {
    comes_up();
    EXPECT_EQ(crash(), seconds(60));
    EXPECT_EQ(stays_down(), seconds(120));
    comes_up();
    now += minutes(10);
    EXPECT_EQ(crash(), seconds(60));
}

}  // namespace
}  // namespace distributo::host
