// Several processes for one plugin: one per call, more of them for types that are not reentrant,
// and fresh ones in the place of those that have grown.
#include "probe.hpp"

#include <boost/json.hpp>

#include <set>

namespace distributo::runtime {
namespace {

using std::chrono::milliseconds;
using Kind = ProcessNews::Kind;
using Status = CallResult::Status;
using testing::HasSubstr;

class PoolTest : public testing::Test, public Probe {
protected:
    void start(Isolation isolation, RunnerOptions with) {
        with.housekeeping = milliseconds(20);
        Probe::start(isolation, std::move(with));
        until_ready();
    }
    void start(Isolation isolation) { start(isolation, options("good/test_leak")); }
    std::int64_t pid(CallId call) {
        EXPECT_EQ(result(call).status, Status::ok) << results[call].message;
        return boost::json::parse(results[call].result).at("pid").to_number<std::int64_t>();
    }
    std::vector<CallId> many(int count, const std::string& type, const std::string& payload) {
        std::vector<CallId> calls;
        for (int i = 0; i < count; ++i)
            calls.push_back(execute(type, payload));
        runner->flush();
        return calls;
    }
    std::set<std::int64_t> pids(const std::vector<CallId>& calls) {
        std::set<std::int64_t> all;
        for (const auto call : calls)
            all.insert(pid(call));
        return all;
    }
    [[nodiscard]] std::size_t count(Kind kind) const {
        return static_cast<std::size_t>(std::ranges::count(processes, kind, &ProcessNews::kind));
    }
    [[nodiscard]] std::size_t alive() const {
        return count(Kind::ready) - count(Kind::ended) - count(Kind::crashed) - count(Kind::killed);
    }
    void on_process(const ProcessNews& news) override { processes.push_back(news); }
    void on_started(CallId call) override { started.push_back(call); }
    void on_unstartable(CallId call, const std::string& reason) override {
        unstartable[call] = reason;
    }
    void on_giving_up(const std::string& reason) override { giving_up = reason; }
    CallId execute_alone(const std::string& type, const std::string& payload = "{}") {
        const CallId call = ++last_call;
        runner->execute_alone({.call = call,
                               .type = type,
                               .task_id = "t" + std::to_string(call),
                               .attempt = 1,
                               .payload = payload,
                               .content_key = {},
                               .install_dir = {},
                               .timeout = {}});
        return call;
    }

