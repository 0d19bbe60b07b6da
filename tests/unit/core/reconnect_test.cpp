#include "bed.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace distributo::coordinator::core {
namespace {

using wire::Verdict;

/// One host with two running tasks, two more in the queue.
class ReconnectTest : public ::testing::Test {
protected:
    void SetUp() override {
        host = bed.host("h1", 2);
        ids = bed.add_many("echo", 4);
        handed = bed.dispatch();
        ASSERT_EQ(handed.size(), 2U);
    }
    void disconnect() {
        bed.scheduler.host_disconnected(host, bed.now);
        bed.collect();
    }
    /// The host comes back and names what it has.
    void come_back(std::vector<Token> running,
                   std::vector<Token> finished = {},
                   bool rebooted = false) {
        auto hello = Bed::hello("h1", 2);
        hello.running.assign(running.begin(), running.end());
        hello.finished.assign(finished.begin(), finished.end());
        if (rebooted)
            hello.boot_id = "another";
        EXPECT_EQ(bed.join(hello), host);
    }
    Bed bed;
    HostIndex host = no_host;
    std::vector<TaskId> ids;
    std::vector<Assigned> handed;
};

TEST_F(ReconnectTest, ABrokenConnectionIsNotTheEndOfALease) {
    disconnect();
    EXPECT_EQ(bed.state(ids[0]), TaskState::running);
    EXPECT_EQ(bed.scheduler.hosts(bed.now).front().state, HostView::State::disconnected);
    EXPECT_TRUE(bed.dispatch().empty());

    bed.pass(999ms);
    EXPECT_EQ(bed.state(ids[0]), TaskState::running);
    bed.pass(1ms);
    EXPECT_EQ(bed.state(ids[0]), TaskState::pending);
    ASSERT_EQ(bed.failed_attempts.size(), 2U);
    EXPECT_EQ(bed.failed_attempts[0].attempt.status, AttemptStatus::interrupted);
}

TEST_F(ReconnectTest, TheTimeThatWasInvestedIsWaitedForUpToALease) {
    bed.wait(5s);
    bed.scheduler.host_heard(host, bed.now);
    disconnect();
    bed.pass(4999ms);
    EXPECT_EQ(bed.state(ids[0]), TaskState::running);
    bed.pass(1ms);
    EXPECT_EQ(bed.state(ids[0]), TaskState::pending);
}

TEST_F(ReconnectTest, NoTaskWaitsLongerThanALease) {
    bed.wait(1h);
    bed.scheduler.host_heard(host, bed.now);
    disconnect();
    bed.pass(29'999ms);
    EXPECT_EQ(bed.state(ids[0]), TaskState::running);
    bed.pass(1ms);
    EXPECT_EQ(bed.state(ids[0]), TaskState::pending);
    EXPECT_TRUE(bed.scheduler.hosts(bed.now).empty()) << "the host is forgotten with its lease";
}

TEST_F(ReconnectTest, LostTasksGoFirstInTheirOldOrder) {
    disconnect();
    bed.pass(1s);
    bed.host("h2", 4);
    const auto again = bed.dispatch();

    ASSERT_EQ(again.size(), 4U);
    for (std::size_t i = 0; i < 4; ++i)
        EXPECT_EQ(again[i].id, "a" + std::to_string(i + 1));
}

TEST_F(ReconnectTest, WhatTheHostListsIsKept) {
    disconnect();
    bed.pass(500ms);
    come_back({handed[0].token, handed[1].token});
    ASSERT_EQ(bed.verdicts.size(), 2U);
    EXPECT_EQ(bed.verdicts[0].token, handed[0].token);
    EXPECT_EQ(bed.verdicts[0].verdict, Verdict::keep);
    EXPECT_EQ(bed.verdicts[1].verdict, Verdict::keep);

    bed.pass(20s);
    EXPECT_EQ(bed.counts().running, 2U) << "the timers of the broken connection still count";
    EXPECT_TRUE(bed.failed_attempts.empty());
    bed.report(handed[0]);
    EXPECT_EQ(bed.outcome().state, TaskState::completed);
}

TEST_F(ReconnectTest, WhatTheHostDoesNotListIsQueuedAtOnce) {
    disconnect();
    come_back({handed[1].token});
    EXPECT_EQ(bed.state(ids[0]), TaskState::pending);
    EXPECT_EQ(bed.state(ids[1]), TaskState::running);

    EXPECT_EQ(bed.dispatch_one().id, "a1");
}

TEST_F(ReconnectTest, AssignmentsThatNeverArrivedAreNotCharged) {
    for (int i = 0; i < 30; ++i) {
        disconnect();
        come_back({});
        ASSERT_EQ(bed.dispatch().size(), 2U);
    }
    EXPECT_TRUE(bed.outcomes.empty());
}

TEST_F(ReconnectTest, ARestartThatLosesTheTasksIsCharged) {
    for (int i = 0; i < 10; ++i) {
        auto hello = Bed::hello("h1", 2);
        hello.boot_id = "boot" + std::to_string(i);
        (void)bed.join(hello);
        EXPECT_TRUE(bed.dispatch().empty()) << "its plugins may be others now";
        bed.offer(host, {{"echo", 2}});
        (void)bed.dispatch();
    }
    ASSERT_EQ(bed.outcomes.size(), 2U);
    EXPECT_EQ(bed.outcomes[0].reason, FailReason::lost);
}

TEST_F(ReconnectTest, AFinishedTaskKeepsItsLeaseUntilTheResultComesAgain) {
    disconnect();
    come_back({handed[1].token}, {handed[0].token}, true);
    EXPECT_EQ(bed.verdicts.size(), 1U) << "one per running token";
    EXPECT_EQ(bed.state(ids[0]), TaskState::running);

    bed.report(handed[0]);
    EXPECT_EQ(bed.outcome().state, TaskState::completed);
    bed.commit();
    EXPECT_FALSE(bed.last_ack()->item.stale);
}

TEST_F(ReconnectTest, ATaskThatNobodyElseGotGoesBackToItsHost) {
    disconnect();
    bed.pass(10s);
    ASSERT_EQ(bed.state(ids[0]), TaskState::pending);
    ASSERT_EQ(bed.counts().running, 0U);
    come_back({handed[0].token}, {handed[1].token});
    EXPECT_EQ(bed.verdicts[0].verdict, Verdict::keep);
    EXPECT_EQ(bed.state(ids[0]), TaskState::running);
    EXPECT_EQ(bed.state(ids[1]), TaskState::running);
    EXPECT_TRUE(bed.dispatch().empty()) << "they fill the host as before";

    bed.report(handed[0]);
    bed.report(handed[1]);
    EXPECT_EQ(bed.outcomes.size(), 2U);
    EXPECT_EQ(bed.dispatch().size(), 2U);
}

TEST_F(ReconnectTest, ItEvenGoesBackAfterTheHostWasForgotten) {
    disconnect();
    bed.pass(31s);
    ASSERT_TRUE(bed.scheduler.hosts(bed.now).empty());
    come_back({handed[0].token});

    EXPECT_EQ(bed.verdicts[0].verdict, Verdict::keep);
    EXPECT_EQ(bed.state(ids[0]), TaskState::running);
}

TEST_F(ReconnectTest, ATaskThatAnotherHostGotIsToBeStopped) {
    disconnect();
    bed.pass(1s);
    bed.host("h2", 4);
    ASSERT_EQ(bed.dispatch().size(), 4U);
    come_back({handed[0].token, handed[1].token});

    EXPECT_EQ(bed.verdicts[0].verdict, Verdict::cancel);
    EXPECT_EQ(bed.verdicts[1].verdict, Verdict::cancel);
    EXPECT_EQ(bed.view(ids[0]).host, "h2");
}

TEST_F(ReconnectTest, TokensThatMeanNothingAreToBeStopped) {
    bed.report(handed[1], AttemptStatus::retry);
    const std::vector<Token> junk{{6, 0, 1},
                                  {7, 99, 1},
                                  {7, 0, 99},
                                  {7, handed[0].token.slot, handed[0].token.counter + 1},
                                  handed[1].token,
                                  {7, ~0U, ~0ULL}};
    come_back(junk);
    ASSERT_EQ(bed.verdicts.size(), junk.size());
    for (const auto& verdict : bed.verdicts)
        EXPECT_EQ(verdict.verdict, Verdict::cancel);
}

TEST_F(ReconnectTest, TheTokensOfAnotherHostAreToBeStopped) {
    auto hello = Bed::hello("h2");
    hello.running = {handed[0].token};
    hello.finished = {handed[1].token};
    (void)bed.join(hello);

    EXPECT_EQ(bed.verdicts[0].verdict, Verdict::cancel);
    EXPECT_EQ(bed.view(ids[0]).host, "h1");
    EXPECT_EQ(bed.view(ids[1]).host, "h1");
}

TEST_F(ReconnectTest, ACancelThatTheHostMayNotHaveHeardIsRepeated) {
    disconnect();
    EXPECT_TRUE(bed.scheduler.cancel(ids[0], bed.now));
    bed.collect();
    bed.cancels.clear();
    come_back({handed[0].token, handed[1].token});
    EXPECT_EQ(bed.verdicts[0].verdict, Verdict::keep) << "its report is still awaited";
    ASSERT_EQ(bed.cancels.size(), 1U);
    EXPECT_EQ(bed.cancels[0].token, handed[0].token);
    EXPECT_EQ(bed.state(ids[0]), TaskState::cancelling);

    bed.report(handed[0], AttemptStatus::cancelled);
    EXPECT_EQ(bed.outcome().state, TaskState::cancelled);
}

TEST_F(ReconnectTest, ATokenMayBeListedTwice) {
    come_back({handed[0].token, handed[0].token, handed[1].token}, {handed[1].token});
    EXPECT_EQ(bed.counts().running, 2U);
    EXPECT_TRUE(bed.dispatch().empty());
}

TEST_F(ReconnectTest, ANewConnectionReplacesALiveOne) {
    come_back({handed[0].token, handed[1].token});
    EXPECT_EQ(bed.scheduler.hosts(bed.now).size(), 1U);
    EXPECT_EQ(bed.counts().running, 2U);

    bed.report(handed[0]);
    EXPECT_EQ(bed.dispatch().size(), 1U) << "the offers of the same process are still in force";
}

TEST_F(ReconnectTest, AResultThatIsBeingRecordedIsAcknowledgedOnTheNewConnection) {
    bed.report(handed[0]);
    disconnect();
    come_back({handed[1].token}, {handed[0].token});
    bed.report(handed[0]);
    EXPECT_TRUE(bed.acks.empty());

    bed.commit();
    EXPECT_EQ(bed.acks.size(), 1U);
    EXPECT_EQ(bed.acks[0].host, host);
}

TEST_F(ReconnectTest, ACleanGoodbyeReturnsTheTasksFreeOfCharge) {
    for (int i = 0; i < 30; ++i) {
        bed.scheduler.host_left(host, bed.now);
        bed.collect();
        ASSERT_EQ(bed.counts().pending, 4U);
        EXPECT_TRUE(bed.scheduler.hosts(bed.now).empty());
        host = bed.host("h1", 2);
        ASSERT_EQ(bed.dispatch().size(), 2U);
    }
    EXPECT_TRUE(bed.outcomes.empty());
}

TEST_F(ReconnectTest, ASilentHostLosesItsLease) {
    bed.pass(20s);
    bed.scheduler.host_heard(host, bed.now);
    bed.pass(29'999ms);
    EXPECT_EQ(bed.counts().running, 2U);
    bed.pass(1ms);
    EXPECT_EQ(bed.counts().running, 0U);
    EXPECT_EQ(bed.counts().pending, 4U);
    EXPECT_TRUE(bed.dispatch().empty());
    EXPECT_EQ(bed.cancels.size(), 2U) << "should it hang, it need not go on with them";
}

TEST_F(ReconnectTest, ASilentHostIsForgottenWithItsConnection) {
    bed.pass(30s);
    EXPECT_EQ(bed.scheduler.hosts(bed.now).front().state, HostView::State::disconnected);
    disconnect();

    EXPECT_TRUE(bed.scheduler.hosts(bed.now).empty());
}

TEST_F(ReconnectTest, ASilentHostThatSpeaksAgainGetsTasksAgain) {
    bed.pass(30s);
    bed.scheduler.host_heard(host, bed.now);
    EXPECT_EQ(bed.scheduler.hosts(bed.now).front().state, HostView::State::ready);
    EXPECT_EQ(bed.dispatch().size(), 2U);

    bed.pass(30s);
    EXPECT_EQ(bed.counts().running, 0U) << "its new lease ends like the first";
}

TEST_F(ReconnectTest, EveryMessageRenewsTheLease) {
    const std::vector<std::function<void()>> messages{
        [&] {
            bed.scheduler.host_phase(host, {handed[0].token, wire::Phase::setup}, bed.now);
        },
        [&] {
            bed.scheduler.host_progress(host, {handed[0].token, 0.1, ""}, bed.now);
        },
        [&] {
            bed.scheduler.host_credit(host, {"echo", 2}, bed.now);
        },
        [&] {
            bed.offer(host, {{"echo", 2}});
        },
        [&] { bed.report(handed[1], AttemptStatus::retry, "later", 3'600'000); },
        [&] { bed.scheduler.host_draining(host, bed.now); }};
    for (const auto& message : messages) {
        bed.pass(29s);
        message();
    }
    EXPECT_EQ(bed.state(ids[0]), TaskState::running);
}

TEST_F(ReconnectTest, AHostThatIsForgottenLosesNoOneElsesTasks) {
    const auto other = bed.host("h2", 2);
    ASSERT_EQ(bed.dispatch().size(), 2U);
    disconnect();
    bed.pass(20s);
    bed.scheduler.host_heard(other, bed.now);
    bed.pass(20s);

    EXPECT_EQ(bed.counts().running, 2U);
    disconnect();
    EXPECT_EQ(bed.counts().running, 2U);
}

TEST_F(ReconnectTest, HeartbeatAndLeaseGrowWithTheFleet) {
    EXPECT_EQ(bed.scheduler.heartbeat(), base::Duration(5s));
    EXPECT_EQ(bed.scheduler.lease(), base::Duration(30s));
    for (int i = 0; i < 9999; ++i)
        (void)bed.join(Bed::hello("more" + std::to_string(i)));

    EXPECT_EQ(bed.scheduler.heartbeat(), base::Duration(20s));
    EXPECT_EQ(bed.scheduler.lease(), base::Duration(60s));
}

TEST_F(ReconnectTest, HostsAreShownWithWhatTheyDo) {
    bed.report(handed[0]);
    bed.commit();
    bed.report(handed[1], AttemptStatus::retry);
    bed.wait(3s);
    const auto hosts = bed.scheduler.hosts(bed.now);

    ASSERT_EQ(hosts.size(), 1U);
    EXPECT_EQ(hosts[0].index, host);
    EXPECT_EQ(hosts[0].id, "h1");
    EXPECT_EQ(hosts[0].name, "h1");
    EXPECT_EQ(hosts[0].peer, "10.0.0.1:1");
    EXPECT_EQ(hosts[0].slots, 2U);
    EXPECT_EQ(hosts[0].in_flight, 0U);
    EXPECT_EQ(hosts[0].completed, 1U);
    EXPECT_EQ(hosts[0].failed, 1U);
    EXPECT_EQ(hosts[0].silent, base::Duration(3s));
    EXPECT_EQ(hosts[0].capabilities->size(), 1U);
}

TEST_F(ReconnectTest, ThousandsOfHostsThatNeverComeBackAreForgottenOneByOne) {
    for (int i = 0; i < 25'000; ++i) {
        const auto index = bed.join(Bed::hello("passer-by" + std::to_string(i)));
        bed.scheduler.host_left(index, bed.now);
    }
    EXPECT_EQ(bed.scheduler.hosts(bed.now).size(), 1U);
    EXPECT_EQ(bed.scheduler.host_name(host + 1), "") << "remembered for ever";
    EXPECT_EQ(bed.scheduler.host_name(host + 25'000), "passer-by24999");
}

}  // namespace
}  // namespace distributo::coordinator::core
