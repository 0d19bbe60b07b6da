#include "runtime/value_cache.hpp"

#include <gtest/gtest.h>

namespace distributo::runtime {
namespace {

using namespace std::chrono_literals;

class ValueCacheTest : public testing::Test {
protected:
    void put(const std::string& key, std::string value, base::Duration time = {}) {
        cache.put(key, std::move(value), time, now);
    }
    std::string get(const std::string& key) {
        const auto value = cache.get(key, now);
        return value ? *value : "nothing";
    }

    base::TimePoint now{1h};
    ValueCache cache{{.entries = 3, .bytes = 40, .value_bytes = 20, .key_bytes = 4}};
};

TEST_F(ValueCacheTest, TheLastValueOfAKeyCounts) {
    EXPECT_EQ(get("a"), "nothing");
    put("a", "1");
    put("a", "22");
    EXPECT_EQ(get("a"), "22");
    EXPECT_EQ(cache.entries(), 1U);
    EXPECT_EQ(cache.bytes(), 3U);
}

TEST_F(ValueCacheTest, WhatWasNotUsedForTheLongestTimeIsForgotten) {
    put("a", "1");
    put("b", "2");
    put("c", "3");
    get("a");
    put("d", "4");
    EXPECT_EQ(get("b"), "nothing");
    EXPECT_EQ(get("a"), "1");
    EXPECT_EQ(get("d"), "4");
}

TEST_F(ValueCacheTest, BytesAreBoundedToo) {
    put("a", std::string(19, 'x'));
    put("b", std::string(19, 'y'));
    EXPECT_EQ(cache.bytes(), 40U);
    put("c", "z");
    EXPECT_EQ(get("a"), "nothing");
    EXPECT_LE(cache.bytes(), 40U);
}

TEST_F(ValueCacheTest, ATimeToLiveEnds) {
    put("a", "1", 5s);
    put("b", "2");
    now += 4s;
    EXPECT_EQ(get("a"), "1");
    now += 1s;
    EXPECT_EQ(get("a"), "nothing");
    EXPECT_EQ(get("b"), "2");
    EXPECT_EQ(cache.entries(), 1U);
    put("c", "3", base::Duration::max());
    EXPECT_EQ(get("c"), "3");
}

TEST_F(ValueCacheTest, WhatIsTooLargeIsLeftOut) {
    put("a", std::string(21, 'x'));
    put("long!", "1");
    put("", "1");
    EXPECT_EQ(cache.entries(), 0U);
    EXPECT_TRUE(cache.accepts("abcd", 20));
    EXPECT_FALSE(cache.accepts("abcde", 1));
}

}  // namespace
}  // namespace distributo::runtime
