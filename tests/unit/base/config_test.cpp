#include "base/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace distributo::base {
namespace {

using Kind = Option::Kind;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<Option> options() {
    return {{"--coordinator", Kind::text, "URL", "", "address of the coordinator"},
            {"--slots", Kind::integer, "N", "4", "tasks at once", 1, 1024},
            {"--offset", Kind::integer, "N", "0", "any integer"},
            {"--no-discovery", Kind::boolean, "", "", "do not browse"},
            {"--discovery-timeout", Kind::duration, "TIME", "10s", "how long to browse"},
            {"--plugin-dir", Kind::text_list, "DIR", "a,b", "where plugins are"},
            {"--log-format", Kind::text, "FORMAT", "human", "of the log", 0, 0, {"human", "json"}}};
}

/// A Config of a section whose default file does not exist, with a scratch directory for files.
class ConfigTest : public testing::Test {
protected:
    ConfigTest() : config_("unit_test", "Tests.", options()) {
        const auto* info = testing::UnitTest::GetInstance()->current_test_info();
        file_ = (std::filesystem::path(testing::TempDir()) /
                 (std::string("config_") + info->name() + ".toml"))
                    .string();
    }
    ~ConfigTest() override {
        std::filesystem::remove(file_);
        for (const std::string& name : variables_)
            unsetenv(name.c_str());
    }

    /// "" or the error's message, with "| hint".
    std::string load(std::vector<const char*> arguments) {
        arguments.insert(arguments.begin(), "/usr/bin/distributo-test");
        const auto result =
            config_.load(static_cast<int>(arguments.size()), arguments.data(), proceed_);
        if (result)
            return {};
        EXPECT_EQ(result.error().code, Errc::invalid_argument);
        return result.error().message +
               (result.error().hint.empty() ? "" : " | " + result.error().hint);
    }

    std::string load_file(const std::string& text) {
        std::ofstream(file_) << text;
        std::string error = load({"--config", file_.c_str()});
        const auto at = error.find(file_);
        return at == std::string::npos ? error : error.replace(at, file_.size(), "F");
    }

    void set(const char* name, const char* value) {
        variables_.emplace_back(name);
        setenv(name, value, 1);
    }

