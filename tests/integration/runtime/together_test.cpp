// Batches and calls that are completed later, through a real runner.
#include "probe.hpp"

namespace distributo::runtime {
namespace {

using std::chrono::milliseconds;
using Status = CallResult::Status;
using testing::HasSubstr;

class TogetherTest : public testing::TestWithParam<Isolation>, public Probe {
protected:
    TogetherTest() {
        start(GetParam(), "services/test_together", 2);
        until_ready();
    }
};

INSTANTIATE_TEST_SUITE_P(Isolations,
                         TogetherTest,
                         testing::Values(Isolation::process, Isolation::inproc),
                         [](const auto& param) {
                             return param.param == Isolation::process ? "process" : "inproc";
                         });

TEST_P(TogetherTest, TwelveTasksArriveInBatchesOfFive) {
    std::vector<CallId> calls;
    for (int i = 0; i < 12; ++i)
        calls.push_back(execute("test.batch"));
    std::map<std::string, int> sizes;
    for (const auto call : calls)
        ++sizes[result(call).result];

    EXPECT_EQ(sizes, (std::map<std::string, int>{{"5", 10}, {"2", 2}}));
}

TEST_P(TogetherTest, ABadTaskOfABatchFailsAlone) {
    const auto good = execute("test.batch");
    const auto bad = execute("test.batch", R"("bad")");
    const auto last = execute("test.batch");

    EXPECT_EQ(result(bad).status, Status::permanent);
    EXPECT_EQ(results[bad].message, "a bad one");
    EXPECT_EQ(result(good).result, "3");
    EXPECT_EQ(result(last).result, "3");
}

TEST_P(TogetherTest, ABatchHasAsMuchTimeAsItsTasksTogether) {
    const auto waits = execute("test.batch", R"("wait")", milliseconds(200));
    std::vector<CallId> others;
    for (int i = 0; i < 4; ++i)
        others.push_back(execute("test.batch", "{}", milliseconds(100)));

    const auto& ended = result(waits);
    EXPECT_EQ(ended.status, Status::timeout);
    EXPECT_GE(ended.elapsed_us, 600'000);
    for (const auto call : others)
        EXPECT_EQ(result(call).result, "5");
}

TEST_P(TogetherTest, ThousandsOfCallsArePendingInOneRunner) {
    constexpr std::size_t many = 5'500;
    for (std::size_t i = 0; i < many; ++i)
        execute("test.later", "{}");
    // Whoever is told of this has been entered after all the others of its type.
    const auto last = execute("test.later", R"("tell")");
    runner->flush();
    until([&] { return !logged(last, "plugin").empty(); });
    EXPECT_TRUE(results.empty());

    std::size_t released = 0;
    while (released < many + 1) {
        const auto& answer = run("test.release");
        ASSERT_EQ(answer.status, Status::ok) << answer.message;
        released += std::stoul(answer.result);
    }
    until([&] { return results.size() >= many + 2; });
    for (const auto& [call, ended] : results)
        ASSERT_EQ(ended.status, Status::ok) << call << ": " << ended.message;
}

TEST_P(TogetherTest, APendingCallHasItsLimit) {
    const auto& answer = run("test.later", "{}", milliseconds(50));

    EXPECT_EQ(answer.status, Status::timeout);
    EXPECT_THAT(answer.message, HasSubstr("50 ms"));
    EXPECT_EQ(run("test.batch").status, Status::ok);
}

TEST_P(TogetherTest, APendingCallCanBeCancelled) {
    const auto beside = execute("test.later", "{}");
    const auto call = execute("test.later", R"("tell")");
    runner->flush();
    until([&] { return !logged(call, "plugin").empty(); });
    runner->cancel(call);

    EXPECT_EQ(result(call).status, Status::cancelled);
    EXPECT_EQ(results.count(beside), 0U);
    run("test.release");
    EXPECT_EQ(result(beside).status, Status::ok);
}

TEST_P(TogetherTest, StopLetsPendingCallsEnd) {
    const auto call = execute("test.later", R"("tell")");
    runner->flush();
    until([&] { return !logged(call, "plugin").empty(); });
    runner->stop();
    runner->cancel(call);
    until([this] { return is_gone; });

    EXPECT_TRUE(expected) << why;
    EXPECT_EQ(results[call].status, Status::cancelled);
}

class TogetherCrashTest : public testing::Test, public Probe {
protected:
    TogetherCrashTest() {
        start(Isolation::process, "services/test_together", 1);
        until_ready();
    }
};

TEST_F(TogetherCrashTest, ABatchThatDiesIsRepeatedAndNobodyIsCharged) {
    std::vector<CallId> calls;
    for (int i = 0; i < 7; ++i)
        calls.push_back(execute("test.batch", i == 2 ? R"("crash")" : "{}"));
    std::size_t suspects = 0;
    for (const auto call : calls) {
        EXPECT_EQ(result(call).status, Status::aborted);
        suspects += results[call].suspect ? 1U : 0U;
    }
    EXPECT_EQ(suspects, 5U);  // the others were not started

    // Alone it is by execute, and then it is clear who it was.
    EXPECT_EQ(run("test.batch").result, "1");
    EXPECT_EQ(run("test.batch", R"("crash")").status, Status::crashed);
}

TEST_F(TogetherCrashTest, CallsThatWerePendingAreSuspectsToo) {
    const auto first = execute("test.later", "{}");
    const auto second = execute("test.later", R"("tell")");
    runner->flush();
    until([&] { return !logged(second, "plugin").empty(); });
    const auto guilty = execute("test.later", R"("crash")");

    for (const auto call : {first, second, guilty}) {
        EXPECT_EQ(result(call).status, Status::aborted);
        EXPECT_TRUE(results[call].suspect);
    }
    EXPECT_EQ(run("test.later", R"("crash")").status, Status::crashed);
}

TEST_F(TogetherCrashTest, ThousandsOfPendingCallsAreGivenBack) {
    constexpr std::size_t many = 4'000;
    for (std::size_t i = 0; i < many; ++i)
        execute("test.later", "{}");
    const auto last = execute("test.later", R"("tell")");
    runner->flush();
    until([&] { return !logged(last, "plugin").empty(); });
    execute("test.batch", R"("crash")");
    runner->flush();
    until([&] { return results.size() == many + 2; });

    for (const auto& [call, ended] : results) {
        ASSERT_EQ(ended.status, Status::aborted);
        ASSERT_TRUE(ended.suspect);
    }
    EXPECT_EQ(run("test.batch").status, Status::ok);
}

TEST_F(TogetherCrashTest, APendingCallIsASuspectWhenAnotherTypeCrashes) {
    const auto pending = execute("test.later", R"("tell")");
    runner->flush();
    until([&] { return !logged(pending, "plugin").empty(); });
    const auto& guilty = run("test.batch", R"("crash")");

    // The one that executes and the one that is pending: both may be it.
    EXPECT_EQ(guilty.status, Status::aborted);
    EXPECT_TRUE(guilty.suspect);
    EXPECT_TRUE(results[pending].suspect);
}

}  // namespace
}  // namespace distributo::runtime
