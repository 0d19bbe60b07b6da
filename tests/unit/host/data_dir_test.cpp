#include "host/data_dir.hpp"

#include "base/ids.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace distributo::host {
namespace {

namespace fs = std::filesystem;

class DataDirTest : public testing::Test {
protected:
    ~DataDirTest() override { fs::remove_all(path); }

    fs::path path = fs::temp_directory_path() / ("distributo-data-" + base::random_hex(6));
};

TEST_F(DataDirTest, KeepsTheHostIdOverRestarts) {
    std::string id;
    {
        auto directory = DataDir::open(path);
        ASSERT_TRUE(directory);
        id = directory->host_id();
    }
    auto again = DataDir::open(path);

    ASSERT_TRUE(again);
    EXPECT_EQ(id.size(), 32U);
    EXPECT_EQ(again->host_id(), id);
}

TEST_F(DataDirTest, RefusesASecondHostAndSaysWhatToDo) {
    auto directory = DataDir::open(path);
    ASSERT_TRUE(directory);

    auto second = DataDir::open(path);

    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, base::Errc::conflict);
    EXPECT_THAT(second.error().message, testing::HasSubstr(path.string()));
    EXPECT_THAT(second.error().hint, testing::HasSubstr("--data-dir"));
}

TEST_F(DataDirTest, ADamagedHostIdIsReplaced) {
    fs::create_directories(path);
    std::ofstream(path / "host-id") << "nonsense\n";

    auto directory = DataDir::open(path);

    ASSERT_TRUE(directory);
    EXPECT_EQ(directory->host_id().size(), 32U);
}

TEST_F(DataDirTest, EmptiesWhatAnInterruptedRunLeftAndKeepsFinishedInstalls) {
    const std::string key(64, 'a');
    fs::create_directories(path / "staging" / "half");
    fs::create_directories(path / "installs" / key);
    fs::create_directories(path / "installs" / "not-a-key");

    auto directory = DataDir::open(path);

    ASSERT_TRUE(directory);
    EXPECT_TRUE(fs::is_empty(directory->staging()));
    EXPECT_THAT(directory->finished_installs(), testing::ElementsAre(key));
}

}  // namespace
}  // namespace distributo::host
