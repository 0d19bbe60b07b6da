#include "host/credit.hpp"

#include "wire/limits.hpp"

#include <gtest/gtest.h>

namespace distributo::host {
namespace {

CreditMeter after(std::int64_t elapsed_us, int samples = 100) {
    CreditMeter meter;
    for (int i = 0; i < samples; ++i)
        meter.sample(elapsed_us);
    return meter;
}

TEST(CreditMeterTest, AnUnknownTypeGetsTheSlotsAndAQuarterMore) {
    EXPECT_EQ(CreditMeter().credit(8), 10U);
    EXPECT_EQ(CreditMeter().credit(1), 2U);
    EXPECT_EQ(CreditMeter().window(8), 8U);
}

TEST(CreditMeterTest, ShortTasksAreFetchedForTwoMilliseconds) {
    EXPECT_EQ(after(100).credit(4), 4U * (1 + 20));
    EXPECT_EQ(after(100).window(4), 4U * (1 + 20));
}

TEST(CreditMeterTest, TasksOfNoTimeGetTheMostThatTheProtocolAllows) {
    EXPECT_EQ(after(0).credit(2), wire::limits::max_credit);
}

TEST(CreditMeterTest, MediumTasksKeepOneWaitingPerSlotHereAndNoneInTheRunner) {
    EXPECT_EQ(after(20'000).credit(4), 8U);
    EXPECT_EQ(after(20'000).window(4), 4U);
}

TEST(CreditMeterTest, LongTasksAreNotFetchedAhead) {
    EXPECT_EQ(after(100'001).credit(4), 4U);
}

TEST(CreditMeterTest, OneVeryLongTaskStopsThePrefetchOfShortOnes) {
    auto meter = after(100);

    meter.sample(60'000'000);

    EXPECT_EQ(meter.credit(4), 4U);
}

TEST(CreditMeterTest, OnlyChangesOfMoreThanAQuarterAreWorthAMessage) {
    CreditMeter meter;
    meter.announced(100);

    EXPECT_FALSE(meter.worth_announcing(125));
    EXPECT_TRUE(meter.worth_announcing(126));
    EXPECT_FALSE(meter.worth_announcing(75));
    EXPECT_TRUE(meter.worth_announcing(74));
}

}  // namespace
}  // namespace distributo::host
