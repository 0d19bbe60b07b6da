#include "base/crc32c.hpp"

#include <gtest/gtest.h>

#include <string>

namespace distributo::base {
namespace {

TEST(Crc32cTest, GivesTheChecksumsOfRfc3720) {
    std::string rising(32, '\0');
    for (std::size_t i = 0; i < rising.size(); ++i)
        rising[i] = static_cast<char>(i);

    EXPECT_EQ(crc32c(""), 0U);
    EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
    EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
    EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
    EXPECT_EQ(crc32c(rising), 0x46DD794EU);
}

TEST(Crc32cTest, GoesOnWhereAnotherEnded) {
    const std::string whole = "the quick brown fox jumps over the lazy dog";
    for (std::size_t cut = 0; cut <= whole.size(); ++cut)
        EXPECT_EQ(crc32c(std::string_view(whole).substr(cut), crc32c(whole.substr(0, cut))),
                  crc32c(whole))
            << cut;
}

}  // namespace
}  // namespace distributo::base
