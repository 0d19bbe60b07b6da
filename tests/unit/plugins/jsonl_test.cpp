#include "files.hpp"
#include "outcomes.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace {

using distributo::testing::Outcome;
using distributo::testing::Sink;
using outcomes::range;

/// With config.fields = []: the line of an outcome.
std::string line(std::uint64_t sequence) {
    return R"({"sequence":)" + std::to_string(sequence) + "}\n";
}

std::string lines(std::uint64_t first, std::uint64_t last) {
    std::string all;
    for (std::uint64_t i = first; i <= last; ++i) {
        all += line(i);
    }
    return all;
}

class JsonlTest : public testing::Test {
protected:
    /// Lines of nothing but the number, so that they can be counted in bytes.
    [[nodiscard]] std::string config(const std::string& more = "") const {
        return R"({"fields":[],"path":")" + path() + "\"" + more + "}";
    }
    [[nodiscard]] std::string path() const { return files_.path("out.jsonl"); }
    [[nodiscard]] std::string content() const { return files_.read("out.jsonl"); }
    [[nodiscard]] static std::string aside(const std::string& number) {
        return "out.jsonl." + std::string(20 - number.size(), '0') + number;
    }

    /// What opening says, and nothing when it works.
    std::string refusal(const std::string& json) {
        const Outcome outcome = sink_.open(json);
        return outcome.ok() ? "" : outcome.message;
    }

    Files files_;
    Sink sink_{DISTRIBUTO_PLUGIN_FILE};
};

TEST_F(JsonlTest, ALineSaysEverythingThatThereIs) {
    ASSERT_TRUE(sink_.open(R"({"path":")" + path() + "\"}").ok());
    EXPECT_EQ(sink_.last_stored(), 0U);
    distributo::Outcome split = outcomes::completed(2);
    split.payload = "{\n\"n\":\r\n7}";
    ASSERT_TRUE(sink_.write(std::vector{split, outcomes::failed(7)}).ok());
    EXPECT_EQ(sink_.acknowledged(), 7U);
    EXPECT_EQ(content(),
              R"({"sequence":2,"id":"a1","type":"demo.prime","state":"completed","attempt":1,)"
              R"("group":"g","host":"box","created":"2023-11-14T22:13:20.123Z",)"
              R"("finished":"2023-11-14T22:13:21.023Z","payload":{ "n":  7},)"
              R"("result":{"prime":true}})"
              "\n"
              R"({"sequence":7,"id":"a1","type":"demo.prime","state":"failed",)"
              R"("reason":"permanent","error":"no \"n\"","attempt":1,"group":"g",)"
              R"("generator":"words","dedupe_key":"k","host":"box","host_id":"0f",)"
              R"("created":"2023-11-14T22:13:20.123Z","finished":"2023-11-14T22:13:21.023Z",)"
              R"("payload":{"n":7}})"
              "\n");
}

TEST_F(JsonlTest, FieldsAreChosen) {
    ASSERT_TRUE(sink_.open(R"({"fields":["result","id"],"path":")" + path() + "\"}").ok());
    ASSERT_TRUE(sink_.write(range(1, 1)).ok());
    EXPECT_EQ(content(),
              R"({"sequence":1,"id":"a1","result":{"prime":true}})"
              "\n");
    EXPECT_NE(refusal(R"({"fields":["resultt"],"path":"x"})").find("\"resultt\" is none of: id,"),
              std::string::npos);
}

TEST_F(JsonlTest, WhatComesAgainIsThereOnce) {
    ASSERT_TRUE(sink_.open(config()).ok());
    ASSERT_TRUE(sink_.write(range(1, 3)).ok());
    // The acknowledgement was lost: in this process, then with it.
    ASSERT_TRUE(sink_.write(range(1, 4)).ok());
    Sink restarted(DISTRIBUTO_PLUGIN_FILE);
    EXPECT_EQ(restarted.open(config()).message, "config.path: another sink writes to " + path());
    ASSERT_TRUE(sink_.open(R"({"path":")" + files_.path("other") + "\"}").ok());
    ASSERT_TRUE(restarted.open(config()).ok());
    EXPECT_EQ(restarted.last_stored(), 4U);
    ASSERT_TRUE(restarted.write(range(2, 5)).ok());
    EXPECT_EQ(restarted.acknowledged(), 5U);
    EXPECT_EQ(content(), lines(1, 5));
}

