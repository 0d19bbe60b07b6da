#include "returning_hosts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace distributo::coordinator::core {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using wire::Verdict;

TEST_F(ReturningHostsTest, WhatAHostStillRunsGoesOnUnderItsOldToken) {
    const auto host = come_back("h1", {handed[0].claim(), handed[1].claim()});
    ASSERT_EQ(bed().verdicts.size(), 2U);
    EXPECT_EQ(bed().verdicts[0].token, handed[0].token);
    EXPECT_EQ(bed().verdicts[0].verdict, Verdict::keep);
    EXPECT_EQ(bed().verdicts[1].verdict, Verdict::keep);
    EXPECT_EQ(bed().state(ids[0]), TaskState::running);
    EXPECT_EQ(bed().view(ids[0]).attempts, 1U);
    TaskId found = 0;
    EXPECT_TRUE(bed().scheduler.holds(host, handed[0].token, found));
    EXPECT_EQ(found, ids[0]);
    bed().scheduler.host_phase(host, {handed[0].token, wire::Phase::execute}, bed().now);
    bed().scheduler.host_progress(host, {handed[0].token, 0.5, "half"}, bed().now);
    EXPECT_EQ(bed().view(ids[0]).phase, wire::Phase::execute);
    EXPECT_EQ(bed().view(ids[0]).progress, 0.5);

    bed().report_as(host, handed[0].token);
    EXPECT_EQ(bed().outcome().state, TaskState::completed);
    EXPECT_EQ(bed().outcome().attempt.number, 1U);
    EXPECT_EQ(bed().outcome().attempt.host, "h1");
    bed().commit();
    ASSERT_EQ(bed().acks.size(), 1U);
    EXPECT_EQ(bed().acks[0].item.token, handed[0].token);
    EXPECT_FALSE(bed().acks[0].item.stale);
}

TEST_F(ReturningHostsTest, AResultThatIsRepeatedIsAnsweredAsWithAnyToken) {
    const auto host = come_back("h1", {handed[0].claim()});
    bed().report_as(host, handed[0].token);
    bed().report_as(host, handed[0].token);
    EXPECT_TRUE(bed().acks.empty()) << "it is not durable yet";
    bed().commit();
    EXPECT_EQ(bed().acks.size(), 1U);

    bed().report_as(host, handed[0].token);
    ASSERT_EQ(bed().acks.size(), 2U);
    EXPECT_FALSE(bed().acks[1].item.stale);
    come_back("h1", {}, {handed[0].claim()});
    bed().report_as(host, handed[0].token);
    EXPECT_FALSE(bed().acks.back().item.stale) << "also on its next connection";
}

TEST_F(ReturningHostsTest, NothingIsHandedOutBeforeTheHostsAreBack) {
    join("h2");
    EXPECT_TRUE(bed().dispatch().empty());
    const auto fresh = bed().add("echo");
    EXPECT_EQ(bed().dispatch_one().id, base::NumberText(fresh).str())
        << "what is new cannot run anywhere";

    join("h1");
    const auto again = bed().dispatch();
    ASSERT_EQ(again.size(), 3U) << "h1 claimed nothing, so all of it is free";
    EXPECT_EQ(again[0].id, "a1");
    EXPECT_EQ(again[0].attempt, 2U);
    EXPECT_EQ(again[1].id, "a2");
    EXPECT_EQ(again[2].id, "a3");
}

