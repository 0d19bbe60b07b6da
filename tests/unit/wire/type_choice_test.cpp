#include "wire/type_choice.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace distributo::wire {
namespace {

TEST(TypeChoiceTest, ARangeStandsBehindTheFirstAt) {
    const auto plain = parse_type_choice("acme.render");
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->type, "acme.render");
    EXPECT_EQ(plain->version_range, "");

    const auto pinned = parse_type_choice("acme.render@>=1.2 <2");
    ASSERT_TRUE(pinned);
    EXPECT_EQ(pinned->type, "acme.render");
    EXPECT_EQ(pinned->version_range, ">=1.2 <2");

    EXPECT_EQ(parse_type_choice("")->type, "") << "names are checked elsewhere";
    EXPECT_EQ(parse_type_choice("@1")->type, "");
}

TEST(TypeChoiceTest, AWrongRangeIsNamedWithItsPlace) {
    const auto empty = parse_type_choice("render@");
    ASSERT_FALSE(empty);
    EXPECT_THAT(empty.error().message, testing::HasSubstr("behind \"render@\""));
    EXPECT_THAT(empty.error().message, testing::HasSubstr("got nothing at column 1"));

    const auto twice = parse_type_choice("render@1@2");
    ASSERT_FALSE(twice);
    EXPECT_THAT(twice.error().message, testing::HasSubstr("got \"@\" at column 2"));
}

}  // namespace
}  // namespace distributo::wire
