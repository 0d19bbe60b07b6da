// What the shipped plugins share, where no task type can show it.
#include "files.hpp"
#include "support/base64.hpp"
#include "support/files.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <sys/stat.h>

namespace {

std::span<const std::byte> bytes(const std::string& text) {
    return std::as_bytes(std::span(text));
}

dto_status status_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const distributo::Failure& failure) {
        return failure.status();
    }
    return DTO_OK;
}

TEST(Base64Test, IsThatOfTheStandard) {  // RFC 4648, section 10
    const std::array<std::pair<const char*, const char*>, 7> vectors{{{"", ""},
                                                                      {"f", "Zg=="},
                                                                      {"fo", "Zm8="},
                                                                      {"foo", "Zm9v"},
                                                                      {"foob", "Zm9vYg=="},
                                                                      {"fooba", "Zm9vYmE="},
                                                                      {"foobar", "Zm9vYmFy"}}};
    for (const auto& [plain, encoded] : vectors) {
        EXPECT_EQ(support::to_base64(bytes(plain)), encoded);
        const auto decoded = support::from_base64(encoded);
        ASSERT_TRUE(decoded) << encoded;
        EXPECT_TRUE(std::ranges::equal(*decoded, bytes(plain))) << encoded;
    }
}

TEST(Base64Test, EveryByteComesBack) {
    std::string all;
    for (int i = 0; i < 256; ++i) {
        all.push_back(static_cast<char>(i));
    }
    const auto decoded = support::from_base64(support::to_base64(bytes(all)));

    ASSERT_TRUE(decoded);
    EXPECT_TRUE(std::ranges::equal(*decoded, bytes(all)));
}

TEST(InputTest, AFileThatChangesWhileItIsReadIsReadAgainLater) {
    const Files files;
    const support::Input input("payload.path", files.write("a", "before"));

    EXPECT_EQ(status_of([&] { input.require_unchanged(); }), DTO_OK);
    files.write("a", "and after");
    EXPECT_EQ(status_of([&] { input.require_unchanged(); }), DTO_RETRY);
}

TEST(InputTest, AFileIsItselfUnderEveryName) {
    const Files files;
    const support::Input input("payload.path", files.write("a", ""));
    files.write("b", "");
    std::filesystem::create_hard_link(files.path("a"), files.path("hard"));
    std::filesystem::create_symlink("a", files.path("soft"));

    EXPECT_TRUE(input.is(files.path("hard")));
    EXPECT_TRUE(input.is(files.path("soft")));
    EXPECT_FALSE(input.is(files.path("b")));
    EXPECT_FALSE(input.is(files.path("missing")));
}

TEST(OutputTest, NothingIsSeenBeforeTheCommitAndNothingIsLeftWithoutIt) {
    const Files files;
    files.write("out", "older");
    {
        support::Output output("payload.output", files.path("out"));
        output.write(bytes("newer"));
        EXPECT_EQ(files.read("out"), "older");
    }
    EXPECT_EQ(files.names(), "out");
    support::Output output("payload.output", files.path("out"));
    output.write(bytes("new"));
    output.write(bytes("est"));
    output.commit();

    EXPECT_EQ(output.size(), 6U);
    EXPECT_EQ(files.read("out"), "newest");
    EXPECT_EQ(files.names(), "out");
}

TEST(OutputTest, TheFileHasTheRightsThatNewFilesHave) {
    const Files files;
    const mode_t before = umask(027);
    support::Output output("payload.output", files.path("out"));
    output.commit();
    umask(before);

    struct stat status {};
    ASSERT_EQ(stat(files.path("out").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0640U);
}

TEST(FileFailureTest, SaysWhoShouldTryAgain) {
    EXPECT_EQ(support::file_failure("x", ENOENT).status(), DTO_RETRY_ELSEWHERE);
    EXPECT_EQ(support::file_failure("x", EACCES).status(), DTO_RETRY_ELSEWHERE);
    EXPECT_EQ(support::file_failure("x", ENOSPC).status(), DTO_RETRY_ELSEWHERE);
    EXPECT_EQ(support::file_failure("x", EMFILE).status(), DTO_RETRY);
    EXPECT_EQ(support::file_failure("x", EISDIR).status(), DTO_PERMANENT);
    EXPECT_STREQ(support::file_failure("cannot open /x", ENOENT).what(),
                 "cannot open /x: No such file or directory");
}

}  // namespace
