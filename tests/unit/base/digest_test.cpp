#include "base/digest.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace distributo::base {
namespace {

TEST(DigestTest, IsSha256) {
    EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_TRUE(is_sha256(sha256("")));
    EXPECT_FALSE(is_sha256(sha256("").substr(1)));
    EXPECT_FALSE(is_sha256(std::string(64, 'A')));
    EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(DigestTest, OfAFileIsThatOfItsContent) {
    const auto file = std::filesystem::path(testing::TempDir()) / "digest_test";
    const std::string content(1'000'000, '\0');
    std::ofstream(file, std::ios::binary) << content;

    const auto digest = sha256_file(file);

    ASSERT_TRUE(digest);
    EXPECT_EQ(*digest, sha256(content));
    std::filesystem::remove(file);
}

TEST(DigestTest, OfAMissingFileFails) {
    const auto digest = sha256_file("/nonexistent/file");

    ASSERT_FALSE(digest);
    EXPECT_EQ(digest.error().message, "cannot read /nonexistent/file: No such file or directory");
}

}  // namespace
}  // namespace distributo::base
