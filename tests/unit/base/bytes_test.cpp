#include "base/bytes.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace distributo::base {
namespace {

TEST(BytesTest, CopiesShareOneBlock) {
    const Bytes first = Bytes::copy("payload");
    const Bytes second = first;
    Bytes third;
    third = second;

    EXPECT_EQ(second.view(), "payload");
    EXPECT_EQ(second.view().data(), first.view().data());
    EXPECT_EQ(third.view().data(), first.view().data());
}

TEST(BytesTest, TheLastHolderKeepsTheContent) {
    Bytes kept;
    {
        const Bytes first = Bytes::copy(std::string(1000, 'x'));
        kept = first;
    }

    EXPECT_EQ(kept.view(), std::string(1000, 'x'));
    EXPECT_EQ(kept.size(), 1000U);
}

TEST(BytesTest, MovingLeavesNothingBehind) {
    Bytes from = Bytes::copy("x");

    const Bytes to = std::move(from);

    EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): that it is empty is the promise
    EXPECT_EQ(to.view(), "x");
}

TEST(BytesTest, SelfAssignmentKeepsTheContent) {
    Bytes bytes = Bytes::copy("x");
    const Bytes& same = bytes;

    bytes = same;

    EXPECT_EQ(bytes.view(), "x");
}

TEST(BytesTest, EmptyAndBinaryTexts) {
    EXPECT_TRUE(Bytes::copy("").empty());
    EXPECT_TRUE(Bytes().view().empty());
    EXPECT_EQ(Bytes::copy(std::string("a\0b", 3)).view(), std::string_view("a\0b", 3));
}

}  // namespace
}  // namespace distributo::base
