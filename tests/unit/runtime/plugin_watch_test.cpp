#include "runtime/plugin_watch.hpp"

#include "base/ids.hpp"

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace distributo::runtime {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class PluginWatchTest : public testing::Test {
protected:
    PluginWatchTest()
        : root(fs::temp_directory_path() / ("distributo-watch-" + base::random_hex(6))),
          folder(root / "plugins") {
        fs::create_directories(folder);
    }
    ~PluginWatchTest() override {
        watch.reset();
        fs::remove_all(root);
    }

    void start() {
        watch.emplace(io, std::vector{folder}, [this](const PluginChanges& changes) {
            for (const auto& file : changes.present)
                present.push_back(file.filename());
            for (const auto& file : changes.removed)
                removed.push_back(file.filename());
            ++reports;
        });
        ASSERT_TRUE(watch->start());
    }
    static void write(const fs::path& file, std::string_view text = "content") {
        std::ofstream(file) << text;
    }
    /// Runs the loop until another report arrives; a guard far above any real delay ends a failure.
    void wait_for_report() {
        const auto before = reports;
        const auto end = std::chrono::steady_clock::now() + 20s;
        while (reports == before && std::chrono::steady_clock::now() < end)
            io.run_one_until(end);
        ASSERT_GT(reports, before) << "nothing was reported";
    }

    fs::path root, folder;
    boost::asio::io_context io;
    std::optional<PluginWatch> watch;
    std::vector<fs::path> present, removed;
    int reports = 0;
};

TEST_F(PluginWatchTest, ReportsWhatIsThereAtTheStart) {
    write(folder / "a.so");
    write(folder / "readme.txt");
    write(folder / ".hidden.so");
    fs::create_directory(folder / "folder.so");
    start();

    EXPECT_THAT(present, ElementsAre("a.so"));
}

TEST_F(PluginWatchTest, SeesAFileRenamedIntoTheFolder) {
    start();
    write(root / "new");
    fs::rename(root / "new", folder / "a.so");
    wait_for_report();

    EXPECT_THAT(present, ElementsAre("a.so"));
}

TEST_F(PluginWatchTest, LeavesAFileAloneUntilItsWriterClosesIt) {
    start();
    const int slow = ::open((folder / "slow.so").c_str(), O_WRONLY | O_CREAT, 0600);
    ASSERT_GE(slow, 0);
    ASSERT_EQ(::write(slow, "half", 4), 4);
    write(folder / "quick.so");
    wait_for_report();
    EXPECT_THAT(present, ElementsAre("quick.so"));

    ASSERT_EQ(::write(slow, "rest", 4), 4);
    ::close(slow);
    wait_for_report();

    EXPECT_THAT(present, ElementsAre("quick.so", "slow.so"));
}

TEST_F(PluginWatchTest, SeesAFileReplacedByOneOfTheSameSizeAndTime) {
    write(folder / "a.so", "one");
    start();
    write(root / "new", "two");
    fs::last_write_time(root / "new", fs::last_write_time(folder / "a.so"));
    fs::rename(root / "new", folder / "a.so");
    wait_for_report();

    EXPECT_THAT(present, ElementsAre("a.so", "a.so"));
    EXPECT_THAT(removed, IsEmpty());
}

TEST_F(PluginWatchTest, SeesAFileOverwrittenInPlaceThatLooksTheSame) {
    write(folder / "a.so", "one");
    start();
    struct stat before {};
    ASSERT_EQ(::stat((folder / "a.so").c_str(), &before), 0);
    const int file = ::open((folder / "a.so").c_str(), O_WRONLY);
    ASSERT_EQ(::write(file, "two", 3), 3);
    const timespec times[] = {before.st_atim, before.st_mtim};
    ASSERT_EQ(::futimens(file, times), 0);
    ::close(file);
    wait_for_report();

    EXPECT_THAT(present, ElementsAre("a.so", "a.so"));
}

TEST_F(PluginWatchTest, AFileThatIsOnlyGivenAnotherTimeIsNotWaitedForForever) {
    write(folder / "a.so", "one");
    start();
    const timespec times[] = {{0, UTIME_OMIT}, {1'000'000, 0}};  // seen as a change of content
    ASSERT_EQ(::utimensat(AT_FDCWD, (folder / "a.so").c_str(), times, 0), 0);
    wait_for_report();

    EXPECT_THAT(present, ElementsAre("a.so", "a.so"));
}

TEST_F(PluginWatchTest, AFileThatIsDeletedAndWrittenAnewWasNeverGone) {
    write(folder / "a.so", "one");
    start();
    fs::remove(folder / "a.so");
    const int slow = ::open((folder / "a.so").c_str(), O_WRONLY | O_CREAT, 0600);
    ASSERT_EQ(::write(slow, "two", 3), 3);
    write(folder / "other.so");
    wait_for_report();
    EXPECT_THAT(removed, IsEmpty());
    EXPECT_THAT(present, ElementsAre("a.so", "other.so")) << "not before it is complete";

    ::close(slow);
    wait_for_report();

    EXPECT_THAT(removed, IsEmpty());
    EXPECT_THAT(present, ElementsAre("a.so", "other.so", "a.so"));
}

TEST_F(PluginWatchTest, SeesAFileDeletedAndAFileRenamedAway) {
    write(folder / "a.so");
    write(folder / "b.so");
    start();
    fs::remove(folder / "a.so");
    fs::rename(folder / "b.so", folder / "b.old");
    wait_for_report();

    EXPECT_THAT(removed, ElementsAre("a.so", "b.so"));
}

TEST_F(PluginWatchTest, SeesASymbolicLink) {
    write(root / "real.so");
    start();
    fs::create_symlink(root / "real.so", folder / "link.so");
    wait_for_report();

    EXPECT_THAT(present, ElementsAre("link.so"));
}

TEST_F(PluginWatchTest, AFolderThatVanishesTakesItsPluginsAndIsWatchedAgain) {
    write(folder / "a.so");
    start();
    fs::remove_all(folder);
    wait_for_report();
    EXPECT_THAT(removed, ElementsAre("a.so"));

    fs::create_directory(folder);
    write(folder / "b.so");
    wait_for_report();

    EXPECT_THAT(present, ElementsAre("a.so", "b.so"));
}

}  // namespace
}  // namespace distributo::runtime
