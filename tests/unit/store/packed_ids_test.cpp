#include "coordinator/store/sqlite/packed_ids.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace distributo::tests {
namespace {

namespace store = coordinator::store;

TEST(PackedPairsTest, ComeBackAndTakeLittleRoom) {
    const std::vector<store::PairReader::Pair> all = {
        {1, 1}, {2, 2}, {3, 1}, {4, 1'000'000}, {9, 5}, {~std::uint64_t{0}, 1U << 31U}, {0, 0}};
    store::PairPacker packer;
    for (const auto& [first, second] : all)
        packer.add(first, second);

    store::PairReader reader(packer.bytes());
    for (const auto& pair : all)
        EXPECT_EQ(reader.next(), pair);
    EXPECT_FALSE(reader.next());

    store::PairPacker rising;
    for (std::uint64_t i = 0; i < 1000; ++i)
        rising.add(1'000'000 + i, 2'000'000 + i);
    EXPECT_LE(rising.bytes().size(), 2010U);
}

TEST(PackedPairsTest, BytesThatEndEarlyEndThePairs) {
    store::PairPacker packer;
    packer.add(300, 300);
    const auto& bytes = packer.bytes();

    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(store::PairReader(std::string_view(bytes).substr(0, size)).next());
    EXPECT_FALSE(store::PairReader(std::string(100, '\xff')).next());
}

}  // namespace
}  // namespace distributo::tests
