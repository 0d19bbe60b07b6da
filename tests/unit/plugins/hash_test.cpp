#include "files.hpp"

#include <distributo/testing.hpp>

#include <gtest/gtest.h>

#include <string>
#include <sys/stat.h>

namespace {

using distributo::testing::Outcome;
using distributo::testing::Plugin;
using distributo::testing::RunOptions;

const std::string sha256_of_abc =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

class HashTest : public testing::Test {
protected:
    Outcome run(const std::string& payload, const RunOptions& options = {}) {
        return plugin_.run("hash.digest", payload, options);
    }

    /// The result, or why there is none.
    std::string answer(const std::string& payload) {
        const Outcome outcome = run(payload);
        return outcome.ok() ? outcome.result : outcome.message;
    }

    Outcome of_file(const std::string& path, const std::string& more = "") {
        return run(R"({"path":")" + path + "\"" + more + "}");
    }

    static std::string sha256(const std::string& digest, std::size_t bytes) {
        return R"({"algorithm":"sha256","digest":")" + digest + R"(","bytes":)" +
               std::to_string(bytes) + "}";
    }

    Plugin plugin_{DISTRIBUTO_PLUGIN_FILE};
    Files files_;
};

// From FIPS 180-2 and RFC 7693.
TEST_F(HashTest, DigestsOfATextAreThoseOfTheStandards) {
    EXPECT_EQ(answer(R"({"text":"abc"})"), sha256(sha256_of_abc, 3));
    EXPECT_EQ(answer(R"({"text":"abc","algorithm":"sha512"})"),
              R"({"algorithm":"sha512","digest":"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea2)"
              "0a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
              R"(","bytes":3})");
    EXPECT_EQ(answer(R"({"text":"abc","algorithm":"blake2b512"})"),
              R"({"algorithm":"blake2b512","digest":"ba80a53f981c4d0d6a2797b69f12f6e94c212f14685a)"
              "c4b74b12bb6fdbffa2d17d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd400"
              R"(9923","bytes":3})");
    EXPECT_EQ(answer(R"({"text":"abc","algorithm":"blake2s256"})"),
              R"({"algorithm":"blake2s256","digest":"508c5e8c327c14e2e1a72ba34eeb452f37458b209ed6)"
              R"(3a294d999b4c86675982","bytes":3})");
}

TEST_F(HashTest, TextIsHashedAsUtf8) {
    EXPECT_EQ(answer(R"({"text":"\u00e9"})"), answer(R"({"base64":"w6k="})"));
}

TEST_F(HashTest, Base64IsDecoded) {
    EXPECT_EQ(answer(R"({"base64":"YWJj"})"), sha256(sha256_of_abc, 3));
    EXPECT_EQ(answer(R"({"base64":""})"), answer(R"({"text":""})"));
    EXPECT_EQ(answer(R"({"base64":"YWJjZA=="})"), answer(R"({"text":"abcd"})"));
}

TEST_F(HashTest, WhatIsNotBase64IsRefused) {
    for (const std::string bad :
         {"YWJ", "YW=j", "YWJj\\n", "YWJ!", "====", "YWJjZB==", "Y===", "YW==YWJj"}) {
        const Outcome outcome = run(R"({"base64":")" + bad + "\"}");
        EXPECT_EQ(outcome.status, DTO_PERMANENT) << bad;
        EXPECT_EQ(outcome.message.find("payload.base64: not base64"), 0U) << outcome.message;
    }
}

TEST_F(HashTest, AFileIsHashedInChunksAndReportsProgress) {
    const std::string content(5'000'000, 'x');
    const Outcome outcome = of_file(files_.write("file", content));

    EXPECT_EQ("\"" + outcome.result, "\"" + answer(R"({"text":")" + content + "\"}"));
    EXPECT_EQ(outcome.progress, 1);
    EXPECT_EQ(of_file(files_.write("empty", "")).result, answer(R"({"text":""})"));
}

TEST_F(HashTest, AHugeFileIsNotReadAtOnceAndCanBeCancelled) {
    const std::string path = files_.write("huge", "");
    std::filesystem::resize_file(path, std::uintmax_t{1} << 40);
    RunOptions options;
    options.cancel_at_check = 4;

    const Outcome outcome = run(R"({"path":")" + path + "\"}", options);

    EXPECT_EQ(outcome.status, DTO_CANCELLED);
    EXPECT_GT(outcome.progress, 0);
    EXPECT_LT(outcome.progress, 0.01);
}

