#include "coordinator/cli/payload.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace distributo::coordinator::cli {
namespace {

std::string filled(const std::vector<std::string>& sets, std::string_view line) {
    return PayloadTemplate::parse(sets)->fill(line);
}

TEST(PayloadTemplateTest, WithoutSettingsALineIsTheMemberLine) {
    EXPECT_EQ(filled({}, "a\"b"), R"({"line":"a\"b"})");
}

TEST(PayloadTemplateTest, ThePlaceholderBecomesTheLine) {
    EXPECT_EQ(filled({"word={line}", "note=<{line}>"}, "x"), R"({"word":"x","note":"<x>"})");
}

TEST(PayloadTemplateTest, JsonValuesStayJsonAndTheLineInThemIsEscaped) {
    EXPECT_EQ(filled({R"(command=["curl","{line}"])", "n=3"}, "a\"b"),
              R"({"command":["curl","a\"b"],"n":3})");
}

TEST(PayloadTemplateTest, ASettingWithoutValueIsRefused) {
    EXPECT_FALSE(PayloadTemplate::parse({"word"}));
    EXPECT_FALSE(PayloadTemplate::parse({"=x"}));
}

TEST(ReadPayloadTest, LiteralsAndFilesAreCheckedAsJson) {
    EXPECT_EQ(*read_payload(R"({"a":1})"), R"({"a":1})");
    EXPECT_EQ(read_payload("{not json").error().code, base::Errc::invalid_argument);
    const std::string file = testing::TempDir() + "payload_test.json";
    std::ofstream(file) << "[1,2]";
    EXPECT_EQ(*read_payload("@" + file), "[1,2]");
    EXPECT_NE(read_payload("@" + file + ".missing").error().message.find(file), std::string::npos);
}

}  // namespace
}  // namespace distributo::coordinator::cli
