#include "base/histogram.hpp"

#include <gtest/gtest.h>

namespace distributo::base {
namespace {

TEST(HistogramTest, AnEmptyOneSaysZero) {
    EXPECT_EQ(Histogram().count(), 0U);
    EXPECT_EQ(Histogram().quantile(0.5), 0U);
}

TEST(HistogramTest, SmallValuesAreExact) {
    Histogram histogram;
    for (const std::uint64_t value : {0, 1, 2, 3, 7})
        histogram.add(value);

    EXPECT_EQ(histogram.quantile(0.0), 0U);
    EXPECT_EQ(histogram.quantile(0.5), 2U);
    EXPECT_EQ(histogram.quantile(1.0), 7U);
}

TEST(HistogramTest, LargeValuesAreRightWithinThirteenPercent) {
    for (std::uint64_t value = 8; value < std::uint64_t{1} << 33U; value += value / 7 + 1) {
        Histogram histogram;
        histogram.add(value);

        const auto error =
            static_cast<double>(histogram.quantile(0.5)) / static_cast<double>(value);
        ASSERT_NEAR(error, 1.0, 0.13) << value;
    }
}

TEST(HistogramTest, BucketsRiseWithTheirValues) {
    std::size_t last = 0;
    for (std::uint64_t value = 0; value < 1'000'000; ++value) {
        const auto bucket = Histogram::bucket_of(value);
        ASSERT_TRUE(bucket == last || bucket == last + 1) << value;
        last = bucket;
    }
}

TEST(HistogramTest, WhatIsTooLargeCountsInTheLastBucket) {
    EXPECT_EQ(Histogram::bucket_of(~std::uint64_t{0}), Histogram::bucket_count - 1);
    EXPECT_EQ(Histogram::bucket_of((std::uint64_t{1} << 33U) - 1), Histogram::bucket_count - 1);
    EXPECT_LT(Histogram::bucket_of(std::uint64_t{7} << 30U), Histogram::bucket_count);
}

TEST(HistogramTest, TheP99IsNotTheMedian) {
    Histogram histogram;
    for (int i = 0; i < 98; ++i)
        histogram.add(10);
    histogram.add(5000);
    histogram.add(5000);

    EXPECT_NEAR(static_cast<double>(histogram.quantile(0.5)), 10, 1.3);
    EXPECT_NEAR(static_cast<double>(histogram.quantile(0.99)), 5000, 650);
}

TEST(HistogramTest, TwoAddUp) {
    Histogram one;
    Histogram other;
    one.add(5);
    other.add(5);
    other.add(900);
    one.add(other);

    EXPECT_EQ(one.count(), 3U);
    EXPECT_EQ(one.buckets()[5], 2U);
}

TEST(HistogramTest, ABucketThatDoesNotExistIsIgnored) {
    Histogram histogram;
    histogram.add_to(Histogram::bucket_count, 1);

    EXPECT_EQ(histogram.count(), 0U);
}

}  // namespace
}  // namespace distributo::base
