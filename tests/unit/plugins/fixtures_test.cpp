// The plugins that other tests rely on do what they are there for.
#include <distributo/testing.hpp>

#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <string>

namespace {

using distributo::testing::Plugin;
using distributo::testing::RunOptions;
using distributo::testing::detail::TemporaryDirectory;

std::filesystem::path fixture(const std::string& name) {
    return std::filesystem::path(TEST_PLUGINS) / (name + ".so");
}

/// Why a file is not a plugin; empty when it is.
std::string refusal(const std::string& name) {
    try {
        const Plugin plugin(fixture(name));
        return {};
    } catch (const std::runtime_error& error) {
        return error.what();
    }
}

TEST(FixturesTest, NoopAnswersAnEmptyObject) {
    EXPECT_EQ(Plugin(fixture("good/test_noop")).run("test.noop", "null").result, "{}");
    EXPECT_EQ(Plugin(fixture("good/test_future")).run("test.future", "null").result, "{}");
}

TEST(FixturesTest, TwinsOfferTheSameType) {
    EXPECT_EQ(Plugin(fixture("twins/test_twin_one")).run("test.twin", "1").result, "{}");
    EXPECT_EQ(Plugin(fixture("twins/test_twin_two")).run("test.twin", "1").result, "{}");
}

TEST(FixturesTest, EchoAnswersItsPayload) {
    Plugin plugin(fixture("good/test_basics"));

    EXPECT_EQ(plugin.run("test.echo", R"({"a":[1, 2.50]})").result, R"({"a":[1, 2.50]})");
}

TEST(FixturesTest, FailFailsAsAskedAndAsOftenAsAsked) {
    Plugin plugin(fixture("good/test_basics"));
    RunOptions third;
    third.attempt = 3;

    EXPECT_EQ(plugin.run("test.fail", R"({"how":"retry"})").status, DTO_RETRY);
    EXPECT_EQ(plugin.run("test.fail", R"({"how":"throw"})").status, DTO_RETRY);
    EXPECT_EQ(plugin.run("test.fail", R"({"how":"permanent"})").status, DTO_PERMANENT);
    EXPECT_EQ(plugin.run("test.fail", R"({"how":"elsewhere"})").status, DTO_RETRY_ELSEWHERE);
    EXPECT_EQ(plugin.run("test.fail", R"({"how":"retry","times":2})", third).result,
              R"({"attempt":3})");
}

TEST(FixturesTest, SleepLogAndProgressReport) {
    Plugin plugin(fixture("good/test_basics"));
    RunOptions cancelled;
    cancelled.cancel_at_check = 1;

    EXPECT_EQ(plugin.run("test.sleep", R"({"ms":60000})", cancelled).status, DTO_CANCELLED);
    EXPECT_EQ(plugin.run("test.log", R"({"lines":2})").logs,
              (std::vector<std::string>{"plugin line 1", "plugin line 2"}));
    EXPECT_EQ(plugin.run("test.progress", R"({"steps":4})").progress, 1);
}

TEST(FixturesTest, InstallKeepsAValueAndCounts) {
    Plugin plugin(fixture("good/test_install"));
    const TemporaryDirectory dir;
    RunOptions options;
    options.install_dir = dir.path();

    EXPECT_EQ(plugin.install("test.install", R"({"fail":true})", dir.path()).status,
              DTO_RETRY_ELSEWHERE);
    EXPECT_EQ(plugin.install("test.install", R"({"permanent":true})", dir.path()).status,
              DTO_PERMANENT);
    ASSERT_TRUE(plugin.install("test.install", R"({"value":"red"})", dir.path()).ok());
    EXPECT_EQ(plugin.run("test.install", "null", options).result,
              R"({"value":"red","installs":1})");
}

TEST(FixturesTest, CrashEndsItsProcessInEveryWay) {
    testing::GTEST_FLAG(death_test_style) = "threadsafe";
    Plugin plugin(fixture("good/test_crash"));
    const auto crash = [&plugin](const std::string& how) {
        // A sanitizer's own handlers would turn the signals into exit codes.
        std::signal(SIGSEGV, SIG_DFL);
        std::signal(SIGABRT, SIG_DFL);
        (void)plugin.run("test.crash", R"({"how":")" + how + R"("})");
    };

    EXPECT_DEATH(crash("segv"), "");
    EXPECT_DEATH(crash("stack"), "");
    EXPECT_DEATH(crash("throw_noexcept"), "");
    EXPECT_EXIT(crash("abort"), testing::KilledBySignal(SIGABRT), "");
    EXPECT_EXIT(crash("exit"), testing::ExitedWithCode(0), "");
}

TEST(FixturesTest, CrashSparesLaterAttemptsWhenAsked) {
    RunOptions second;
    second.attempt = 2;

    EXPECT_TRUE(Plugin(fixture("good/test_crash"))
                    .run("test.crash", R"({"how":"abort","times":1})", second)
                    .ok());
}

TEST(FixturesTest, BrokenFilesAreBrokenInTheirOwnWay) {
    EXPECT_NE(refusal("broken/test_text").find("cannot load"), std::string::npos);
    // Not loaded here: the dynamic loader maps it and dies of a bus error.
    EXPECT_EQ(std::filesystem::file_size(fixture("broken/test_truncated")), 2000U);
    EXPECT_NE(refusal("broken/test_needs_library").find("libnope.so"), std::string::npos);
    EXPECT_NE(refusal("broken/test_needs_symbol").find("not_there"), std::string::npos);
    EXPECT_NE(refusal("broken/test_no_entry").find("does not export"), std::string::npos);
    EXPECT_EXIT(refusal("broken/test_next_major"), testing::KilledBySignal(SIGABRT), "");
    EXPECT_NE(refusal("broken/test_refuses").find("needs a machine with a lid"), std::string::npos);
    EXPECT_NE(refusal("broken/test_must_understand"), "");
    EXPECT_DEATH((void)refusal("broken/test_crashes_at_load"), "");
}

TEST(FixturesTest, SetupFailsWithItsReason) {
    const auto outcome = Plugin(fixture("broken/test_setup_fails")).setup();

    EXPECT_EQ(outcome.status, DTO_RETRY_ELSEWHERE);
    EXPECT_EQ(outcome.message, "no licence for this machine");
}

}  // namespace
