#include "coordinator/cli/listing.hpp"

#include <gtest/gtest.h>

namespace distributo::coordinator::cli {
namespace {

TEST(ListingTest, ANextAttemptIsAWholeNumberOfSeconds) {
    // Boost.JSON writes such a number as 5.6E1: its text must not be shown.
    EXPECT_EQ(next_attempt({{"retry_s", 56.0}}), "; next attempt in 56 s");
    EXPECT_EQ(next_attempt({{"retry_s", 0.2}}), "; next attempt in 1 s");
    EXPECT_EQ(next_attempt({{"retry_s", 60}}), "; next attempt in 60 s");
    EXPECT_EQ(next_attempt({{"state", "refused"}}), "");
    EXPECT_EQ(next_attempt({{"retry_s", "soon"}}), "");
}

}  // namespace
}  // namespace distributo::coordinator::cli