    Config config_;
    std::string file_;
    bool proceed_ = false;
    std::vector<std::string> variables_;
};

TEST_F(ConfigTest, PresetsHoldWhenNothingIsSaid) {
    EXPECT_EQ(load({}), "");

    EXPECT_TRUE(proceed_);
    EXPECT_EQ(config_.text("--coordinator"), "");
    EXPECT_EQ(config_.integer("--slots"), 4);
    EXPECT_FALSE(config_.boolean("--no-discovery"));
    EXPECT_EQ(config_.milliseconds("--discovery-timeout"), 10'000);
    EXPECT_THAT(config_.list("--plugin-dir"), ElementsAre("a", "b"));
    EXPECT_EQ(config_.origin("--slots"), Origin::preset);
}

TEST_F(ConfigTest, FlagsAreRead) {
    EXPECT_EQ(load({"--coordinator=http://h:1",
                    "--slots",
                    "8",
                    "--offset",
                    "-3",
                    "--no-discovery",
                    "--discovery-timeout",
                    "500ms",
                    "--plugin-dir",
                    "x",
                    "--plugin-dir",
                    "y,z"}),
              "");

    EXPECT_EQ(config_.text("--coordinator"), "http://h:1");
    EXPECT_EQ(config_.integer("--slots"), 8);
    EXPECT_EQ(config_.integer("--offset"), -3);
    EXPECT_TRUE(config_.boolean("--no-discovery"));
    EXPECT_EQ(config_.milliseconds("--discovery-timeout"), 500);
    EXPECT_THAT(config_.list("--plugin-dir"), ElementsAre("x", "y,z"));
    EXPECT_EQ(config_.origin("--slots"), Origin::flag);
}

TEST_F(ConfigTest, TheFileIsRead) {
    EXPECT_EQ(load_file("[unit_test]\n"
                        "coordinator = \"http://h:2\"\n"
                        "slots = 6\n"
                        "no_discovery = true\n"
                        "discovery_timeout = \"2m\"\n"
                        "plugin_dir = [\"p\", \"q\"]\n"
                        "[host]\nanything = 1\n"),
              "");

    EXPECT_EQ(config_.text("--coordinator"), "http://h:2");
    EXPECT_EQ(config_.integer("--slots"), 6);
    EXPECT_TRUE(config_.boolean("--no-discovery"));
    EXPECT_EQ(config_.milliseconds("--discovery-timeout"), 120'000);
    EXPECT_THAT(config_.list("--plugin-dir"), ElementsAre("p", "q"));
    EXPECT_EQ(config_.origin("--slots"), Origin::file);
}

TEST_F(ConfigTest, FlagsBeatVariablesBeatTheFileBeatsPresets) {
    std::ofstream(file_) << "[unit_test]\nslots = 5\noffset = 5\ncoordinator = \"file\"\n";
    set("DISTRIBUTO_UNIT_TEST_SLOTS", "6");
    set("DISTRIBUTO_UNIT_TEST_OFFSET", "6");
    set("DISTRIBUTO_UNIT_TEST_NO_DISCOVERY", "true");
    set("DISTRIBUTO_UNIT_TEST_PLUGIN_DIR", "m,n");
    set("DISTRIBUTO_UNIT_TEST_CONFIG", file_.c_str());

    EXPECT_EQ(load({"--slots", "7"}), "");

    EXPECT_EQ(config_.integer("--slots"), 7);
    EXPECT_EQ(config_.integer("--offset"), 6);
    EXPECT_EQ(config_.text("--coordinator"), "file");
    EXPECT_EQ(config_.text("--log-format"), "human");
    EXPECT_TRUE(config_.boolean("--no-discovery"));
    EXPECT_THAT(config_.list("--plugin-dir"), ElementsAre("m", "n"));
    EXPECT_EQ(config_.origin("--offset"), Origin::environment);
    EXPECT_EQ(config_.origin("--coordinator"), Origin::file);
}

TEST_F(ConfigTest, WrongFlagsAreUsageErrors) {
    EXPECT_EQ(load({"--slts", "4"}), "unknown flag '--slts' | did you mean '--slots'?");
    EXPECT_EQ(load({"--slts=4"}), "unknown flag '--slts' | did you mean '--slots'?");
    EXPECT_EQ(load({"--frobnicate"}),
              "unknown flag '--frobnicate' | distributo-test --help lists the flags");
    EXPECT_EQ(load({"word"}),
              "unexpected argument 'word' | distributo-test --help lists the flags");
    EXPECT_EQ(load({"--slots"}),
              "--slots: a value is missing | distributo-test --help lists the flags");
    EXPECT_EQ(load({"--slots", "four"}), "--slots: expected an integer, got \"four\"");
    EXPECT_EQ(load({"--slots", "0"}), "--slots: expected an integer from 1 to 1024, got \"0\"");
    EXPECT_EQ(load({"--discovery-timeout", "10"}),
              "--discovery-timeout: expected a duration such as 500ms, 10s, 2m or 1h, got \"10\"");
    EXPECT_EQ(load({"--log-format", "jsno"}),
              "--log-format: expected one of human, json, got \"jsno\" | did you mean 'json'?");
    EXPECT_EQ(load({"--no-discovery=perhaps"}),
              "--no-discovery: expected true or false, got \"perhaps\"");
    EXPECT_FALSE(proceed_);
}

TEST_F(ConfigTest, WrongVariablesNameTheVariable) {
    set("DISTRIBUTO_UNIT_TEST_SLOTS", "many");

    EXPECT_EQ(load({}), "DISTRIBUTO_UNIT_TEST_SLOTS: expected an integer, got \"many\"");
}

TEST_F(ConfigTest, WrongFilesNameThePlace) {
    const std::pair<const char*, const char*> cases[] = {
        {"[unit_test]\nslots = 4\nsolts = 4\n",
         "F:3:1: unknown key 'solts' in [unit_test] | did you mean 'slots'?"},
        {"[unit_test]\nzzz = 1\n", "F:2:1: unknown key 'zzz' in [unit_test]"},
        {"[unit_test]\nslots = \"four\"\n", "F:2:9: slots: expected an integer, got 'four'"},
        {"[unit_test]\nslots = 2000\n",
         "F:2:9: slots: expected an integer from 1 to 1024, got \"2000\""},
        {"[unit_test]\nplugin_dir = [\"a\", 1]\n",
         "F:2:14: plugin_dir: expected a list of strings, got [ 'a', 1 ]"},
        {"[unit_test]\ndiscovery_timeout = 10\n",
         "F:2:21: discovery_timeout: expected a duration in quotes, such as \"10s\", got 10"},
        {"[unit_test]\nno_discovery = 1\n", "F:2:16: no_discovery: expected true or false, got 1"},
        {"slots = 4\n", "F:1:1: key 'slots' stands outside of a table | put it below [unit_test]"},
        {"[unit_tset]\nslots = 4\n",
         "F:1:2: unknown table [unit_tset] | did you mean [unit_test]?"},
    };
    for (const auto& [text, error] : cases)
        EXPECT_EQ(load_file(text), error) << text;
    EXPECT_THAT(load_file("[unit_test]\nslots = = 4\n"), testing::StartsWith("F:2:9: "));
    EXPECT_FALSE(proceed_);
}

TEST_F(ConfigTest, AChosenFileMustExist) {
    EXPECT_EQ(load({"--config", "/nonexistent.toml"}), "/nonexistent.toml: no such file");
}

TEST_F(ConfigTest, HelpIsShortAndHasAnExample) {
    testing::internal::CaptureStdout();
    EXPECT_EQ(load({"--help"}), "");
    const std::string help = testing::internal::GetCapturedStdout();

    EXPECT_FALSE(proceed_);
    EXPECT_LE(std::count(help.begin(), help.end(), '\n'), 40);
    EXPECT_THAT(help, testing::HasSubstr("example: distributo-test --slots 4\n"));
    EXPECT_THAT(help, testing::HasSubstr(": human, json (default human)\n"));
    for (const Option& option : options()) {
        EXPECT_THAT(help, testing::HasSubstr("\n  " + option.flag));
        EXPECT_THAT(help, testing::HasSubstr("  " + option.help));
    }
}

TEST_F(ConfigTest, VersionIsPrinted) {
    testing::internal::CaptureStdout();
    EXPECT_EQ(load({"--version"}), "");

    EXPECT_THAT(testing::internal::GetCapturedStdout(), testing::StartsWith("distributo-test 0."));
    EXPECT_FALSE(proceed_);
}

TEST(ParseDurationTest, KnowsItsUnits) {
    EXPECT_EQ(*parse_duration("0"), 0);
    EXPECT_EQ(*parse_duration("500ms"), 500);
    EXPECT_EQ(*parse_duration("10s"), 10'000);
    EXPECT_EQ(*parse_duration("2m"), 120'000);
    EXPECT_EQ(*parse_duration("1h"), 3'600'000);
    EXPECT_EQ(*parse_duration("1d"), 86'400'000);
    for (const char* const text : {"",
                                   "5",
                                   "s",
                                   "-1s",
                                   "1.5s",
                                   "1 s",
                                   "1sec",
                                   " 1s",
                                   "99999999999999999999s",
                                   "9999999999999999d"})
        EXPECT_FALSE(parse_duration(text)) << text;
}

TEST(DurationTextTest, IsTheShortestExactOne) {
    EXPECT_EQ(duration_text(0), "0s");
    EXPECT_EQ(duration_text(1500), "1500ms");
    EXPECT_EQ(duration_text(30'000), "30s");
    EXPECT_EQ(duration_text(120'000), "2m");
    EXPECT_EQ(duration_text(7'200'000), "2h");
}

TEST(ParseSizeTest, KnowsItsUnits) {
    EXPECT_EQ(*parse_size("0"), 0);
    EXPECT_EQ(*parse_size("4096"), 4096);
    EXPECT_EQ(*parse_size("4096B"), 4096);
    EXPECT_EQ(*parse_size("64KiB"), 65'536);
    EXPECT_EQ(*parse_size("512MiB"), 536'870'912);
    EXPECT_EQ(*parse_size("1TiB"), 1'099'511'627'776);
    for (const char* const text : {"", "MiB", "-1", "1MB", "1 MiB", "1.5GiB", "9999999999TiB"})
        EXPECT_FALSE(parse_size(text)) << text;
}

TEST(NearestTest, FindsTypingErrorsOnly) {
    const std::vector<std::string> words{"slots", "submit", "status", "coordinator"};

    EXPECT_EQ(nearest("solts", words), "slots");
    EXPECT_EQ(nearest("submt", words), "submit");
    EXPECT_EQ(nearest("cordinator", words), "coordinator");
    EXPECT_EQ(nearest("xyz", words), "");
    EXPECT_EQ(nearest("", words), "");
    EXPECT_EQ(nearest(std::string(10'000, 's'), words), "");
}

}  // namespace
}  // namespace distributo::base
