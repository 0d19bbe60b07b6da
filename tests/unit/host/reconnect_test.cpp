#include "host/reconnect.hpp"

#include <gtest/gtest.h>

namespace distributo::host {
namespace {

using namespace std::chrono_literals;

TEST(ReconnectScheduleTest, TheFirstTryAfterADropIsSpreadOverTheWindow) {
    double random = 0.25;
    ReconnectSchedule schedule([&] { return random; });
    schedule.connected(8s);

    EXPECT_EQ(schedule.next(), 2s);

    schedule.connected(8s);
    random = 0.0;
    EXPECT_EQ(schedule.next(), 0s);
}

TEST(ReconnectScheduleTest, LaterTriesDoubleUpToThirtySeconds) {
    ReconnectSchedule schedule([] { return 1.0; });
    schedule.connected(1s);
    static_cast<void>(schedule.next());

    std::vector<base::Duration> delays;
    for (int i = 0; i < 7; ++i)
        delays.push_back(schedule.next());

    EXPECT_EQ(delays, (std::vector<base::Duration>{1s, 2s, 4s, 8s, 16s, 30s, 30s}));
}

TEST(ReconnectScheduleTest, AHostThatWasWelcomedOnceNeverWaitsLong) {
    ReconnectSchedule schedule([] { return 1.0; });
    schedule.welcomed();

    std::vector<base::Duration> delays;
    for (int i = 0; i < 6; ++i)
        delays.push_back(schedule.next());

    EXPECT_EQ(delays, (std::vector<base::Duration>{500ms, 1s, 2s, 4s, 5s, 5s}));
}

TEST(ReconnectScheduleTest, WithoutAConnectionBeforeItBeginsAtHalfASecond) {
    ReconnectSchedule schedule([] { return 1.0; });

    EXPECT_EQ(schedule.next(), 500ms);
}

TEST(ReconnectScheduleTest, AnUnluckyDrawNeverHammersTheCoordinator) {
    ReconnectSchedule schedule([] { return 0.0; });

    EXPECT_GE(schedule.next(), 50ms);
}

TEST(ReconnectScheduleTest, TriesAreLoggedLessAndLessOften) {
    ReconnectSchedule schedule([] { return 0.5; });
    std::vector<std::uint32_t> logged;

    for (int i = 0; i < 20; ++i) {
        static_cast<void>(schedule.next());
        if (schedule.worth_logging())
            logged.push_back(schedule.tries());
    }

    EXPECT_EQ(logged, (std::vector<std::uint32_t>{1, 2, 4, 8, 16}));
}

}  // namespace
}  // namespace distributo::host