TEST_F(JsonlTest, ATornLineIsCutAndToldWhereverItIsTorn) {
    const std::string whole = lines(1, 3);
    const std::string two = lines(1, 2);
    for (std::size_t size = two.size() + 1; size < whole.size(); ++size) {
        files_.write("out.jsonl", whole.substr(0, size));
        ASSERT_TRUE(sink_.open(config()).ok()) << size;
        EXPECT_EQ(sink_.last_stored(), 2U);
        const Outcome said = sink_.said();
        ASSERT_EQ(said.logs.size(), 1U) << size;
        EXPECT_EQ(said.logs[0],
                  path() + ": cut off " + std::to_string(size - two.size()) +
                      " bytes of a line that was not finished");
        ASSERT_TRUE(sink_.write(range(3, 3)).ok());
        EXPECT_EQ(content(), whole);
    }
    files_.write("out.jsonl", two + std::string(100'000, '\0'));  // a power cut
    ASSERT_TRUE(sink_.open(config()).ok());
    EXPECT_EQ(content(), two);
    files_.write("out.jsonl", R"({"sequ)");
    ASSERT_TRUE(sink_.open(config()).ok());
    EXPECT_EQ(content(), "");
}

TEST_F(JsonlTest, ALongLastLineIsFound) {
    const std::string pad(300'000, 'x');
    files_.write(
        "out.jsonl",
        line(1) + R"({"sequence":12,"result":")" + pad + "\"}\n" + R"({"sequence":13,"re)" + pad);
    ASSERT_TRUE(sink_.open(config()).ok());
    EXPECT_EQ(sink_.last_stored(), 12U);
    EXPECT_EQ(content().size(), line(1).size() + pad.size() + 28);
}

TEST_F(JsonlTest, FilesOfOthersAreLeftAlone) {
    for (const std::string foreign : {"a,b\n1,2\n",
                                      "{\"x\":1}",
                                      "no end",
                                      "\n",
                                      "{\"sequence\":x}\n",
                                      "{\"sequence\":1}\n\n",
                                      "{\"sequence\":1}\n{\"other\":"}) {
        files_.write("out.jsonl", foreign);
        const Outcome outcome = sink_.open(config());
        EXPECT_EQ(outcome.status, DTO_PERMANENT) << foreign;
        EXPECT_NE(outcome.message.find(path() + " was not written by this sink"),
                  std::string::npos);
        EXPECT_EQ(content(), foreign);
    }
}

TEST_F(JsonlTest, PathsThatCannotBeWrittenSayWhy) {
    std::filesystem::create_directory(files_.path("folder"));
    EXPECT_EQ(refusal(R"({"path":")" + files_.path("folder") + "\"}"),
              "config.path: " + files_.path("folder") + " is a directory, expected a regular file");
    EXPECT_EQ(refusal(R"({"path":"/dev/null"})"),
              "config.path: /dev/null is a device, expected a regular file");
    EXPECT_EQ(refusal(R"({"path":")" + files_.path("none/x") + "\"}"),
              "config.path: cannot open " + files_.path("none/x") + ": No such file or directory");
    EXPECT_EQ(refusal(R"({"path":""})"), "config.path: expected the path of a file, got \"\"");
    const std::string closed = files_.write("closed", "");
    std::filesystem::permissions(closed, std::filesystem::perms::owner_read);
    const OrdinaryUser user;
    ASSERT_TRUE(user.became());
    EXPECT_EQ(refusal(R"({"path":")" + closed + "\"}").find("config.path: cannot open " + closed),
              0U);
}

