#include "files.hpp"

#include <distributo/testing.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace {

using distributo::testing::Generator;
using distributo::testing::stream_fault;

class LinesTest : public testing::Test {
protected:
    /// The configuration, with the files of these patterns.
    [[nodiscard]] std::string config(const std::string& files, const std::string& more = {}) const {
        std::string list;
        std::istringstream in(files);
        for (std::string file; in >> file;) {
            list += (list.empty() ? "\"" : ",\"") + files_.path(file) + '"';
        }
        return R"({"type":"t","files":[)" + list + "]" + more + "}";
    }
    /// All payloads, or why there are none.
    static std::vector<std::string> payloads(const std::string& config) {
        Generator generator(DISTRIBUTO_PLUGIN_FILE);
        if (const auto opened = generator.open(config); !opened.ok()) {
            return {opened.message};
        }
        const auto all = generator.run();
        std::vector<std::string> payloads;
        for (const auto& task : all.emitted) {
            payloads.push_back(task.payload);
        }
        if (all.status != DTO_END) {
            payloads.push_back(all.message);
        }
        return payloads;
    }
    void pack(const std::string& name, const std::string& content, const std::string& how) {
        files_.write(name, content);
        ASSERT_EQ(std::system((how + ' ' + files_.path(name)).c_str()), 0);
    }

    Files files_;
};

using Payloads = std::vector<std::string>;

TEST_F(LinesTest, EachLineIsATaskAlsoALastOneWithoutABreak) {
    files_.write("a.txt", "one\r\n\ntwo \"2\"");
    EXPECT_EQ(payloads(config("a.txt")),
              (Payloads{R"({"line":"one"})", R"({"line":"two \"2\""})"}));
    EXPECT_EQ(payloads(config("a.txt", R"(,"payload":{"w":"{line}","n":"{number:number}"})")),
              (Payloads{R"({"w":"one","n":1})", R"({"w":"two \"2\"","n":3})"}));
    EXPECT_EQ(payloads(config("a.txt", R"(,"skip_empty":false)")).size(), 3U);
}

TEST_F(LinesTest, FilesComeInOrderAndPatternsAreExpanded) {
    files_.write("b2.txt", "3\n");
    files_.write("b1.txt", "2\n");
    files_.write("a.txt", "1\n");
    EXPECT_EQ(payloads(config("a.txt b*.txt")),
              (Payloads{R"({"line":"1"})", R"({"line":"2"})", R"({"line":"3"})"}));
}

TEST_F(LinesTest, CsvHasNamesAndLineBreaksInItsQuotes) {
    files_.write("t.csv", "id,\"full name\"\r\n1,\"Ada \"\"A\"\"\nLovelace\"\r\n2,x\r\n");
    EXPECT_EQ(payloads(config("t.csv")),
              (Payloads{R"({"id":"1","full name":"Ada \"A\"\nLovelace"})",
                        R"({"id":"2","full name":"x"})"}));
    EXPECT_EQ(payloads(config("t.csv", R"(,"payload":{"i":"{id:number}","l":"{number:number}"})")),
              (Payloads{R"({"i":1,"l":2})", R"({"i":2,"l":4})"}));
}

TEST_F(LinesTest, NdjsonIsPassedOnAsItIs) {
    files_.write("t.ndjson", "{\"a\":1.50}\n[]\n");
    EXPECT_EQ(payloads(config("t.ndjson")), (Payloads{R"({"a":1.50})", "[]"}));
}

TEST_F(LinesTest, ABadRecordNamesItsPlaceAndIsSkippedWhenThatIsWanted) {
    files_.write("t.csv", "a,b\n1,2\n3\n4,5\n");
    const auto all = payloads(config("t.csv"));
    ASSERT_FALSE(all.empty());
    EXPECT_EQ(all.back(), files_.path("t.csv") + ":3: expected 2 fields, got 1");
    EXPECT_EQ(payloads(config("t.csv", R"(,"on_error":"skip")")),
              (Payloads{R"({"a":"1","b":"2"})", R"({"a":"4","b":"5"})"}));
}

TEST_F(LinesTest, CompressedFilesAreReadToo) {
    std::string content;
    for (int i = 0; i < 3000; ++i) {
        content += "line " + std::to_string(i) + '\n';
    }
    pack("a.txt", content, "gzip");
    pack("b.txt", content, "zstd -q --rm");
    const auto all = payloads(config("a.txt.gz b.txt.zst"));
    EXPECT_EQ(all.size(), 6000U) << all.back();
    EXPECT_EQ(stream_fault(DISTRIBUTO_PLUGIN_FILE, config("a.txt.gz b.txt.zst")), "");
}

TEST_F(LinesTest, TheStreamIsTheSameWithAnyRoomAndFromAnyCheckpoint) {
    std::string rows = "n,text\n";
    for (int i = 0; i < 400; ++i) {
        rows +=
            std::to_string(i) + ",\"a\n" + std::string(static_cast<std::size_t>(i), 'x') + "\"\n";
    }
    files_.write("a.csv", rows);
    files_.write("b.csv", "n,text\n");
    files_.write("c.csv", rows);
    EXPECT_EQ(stream_fault(DISTRIBUTO_PLUGIN_FILE, config("a.csv b.csv c.csv")), "");
}

TEST_F(LinesTest, AnotherFileUnderTheNameIsNoticed) {
    files_.write("a.txt", "1\n2\n3\n");
    Generator generator(DISTRIBUTO_PLUGIN_FILE);
    ASSERT_TRUE(generator.open(config("a.txt")).ok());
    EXPECT_EQ(generator.next(1).emitted.size(), 1U);
    files_.write("a.txt", "x\n2\n3\n");
    ASSERT_TRUE(generator.reopen().ok());
    const auto refused = generator.next(1);
    EXPECT_EQ(refused.status, DTO_PERMANENT);
    EXPECT_NE(refused.message.find("is not the file any more that was read up to line 1"),
              std::string::npos)
        << refused.message;
}

TEST_F(LinesTest, AFileThatGrowsIsFollowedAndALineIsWaitedFor) {
    files_.write("a.log", "1\n2");
    Generator generator(DISTRIBUTO_PLUGIN_FILE);
    ASSERT_TRUE(generator.open(config("a.log", R"(,"follow":true)")).ok());
    EXPECT_EQ(generator.next(10).emitted.size(), 1U);
    EXPECT_EQ(generator.next(10).status, DTO_IDLE);
    std::ofstream(files_.path("a.log"), std::ios::app) << "2\n3\n";
    const auto more = generator.next(10);
    ASSERT_EQ(more.emitted.size(), 2U);
    EXPECT_EQ(more.emitted[0].payload, R"({"line":"22"})");
    files_.write("a.log", "1\n");
    EXPECT_EQ(generator.next(10).status, DTO_PERMANENT);
}

TEST_F(LinesTest, AFileThatIsMissingIsWaitedFor) {
    Generator generator(DISTRIBUTO_PLUGIN_FILE);
    ASSERT_TRUE(generator.open(config("none.txt")).ok());
    const auto failed = generator.next(1);
    EXPECT_EQ(failed.status, DTO_RETRY);
    EXPECT_EQ(failed.message,
              "cannot open " + files_.path("none.txt") + ": No such file or directory");
}

}  // namespace
