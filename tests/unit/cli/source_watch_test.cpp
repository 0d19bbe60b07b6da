#include "coordinator/cli/source_watch.hpp"

#include "coordinator/cli/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace distributo::coordinator::cli {
namespace {

TEST(SourceWatch, KnowsSourcesFromWhatBuildsAndEditorsLeave) {
    for (const char* source : {"a.c",
                               "b/a.cpp",
                               "a.hpp",
                               "a.rs",
                               "sample.json",
                               "Makefile",
                               "CMakeLists.txt",
                               "Cargo.toml"})
        EXPECT_TRUE(is_source(source)) << source;
    for (const char* other :
         {"a.so", "a.o", "a_test", ".a.c.swp", "a.c~", "#a.c#", ".a.c", "", "4913"})
        EXPECT_FALSE(is_source(other)) << other;
}

TEST(SourceWatch, LooksIntoNoBuildFolder) {
    EXPECT_TRUE(holds_sources("src"));
    for (const char* other : {"build", "build-debug", ".git", "target", "CMakeFiles"})
        EXPECT_FALSE(holds_sources(other)) << other;
}

void write(const std::filesystem::path& file) {
    std::ofstream(file) << "changed";
}

TEST(SourceWatch, TellsWhatChangedAlsoWhenNobodyWaited) {
    const TemporaryFolder folder("watch-test-");
    std::filesystem::create_directories(folder.path() / "src");
    std::filesystem::create_directories(folder.path() / "build");
    auto watch = SourceWatch::start(folder.path());
    ASSERT_TRUE(watch) << watch.error().message;
    write(folder.path() / "build" / "made.c");
    write(folder.path() / "x.o");
    write(folder.path() / "src" / "one.c");
    write(folder.path() / "two.json.new");
    std::filesystem::rename(folder.path() / "two.json.new", folder.path() / "two.json");
    EXPECT_THAT(watch->wait(), testing::ElementsAre("one.c", "two.json"));

    // A folder that is made later is looked into as well.
    std::filesystem::create_directories(folder.path() / "more");
    write(folder.path() / "three.c");
    EXPECT_THAT(watch->wait(), testing::ElementsAre("three.c"));
    write(folder.path() / "more" / "four.c");
    EXPECT_THAT(watch->wait(), testing::ElementsAre("four.c"));
}

TEST(SourceWatch, NeedsAFolder) {
    const auto watch = SourceWatch::start("/nowhere");
    ASSERT_FALSE(watch);
    EXPECT_NE(watch.error().message.find("/nowhere"), std::string::npos);
}

}  // namespace
}  // namespace distributo::coordinator::cli