    std::vector<ProcessNews> processes;
    std::vector<CallId> started;
    std::map<CallId, std::string> unstartable;
    std::string giving_up;
};

// ---- types that are not reentrant ------------------------------------------------------------

TEST_F(PoolTest, CallsOfATypeThatIsNotReentrantRunInProcessesOfTheirOwn) {
    start(Isolation::process);
    const auto calls = many(4, "test.turn", R"({"ms":300})");

    EXPECT_EQ(pids(calls).size(), 4U);
    for (const auto call : calls)
        EXPECT_THAT(results[call].result, HasSubstr("\"together\":1"));
}

TEST_F(PoolTest, NotMoreProcessesThanAllowed) {
    auto with = options("good/test_leak");
    with.processes = 2;
    start(Isolation::process, std::move(with));

    EXPECT_EQ(pids(many(6, "test.turn", R"({"ms":50})")).size(), 2U);
}

TEST_F(PoolTest, ReportsHowManyRunInAllProcesses) {
    start(Isolation::process);

    ASSERT_EQ(module.types.size(), 2U);
    EXPECT_EQ(module.types[0].max_concurrency, 0U);
    EXPECT_EQ(module.types[1].max_concurrency, 4U);
}

TEST_F(PoolTest, ReentrantCallsStayTogether) {
    start(Isolation::process);

    EXPECT_EQ(pids(many(4, "test.leak", R"({"ms":50})")).size(), 1U);
}

TEST_F(PoolTest, ACrashLosesOneCallOnly) {
    start(Isolation::process);
    const auto others = many(3, "test.turn", R"({"ms":200})");
    const auto guilty = execute("test.turn", R"({"crash":true})");

    EXPECT_EQ(result(guilty).status, Status::crashed);
    for (const auto call : others)
        EXPECT_EQ(result(call).status, Status::ok);
}

TEST_F(PoolTest, IdleProcessesEndButOne) {
    auto with = options("good/test_leak");
    with.idle_time = milliseconds(50);
    start(Isolation::process, std::move(with));
    EXPECT_EQ(pids(many(4, "test.turn", R"({"ms":200})")).size(), 4U);

    // One for each kind of type is left.
    until([this] { return alive() == 2; });
    EXPECT_EQ(run("test.turn").status, Status::ok);
}

TEST_F(PoolTest, AThousandShortCallsHaveOneResultEach) {
    start(Isolation::process);
    const auto calls = many(1000, "test.turn", "{}");

    until([this] { return results.size() == 1000; });
    for (const auto call : calls)
        ASSERT_EQ(results[call].status, Status::ok);
}

// ---- isolation task --------------------------------------------------------------------------

TEST_F(PoolTest, EveryTaskHasAProcessOfItsOwn) {
    start(Isolation::task);

    EXPECT_EQ(pids(many(10, "test.leak", "{}")).size(), 10U);
}

TEST_F(PoolTest, ASpareIsSetUpWhileATaskRuns) {
    start(Isolation::task);
    const auto busy = execute("test.leak", R"({"ms":60000})");
    runner->flush();

    until([this] { return count(Kind::ready) == 2; });
    EXPECT_EQ(run("test.leak").status, Status::ok);
    runner->cancel(busy);
    EXPECT_EQ(result(busy).status, Status::cancelled);
}

TEST_F(PoolTest, SparesAreAsManyAsTasksRunAndOneWhenNoneDoes) {
    auto with = options("good/test_leak");
    with.idle_time = milliseconds(50);
    start(Isolation::task, std::move(with));
    const auto busy = many(3, "test.leak", R"({"ms":60000})");
    until([this] { return alive() == 6; });

    for (const auto call : busy)
        runner->cancel(call);

    until([this] { return alive() == 1; });
}

TEST_F(PoolTest, ACrashInAProcessPerTaskLosesExactlyOne) {
    start(Isolation::task);
    const auto before = many(3, "test.turn", R"({"ms":100})");
    const auto guilty = execute("test.turn", R"({"crash":true})");
    const auto after = many(3, "test.turn", R"({"ms":10})");

    EXPECT_EQ(result(guilty).status, Status::crashed);
    for (const auto& calls : {before, after})
        for (const auto call : calls)
            EXPECT_EQ(result(call).status, Status::ok);
}

TEST_F(PoolTest, AWaitingTaskCanBeCancelled) {
    auto with = options("good/test_leak");
    with.threads = 1;
    start(Isolation::task, std::move(with));
    const auto busy = execute("test.leak", R"({"ms":60000})");
    const auto waiting = execute("test.leak");

    runner->cancel(waiting);

    EXPECT_EQ(result(waiting).status, Status::cancelled);
    runner->cancel(busy);
    EXPECT_EQ(result(busy).status, Status::cancelled);
}

TEST_F(PoolTest, StopEndsTheSpares) {
    start(Isolation::task);
    const auto calls = many(6, "test.leak", R"({"ms":20})");
    runner->stop();
    until([this] { return is_gone; });

    EXPECT_TRUE(expected);
    EXPECT_EQ(alive(), 0U);
    for (const auto call : calls)
        EXPECT_EQ(results[call].status, Status::ok);
}

// ---- alone -----------------------------------------------------------------------------------

TEST_F(PoolTest, ACallAloneSharesItsProcessWithNobody) {
    start(Isolation::process);
    const auto shared = pid(execute("test.leak"));

    const auto alone = execute_alone("test.leak");

    EXPECT_NE(pid(alone), shared);
    EXPECT_EQ(started, std::vector{alone});
    until([this] { return count(Kind::ended) == 1; });
}

TEST_F(PoolTest, ACallAloneThatCannotHaveAProcessSaysSo) {
    start(Isolation::process);
    const auto hidden = folder.path() / "hidden";
    std::filesystem::rename(options("good/test_leak").library, hidden);

    const auto alone = execute_alone("test.leak");
    until([&] { return unstartable.count(alone) != 0; });

    EXPECT_THAT(unstartable[alone], HasSubstr("cannot start a process for it alone"));
    EXPECT_EQ(run("test.leak").status, Status::ok);
}

// ---- giving up -------------------------------------------------------------------------------

TEST_F(PoolTest, CrashesAreCountedOverAllProcesses) {
    start(Isolation::process);
    many(3, "test.turn", R"({"ms":100,"crash":true})");

    until([this] { return is_gone; });

    EXPECT_FALSE(expected);
    EXPECT_THAT(why, HasSubstr("crashed 3 times in 60 s"));
}

TEST_F(PoolTest, CrashesAreCountedInProcessesPerTask) {
    start(Isolation::task);
    many(3, "test.turn", R"({"crash":true})");

    until([this] { return is_gone; });

    EXPECT_THAT(why, HasSubstr("crashed 3 times in 60 s"));
}

TEST_F(PoolTest, WhatRunsGoesOnWhenThePoolGivesUp) {
    start(Isolation::process);
    const auto innocent = execute("test.leak", R"({"ms":60000})");
    many(3, "test.turn", R"({"crash":true})");
    until([this] { return !giving_up.empty(); });

    EXPECT_FALSE(is_gone);
    EXPECT_EQ(run("test.leak").status, Status::aborted);
    EXPECT_EQ(results.count(innocent), 0U);
    runner->cancel(innocent);
    EXPECT_EQ(result(innocent).status, Status::cancelled);
    until([this] { return is_gone; });
}

TEST_F(PoolTest, OneTaskThatKeepsCrashingDoesNotTakeItsTypeAway) {
    start(Isolation::process);
    for (int i = 0; i < 4; ++i) {
        runner->execute_alone({.call = ++last_call,
                               .type = "test.turn",
                               .task_id = "the same",
                               .attempt = 1,
                               .payload = R"({"crash":true})",
                               .content_key = {},
                               .install_dir = {},
                               .timeout = {}});
        EXPECT_EQ(result(last_call).status, Status::crashed);
    }

    EXPECT_EQ(run("test.turn").status, Status::ok);
    EXPECT_TRUE(giving_up.empty());
}

// ---- recycling -------------------------------------------------------------------------------

struct Growth {
    std::string name, payload;
    RecycleLimits limits;
    RecycleReason reason;
    std::string words;
};

class RecyclingTest : public PoolTest, public testing::WithParamInterface<Growth> {};

RecycleLimits limits_of(RecycleReason reason, std::uint32_t limit) {
    RecycleLimits limits{.tasks = 0, .memory = 0, .descriptors = 0, .threads = 0};
    switch (reason) {
        case RecycleReason::tasks:
            limits.tasks = limit;
            break;
        case RecycleReason::memory:
            limits.memory = limit;
            break;
        case RecycleReason::descriptors:
            limits.descriptors = limit;
            break;
        case RecycleReason::threads:
            limits.threads = limit;
            break;
    }
    return limits;
}

INSTANTIATE_TEST_SUITE_P(Reasons,
                         RecyclingTest,
                         testing::Values(Growth{"Tasks",
                                                "{}",
                                                limits_of(RecycleReason::tasks, 100),
                                                RecycleReason::tasks,
                                                "it has run 1"},
                                         Growth{"Memory",
                                                R"({"kib":256})",
                                                limits_of(RecycleReason::memory, 16 << 20),
                                                RecycleReason::memory,
                                                "its memory grew by"},
                                         Growth{"Descriptors",
                                                R"({"descriptors":1})",
                                                limits_of(RecycleReason::descriptors, 60),
                                                RecycleReason::descriptors,
                                                "its open descriptors grew by"},
                                         Growth{"Threads",
                                                R"({"threads":1})",
                                                limits_of(RecycleReason::threads, 40),
                                                RecycleReason::threads,
                                                "its threads grew by"}),
                         [](const auto& param) { return param.param.name; });

TEST_P(RecyclingTest, AFreshProcessTakesOverUnderLoadAndNoCallIsLost) {
    auto with = options("good/test_leak");
    with.recycle = GetParam().limits;
    start(Isolation::process, std::move(with));
    std::set<std::int64_t> seen;
    std::size_t done = 0;
    const auto recycled = [this] {
        return std::ranges::find(processes, Kind::recycled, &ProcessNews::kind);
    };

    // Always four at once, until calls have ended in a second process.
    std::vector<CallId> open = many(4, "test.leak", GetParam().payload);
    while (seen.size() < 2 && done < 20'000) {
        for (auto& call : open) {
            seen.insert(pid(call));
            ++done;
            call = execute("test.leak", GetParam().payload);
        }
        runner->flush();
    }
    for (const auto call : open)
        EXPECT_EQ(result(call).status, Status::ok);

    ASSERT_EQ(seen.size(), 2U);
    ASSERT_NE(recycled(), processes.end());
    EXPECT_EQ(recycled()->reason, GetParam().reason);
    EXPECT_THAT(recycled()->why, HasSubstr(GetParam().words));
    until([this] { return alive() == 1; });
    EXPECT_EQ(count(Kind::crashed) + count(Kind::killed) + count(Kind::failed), 0U);
}

TEST_F(PoolTest, GrowthIsMeasured) {
    start(Isolation::process);
    many(20, "test.leak", R"({"descriptors":2})");
    until([this] { return results.size() == 20; });

    std::uint64_t tasks = 0;
    std::uint64_t descriptors = 0;
    until([&] {
        tasks = descriptors = 0;
        for (const auto& news : processes) {
            tasks += news.tasks;
            descriptors += news.growth.descriptors;
        }
        return tasks == 20;
    });
    EXPECT_EQ(descriptors, 40U);
}

TEST_F(PoolTest, AProcessWhoseSuccessorCannotStartGoesOn) {
    auto with = options("good/test_leak");
    with.recycle.tasks = 3;
    const auto library = with.library;
    start(Isolation::process, std::move(with));
    std::filesystem::rename(library, folder.path() / "hidden");

    EXPECT_EQ(pids(many(10, "test.leak", "{}")).size(), 1U);
    until([this] { return count(Kind::failed) == 1; });

    EXPECT_EQ(run("test.leak").status, Status::ok);
    EXPECT_EQ(count(Kind::recycled), 0U);
}

}  // namespace
}  // namespace distributo::runtime
