#include "runtime/plugin_cache.hpp"

#include "base/digest.hpp"
#include "base/ids.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <sys/stat.h>
#include <thread>

namespace distributo::runtime {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class PluginCacheTest : public testing::Test {
protected:
    PluginCacheTest() { fs::create_directories(root); }
    ~PluginCacheTest() override { fs::remove_all(root); }

    static mode_t mode(const fs::path& path) {
        struct stat about {};
        EXPECT_EQ(stat(path.c_str(), &about), 0);
        return about.st_mode & 07777U;
    }

    const fs::path root = fs::temp_directory_path() / ("cache-" + base::random_hex(6));
    const fs::path cache = root / "sub" / "cache";
    const fs::path plugin = fs::path(TEST_PLUGINS) / "good" / "test_noop.so";
};

TEST_F(PluginCacheTest, KeepsAPrivateCopyUnderItsDigest) {
    const auto copy = cache_plugin(plugin, cache);

    ASSERT_TRUE(copy) << copy.error().message;
    EXPECT_EQ(copy->digest, *base::sha256_file(plugin));
    EXPECT_EQ(copy->library, cache / copy->digest / "plugin.so");
    EXPECT_EQ(*base::sha256_file(copy->library), copy->digest);
    EXPECT_EQ(mode(cache), 0700U);
    EXPECT_EQ(mode(copy->library), 0500U);
}

TEST_F(PluginCacheTest, ASecondCopyLeavesTheFirstInPlace) {
    const auto first = cache_plugin(plugin, cache);
    ASSERT_TRUE(first);
    const auto written = fs::last_write_time(first->library);

    ASSERT_TRUE(cache_plugin(plugin, cache));

    EXPECT_EQ(fs::last_write_time(first->library), written);
    EXPECT_EQ(std::distance(fs::directory_iterator(cache), {}), 1);
}

TEST_F(PluginCacheTest, ADamagedCopyIsReplaced) {
    const auto first = cache_plugin(plugin, cache);
    ASSERT_TRUE(first);
    fs::permissions(first->library, fs::perms::owner_all);
    std::ofstream(first->library) << "damaged";

    const auto second = cache_plugin(plugin, cache);

    ASSERT_TRUE(second);
    EXPECT_EQ(*base::sha256_file(second->library), second->digest);
}

TEST_F(PluginCacheTest, AnOpenCacheIsMadePrivate) {
    fs::create_directories(cache);
    fs::permissions(cache, fs::perms::all);

    ASSERT_TRUE(cache_plugin(plugin, cache));

    EXPECT_EQ(mode(cache), 0700U);
}

TEST_F(PluginCacheTest, FindsACopyThatWasMadeBefore) {
    const auto made = cache_plugin(plugin, cache);
    ASSERT_TRUE(made);

    const auto found = find_cached_plugin(made->digest, cache);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->library, made->library);
    EXPECT_FALSE(find_cached_plugin(std::string(64, 'a'), cache));

    fs::permissions(made->library, fs::perms::owner_all);
    std::ofstream(made->library) << "damaged";
    const auto damaged = find_cached_plugin(made->digest, cache);
    ASSERT_FALSE(damaged);
    EXPECT_THAT(damaged.error().message, HasSubstr("gone or damaged"));
}

TEST_F(PluginCacheTest, PruningRemovesOtherCopiesAndNothingElse) {
    const auto kept = cache_plugin(plugin, cache);
    const auto other = cache_plugin(fs::path(TEST_PLUGINS) / "good" / "test_basics.so", cache);
    ASSERT_TRUE(kept && other);
    std::ofstream(cache / "history") << "text";

    prune_plugin_cache(cache, {kept->digest});

    EXPECT_TRUE(fs::exists(kept->library));
    EXPECT_FALSE(fs::exists(other->library.parent_path()));
    EXPECT_TRUE(fs::exists(cache / "history"));
    prune_plugin_cache(cache / "not there", {});
}

TEST_F(PluginCacheTest, AFileThatIsWrittenToMeanwhileIsNotKept) {
    // Large enough that the clock of the file system ticks while it is copied.
    const fs::path large = root / "large.so";
    fs::copy_file(plugin, large);
    fs::permissions(large, fs::perms::owner_all);
    fs::resize_file(large, 64U * 1024 * 1024);
    std::atomic<bool> stop = false;
    std::atomic<int> written = 0;
    std::thread writer([&] {
        std::fstream file(large, std::ios::in | std::ios::out | std::ios::binary);
        for (; !stop; ++written)
            file.seekp(-8, std::ios::end).write("changing", 8).flush();
    });
    while (written == 0)
        std::this_thread::yield();

    const auto copy = cache_plugin(large, cache);
    stop = true;
    writer.join();

    ASSERT_FALSE(copy);
    EXPECT_EQ(copy.error().code, base::Errc::unavailable);
    EXPECT_THAT(copy.error().message, HasSubstr("written to while it was copied"));
    EXPECT_TRUE(fs::is_empty(cache));
}

TEST_F(PluginCacheTest, SaysWhatIsWrongWithTheFile) {
    const auto reason = [&](const char* file) {
        const auto copy = cache_plugin(fs::path(TEST_PLUGINS) / "broken" / file, cache);
        return copy ? "fine" : copy.error().message;
    };

    EXPECT_EQ(reason("test_text.so"), "test_text.so is text, not a shared library");
    EXPECT_THAT(reason("test_truncated.so"), HasSubstr("test_truncated.so is truncated"));
    EXPECT_THAT(reason("nowhere.so"), HasSubstr("No such file"));
    EXPECT_THAT(reason("."), HasSubstr("not a regular file"));
}

}  // namespace
}  // namespace distributo::runtime
