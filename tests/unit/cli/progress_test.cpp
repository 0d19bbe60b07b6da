#include "coordinator/cli/progress.hpp"

#include "base/config.hpp"
#include "coordinator/cli/output.hpp"

#include <gtest/gtest.h>

namespace distributo::coordinator::cli {
namespace {

using std::chrono::seconds;

TEST(ProgressTest, TheLineSaysHowFarHowFastAndHowLong) {
    const base::TimePoint start(seconds(100));
    Progress progress(false, start);

    const std::string line =
        progress.line({.total = 2000, .done = 500, .failed = 2}, start + seconds(5));

    EXPECT_NE(line.find("done 500/2 000"), std::string::npos) << line;
    EXPECT_NE(line.find("25 %"), std::string::npos) << line;
    EXPECT_NE(line.find("100/s"), std::string::npos) << line;
    EXPECT_NE(line.find("~ 16 s left"), std::string::npos) << line;
    EXPECT_NE(line.find("failed 2"), std::string::npos) << line;
}

TEST(ProgressTest, TheRateIsThatOfTheLastTenSeconds) {
    const base::TimePoint start(seconds(100));
    Progress progress(false, start);
    for (int second = 1; second <= 20; ++second)
        (void)progress.line(
            {.total = 10'000, .done = static_cast<std::uint64_t>(10 * second), .failed = 0},
            start + seconds(second));

    const std::string line =
        progress.line({.total = 10'000, .done = 1'200, .failed = 0}, start + seconds(21));

    EXPECT_NE(line.find(" 109/s"), std::string::npos) << line;  // (1200 - 110) / 10 s
}

TEST(ProgressTest, NothingSubmittedIsNotADivisionByZero) {
    Progress progress(false, base::TimePoint());
    EXPECT_NE(progress.line({}, base::TimePoint()).find("0 %"), std::string::npos);
}

TEST(OutputTest, NumbersAreGroupedByThousands) {
    EXPECT_EQ(grouped(0), "0");
    EXPECT_EQ(grouped(999), "999");
    EXPECT_EQ(grouped(1'000), "1 000");
    EXPECT_EQ(grouped(1'234'567), "1 234 567");
}

TEST(OutputTest, EveryKindOfFailureHasItsExitCode) {
    using base::Errc;
    const auto code = [](Errc kind) { return exit_code_of({kind, {}, {}}); };
    EXPECT_EQ(code(Errc::invalid_argument), 2);
    EXPECT_EQ(code(Errc::unavailable), 3);
    EXPECT_EQ(code(Errc::not_found), 4);
    EXPECT_EQ(code(Errc::conflict), 5);
    EXPECT_EQ(code(Errc::limit), 5);
    EXPECT_EQ(code(Errc::timeout), 6);
    EXPECT_EQ(code(Errc::internal), 7);
}

}  // namespace
}  // namespace distributo::coordinator::cli