TEST_F(JsonlTest, AFullFileIsSetAside) {
    const std::string three = std::to_string(3 * line(1).size());
    ASSERT_TRUE(sink_.open(config(R"(,"max_size":)" + three)).ok());
    ASSERT_TRUE(sink_.write(range(1, 2)).ok());
    ASSERT_TRUE(sink_.write(range(3, 7)).ok());
    EXPECT_EQ(files_.names(), "out.jsonl " + aside("3") + " " + aside("6"));
    EXPECT_EQ(files_.read(aside("3")), lines(1, 3));
    EXPECT_EQ(files_.read(aside("6")), lines(4, 6));
    EXPECT_EQ(content(), line(7));
    ASSERT_TRUE(sink_.open(config(R"(,"max_size":1)")).ok());
    EXPECT_EQ(sink_.last_stored(), 7U);
    ASSERT_TRUE(sink_.write(range(8, 9)).ok()) << "a line that is too long has a file of its own";
    EXPECT_EQ(files_.read(aside("8")), line(8));
    EXPECT_EQ(content(), line(9));
}

TEST_F(JsonlTest, OldFilesAreRemovedAndOthersAreNot) {
    files_.write("out.jsonl.1", "of a person");
    files_.write("out.jsonl.0000000000000000000x", "of a person");
    ASSERT_TRUE(sink_.open(config(R"(,"max_size":1,"max_files":2)")).ok());
    ASSERT_TRUE(sink_.write(range(1, 6)).ok());
    EXPECT_EQ(files_.names(),
              "out.jsonl " + aside("4") + " " + aside("5") +
                  " out.jsonl.0000000000000000000x out.jsonl.1");
}

TEST_F(JsonlTest, TheNumberIsKnownFromFilesThatWereSetAside) {
    // Somebody died between the renaming and the first line of the new file, or while writing it.
    files_.write(aside("12"), line(12));
    files_.write(aside("9"), line(9));
    ASSERT_TRUE(sink_.open(config()).ok());
    EXPECT_EQ(sink_.last_stored(), 12U);
    files_.write("out.jsonl", R"({"sequence":13)");
    ASSERT_TRUE(sink_.open(config()).ok());
    EXPECT_EQ(sink_.last_stored(), 12U);
    ASSERT_TRUE(sink_.write(range(11, 14)).ok());
    EXPECT_EQ(content(), lines(13, 14));
}

TEST_F(JsonlTest, AFileThatWasMovedAwayIsBegunAnew) {
    ASSERT_TRUE(sink_.open(config()).ok());
    ASSERT_TRUE(sink_.write(range(1, 2)).ok());
    std::filesystem::rename(path(), files_.path("moved"));
    ASSERT_TRUE(sink_.write(range(2, 4)).ok());
    EXPECT_EQ(files_.read("moved"), lines(1, 2));
    EXPECT_EQ(content(), lines(3, 4));
}

TEST_F(JsonlTest, TheIntervalDecidesWhatIsAcknowledged) {
    ASSERT_TRUE(sink_.open(config(R"(,"fsync":"interval","interval_ms":3600000)")).ok());
    ASSERT_TRUE(sink_.write(range(1, 2)).ok());
    EXPECT_EQ(sink_.acknowledged(), 0U);
    EXPECT_EQ(content(), lines(1, 2)) << "others can read it already";
    ASSERT_TRUE(sink_.flush().ok());
    ASSERT_TRUE(sink_.open(config(R"(,"fsync":"interval","interval_ms":0)")).ok());
    ASSERT_TRUE(sink_.write(range(3, 3)).ok());
    EXPECT_EQ(sink_.acknowledged(), 3U);
    ASSERT_TRUE(sink_.open(config(R"(,"fsync":"never")")).ok());
    ASSERT_TRUE(sink_.write(range(4, 4)).ok());
    EXPECT_EQ(sink_.acknowledged(), 4U);
}

TEST_F(JsonlTest, AFullDiskLosesAndDoublesNothing) {
    ASSERT_TRUE(sink_.open(config()).ok());
    ASSERT_TRUE(sink_.write(range(1, 5)).ok());
    {
        const FileSizeLimit limit(lines(1, 7).size() + 3);
        const Outcome outcome = sink_.write(range(6, 10));
        EXPECT_EQ(outcome.message, "cannot write " + path() + ": File too large");
        EXPECT_EQ(sink_.acknowledged(), 5U);
        EXPECT_EQ(content(), lines(1, 5));
    }
    ASSERT_TRUE(sink_.write(range(6, 10)).ok());
    EXPECT_EQ(content(), lines(1, 10));
}

}  // namespace
