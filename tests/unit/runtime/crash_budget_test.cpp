#include "runtime/crash_budget.hpp"

#include <gtest/gtest.h>

#include <array>

namespace distributo::runtime {
namespace {

using std::chrono::seconds;

class CrashBudgetTest : public testing::Test {
protected:
    bool crash(std::initializer_list<std::uint64_t> tasks, seconds later = seconds(0)) {
        now += later;
        return budget.crashed(now, {tasks.begin(), tasks.size()});
    }

    CrashBudget budget;
    base::TimePoint now{seconds(1000)};
};

TEST_F(CrashBudgetTest, TheThirdCrashIsOneTooMany) {
    EXPECT_FALSE(crash({1}));
    EXPECT_FALSE(crash({2}, seconds(20)));
    EXPECT_TRUE(crash({3}, seconds(20)));
}

TEST_F(CrashBudgetTest, CrashesAreForgottenAfterAMinute) {
    EXPECT_FALSE(crash({1}));
    EXPECT_FALSE(crash({2}, seconds(1)));
    EXPECT_FALSE(crash({3}, seconds(60)));
    EXPECT_TRUE(crash({4}));
}

TEST_F(CrashBudgetTest, ATaskThatCrashesAgainIsNoNews) {
    for (int i = 0; i < 10; ++i)
        EXPECT_FALSE(crash({1}, seconds(1)));

    EXPECT_FALSE(crash({2}));
    EXPECT_TRUE(crash({3}));
}

TEST_F(CrashBudgetTest, ASuspectThatCrashesAloneIsNoNewsEither) {
    EXPECT_FALSE(crash({1, 2, 3, 4}));
    EXPECT_FALSE(crash({3}));
    EXPECT_FALSE(crash({5}));
    EXPECT_TRUE(crash({6}));
}

TEST_F(CrashBudgetTest, AProcessThatDiesIdleAlwaysCounts) {
    EXPECT_FALSE(crash({}));
    EXPECT_FALSE(crash({}));
    EXPECT_TRUE(crash({}));
}

}  // namespace
}  // namespace distributo::runtime
