#include "files.hpp"

#include <distributo/testing.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using distributo::testing::Generator;

class DirectoryTest : public testing::Test {
protected:
    DirectoryTest() {
        fs::create_directories(files_.path("home"));
        fs::create_directories(files_.path("in/sub"));
        setenv("HOME", files_.path("home").c_str(), 1);
    }
    void write(const std::string& name, const std::string& content, int hours_ago = 1) {
        const auto path = files_.write("in/" + name, content);
        fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::hours(hours_ago));
    }
    [[nodiscard]] std::string config(const std::string& more = {}) const {
        return R"({"type":"t","path":")" + files_.path("in") +
               R"(","payload":"{name} {size} {sha256}")" + more + "}";
    }
    /// Names of what the next call gives.
    static std::vector<std::string> names(const distributo::testing::Outcome& batch) {
        std::vector<std::string> names;
        for (const auto& task : batch.emitted) {
            names.push_back(task.payload.substr(1, task.payload.find(' ') - 1));
        }
        return names;
    }

    Files files_;
};

using Names = std::vector<std::string>;

TEST_F(DirectoryTest, EachFileIsATaskWithItsDigest) {
    write("b", "abc");
    write("sub/a", "");
    Generator generator(DISTRIBUTO_PLUGIN_FILE);
    ASSERT_TRUE(generator.open(config(R"(,"follow":false)")).ok());
    const auto all = generator.next(10);
    EXPECT_EQ(all.status, DTO_END);
    EXPECT_EQ(names(all), (Names{"b", "sub/a"}));
    EXPECT_EQ(all.emitted[0].payload,
              "\"b 3 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"");
}

TEST_F(DirectoryTest, PatternsAndDepthChoose) {
    write("a.png", "");
    write("a.txt", "");
    write("sub/b.png", "");
    Generator generator(DISTRIBUTO_PLUGIN_FILE);
    ASSERT_TRUE(
        generator.open(config(R"(,"follow":false,"patterns":["*.png"],"recursive":false)")).ok());
    EXPECT_EQ(names(generator.next(10)), Names{"a.png"});
}

TEST_F(DirectoryTest, AChangedFileComesAgainAndNoOther) {
    write("a", "1", 3);
    write("b", "1", 3);
    Generator generator(DISTRIBUTO_PLUGIN_FILE);
    ASSERT_TRUE(generator.open(config()).ok());
    EXPECT_EQ(names(generator.next(10)), (Names{"a", "b"}));
    EXPECT_EQ(generator.next(10).status, DTO_IDLE);
    write("b", "2", 2);
    write("c", "1", 2);
    EXPECT_EQ(names(generator.next(10)), (Names{"b", "c"}));
}

TEST_F(DirectoryTest, AFileThatIsBeingWrittenIsLeftAlone) {
    files_.write("in/a", "1");
    Generator generator(DISTRIBUTO_PLUGIN_FILE);
    ASSERT_TRUE(generator.open(config(R"(,"settle_ms":3600000)")).ok());
    EXPECT_EQ(generator.next(10).status, DTO_IDLE);
    write("a", "1", 2);
    EXPECT_EQ(names(generator.next(10)), Names{"a"});
}

TEST_F(DirectoryTest, WhatNeverBecameDurableComesAgainAfterARestart) {
    for (const auto* name : {"a", "b", "c", "d"}) {
        write(name, "");
    }
    Generator generator(DISTRIBUTO_PLUGIN_FILE);
    ASSERT_TRUE(generator.open(config()).ok());
    EXPECT_EQ(names(generator.next(2)), (Names{"a", "b"}));
    const std::string durable = generator.checkpoint();
    EXPECT_EQ(names(generator.next(1)), Names{"c"});
    ASSERT_TRUE(generator.open(config(), durable).ok());  // the last call was lost
    EXPECT_EQ(names(generator.next(10)), (Names{"c", "d"}));
    ASSERT_TRUE(generator.open(config(), generator.checkpoint()).ok());
    EXPECT_EQ(generator.next(10).status, DTO_IDLE);
}

TEST_F(DirectoryTest, AFolderThatIsMissingIsWaitedFor) {
    Generator generator(DISTRIBUTO_PLUGIN_FILE);
    ASSERT_TRUE(generator.open(R"({"type":"t","path":"/nowhere"})").ok());
    EXPECT_EQ(generator.next(1).message, "there is no folder /nowhere");
}

}  // namespace