TEST_F(HashTest, AnExpectedDigestIsVerifiedInAnyCase) {
    const std::string path = files_.write("abc", "abc");
    std::string capitals = sha256_of_abc;
    std::transform(capitals.begin(), capitals.end(), capitals.begin(), ::toupper);

    EXPECT_TRUE(of_file(path, R"(,"expect":")" + sha256_of_abc + "\"").ok());
    EXPECT_TRUE(of_file(path, R"(,"expect":")" + capitals + "\"").ok());
    const std::string other(64, '0');
    const Outcome outcome = of_file(path, R"(,"expect":")" + other + "\"");
    EXPECT_EQ(outcome.status, DTO_PERMANENT);
    EXPECT_EQ(outcome.message, path + ": sha256 is " + sha256_of_abc + ", expected " + other);
}

TEST_F(HashTest, AnExpectationThatNoFileCanMeetIsRefusedBeforeReading) {
    EXPECT_EQ(answer(R"({"path":"/nonexistent","expect":"abc"})"),
              "payload.expect: expected the 64 hexadecimal digits of sha256, got 3 characters");
    EXPECT_EQ(answer(R"({"path":"/nonexistent","expect":")" + std::string(64, 'g') + "\"}"),
              "payload.expect: \"" + std::string(64, 'g') + "\" is not hexadecimal");
}

TEST_F(HashTest, ExactlyOneInputIsWanted) {
    const std::string wanted = "payload: expected exactly one of path, text and base64";

    EXPECT_EQ(answer("{}"), wanted);
    EXPECT_EQ(answer(R"({"text":"a","base64":"YQ=="})"), wanted);
    EXPECT_EQ(run("{}").status, DTO_PERMANENT);
}

TEST_F(HashTest, AMissingFileMayExistOnAnotherHost) {
    const Outcome outcome = of_file(files_.path("missing"));

    EXPECT_EQ(outcome.status, DTO_RETRY_ELSEWHERE);
    EXPECT_EQ(outcome.message,
              "cannot open " + files_.path("missing") + ": No such file or directory");
}

TEST_F(HashTest, AFileWithoutPermissionMayBeReadableOnAnotherHost) {
    std::filesystem::permissions(files_.path(""), std::filesystem::perms(0755));
    std::filesystem::permissions(files_.write("secret", "abc"), std::filesystem::perms(0));
    const OrdinaryUser user;
    ASSERT_TRUE(user.became());

    const Outcome outcome = of_file(files_.path("secret"));

    EXPECT_EQ(outcome.status, DTO_RETRY_ELSEWHERE);
    EXPECT_EQ(outcome.message, "cannot open " + files_.path("secret") + ": Permission denied");
}

TEST_F(HashTest, WhatIsNotARegularFileIsRefused) {
    ASSERT_EQ(mkfifo(files_.path("fifo").c_str(), 0600), 0);

    EXPECT_EQ(of_file(files_.path("fifo")).message,
              "payload.path: " + files_.path("fifo") + " is a FIFO, expected a regular file");
    EXPECT_EQ(of_file("/").message, "payload.path: / is a directory, expected a regular file");
    EXPECT_EQ(of_file("/dev/zero").message,
              "payload.path: /dev/zero is a device, expected a regular file");
    EXPECT_EQ(of_file("/").status, DTO_PERMANENT);
}

TEST_F(HashTest, PathsAreAbsoluteAndSane) {
    EXPECT_EQ(of_file("data/file").message,
              "payload.path: expected an absolute path, got \"data/file\"");
    EXPECT_EQ(of_file("").status, DTO_PERMANENT);
    EXPECT_EQ(of_file("/a\\u0000b").message, "payload.path: a path cannot contain a NUL character");
    EXPECT_EQ(of_file("/" + std::string(5000, 'x')).status, DTO_PERMANENT);
}

TEST_F(HashTest, ManyTasksMayRunAtOnce) {
    EXPECT_TRUE(plugin_.type("hash.digest").flags & DTO_TASK_REENTRANT);
}

}  // namespace
