// What only a process of its own can promise: a crash is contained and charged to the right call.
#include "probe.hpp"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace distributo::runtime {
namespace {

using std::chrono::milliseconds;
using Status = CallResult::Status;
using testing::HasSubstr;

class ProcessRunnerTest : public testing::Test, public Probe {
protected:
    void start(const std::string& plugin, std::uint32_t threads = 4) {
        Probe::start(Isolation::process, plugin, threads);
        until_ready();
    }
    [[nodiscard]] std::string with_work_root() const { return (folder.path() / "work").string(); }
};

struct Way {
    std::string how, reason;
};

class CrashTest : public testing::TestWithParam<Way>, public Probe {};

INSTANTIATE_TEST_SUITE_P(Ways,
                         CrashTest,
                         testing::Values(Way{"segv", "SIGSEGV"},
                                         Way{"abort", "aborted (SIGABRT)"},
                                         Way{"exit", "exited with code 0 without answering"},
                                         Way{"throw_noexcept", "aborted (SIGABRT)"},
                                         Way{"stack", "SIGSEGV"}),
                         [](const auto& param) { return param.param.how; });

TEST_P(CrashTest, IsChargedToTheCallThatRanAlone) {
    Probe::start(Isolation::process, "good/test_crash", 1);
    until_ready();
    const auto guilty = execute("test.crash", R"({"how":")" + GetParam().how + "\"}");
    const auto queued = execute("test.crash", harmless);
    runner->flush();

    EXPECT_EQ(result(guilty).status, Status::crashed);
    EXPECT_THAT(results[guilty].message, HasSubstr(GetParam().reason));
    EXPECT_EQ(result(queued).status, Status::aborted);
    EXPECT_FALSE(results[queued].suspect);
    EXPECT_EQ(run("test.crash", harmless).status, Status::ok);
    EXPECT_FALSE(is_gone);
}

TEST_F(ProcessRunnerTest, NobodyIsChargedWhenSeveralRan) {
    start("runtime/test_meet", 2);
    const auto beside = execute("test.meet", R"({"then":"wait"})");
    runner->flush();
    until([&] { return !logged(beside, "plugin").empty(); });
    const auto guilty = execute("test.meet", R"({"then":"crash"})");

    EXPECT_EQ(result(guilty).status, Status::aborted);
    EXPECT_EQ(result(beside).status, Status::aborted);
    EXPECT_TRUE(results[guilty].suspect);
    EXPECT_TRUE(results[beside].suspect);
    EXPECT_THAT(results[guilty].message, HasSubstr("while 2 calls ran"));
}

TEST_F(ProcessRunnerTest, TheLastWordsNeedNoLineFeed) {
    start("runtime/test_meet", 1);
    const auto call = execute("test.meet", R"({"then":"print"})");

    EXPECT_THAT(result(call).message, HasSubstr("half a line"));
    EXPECT_EQ(logged(call, "stderr"), "half a line\n");
}

TEST_F(ProcessRunnerTest, APluginThatClosesTheSocketIsEnded) {
    start("runtime/test_meet", 1);

    const auto& answer = run("test.meet", R"({"then":"hang_up"})");

    EXPECT_EQ(answer.status, Status::crashed);
    EXPECT_THAT(answer.message, HasSubstr("descriptor 3"));
}

