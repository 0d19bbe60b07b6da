#include "runtime/plugin_cache.hpp"

#include "base/digest.hpp"
#include "base/ids.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <set>
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

/// A script with the library that runs it beside it, which here only has to look like one.
class ScriptCacheTest : public PluginCacheTest {
protected:
    ScriptCacheTest() {
        write("pass\n");
        fs::copy_file(plugin, root / script_library);
    }
    void write(const std::string& text) { std::ofstream(script) << text; }

    const fs::path script = root / "words.py";
};

TEST_F(ScriptCacheTest, ACopyHasTheScriptAndItsLibraryUnderTheSameName) {
    const auto copy = cache_plugin(script, cache);
    ASSERT_TRUE(copy) << copy.error().message;
    EXPECT_EQ(copy->library, cache / copy->digest / "words.so");
    EXPECT_EQ(*base::sha256_file(copy->library), *base::sha256_file(plugin));
    EXPECT_EQ(*base::sha256_file(cache / copy->digest / "words.py"), base::sha256("pass\n"));
    EXPECT_EQ(cache_plugin(script, cache)->digest, copy->digest);
    EXPECT_EQ(find_cached_plugin(copy->digest, cache)->library, copy->library);
    EXPECT_EQ(std::distance(fs::directory_iterator(cache), {}), 1);
}

TEST_F(ScriptCacheTest, TheDigestIsOfNameContentAndLibrary) {
    std::set<std::string> digests{cache_plugin(script, cache)->digest};
    write("pass  # changed\n");
    digests.insert(cache_plugin(script, cache)->digest);
    fs::copy_file(script, root / "other.py");
    digests.insert(cache_plugin(root / "other.py", cache)->digest);
    fs::remove(root / script_library);
    fs::copy_file(fs::path(TEST_PLUGINS) / "good" / "test_basics.so", root / script_library);
    digests.insert(cache_plugin(script, cache)->digest);
    EXPECT_EQ(digests.size(), 4U);
}

TEST_F(ScriptCacheTest, ADamagedScriptIsReplaced) {
    const auto first = cache_plugin(script, cache);
    ASSERT_TRUE(first);
    const fs::path copy = cache / first->digest / "words.py";
    fs::permissions(copy, fs::perms::owner_all);
    std::ofstream(copy) << "damaged";
    EXPECT_FALSE(find_cached_plugin(first->digest, cache));
    ASSERT_TRUE(cache_plugin(script, cache));
    EXPECT_TRUE(find_cached_plugin(first->digest, cache));
}

TEST_F(ScriptCacheTest, TheLibraryMayLieInAnotherFolder) {
    fs::create_directories(root / "libraries");
    fs::rename(root / script_library, root / "libraries" / script_library);
    EXPECT_EQ(find_script_library(script, {root, root / "libraries"}),
              root / "libraries" / script_library);
    EXPECT_TRUE(cache_plugin(script, cache, {root / "libraries"}));
    EXPECT_NE(find_script_library(script, {root}), root / "libraries" / script_library);
}

TEST(IsPluginFileTest, AcceptsVisibleLibrariesAndScripts) {
    for (const char* name : {"a.so", "a.py", "/folder/_a.so"})
        EXPECT_TRUE(is_plugin_file(name)) << name;
    for (const char* name :
         {".so", ".a.so", "a.so.1", "a.so.tmp", ".py", ".a.py", "__init__.py", "a.pyc"})
        EXPECT_FALSE(is_plugin_file(name)) << name;
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
