#include "coordinator/api/time_text.hpp"

#include <gtest/gtest.h>

namespace distributo::tests {
namespace {

using namespace coordinator::api;

TEST(TimeTextTest, WritesMilliseconds) {
    EXPECT_EQ(time_text(base::WallTime()), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(time_text(base::WallTime(std::chrono::milliseconds(951'827'696'007))),
              "2000-02-29T12:34:56.007Z");
}

TEST(TimeTextTest, ReadsWhatRfc3339Allows) {
    const auto epoch = base::WallTime();
    EXPECT_EQ(parse_time("1970-01-01T00:00:00Z"), epoch);
    EXPECT_EQ(parse_time("1970-01-01t01:00:00+01:00"), epoch);
    EXPECT_EQ(parse_time("1969-12-31T18:30:00.000-05:30"), epoch);
    EXPECT_EQ(parse_time("1970-01-01 00:00:00.0019Z"), epoch + std::chrono::milliseconds(1));
    EXPECT_EQ(parse_time("1970-01-01T00:00:00.5Z"), epoch + std::chrono::milliseconds(500));
    EXPECT_EQ(parse_time("2016-12-31T23:59:60Z"), parse_time("2017-01-01T00:00:00Z"));
}

TEST(TimeTextTest, RefusesEverythingElse) {
    for (const char* text : {"",
                             "now",
                             "1970-01-01",
                             "1970-01-01T00:00:00",
                             "1970-01-01T00:00:00+0100",
                             "1970-01-01T24:00:00Z",
                             "1970-01-01T00:60:00Z",
                             "1970-13-01T00:00:00Z",
                             "2023-02-29T00:00:00Z",
                             "1970-1-1T00:00:00Z",
                             "1970-01-01T00:00:00.Z",
                             "1970-01-01T00:00:00.0000000000Z",
                             "1970-01-01T00:00:00Zz",
                             " 1970-01-01T00:00:00Z",
                             "1970-01-01T00:00:00+24:00"})
        EXPECT_FALSE(parse_time(text)) << text;
}

}  // namespace
}  // namespace distributo::tests
