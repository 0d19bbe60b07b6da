#include "files.hpp"

#include <distributo/testing.hpp>

#include <gtest/gtest.h>
#include <zstd.h>

#include <random>
#include <string>

namespace {

using distributo::testing::Outcome;
using distributo::testing::Plugin;
using distributo::testing::RunOptions;

std::string noise(std::size_t size) {
    std::mt19937_64 source(7);
    std::string out(size, '\0');
    for (char& byte : out) {
        byte = static_cast<char>(source());
    }
    return out;
}

/// Text that compresses well, but not at once: each line differs.
std::string lines(int count) {
    std::string out;
    for (int i = 0; i < count; ++i) {
        out += "line " + std::to_string(i * 7919) + " of the sample\n";
    }
    return out;
}

std::string frame(const std::string& content) {
    std::string out(ZSTD_compressBound(content.size()), '\0');
    out.resize(ZSTD_compress(out.data(), out.size(), content.data(), content.size(), 3));
    return out;
}

std::string plain(const std::string& compressed) {
    std::string out(ZSTD_getFrameContentSize(compressed.data(), compressed.size()), '\0');
    EXPECT_EQ(ZSTD_decompress(out.data(), out.size(), compressed.data(), compressed.size()),
              out.size());
    return out;
}

class CompressTest : public testing::Test {
protected:
    Outcome run(const std::string& type,
                const std::string& input,
                const std::string& output,
                const std::string& more = "",
                const RunOptions& options = {}) {
        return plugin_.run(type,
                           R"({"input":")" + files_.path(input) + R"(","output":")" +
                               files_.path(output) + "\"" + more + "}",
                           options);
    }
    Outcome compress(const std::string& more = "", const RunOptions& options = {}) {
        return run("compress.zstd", "in", "out.zst", more, options);
    }
    Outcome decompress(const std::string& more = "", const RunOptions& options = {}) {
        return run("decompress.zstd", "in.zst", "out", more, options);
    }

    Plugin plugin_{DISTRIBUTO_PLUGIN_FILE};
    Files files_;
};

