#include "wire/json_number.hpp"

#include "wire/json_canonical.hpp"

#include <gtest/gtest.h>

#include <string>

namespace distributo::wire::json {
namespace {

TEST(DecimalTest, IsTheValueWhateverTheText) {
    const std::pair<const char*, const char*> equal[] = {{"1", "1.0"},
                                                         {"1", "10e-1"},
                                                         {"0", "-0.0e5"},
                                                         {"1500", "1.5E3"},
                                                         {"-0.001", "-1e-3"},
                                                         {"0.00", "0e99999999999999999999"}};
    for (const auto& [a, b] : equal)
        EXPECT_EQ(Decimal::of(a), Decimal::of(b)) << a << " " << b;
}

TEST(DecimalTest, IsOrdered) {
    const char* const rising[] = {"-1e400",
                                  "-18446744073709551617",
                                  "-18446744073709551616",
                                  "-10",
                                  "-9.5",
                                  "-1",
                                  "-0.5",
                                  "-1e-400",
                                  "0",
                                  "1e-400",
                                  "0.1",
                                  "0.11",
                                  "0.2",
                                  "1",
                                  "9",
                                  "10",
                                  "123456789012345678901",
                                  "123456789012345678902",
                                  "1e400"};
    for (std::size_t i = 0; i + 1 < std::size(rising); ++i) {
        EXPECT_LT(Decimal::of(rising[i]), Decimal::of(rising[i + 1])) << rising[i];
        EXPECT_GT(Decimal::of(rising[i + 1]), Decimal::of(rising[i])) << rising[i];
    }
}

TEST(DecimalTest, KnowsIntegersAndMultiples) {
    EXPECT_TRUE(Decimal::of("1e2").is_integer());
    EXPECT_TRUE(Decimal::of("0").is_integer());
    EXPECT_TRUE(Decimal::of("12.00").is_integer());
    EXPECT_FALSE(Decimal::of("12.01").is_integer());
    EXPECT_FALSE(Decimal::of("1e-1").is_integer());
    EXPECT_TRUE(Decimal::of("1e1000000000000").is_multiple_of(Decimal::of("64")));
    EXPECT_FALSE(Decimal::of("1e1000000000000").is_multiple_of(Decimal::of("7")));
    EXPECT_TRUE(Decimal::of("-4.5").is_multiple_of(Decimal::of("1.5")));
    EXPECT_TRUE(Decimal::of("0").is_multiple_of(Decimal::of("7")));
    EXPECT_TRUE(Decimal::of("999999999999999999999999999999").is_multiple_of(Decimal::of("3")));
}

TEST(CanonicalTest, IsTheSameForEqualValuesOnly) {
    const auto form = [](const char* text) { return canonical(*parse(text)); };

    EXPECT_EQ(form(R"({"b":[1.0,"\u0041"],"a":null})"), form(R"( { "a":null, "b":[1,"A"]} )"));
    EXPECT_EQ(form(R"({"a":1,"a":2})"), form(R"({"a":2})"));
    EXPECT_NE(form("1"), form(R"("1")"));
    EXPECT_NE(form("[1,2]"), form("[12]"));
    EXPECT_NE(form("[[1],2]"), form("[[1,2]]"));
    EXPECT_NE(form("{}"), form("[]"));
    EXPECT_NE(form("1e1"), form("1e2"));
}

}  // namespace
}  // namespace distributo::wire::json
