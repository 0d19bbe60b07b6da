#include "base/semver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace distributo::base {
namespace {

using ::testing::HasSubstr;

SemanticVersion version(std::string_view text) {
    auto parsed = parse_version(text);
    EXPECT_TRUE(parsed) << text;
    return parsed ? *parsed : SemanticVersion{};
}

TEST(SemanticVersionTest, VersionsAreOrderedAsTheStandardSays) {
    const std::vector<std::string> rising{"0.0.0-0",
                                          "0.0.0",
                                          "0.0.1",
                                          "0.1.0",
                                          "1.0.0-alpha",
                                          "1.0.0-alpha.1",
                                          "1.0.0-alpha.beta",
                                          "1.0.0-beta",
                                          "1.0.0-beta.2",
                                          "1.0.0-beta.11",
                                          "1.0.0-rc.1",
                                          "1.0.0",
                                          "1.0.1-99999999999999999999999",
                                          "1.0.1",
                                          "1.2.0",
                                          "1.10.0",
                                          "2.0.0",
                                          "18446744073709551613.0.0"};
    for (std::size_t i = 0; i < rising.size(); ++i)
        for (std::size_t j = 0; j < rising.size(); ++j)
            EXPECT_EQ(version(rising[i]) <=> version(rising[j]), i <=> j)
                << rising[i] << " and " << rising[j];
}

TEST(SemanticVersionTest, BuildDataDoesNotCount) {
    EXPECT_EQ(version("1.0.0+one"), version("1.0.0+two.007"));
    EXPECT_EQ(version("1.0.0-rc.1+b"), version("1.0.0-rc.1"));
}

TEST(SemanticVersionTest, EveryErrorNamesItsPlace) {
    const std::vector<std::pair<std::string, std::string>> wrong{
        {"", "expected a number, got nothing at column 1"},
        {"1", "expected \".\", got nothing at column 2"},
        {"1.0", "expected \".\", got nothing at column 4"},
        {"1.0.", "expected a number, got nothing at column 5"},
        {"01.0.0", "without leading zeros, got \"0\" at column 1"},
        {"1.0.0.0", "expected the end, got \".\" at column 6"},
        {"v1.0.0", "expected a number, got \"v\" at column 1"},
        {"1.0.0-", "expected a letter, a digit or -, got nothing at column 7"},
        {"1.0.0-rc..1", "got \".\" at column 10"},
        {"1.0.0-rc.01", "without leading zeros, got \"0\" at column 10"},
        {"1.0.0+", "got nothing at column 7"},
        {"1.0.0-a_b", "expected the end, got \"_\" at column 8"},
        {"1.0.é", "got \"é\" at column 5"},
        {"1.0.18446744073709551615", "below 2^64 - 1, got \"1\" at column 5"}};
    for (const auto& [text, message] : wrong) {
        const auto parsed = parse_version(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_THAT(parsed.error().message, HasSubstr(message)) << text;
        EXPECT_THAT(parsed.error().message, HasSubstr("semantic version"));
        EXPECT_FALSE(parsed.error().hint.empty());
    }
}

struct RangeCase {
    std::string range;
    std::vector<std::string> inside;
    std::vector<std::string> outside;
};

TEST(VersionRangeTest, RangesContainWhatPackageManagersSay) {
    const std::vector<RangeCase> cases{
        {"1.2.3", {"1.2.3", "1.2.3+b"}, {"1.2.2", "1.2.4", "1.2.3-rc.1", "1.2.4-0"}},
        {"=1.2.3", {"1.2.3"}, {"1.2.4"}},
        {"1.2.3-rc.1", {"1.2.3-rc.1"}, {"1.2.3", "1.2.3-rc.2", "1.2.3-rc.1.0", "1.2.3-rc"}},
        {"1.2", {"1.2.0", "1.2.9"}, {"1.1.9", "1.3.0", "1.2.0-rc.1", "1.3.0-0"}},
        {"1.2.x", {"1.2.0", "1.2.9"}, {"1.3.0"}},
        {"1.x", {"1.0.0", "1.9.9"}, {"0.9.9", "2.0.0", "2.0.0-0"}},
        {"1.X.*", {"1.0.0"}, {"2.0.0"}},
        {"1", {"1.0.0", "1.9.9"}, {"2.0.0"}},
        {"*", {"0.0.0", "99.0.0"}, {"1.0.0-rc.1"}},
        {"x", {"0.0.0"}, {"1.0.0-rc.1"}},
        {"^1.2.3", {"1.2.3", "1.9.0"}, {"1.2.2", "2.0.0", "1.3.0-rc.1", "2.0.0-0"}},
        {"^1.2", {"1.2.0", "1.99.0"}, {"1.1.9", "2.0.0"}},
        {"^1", {"1.0.0", "1.99.0"}, {"0.9.0", "2.0.0"}},
        {"^0.2.3", {"0.2.3", "0.2.9"}, {"0.2.2", "0.3.0", "1.0.0"}},
        {"^0.0.3", {"0.0.3"}, {"0.0.2", "0.0.4"}},
        {"^0.0", {"0.0.0", "0.0.9"}, {"0.1.0"}},
        {"^0", {"0.0.0", "0.9.0"}, {"1.0.0"}},
        {"^*", {"0.0.0", "9.0.0"}, {"9.0.0-a"}},
        {"^1.2.3-beta.2",
         {"1.2.3-beta.2", "1.2.3-beta.4", "1.2.3", "1.9.0"},
         {"1.2.3-beta.1", "1.2.4-beta.3", "2.0.0"}},
        {"~1.2.3", {"1.2.3", "1.2.9"}, {"1.2.2", "1.3.0", "1.3.0-0"}},
        {"~1.2", {"1.2.0", "1.2.9"}, {"1.3.0"}},
        {"~1", {"1.0.0", "1.9.0"}, {"2.0.0"}},
        {"~0.0.1", {"0.0.1", "0.0.9"}, {"0.1.0"}},
        {">=1.2 <2", {"1.2.0", "1.9.0"}, {"1.1.9", "2.0.0", "2.0.0-rc.1"}},
        {">=1.2, <2", {"1.2.0"}, {"2.0.0"}},
        {">=1.2,<2", {"1.2.0"}, {"2.0.0"}},
        {"  >=  1.2   <  2  ", {"1.2.0"}, {"2.0.0"}},
        {">1.2.3", {"1.2.4"}, {"1.2.3", "1.2.3-rc.1"}},
        {">1.2", {"1.3.0"}, {"1.2.0", "1.2.9", "1.3.0-rc.1"}},
        {">1", {"2.0.0"}, {"1.9.0"}},
        {"<1.2.3", {"1.2.2", "0.0.0"}, {"1.2.3", "1.2.3-rc.1"}},
        {"<1.2", {"1.1.9"}, {"1.2.0", "1.2.0-rc.1"}},
        {"<=1.2.3", {"1.2.3"}, {"1.2.4"}},
        {"<=1.2", {"1.2.9"}, {"1.3.0"}},
        {">=1.2.3-alpha <1.2.3", {"1.2.3-alpha", "1.2.3-beta"}, {"1.2.3", "1.2.2"}},
        {">1.2.3-alpha", {"1.2.3-alpha.0", "1.2.3-beta", "1.2.3"}, {"1.2.3-alpha", "1.2.4-beta"}},
        {"<=1.2.3-beta", {"1.2.3-beta", "1.2.3-alpha", "1.2.2"}, {"1.2.3", "1.2.3-beta.0"}},
        {">*", {}, {"0.0.0", "9.0.0"}},
        {"<*", {}, {"0.0.0", "9.0.0"}},
        {"<=*", {"0.0.0", "9.0.0"}, {"9.0.0-a"}},
        {">=2 <1", {}, {"1.0.0", "1.5.0", "2.0.0"}}};
    for (const auto& one : cases) {
        const auto range = VersionRange::parse(one.range);
        ASSERT_TRUE(range) << one.range << ": " << range.error().message;
        for (const auto& text : one.inside)
            EXPECT_TRUE(range->contains(version(text))) << one.range << " lacks " << text;
        for (const auto& text : one.outside)
            EXPECT_FALSE(range->contains(version(text))) << one.range << " contains " << text;
    }
}

TEST(VersionRangeTest, EveryErrorNamesItsPlace) {
    const std::vector<std::pair<std::string, std::string>> wrong{
        {"", "expected a number, x or *, got nothing at column 1"},
        {"^", "got nothing at column 2"},
        {"^1.y", "expected a number, x or *, got \"y\" at column 4"},
        {"latest", "expected a number, x or *, got \"l\" at column 1"},
        {"1.x.3", "expected x or *, got \"3\" at column 5"},
        {"1.2.3.4", "expected a space, a comma or the end, got \".\" at column 6"},
        {"1.2-rc", "got \"-\" at column 4"},
        {">=1.2<2", "expected a space, a comma or the end, got \"<\" at column 6"},
        {">=1.2 || <1", "got \"|\" at column 7"},
        {"1.2,", "got nothing at column 5"},
        {",1", "got \",\" at column 1"},
        {"^01.2", "without leading zeros, got \"0\" at column 2"},
        {"=>1", "got \">\" at column 2"},
        {std::string(200, '1'), "at most 128 bytes"}};
    for (const auto& [text, message] : wrong) {
        const auto range = VersionRange::parse(text);
        ASSERT_FALSE(range) << text;
        EXPECT_THAT(range.error().message, HasSubstr(message)) << text;
        EXPECT_THAT(range.error().message, HasSubstr("version range"));
        EXPECT_THAT(range.error().hint, HasSubstr("^1.2"));
    }
}

}  // namespace
}  // namespace distributo::base