TEST_F(CompressTest, WhatItWritesIsWhatZstdReads) {
    const std::string content = lines(100'000);
    files_.write("in", content);

    const Outcome outcome = compress();

    ASSERT_TRUE(outcome.ok()) << outcome.message;
    EXPECT_EQ(outcome.progress, 1);
    const std::string written = files_.read("out.zst");
    EXPECT_EQ(plain(written), content);
    EXPECT_EQ(outcome.result.find(R"({"input_bytes":)" + std::to_string(content.size()) +
                                  R"(,"output_bytes":)" + std::to_string(written.size()) +
                                  R"(,"ratio":)"),
              0U)
        << outcome.result;
    EXPECT_EQ(files_.names(), "in out.zst");
}

// Noise does not shrink, so the sizes are known whatever the library's version.
TEST_F(CompressTest, TheResultGivesSizesAndRatio) {
    const std::string content = noise(100'000) + noise(100'000);
    const std::string compressed = frame(content);
    files_.write("in", content);
    files_.write("in.zst", compressed);
    files_.write("empty", "");

    const Outcome there = compress();
    const Outcome back = decompress();

    const std::string written = std::to_string(files_.read("out.zst").size());
    EXPECT_EQ(there.result,
              R"({"input_bytes":200000,"output_bytes":)" + written + R"(,"ratio":1.999})");
    EXPECT_EQ(back.result,
              R"({"input_bytes":)" + std::to_string(compressed.size()) +
                  R"(,"output_bytes":200000,"ratio":1.999})");
    EXPECT_NE(run("compress.zstd", "empty", "out.zst").result.find(R"("ratio":0})"),
              std::string::npos);
}

TEST_F(CompressTest, EveryLevelIsReadableAndHigherOnesAreSmaller) {
    std::filesystem::copy_file("/usr/share/dict/american-english", files_.path("in"));
    const std::string content = files_.read("in");
    std::vector<std::size_t> sizes;
    for (const int level : {1, 9, 19}) {
        ASSERT_TRUE(compress(",\"level\":" + std::to_string(level)).ok());
        EXPECT_TRUE(plain(files_.read("out.zst")) == content) << level;
        sizes.push_back(files_.read("out.zst").size());
    }
    EXPECT_GT(sizes[0], sizes[1]);
    EXPECT_GT(sizes[1], sizes[2]);
    EXPECT_EQ(compress(R"(,"level":20)").message, "payload.level: expected 1 to 19, got 20");
    EXPECT_EQ(compress(R"(,"level":0)").status, DTO_PERMANENT);
}

TEST_F(CompressTest, TheChecksumIsWrittenUnlessItIsUnwanted) {
    files_.write("in", "content");
    ASSERT_TRUE(compress().ok());
    const std::size_t with = files_.read("out.zst").size();
    ASSERT_TRUE(compress(R"(,"checksum":false)").ok());

    EXPECT_EQ(files_.read("out.zst").size() + 4, with);
}

TEST_F(CompressTest, ThereAndBackIsTheSame) {
    for (const std::string& content : {std::string(), noise(3'000'000), lines(50'000)}) {
        files_.write("in", content);
        ASSERT_TRUE(compress().ok());
        ASSERT_TRUE(run("decompress.zstd", "out.zst", "back").ok());
        EXPECT_TRUE(files_.read("back") == content) << content.size();
    }
}

TEST_F(CompressTest, SeveralFramesAreOneFile) {
    files_.write("in.zst", frame("one") + frame("") + frame("two"));

    ASSERT_TRUE(decompress().ok());

    EXPECT_EQ(files_.read("out"), "onetwo");
}

// The last block fills the decoder's buffer exactly: nothing may be asked for behind it.
TEST_F(CompressTest, AFrameOfExactlyOneBlockIsComplete) {
    const std::string content = noise(ZSTD_DStreamOutSize());
    files_.write("in.zst", frame(content));

    EXPECT_EQ(decompress().message, "");
    EXPECT_TRUE(files_.read("out") == content);
}

TEST_F(CompressTest, ATruncatedFileIsRefusedAndLeavesNothing) {
    const std::string whole = frame(lines(50'000));
    for (const std::size_t size : {whole.size() - 1, whole.size() / 2, std::size_t{3}}) {
        files_.write("in.zst", whole.substr(0, size));
        const Outcome outcome = decompress();
        EXPECT_EQ(outcome.status, DTO_PERMANENT);
        EXPECT_EQ(outcome.message,
                  files_.path("in.zst") + " is truncated: it ends within a Zstandard frame");
        EXPECT_EQ(files_.names(), "in.zst");
    }
    files_.write("in.zst", "");
    EXPECT_EQ(decompress().message,
              files_.path("in.zst") + " is empty, expected a Zstandard frame");
}

TEST_F(CompressTest, ACorruptFileIsRefusedAndLeavesWhatWasThere) {
    files_.write("in", lines(50'000));
    ASSERT_TRUE(compress().ok());
    std::string damaged = files_.read("out.zst");
    damaged[damaged.size() / 2] ^= 0x40;
    files_.write("in.zst", damaged);
    files_.write("out", "older");

    const Outcome outcome = decompress();

    EXPECT_EQ(outcome.status, DTO_PERMANENT);
    EXPECT_EQ(outcome.message.find(files_.path("in.zst") + " is not valid Zstandard near byte "),
              0U)
        << outcome.message;
    EXPECT_EQ(files_.read("out"), "older");
    EXPECT_EQ(files_.names(), "in in.zst out out.zst");
}

TEST_F(CompressTest, WhatIsNotZstandardIsRefused) {
    files_.write("in.zst", lines(10));
    EXPECT_NE(decompress().message.find("is not valid Zstandard"), std::string::npos);
    files_.write("in.zst", frame("good") + "garbage behind it");
    EXPECT_EQ(decompress().status, DTO_PERMANENT);
}

TEST_F(CompressTest, AFrameThatWantsTooMuchMemoryIsRefused) {
    // Magic number, a descriptor without content size, and a window of 256 MiB.
    files_.write("in.zst", std::string("\x28\xB5\x2F\xFD\x00\x90", 6) + noise(100));

    const Outcome outcome = decompress();

    EXPECT_EQ(outcome.status, DTO_PERMANENT);
    EXPECT_NE(outcome.message.find("at most 128 MiB"), std::string::npos) << outcome.message;
}

TEST_F(CompressTest, OutputBeyondTheLimitIsRefused) {
    files_.write("in.zst", frame(std::string(1'000'000, 'a')));

    EXPECT_TRUE(decompress(R"(,"max_output_bytes":1000000)").ok());
    std::filesystem::remove(files_.path("out"));
    const Outcome outcome = decompress(R"(,"max_output_bytes":999999)");
    EXPECT_EQ(outcome.status, DTO_PERMANENT);
    EXPECT_EQ(outcome.message,
              files_.path("in.zst") +
                  " holds more than 999999 bytes, the limit of payload.max_output_bytes");
    EXPECT_EQ(files_.names(), "in.zst");
}

TEST_F(CompressTest, TheOperatorsLimitWins) {
    ASSERT_TRUE(plugin_.setup(R"({"max_output_bytes":10})").ok());
    files_.write("in.zst", frame("more than ten bytes"));

    EXPECT_EQ(decompress(R"(,"max_output_bytes":1000)").message,
              files_.path("in.zst") +
                  " holds more than 10 bytes, the limit of max_output_bytes of this host");
}

TEST_F(CompressTest, BothDirectionsCanBeCancelledAndLeaveNothing) {
    files_.write("in", lines(100'000));
    files_.write("in.zst", frame(std::string(10'000'000, 'a')));
    RunOptions options;
    options.cancel_at_check = 3;

    EXPECT_EQ(compress("", options).status, DTO_CANCELLED);
    EXPECT_EQ(decompress("", options).status, DTO_CANCELLED);
    EXPECT_EQ(files_.names(), "in in.zst");
}

TEST_F(CompressTest, TheOutputReplacesAFileAndNothingElse) {
    files_.write("in", "content");
    files_.write("out.zst", "older");
    std::filesystem::create_directory(files_.path("folder"));

    EXPECT_TRUE(compress().ok());
    EXPECT_EQ(plain(files_.read("out.zst")), "content");
    EXPECT_EQ(
        run("compress.zstd", "in", "folder").message,
        "payload.output: " + files_.path("folder") + " is a directory, expected a regular file");
    EXPECT_EQ(run("compress.zstd", "in", "new/").message,
              "payload.output: expected the path of a file, got \"" + files_.path("new/") + "\"");
    EXPECT_EQ(run("compress.zstd", "in", "in").message, "payload.output: is the input file");
    EXPECT_EQ(files_.read("in"), "content");
}

TEST_F(CompressTest, TroubleOfThisHostIsForAnotherOne) {
    files_.write("in", "content");

    const Outcome missing = run("compress.zstd", "missing", "out.zst");
    EXPECT_EQ(missing.status, DTO_RETRY_ELSEWHERE);
    const Outcome nowhere = run("compress.zstd", "in", "nowhere/out.zst");
    EXPECT_EQ(nowhere.status, DTO_RETRY_ELSEWHERE);
    EXPECT_EQ(nowhere.message,
              "cannot create a file in " + files_.path("nowhere/") + ": No such file or directory");
}

TEST_F(CompressTest, AFullDiskIsForAnotherHostAndLeavesNothing) {
    // /dev/full cannot stand in, since only regular files are written: a limit on the size of
    // files fails a write in the same place.
    files_.write("in", noise(1'000'000));
    const FileSizeLimit limit(100'000);

    const Outcome outcome = compress();

    EXPECT_EQ(outcome.status, DTO_RETRY_ELSEWHERE);
    EXPECT_EQ(outcome.message, "cannot write " + files_.path("out.zst") + ": File too large");
    EXPECT_EQ(files_.names(), "in");
}

}  // namespace
