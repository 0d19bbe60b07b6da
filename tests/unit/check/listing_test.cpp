#include "runtime/check/file_checks.hpp"
#include "runtime/check/probe_process.hpp"

#include <gtest/gtest.h>

namespace distributo::runtime::check {
namespace {

TEST(Listing, NamesWhatIsMissing) {
    const Verdict verdict = judge_listing(
        "\tlinux-vdso.so.1 (0x1)\n\tlibnope.so => not found\n\tlibc.so.6 => /lib/libc.so.6 (0x2)\n",
        true,
        "exited with code 0");
    EXPECT_EQ(verdict.status, Verdict::Status::failed);
    EXPECT_NE(verdict.why.find("libnope.so"), std::string::npos);
    EXPECT_EQ(verdict.why.find("libc"), std::string::npos);
}

TEST(Listing, IsFineWhenEverythingIsFound) {
    const Verdict verdict = judge_listing("\tlibc.so.6 => /lib/libc.so.6 (0x2)\n", true, "");
    EXPECT_EQ(verdict.status, Verdict::Status::ok);
}

PluginFile file_with(ElfImage image) {
    PluginFile file;
    file.image = std::move(image);
    return file;
}

TEST(File, NeedsNoNewerCLibrary) {
    ElfImage image;
    image.glibc = "2.9";
    EXPECT_EQ(check_file("elf.versions", file_with(image)).status, Verdict::Status::ok);
    image.glibc = "99.1";
    const Verdict verdict = check_file("elf.versions", file_with(image));
    EXPECT_EQ(verdict.status, Verdict::Status::failed);
    EXPECT_NE(verdict.why.find("99.1"), std::string::npos);
}

TEST(File, MayExportEntriesForSeveralMajorsAndNothingElse) {
    ElfImage image;
    image.exports = {{.name = "distributo_module_v1"}, {.name = "distributo_module_v2"}};
    EXPECT_EQ(check_file("elf.exports", file_with(image)).status, Verdict::Status::ok);
    image.exports.push_back({.name = "distributo_module_v2_helper"});
    EXPECT_EQ(check_file("elf.exports", file_with(image)).status, Verdict::Status::failed);
    image.exports = {{.name = "distributo_module_v2"}};
    EXPECT_EQ(check_file("elf.exports", file_with(image)).status, Verdict::Status::failed);
}

TEST(File, MayLookForLibrariesInFoldersOfTheSystemOnly) {
    ElfImage image;
    image.run_paths = {"/usr/lib/acme"};
    EXPECT_EQ(check_file("elf.run_path", file_with(image)).status, Verdict::Status::ok);
    image.run_paths = {"/usr/lib/acme", "$ORIGIN/lib"};
    const Verdict verdict = check_file("elf.run_path", file_with(image));
    EXPECT_EQ(verdict.status, Verdict::Status::failed);
    EXPECT_NE(verdict.hint.find("private copy"), std::string::npos);
}

TEST(Process, SaysHowItEndedAndWhatItPrinted) {
    const auto end =
        run_probe("/bin/sh", {"-c", "echo out; echo answer >&3; exit 4"}, std::chrono::seconds(30));
    ASSERT_TRUE(end) << end.error().message;
    EXPECT_EQ(end->answer, "answer\n");
    EXPECT_EQ(end->output, "out\n");
    EXPECT_EQ(end->how, "exited with code 4");
    EXPECT_FALSE(end->clean);
    EXPECT_FALSE(end->late);
}

TEST(Process, EndsAtItsLimitWithAllThatItStarted) {
    const auto end =
        run_probe("/bin/sh", {"-c", "sleep 1000 & sleep 1000"}, std::chrono::milliseconds(20));
    ASSERT_TRUE(end) << end.error().message;
    EXPECT_TRUE(end->late);
    EXPECT_FALSE(end->clean);
}

TEST(Process, ThatPrintsWithoutEndIsKeptShort) {
    const auto end = run_probe("/bin/sh", {"-c", "yes; true"}, std::chrono::milliseconds(200));
    ASSERT_TRUE(end) << end.error().message;
    EXPECT_TRUE(end->late);
    EXPECT_LE(end->output.size(), 64U * 1024);
}

TEST(Process, ThatDoesNotExistIsAnError) {
    const auto end = run_probe("/nowhere/program", {}, std::chrono::seconds(1));
    ASSERT_FALSE(end);
    EXPECT_NE(end.error().message.find("/nowhere/program"), std::string::npos);
}

}  // namespace
}  // namespace distributo::runtime::check