TEST_F(ProcessRunnerTest, TheWorkDirectoryIsGoneAfterwards) {
    start("runtime/test_meet", 1);
    const auto& answer = run("test.meet", R"({"then":"leave_files"})");
    ASSERT_EQ(answer.status, Status::ok) << answer.message;

    const std::string path = answer.result.substr(1, answer.result.size() - 2);
    EXPECT_EQ(path.find(with_work_root()), 0U);
    EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(ProcessRunnerTest, WhatThePluginStartedEndsWithIt) {
    start("runtime/test_meet", 1);
    const auto& answer = run("test.meet", R"({"then":"child"})");
    ASSERT_EQ(answer.status, Status::ok) << answer.message;
    const pid_t child = std::stoi(answer.result.substr(1));
    const int watch = static_cast<int>(syscall(SYS_pidfd_open, child, 0));
    ASSERT_GE(watch, 0);

    runner.reset();

    pollfd ended{.fd = watch, .events = POLLIN, .revents = 0};
    EXPECT_EQ(poll(&ended, 1, 10'000), 1);
    close(watch);
}

TEST_F(ProcessRunnerTest, TheMessageEndsWithTheLastWords) {
    start("good/test_crash", 1);

    EXPECT_THAT(run("test.crash", R"({"how":"throw_noexcept"})").message,
                HasSubstr("through noexcept"));
}

TEST_F(ProcessRunnerTest, GivesUpAfterThreeCrashesInAMinute) {
    start("good/test_crash", 1);

    EXPECT_EQ(run("test.crash", R"({"how":"segv"})").status, Status::crashed);
    EXPECT_EQ(run("test.crash", R"({"how":"segv"})").status, Status::crashed);
    EXPECT_FALSE(is_gone);
    EXPECT_EQ(run("test.crash", R"({"how":"segv"})").status, Status::crashed);
    until([this] { return is_gone; });

    EXPECT_FALSE(expected);
    EXPECT_THAT(why, HasSubstr("crashed 3 times in 60 s"));
    EXPECT_EQ(run("test.crash", R"({"how":"segv"})").status, Status::aborted);
}

TEST_F(ProcessRunnerTest, ATimeoutIsNotACrash) {
    start("good/test_crash", 2);

    for (int i = 0; i < 4; ++i)
        EXPECT_EQ(run("test.hang", "{}", milliseconds(10)).status, Status::timeout);

    EXPECT_FALSE(is_gone);
}

TEST_F(ProcessRunnerTest, ACancelledCallThatHangsIsEndedWithItsProcess) {
    start("good/test_crash", 2);
    const auto hanging = execute("test.hang");
    runner->flush();

    runner->cancel(hanging);

    EXPECT_EQ(result(hanging).status, Status::cancelled);
    EXPECT_EQ(run("test.crash", harmless).status, Status::ok);
}

TEST_F(ProcessRunnerTest, NeighboursOfAHangingCallAreAbortedWithoutSuspicion) {
    start("good/test_crash", 2);
    const auto beside = execute("test.hang");
    const auto hanging = execute("test.hang", "{}", milliseconds(30));

    EXPECT_EQ(result(hanging).status, Status::timeout);
    EXPECT_EQ(result(beside).status, Status::aborted);
    EXPECT_FALSE(results[beside].suspect);
}

TEST_F(ProcessRunnerTest, ACrashWhileLoadingIsReported) {
    Probe::start(Isolation::process, "broken/test_crashes_at_load");
    until([this] { return is_gone; });

    EXPECT_FALSE(expected);
    EXPECT_THAT(why, HasSubstr("crashed while loading: aborted (SIGABRT)"));
}

TEST_F(ProcessRunnerTest, OutputBelongsToTheCallThatPrintedIt) {
    start("good/test_basics", 1);
    std::vector<CallId> calls;
    for (int i = 0; i < 20; ++i)
        calls.push_back(execute("test.log", R"({"lines":2})"));

    for (const auto call : calls) {
        ASSERT_EQ(result(call).status, Status::ok);
        EXPECT_EQ(logged(call, "stdout"), "stdout line 1\nstdout line 2\n");
        EXPECT_EQ(logged(call, "stderr"), "stderr line 1\nstderr line 2\n");
    }
}

TEST_F(ProcessRunnerTest, AMissingProgramIsNamed) {
    auto with = options("good/test_noop");
    with.runner_program = "/nowhere/distributo-runner";
    Probe::start(Isolation::process, std::move(with));
    until([this] { return is_gone; });

    EXPECT_FALSE(expected);
    EXPECT_THAT(why, HasSubstr("/nowhere/distributo-runner"));
}

TEST_F(ProcessRunnerTest, ThousandsOfCallsSurviveACrashInTheirMidst) {
    start("good/test_crash", 1);
    for (int i = 0; i < 2000; ++i)
        execute("test.crash", i == 1000 ? R"({"how":"segv"})" : harmless);
    runner->flush();
    until([this] { return results.size() == 2000; });

    std::size_t crashed = 0;
    for (const auto& [call, result] : results) {
        crashed += result.status == Status::crashed ? 1U : 0U;
        ASSERT_FALSE(result.suspect);
    }
    EXPECT_EQ(crashed, 1U);
    EXPECT_EQ(results[1001].status, Status::crashed);
}

}  // namespace
}  // namespace distributo::runtime
