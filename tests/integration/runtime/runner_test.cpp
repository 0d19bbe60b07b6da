// What holds for a plugin in a process of its own and for one in this process alike.
#include "probe.hpp"

namespace distributo::runtime {
namespace {

using std::chrono::milliseconds;
using Status = CallResult::Status;
using testing::HasSubstr;

class RunnerTest : public testing::TestWithParam<Isolation>, public Probe {
protected:
    void start(const std::string& plugin, std::uint32_t threads = 4) {
        Probe::start(GetParam(), plugin, threads);
        until_ready();
    }
};

INSTANTIATE_TEST_SUITE_P(Isolation,
                         RunnerTest,
                         testing::Values(Isolation::process, Isolation::inproc),
                         [](const auto& param) {
                             return param.param == Isolation::process ? "Process" : "Inproc";
                         });

TEST_P(RunnerTest, ReportsWhatTheModuleOffers) {
    start("good/test_noop");

    EXPECT_EQ(module.name, "test.noop");
    EXPECT_EQ(module.version, "1.0.0");
    ASSERT_EQ(module.types.size(), 1U);
    EXPECT_EQ(module.types[0].name, "test.noop");
    EXPECT_TRUE(module.types[0].deterministic);
    EXPECT_EQ(module.types[0].max_concurrency, 0U);
}

TEST_P(RunnerTest, HandsTheResultBack) {
    start("good/test_basics");

    const auto& answer = run("test.echo", R"({"text":"hé","list":[1,2.50,null]})");

    EXPECT_EQ(answer.status, Status::ok);
    EXPECT_EQ(answer.result, R"({"text":"hé","list":[1,2.50,null]})");
}

TEST_P(RunnerTest, CarriesAMegabyteBothWays) {
    start("good/test_basics");
    const std::string large = "\"" + std::string(1'000'000, 'x') + "\"";

    EXPECT_EQ(run("test.echo", large).result, large);
}

TEST_P(RunnerTest, TenThousandCallsHaveOneResultEach) {
    start("good/test_noop");

    for (int i = 0; i < 10'000; ++i)
        execute("test.noop");
    runner->flush();
    until([this] { return results.size() == 10'000; });

    for (const auto& [call, result] : results)
        ASSERT_EQ(result.result, "{}");
    EXPECT_LT(batches, 5'000U);
}

TEST_P(RunnerTest, NamesTheUnknownType) {
    start("good/test_noop");

    const auto& answer = run("test.other");

    EXPECT_EQ(answer.status, Status::permanent);
    EXPECT_THAT(answer.message, HasSubstr("test.other"));
}

TEST_P(RunnerTest, FailuresKeepStatusMessageAndDelay) {
    start("good/test_basics");

    const auto& retry = run("test.fail", R"({"how":"retry","after_ms":700,"message":"not yet"})");
    EXPECT_EQ(retry.status, Status::retry);
    EXPECT_EQ(retry.message, "not yet");
    EXPECT_EQ(retry.retry_after_ms, 700);
    EXPECT_EQ(run("test.fail", R"({"how":"elsewhere"})").status, Status::retry_elsewhere);
    EXPECT_EQ(run("test.fail", R"({"how":"permanent"})").status, Status::permanent);
}

TEST_P(RunnerTest, AWrongPayloadIsPermanentAndNamesThePath) {
    start("good/test_basics");

    const auto& answer = run("test.sleep", R"({"ms":"long"})");

    EXPECT_EQ(answer.status, Status::permanent);
    EXPECT_THAT(answer.message, HasSubstr("payload.ms"));
}

TEST_P(RunnerTest, PassesOnLogLines) {
    start("good/test_basics");
    const auto call = execute("test.log", R"({"lines":2})");
    ASSERT_EQ(result(call).status, Status::ok);

    EXPECT_EQ(logged(call, "plugin"), "plugin line 1\nplugin line 2\n");
}

TEST_P(RunnerTest, PassesOnProgress) {
    start("good/test_basics");
    const auto call = execute("test.progress", R"({"steps":4})");
    ASSERT_EQ(result(call).status, Status::ok);

    ASSERT_FALSE(progress.empty());
    EXPECT_EQ(progress[0].call, call);
    EXPECT_EQ(progress[0].stream, std::to_string(0.25));
    EXPECT_EQ(progress[0].text, "step 1");
}

TEST_P(RunnerTest, ACancelledCallEndsWithoutHarmToItsNeighbours) {
    start("good/test_basics");
    const auto endless = execute("test.sleep", R"({"ms":3600000})");
    const auto beside = execute("test.sleep", R"({"ms":50})");
    runner->flush();

    runner->cancel(endless);

    EXPECT_EQ(result(endless).status, Status::cancelled);
    EXPECT_EQ(result(beside).status, Status::ok);
}

TEST_P(RunnerTest, AQueuedCallCanBeCancelled) {
    start("good/test_basics", 1);
    const auto running = execute("test.sleep", R"({"ms":3600000})");
    const auto queued = execute("test.sleep", R"({"ms":3600000})");
    runner->flush();

    runner->cancel(queued);

    EXPECT_EQ(result(queued).status, Status::cancelled);
    runner->cancel(running);
    EXPECT_EQ(result(running).status, Status::cancelled);
}

TEST_P(RunnerTest, ACallEndsAtItsLimit) {
    start("good/test_basics");

    const auto& answer = run("test.sleep", R"({"ms":3600000})", milliseconds(60));

    EXPECT_EQ(answer.status, Status::timeout);
    EXPECT_THAT(answer.message, HasSubstr("60 ms"));
    EXPECT_GE(answer.elapsed_us, 60'000);
}

TEST_P(RunnerTest, TheLimitCountsFromTheStartNotFromTheQueue) {
    start("good/test_basics", 1);
    const auto first = execute("test.sleep", R"({"ms":150})", milliseconds(2000));
    const auto second = execute("test.sleep", R"({"ms":20})", milliseconds(120));

    EXPECT_EQ(result(first).status, Status::ok);
    EXPECT_EQ(result(second).status, Status::ok);
}

TEST_P(RunnerTest, AHangingCallIsATimeoutAndItsNeighboursSurvive) {
    start("good/test_crash", 2);
    const auto hanging = execute("test.hang", "{}", milliseconds(50));
    ASSERT_EQ(result(hanging).status, Status::timeout);

    EXPECT_EQ(run("test.crash", harmless).status, Status::ok);
    EXPECT_FALSE(is_gone);
}

TEST_P(RunnerTest, InstallsIntoTheStagingDirectory) {
    start("good/test_install");
    const auto staging = folder.path() / "staging";
    std::filesystem::create_directories(staging);
    runner->install({.call = 100,
                     .type = "test.install",
                     .content_key = "abc",
                     .spec = R"({"value":"v1"})",
                     .staging_dir = staging.string(),
                     .attempt = 1,
                     .timeout = {}});
    ASSERT_EQ(result(100).status, Status::ok) << results[100].message;

    runner->execute({.call = 101,
                     .type = "test.install",
                     .task_id = "t",
                     .attempt = 1,
                     .payload = "{}",
                     .content_key = "abc",
                     .install_dir = staging.string(),
                     .timeout = {}});
    EXPECT_EQ(result(101).result, R"({"value":"v1","installs":1})");
}

TEST_P(RunnerTest, StopsAfterTheOpenCalls) {
    start("good/test_basics");
    const auto call = execute("test.sleep", R"({"ms":60})");

    runner->stop();
    const auto late = execute("test.sleep", R"({"ms":1})");
    until([this] { return is_gone; });

    EXPECT_TRUE(expected) << why;
    EXPECT_EQ(results[call].status, Status::ok);
    EXPECT_EQ(results[late].status, Status::aborted);
}

TEST_P(RunnerTest, StopBeforeReadyIsExpected) {
    Probe::start(GetParam(), "good/test_noop");
    runner->stop();
    until([this] { return is_gone; });

    EXPECT_TRUE(expected);
}

TEST_P(RunnerTest, CanBeDestroyedWhileCallsRun) {
    start("good/test_basics");
    for (int i = 0; i < 20; ++i)
        execute("test.sleep", R"({"ms":3600000})");
    runner->flush();
    const auto short_one = execute("test.sleep", R"({"ms":1})");
    runner->cancel(1);
    until([this] { return results.count(1) != 0; });

    runner.reset();
    io.restart();
    io.run_for(milliseconds(1));

    EXPECT_FALSE(is_gone);
    EXPECT_EQ(results.count(short_one), 0U);
}

TEST_P(RunnerTest, CanBeDestroyedFromInsideAnEvent) {
    start("good/test_noop");
    on_result = [this](CallId) { runner.reset(); };
    execute("test.noop");
    runner->flush();
    until([this] { return runner == nullptr; });
    io.restart();
    io.run_for(milliseconds(1));
}

TEST_P(RunnerTest, CallsMayBeMadeFromInsideAnEvent) {
    start("good/test_noop");
    on_result = [this](CallId call) {
        if (call >= 200)
            return;
        execute("test.noop");
        runner->flush();
    };
    execute("test.noop");
    runner->flush();
    until([this] { return results.size() == 200; });
}

TEST_P(RunnerTest, ASetupThatFailsSaysWhy) {
    Probe::start(GetParam(), "broken/test_setup_fails");
    until([this] { return is_gone; });

    EXPECT_FALSE(expected);
    EXPECT_FALSE(ready);
    EXPECT_THAT(why, HasSubstr("no licence for this machine"));
}

struct Age {
    std::string plugin, type;
};

class AgeTest : public testing::TestWithParam<std::tuple<Isolation, Age>>, public Probe {};

INSTANTIATE_TEST_SUITE_P(Isolation,
                         AgeTest,
                         testing::Combine(testing::Values(Isolation::process, Isolation::inproc),
                                          testing::Values(Age{"ages/test_past", "test.past"},
                                                          Age{"ages/test_modest", "test.odd"},
                                                          Age{"ages/test_both_majors",
                                                              "test.both_majors"},
                                                          Age{"good/test_future", "test.future"})));

TEST_P(AgeTest, APluginOfAnotherMinorVersionRuns) {
    const auto& [isolation, age] = GetParam();
    Probe::start(isolation, age.plugin);
    until_ready();

    EXPECT_EQ(run(age.type).result, "{}");
}

struct Broken {
    std::string plugin;
    std::string reason;
};

class BrokenPluginTest : public testing::TestWithParam<std::tuple<Isolation, Broken>>,
                         public Probe {};

INSTANTIATE_TEST_SUITE_P(
    Isolation,
    BrokenPluginTest,
    testing::Combine(testing::Values(Isolation::process, Isolation::inproc),
                     testing::Values(Broken{"test_no_entry", "distributo_module_v1"},
                                     Broken{"test_next_major", "needs ABI 2"},
                                     Broken{"test_needs_symbol", "not_there"},
                                     Broken{"test_needs_library", "libnope.so"},
                                     Broken{"test_must_understand", "bit 30"},
                                     Broken{"test_type_flag", "bit 31"},
                                     Broken{"test_needs_member", "needs host.teleport"},
                                     Broken{"test_needs_service", "needs distributo.teleport/1"},
                                     Broken{"test_null_required", "required is a null pointer"},
                                     Broken{"test_small_module", "dto_module has struct_size 8"},
                                     Broken{"test_large_api", "struct_size 1073741824"},
                                     Broken{"test_empty_type", "number 0 has struct_size 0"},
                                     Broken{"test_null_type", "number 0 is a null pointer"},
                                     Broken{"test_null_get_interface", "offers no task types"},
                                     Broken{"test_no_interface", "offers no task types"},
                                     Broken{"test_refuses", "needs a machine with a lid"})),
    [](const auto& param) {
        return std::get<1>(param.param).plugin +
               (std::get<0>(param.param) == Isolation::process ? "_process" : "_inproc");
    });

TEST_P(BrokenPluginTest, IsRefusedWithItsReason) {
    Probe::start(std::get<0>(GetParam()), "broken/" + std::get<1>(GetParam()).plugin);
    until([this] { return is_gone; });

    EXPECT_FALSE(expected);
    EXPECT_FALSE(ready);
    EXPECT_THAT(why, HasSubstr(std::get<1>(GetParam()).reason));
}

}  // namespace
}  // namespace distributo::runtime