TEST_F(ReturningHostsTest, TheTimeToComeBackIsLimited) {
    join("h2");
    bed().pass(29'999ms);
    EXPECT_TRUE(bed().dispatch().empty());
    EXPECT_EQ(bed().scheduler.next_tick(), bed().now + 1ms);
    bed().scheduler.host_heard(1, bed().now);
    bed().pass(1ms);

    EXPECT_EQ(bed().dispatch().size(), 2U);
    EXPECT_EQ(bed().counts().pending, 2U);
    EXPECT_FALSE(disk.hosts().at("h1").present) << "it is given up";
    EXPECT_TRUE(disk.hosts().at("h2").present);
}

TEST_F(ReturningHostsTest, AHostThatLeftIsNotWaitedFor) {
    const auto host = join("h1");
    bed().scheduler.host_left(host, bed().now);
    bed().collect();
    disk.reboot();
    join("h2");

    EXPECT_EQ(bed().dispatch().size(), 2U);
}

TEST_F(ReturningHostsTest, AHostThatWasGivenUpIsNotWaitedFor) {
    const auto host = join("h1");
    bed().scheduler.host_disconnected(host, bed().now);
    bed().pass(30s);
    disk.reboot();
    join("h2");

    EXPECT_EQ(bed().dispatch().size(), 2U);
}

TEST_F(ReturningHostsTest, OneThatDiedWithTheCoordinatorIsWaitedForAfterTheNextBootToo) {
    disk.reboot();
    join("h2");
    EXPECT_TRUE(bed().dispatch().empty());
    come_back("h1", {handed[0].claim()});

    EXPECT_EQ(bed().verdicts[0].verdict, Verdict::keep);
}

TEST_F(ReturningHostsTest, ATokenLastsForManyBoots) {
    for (int boot = 0; boot < 5; ++boot) {
        come_back("h1", {handed[0].claim()});
        EXPECT_EQ(bed().verdicts[0].verdict, Verdict::keep);
        disk.reboot();
    }
    const auto host = come_back("h1", {}, {handed[0].claim()});
    bed().report_as(host, handed[0].token);
    EXPECT_EQ(bed().outcome().attempt.number, 1U);
}

TEST_F(ReturningHostsTest, AResultThatWasFinishedMeanwhileCounts) {
    const auto host = come_back("h1", {}, {handed[0].claim()});
    EXPECT_TRUE(bed().verdicts.empty());
    EXPECT_EQ(bed().state(ids[0]), TaskState::running);
    bed().report_as(host, handed[0].token);

    EXPECT_EQ(bed().outcome().state, TaskState::completed);
}

TEST_F(ReturningHostsTest, ALateOneCountsWhileNobodyElseGotTheTask) {
    bed().pass(31s);
    ASSERT_TRUE(bed().dispatch().empty());
    come_back("h1", {handed[0].claim()}, {handed[1].claim()});
    EXPECT_EQ(bed().verdicts[0].verdict, Verdict::keep);
    bed().report_as(0, handed[1].token);

    EXPECT_EQ(bed().outcome().id, ids[1]);
    EXPECT_EQ(bed().counts().running, 1U);
    EXPECT_EQ(bed().counts().pending, 2U);
}

TEST_F(ReturningHostsTest, ALateOneDoesNotCountWhenSomebodyElseGotTheTask) {
    bed().pass(31s);
    join("h2");
    ASSERT_EQ(bed().dispatch().size(), 2U);
    const auto host = come_back("h1", {handed[0].claim()}, {handed[1].claim()});
    EXPECT_EQ(bed().verdicts[0].verdict, Verdict::cancel);
    EXPECT_EQ(bed().view(ids[0]).host, "h2");

    expect_stale(host, handed[0].token);
    expect_stale(host, handed[1].token);
}

TEST_F(ReturningHostsTest, ForgedClaimsTouchNothing) {
    const auto good = handed[0].claim();
    const auto with = [&](auto change) {
        auto claim = good;
        change(claim);
        return claim;
    };
    const std::vector<wire::Claim> forged{
        {good.token, {}},
        with([](auto& one) { ++one.lease.proof; }),
        with([](auto& one) { one.lease.proof = 0; }),
        with([](auto& one) { ++one.lease.attempt; }),
        with([](auto& one) { --one.lease.attempt; }),
        with([&](auto& one) { one.lease.task = ids[1]; }),
        with([](auto& one) { one.lease.task = 99; }),
        with([](auto& one) { one.lease.task = 0; }),
        with([](auto& one) { one.token.counter = 0; }),
        with([](auto& one) { one.token.term = 2; }),
        with([](auto& one) { one.token.term = 3; }),
        {handed[0].token, handed[1].lease.proof == 0 ? wire::Lease{} : wire::Lease{ids[0], 2, 7}}};
    const auto host = come_back("h1", forged, forged);
    ASSERT_EQ(bed().verdicts.size(), forged.size());
    for (std::size_t i = 0; i < forged.size(); ++i)
        EXPECT_EQ(bed().verdicts[i].verdict, Verdict::cancel) << "claim " << i;
    expect_untouched();

    for (const auto& claim : forged)
        expect_stale(host, claim.token);
    expect_untouched();
}

TEST_F(ReturningHostsTest, TheLeaseOfAnotherHostProvesNothing) {
    const auto thief = come_back("h2", {handed[0].claim()}, {handed[1].claim()});
    EXPECT_EQ(bed().verdicts[0].verdict, Verdict::cancel);
    expect_untouched();
    expect_stale(thief, handed[1].token);

    const auto host = come_back("h1", {handed[0].claim(), handed[1].claim()});
    EXPECT_EQ(bed().view(ids[0]).host, "h1");
    bed().report_as(thief, handed[0].token);
    EXPECT_TRUE(bed().outcomes.empty());
    bed().report_as(host, handed[0].token);
    EXPECT_EQ(bed().outcomes.size(), 1U);
}

TEST_F(ReturningHostsTest, ALeaseOfAnotherStoreProvesNothing) {
    Bed other({}, 2, {3, 4});
    NewTask task = bed().submitted.empty() ? NewTask{} : bed().submitted.begin()->second;
    task.id = ids[0];
    task.type = other.names.intern("echo");
    task.attempts_before = 1;
    other.scheduler.recover({task, nullptr}, other.now, other.wall);
    auto hello = Bed::hello("h1");
    hello.running = {handed[0].claim()};
    (void)other.join(hello);

    EXPECT_EQ(other.verdicts[0].verdict, Verdict::cancel);
    EXPECT_EQ(other.state(ids[0]), TaskState::pending);
}

TEST_F(ReturningHostsTest, ClaimsMayComeTwiceAndInAnyOrder) {
    come_back("h1",
              {handed[1].claim(), handed[0].claim(), handed[1].claim()},
              {handed[0].claim(), handed[1].claim()});
    for (const auto& verdict : bed().verdicts)
        EXPECT_EQ(verdict.verdict, Verdict::keep);
    EXPECT_EQ(bed().counts().running, 2U);
    come_back("h1", {handed[0].claim(), handed[1].claim()});
    EXPECT_EQ(bed().counts().running, 2U);
    EXPECT_TRUE(bed().failed_attempts.empty());
    EXPECT_TRUE(bed().cancels.empty());
}

TEST_F(ReturningHostsTest, OneTokenStandsForOneTask) {
    const auto host = come_back("h1", {handed[0].claim(), {handed[0].token, handed[1].lease}});
    EXPECT_EQ(bed().verdicts[0].verdict, Verdict::keep);
    EXPECT_EQ(bed().state(ids[0]), TaskState::running);
    EXPECT_EQ(bed().state(ids[1]), TaskState::pending);

    bed().report_as(host, handed[0].token);
    EXPECT_EQ(bed().outcome().id, ids[0]);
}

TEST_F(ReturningHostsTest, ATaskStandsUnderOneToken) {
    auto other = handed[0].token;
    other.counter += 100;
    const auto host = come_back("h1", {handed[0].claim(), {other, handed[0].lease}});
    EXPECT_EQ(bed().verdicts[0].verdict, Verdict::keep);
    EXPECT_EQ(bed().verdicts[1].verdict, Verdict::cancel);

    expect_stale(host, other);
    EXPECT_EQ(bed().state(ids[0]), TaskState::running);
}

TEST_F(ReturningHostsTest, WhatAnAdoptedTaskFailsWithIsChargedUnderItsOwnNumber) {
    disk.reboot();
    disk.reboot();
    const auto host = come_back("h1", {handed[0].claim()});
    bed().offer(host, {{"echo", 2}});
    bed().report_as(host, handed[0].token, AttemptStatus::interrupted);
    ASSERT_EQ(bed().failed_attempts.size(), 1U);
    EXPECT_EQ(bed().failed_attempts[0].attempt.number, 1U);
    EXPECT_EQ(bed().failed_attempts[0].attempt.host_id, "h1");
    EXPECT_EQ(bed().last_ack()->item.token, handed[0].token);

    const auto again = bed().dispatch();
    ASSERT_FALSE(again.empty());
    EXPECT_EQ(again[0].id, "a1");
    EXPECT_EQ(again[0].attempt, 4U) << "three boots may have given out a number each";
    bed().report_as(host, handed[0].token);
    EXPECT_TRUE(bed().outcomes.empty());
    EXPECT_EQ(bed().state(ids[0]), TaskState::running);
}

TEST_F(ReturningHostsTest, AnAdoptedTaskThatIsNotListedAgainComesBack) {
    come_back("h1", {handed[0].claim()});
    bed().scheduler.host_disconnected(0, bed().now);
    come_back("h1", {});
    EXPECT_EQ(bed().state(ids[0]), TaskState::pending);
    ASSERT_EQ(bed().failed_attempts.size(), 1U);

    come_back("h1", {handed[0].claim()});
    EXPECT_EQ(bed().verdicts[0].verdict, Verdict::keep) << "nobody else got it";
}

TEST_F(ReturningHostsTest, AnAdoptedLeaseEndsWithItsHostAndCanBeResumed) {
    const auto host = come_back("h1", {handed[0].claim()});
    bed().scheduler.host_disconnected(host, bed().now);
    bed().pass(31s);
    EXPECT_EQ(bed().state(ids[0]), TaskState::pending);
    EXPECT_EQ(disk.history(ids[0]).lost, 1U);

    come_back("h1", {}, {handed[0].claim()});
    bed().report_as(host, handed[0].token, AttemptStatus::retry);
    EXPECT_EQ(disk.history(ids[0]).lost, 0U) << "it was not lost after all";
    EXPECT_EQ(disk.history(ids[0]).failures, 1U);
    EXPECT_EQ(disk.history(ids[0]).last_attempt, 1U);
}

TEST_F(ReturningHostsTest, ALeaseThatWasRecordedAsLostIsResumedByALaterBoot) {
    const auto host = come_back("h1", {handed[0].claim()});
    bed().scheduler.host_disconnected(host, bed().now);
    bed().pass(31s);
    for (int i = 0; i < 9; ++i) {
        disk.reboot();
        come_back("h1", {handed[0].claim()});
        ASSERT_EQ(bed().verdicts[0].verdict, Verdict::keep);
        bed().scheduler.host_disconnected(host, bed().now);
        bed().pass(31s);
    }
    EXPECT_TRUE(bed().outcomes.empty()) << "one attempt was charged more than once";
    EXPECT_EQ(disk.history(ids[0]).lost, 1U);
}

TEST_F(ReturningHostsTest, AnAttemptThatWasRecordedAsFailedCannotBeClaimed) {
    const auto host = come_back("h1", {handed[0].claim()});
    bed().report_as(host, handed[0].token, AttemptStatus::interrupted);
    disk.reboot();
    const auto again = come_back("h1", {handed[0].claim()}, {handed[0].claim()});

    EXPECT_EQ(bed().verdicts[0].verdict, Verdict::cancel);
    expect_stale(again, handed[0].token);
}

TEST_F(ReturningHostsTest, WhatRanBeforeATaskWasOpenedAgainCannotBeClaimed) {
    NewTask task;
    task.id = 77;
    task.type = bed().names.intern("echo");
    task.attempts_before = 3;
    bed().scheduler.add(task, bed().now, bed().wall);
    const LeaseProofs proofs(bed_key);
    const auto proof = proofs.proof(proofs.host_digest("h1"), 77, 2);
    come_back("h1", {{{1, 9, 9}, {77, 2, proof}}});

    EXPECT_EQ(bed().verdicts[0].verdict, Verdict::cancel);
}

/// The cancel of a running task is durable, its host knows nothing of it yet.
class CancelOverBootsTest : public ReturningHostsTest {
protected:
    void SetUp() override {
        ReturningHostsTest::SetUp();
        come_back("h1", {handed[0].claim()});
        EXPECT_TRUE(bed().scheduler.cancel(ids[0], bed().now));
        bed().collect();
        disk.reboot();
        EXPECT_EQ(bed().state(ids[0]), TaskState::cancelling);
        EXPECT_EQ(bed().counts().cancelling, 1U);
    }
};

TEST_F(CancelOverBootsTest, TheHostIsToldWhenItComesBack) {
    const auto host = come_back("h1", {handed[0].claim()});
    EXPECT_EQ(bed().verdicts[0].verdict, Verdict::keep) << "its report is still awaited";
    ASSERT_EQ(bed().cancels.size(), 1U);
    EXPECT_EQ(bed().cancels[0].token, handed[0].token);
    EXPECT_EQ(bed().state(ids[0]), TaskState::cancelling);

    bed().report_as(host, handed[0].token, AttemptStatus::cancelled);
    EXPECT_EQ(bed().outcome().state, TaskState::cancelled);
}

TEST_F(CancelOverBootsTest, AResultThatCameFirstWins) {
    const auto host = come_back("h1", {}, {handed[0].claim()});
    bed().report_as(host, handed[0].token);

    EXPECT_EQ(bed().outcome().state, TaskState::completed);
}

TEST_F(CancelOverBootsTest, WithoutAClaimItIsCancelled) {
    EXPECT_TRUE(bed().outcomes.empty());
    join("h1");
    EXPECT_EQ(bed().outcome().id, ids[0]);
    EXPECT_EQ(bed().outcome().state, TaskState::cancelled);
    EXPECT_EQ(bed().counts().cancelling, 0U);

    bed().commit();
    EXPECT_EQ(bed().counts().cancelled, 1U);
}

TEST_F(CancelOverBootsTest, WithoutAHostItIsCancelledAtOnce) {
    bed().pass(30s);
    EXPECT_EQ(bed().outcome().state, TaskState::cancelled);

    bed().outcomes.clear();
    disk.reboot();
    EXPECT_EQ(bed().outcome().state, TaskState::cancelled);
}

TEST_F(CancelOverBootsTest, AskingAgainChangesNothing) {
    EXPECT_TRUE(bed().scheduler.cancel(ids[0], bed().now));
    EXPECT_TRUE(bed().collect().empty());
    EXPECT_TRUE(bed().controls.empty());
}

TEST_F(ReturningHostsTest, WhatAPersonHoldsMayStillBeFinishedButDoesNotGoOn) {
    EXPECT_TRUE(bed().scheduler.hold(ids[0], "wait", bed().now));
    EXPECT_TRUE(bed().scheduler.hold(ids[1], "wait", bed().now));
    bed().collect();
    const auto host = come_back("h1", {handed[0].claim()}, {handed[1].claim()});
    EXPECT_EQ(bed().verdicts[0].verdict, Verdict::cancel);
    EXPECT_EQ(bed().state(ids[0]), TaskState::held);

    bed().report_as(host, handed[1].token);
    EXPECT_EQ(bed().outcome().id, ids[1]);
    bed().report_as(host, handed[0].token, AttemptStatus::cancelled);
    EXPECT_FALSE(bed().last_ack()->item.stale);
    EXPECT_EQ(bed().state(ids[0]), TaskState::held);
}

TEST_F(ReturningHostsTest, ATaskThatIsCancelledWhileItsHostIsAwaitedEndsAtOnce) {
    EXPECT_TRUE(bed().scheduler.cancel(ids[0], bed().now));
    bed().collect();
    EXPECT_EQ(bed().outcome().state, TaskState::cancelled);
    bed().commit();
    const auto host = come_back("h1", {handed[0].claim()});
    EXPECT_EQ(bed().verdicts[0].verdict, Verdict::cancel);
    bed().report_as(host, handed[0].token);

    EXPECT_TRUE(bed().last_ack()->item.stale);
}

TEST_F(ReturningHostsTest, DeadlinesPassAlsoWhileHostsAreAwaited) {
    TaskOptions options;
    options.deadline = bed().wall + 10s;
    const auto waiting = bed().add("echo", options);
    disk.reboot();
    bed().pass(10s);

    EXPECT_EQ(bed().outcome().id, waiting);
    EXPECT_EQ(bed().outcome().state, TaskState::expired);
    join("h1");
    bed().commit();
    EXPECT_EQ(bed().counts().live(), 4U);
}

TEST_F(ReturningHostsTest, ItIsShownForWhomItWaits) {
    const auto view = bed().scheduler.awaited(bed().now + 10s);
    EXPECT_THAT(view.hosts, ElementsAre("h1"));
    EXPECT_EQ(view.left, base::Duration(20s));
    EXPECT_EQ(view.tasks, 4U);
    const auto explanation = bed().scheduler.explain(ids[0], bed().now);
    EXPECT_THAT(explanation.summary, HasSubstr("restarted"));
    EXPECT_THAT(explanation.hint, HasSubstr("30 s"));
    EXPECT_EQ(obstacle_of(explanation, "h1").code, "awaited");

    join("h1");
    EXPECT_TRUE(bed().scheduler.awaited(bed().now).hosts.empty());
    EXPECT_EQ(bed().scheduler.awaited(bed().now).left, base::Duration::zero());
    EXPECT_EQ(obstacle_of(bed().scheduler.explain(ids[0], bed().now), "h1").code, "available");
}

TEST_F(ReturningHostsTest, AwaitedTasksAreListedAndCountedLikeOthers) {
    ListQuery query;
    query.states = {TaskState::pending};
    EXPECT_EQ(bed().scheduler.list(query).ids.size(), 4U);
    EXPECT_EQ(bed().scheduler.types().front().pending, 4U);
    EXPECT_EQ(bed().counts().pending, 4U);
    come_back("h1", {handed[0].claim()});
    EXPECT_TRUE(bed().scheduler.cancel(ids[0], bed().now));
    bed().collect();
    disk.reboot();
    query.states = {TaskState::cancelling};
    EXPECT_EQ(bed().scheduler.list(query).ids, std::vector<TaskId>{ids[0]});
    query.host = "h1";
    EXPECT_TRUE(bed().scheduler.list(query).ids.empty());
}

}  // namespace
}  // namespace distributo::coordinator::core
