#include "base/ids.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <string>

namespace distributo::base {
namespace {

TEST(NumberTextTest, IsShort) {
    EXPECT_EQ(NumberText(0).view(), "a0");
    EXPECT_EQ(NumberText(1).view(), "a1");
    EXPECT_EQ(NumberText(31).view(), "az");
    EXPECT_EQ(NumberText(32).view(), "b10");
    EXPECT_EQ(NumberText(1000).view(), "bz8");
    EXPECT_EQ(NumberText(1'000'000).view(), "dygj0");
}

TEST(NumberTextTest, SortsLikeTheNumberAndComesBack) {
    std::string previous;
    for (std::uint64_t number = 0; number < (1ULL << 62U); number = number * 3 / 2 + 1) {
        const std::string text = NumberText(number).str();
        EXPECT_LT(previous, text) << number;
        EXPECT_EQ(parse_number_text(text), number);
        previous = text;
    }
}

TEST(NumberTextTest, HoldsTheLargestNumber) {
    constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max();

    EXPECT_EQ(parse_number_text(NumberText(largest).view()), largest);
}

TEST(NumberTextTest, OtherTextsAreNoNumbers) {
    for (const char* const text : {"",
                                   "a",
                                   "1",
                                   "b1",
                                   "a11",
                                   "b01",
                                   "ai",
                                   "al",
                                   "ao",
                                   "au",
                                   "A1",
                                   "aZ",
                                   "a-",
                                   "n00000000000000",
                                   "mzzzzzzzzzzzzz",
                                   "my-task"})
        EXPECT_EQ(parse_number_text(text), std::nullopt) << text;
}

TEST(RandomHexTest, IsLongEnoughAndNeverTheSame) {
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) {
        const std::string text = random_hex(16);
        EXPECT_EQ(text.size(), 32U);
        EXPECT_EQ(text.find_first_not_of("0123456789abcdef"), std::string::npos);
        EXPECT_TRUE(seen.insert(text).second);
    }
}

}  // namespace
}  // namespace distributo::base
