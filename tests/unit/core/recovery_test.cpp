#include "disk.hpp"

#include <gtest/gtest.h>

#include <random>

namespace distributo::coordinator::core {
namespace {

/// A task that has been through something, and the next boot.
class RecoveryTest : public ::testing::Test {
protected:
    RecoveryTest() { disk.reboot(); }
    Bed& bed() { return disk.bed(); }
    /// Nobody is waited for, because all hosts have left.
    Bed& reboot_alone(const std::vector<HostIndex>& leaving) {
        for (const auto host : leaving)
            bed().scheduler.host_left(host, bed().now);
        bed().collect();
        return disk.reboot();
    }
    Disk disk;
};

TEST_F(RecoveryTest, ATaskThatNeverRanIsHandedOutAtOnceWhenNoHostMayHaveIt) {
    bed().add("echo", {}, "[5]");
    disk.reboot();
    bed().host("h1");

    const auto handed = bed().dispatch_one();
    EXPECT_EQ(handed.payload, "[5]");
    EXPECT_EQ(handed.attempt, 2U) << "the boot before may have given out number 1";
    EXPECT_EQ(bed().view(1).attempts, 2U);
}

TEST_F(RecoveryTest, NumbersThatNobodyUsedAreNotShownAsAttempts) {
    const auto id = bed().add("echo");
    disk.reboot();
    disk.reboot();

    EXPECT_EQ(bed().view(id).attempts, 0U);
}

TEST_F(RecoveryTest, BudgetsGoOnWhereTheyWere) {
    const auto host = bed().host("h1");
    const auto id = bed().add("echo");
    bed().report(bed().dispatch_one(), AttemptStatus::retry, "one");
    bed().pass(2s);
    bed().report(bed().dispatch_one(), AttemptStatus::retry, "two");
    reboot_alone({host});
    EXPECT_EQ(bed().view(id).last_error, "two");
    EXPECT_EQ(bed().view(id).attempts, 2U);

    bed().pass(4s);
    bed().host("h1");
    bed().report(bed().dispatch_one(), AttemptStatus::retry);
    EXPECT_EQ(bed().outcome().reason, FailReason::attempts_exhausted);
}

TEST_F(RecoveryTest, EveryChargeIsRemembered) {
    const auto first = bed().host("h1");
    const auto id = bed().add("echo");
    bed().report(bed().dispatch_one(), AttemptStatus::crashed);
    bed().report(bed().dispatch_one(), AttemptStatus::interrupted);
    bed().report(bed().dispatch_one(), AttemptStatus::install_failed);
    bed().pass(15s);
    (void)bed().dispatch_one();
    bed().scheduler.host_disconnected(first, bed().now);
    bed().pass(1s);

    const auto history = disk.history(id);
    EXPECT_EQ(history.crashes, 1U);
    EXPECT_EQ(history.interruptions, 1U);
    EXPECT_EQ(history.install_failures, 1U);
    EXPECT_EQ(history.lost, 1U);
    EXPECT_EQ(history.last_attempt, 4U);
    EXPECT_TRUE(history.last_lost);
    EXPECT_TRUE(history.last_charged);
    EXPECT_EQ(history.excluded_hosts, std::vector<std::string>{"h1"});
}

TEST_F(RecoveryTest, ASuspectStaysOne) {
    const auto host = bed().host("h1");
    bed().add("echo");
    bed().report(bed().dispatch_one(), AttemptStatus::crashed);
    reboot_alone({host});
    bed().host("h1");

    EXPECT_TRUE(bed().dispatch_one().alone);
}

TEST_F(RecoveryTest, CrashesAddUpOverBoots) {
    bed().add("echo");
    for (int i = 0; i < 3; ++i) {
        const auto host = bed().host("h1");
        EXPECT_TRUE(bed().outcomes.empty());
        bed().report(bed().dispatch_one(), AttemptStatus::crashed);
        if (i < 2)
            reboot_alone({host});
    }

    EXPECT_EQ(bed().outcome().reason, FailReason::poison);
}

TEST_F(RecoveryTest, LostLeasesAddUpOverBoots) {
    bed().add("echo");
    for (int i = 0; i < 10; ++i) {
        const auto host = bed().host("h1");
        EXPECT_TRUE(bed().outcomes.empty());
        (void)bed().dispatch_one();
        bed().scheduler.host_disconnected(host, bed().now);
        bed().pass(30s);
        if (i < 9)
            disk.reboot();
    }

    EXPECT_EQ(bed().outcome().reason, FailReason::lost);
}

TEST_F(RecoveryTest, AHostThatFailedATaskIsStillAvoided) {
    const auto first = bed().host("h1");
    bed().add("echo");
    bed().report(bed().dispatch_one(), AttemptStatus::retry_elsewhere);
    reboot_alone({first});
    bed().pass(2s);
    const auto again = bed().host("h1");
    const auto other = bed().host("h2");
    const auto handed = bed().dispatch_one();

    EXPECT_EQ(handed.host, other);
    EXPECT_NE(again, other);
}

TEST_F(RecoveryTest, ABackoffIsWaitedFor) {
    const auto host = bed().host("h1");
    const auto id = bed().add("echo");
    bed().report(bed().dispatch_one(), AttemptStatus::retry, "later", 60'000);
    for (const auto one : {host})
        bed().scheduler.host_left(one, bed().now);
    bed().collect();
    disk.reboot(20s);
    EXPECT_EQ(bed().state(id), TaskState::retrying);
    EXPECT_EQ(bed().view(id).next_try, base::Duration(40s));

    bed().pass(40s);
    EXPECT_EQ(bed().state(id), TaskState::pending);
}

TEST_F(RecoveryTest, ABackoffThatIsOverIsNotWaitedFor) {
    const auto host = bed().host("h1");
    const auto id = bed().add("echo");
    bed().report(bed().dispatch_one(), AttemptStatus::retry, "later", 60'000);
    bed().scheduler.host_left(host, bed().now);
    bed().collect();
    disk.reboot(60s);

    EXPECT_EQ(bed().state(id), TaskState::pending);
}

TEST_F(RecoveryTest, DelaysAndDeadlinesGoOn) {
    TaskOptions options;
    options.not_before = bed().wall + 1h;
    options.deadline = bed().wall + 2h;
    const auto id = bed().add("echo", options);
    disk.reboot(30min);
    EXPECT_EQ(bed().view(id).next_try, base::Duration(30min));
    bed().pass(30min);
    EXPECT_EQ(bed().state(id), TaskState::pending);

    disk.reboot(1h);
    EXPECT_EQ(bed().outcome().state, TaskState::expired);
}

TEST_F(RecoveryTest, AReleasedTaskDoesNotWaitForItsTimeAgain) {
    TaskOptions options;
    options.not_before = bed().wall + 1h;
    const auto id = bed().add("echo", options);
    EXPECT_TRUE(bed().scheduler.release(id, bed().now));
    bed().collect();
    disk.reboot();

    EXPECT_EQ(bed().state(id), TaskState::pending);
}

TEST_F(RecoveryTest, AHeldTaskStaysHeldUntilItIsReleased) {
    const auto id = bed().add("echo");
    EXPECT_TRUE(bed().scheduler.hold(id, "look at it first", bed().now));
    bed().collect();
    disk.reboot();
    bed().host("h1");
    EXPECT_EQ(bed().state(id), TaskState::held);
    EXPECT_EQ(bed().view(id).hold_reason, "look at it first");
    EXPECT_TRUE(bed().dispatch().empty());

    EXPECT_TRUE(bed().scheduler.release(id, bed().now));
    bed().collect();
    EXPECT_EQ(bed().state(id), TaskState::pending);
    disk.reboot();
    EXPECT_EQ(bed().state(id), TaskState::pending);
}

TEST_F(RecoveryTest, InterruptionsHoldATaskAlsoOverBoots) {
    const auto id = bed().add("echo");
    for (int i = 0; i < 20; ++i) {
        const auto host = bed().host("h1");
        bed().report(bed().dispatch_one(), AttemptStatus::interrupted);
        if (i % 7 == 6)
            reboot_alone({host});
    }
    EXPECT_EQ(bed().state(id), TaskState::held);
    disk.reboot();
    EXPECT_EQ(bed().state(id), TaskState::held);
    EXPECT_EQ(bed().view(id).hold_reason, "interrupted 20 times without getting to an end");

    EXPECT_TRUE(bed().scheduler.release(id, bed().now));
    bed().collect();
    disk.reboot();
    EXPECT_EQ(bed().state(id), TaskState::pending) << "release gives the whole budget back";
}

TEST_F(RecoveryTest, WhatWasNotRecordedDidNotHappen) {
    const auto host = bed().host("h1");
    const auto id = bed().add("echo");
    bed().report(bed().dispatch_one(), AttemptStatus::interrupted);
    bed().scheduler.host_left(host, bed().now);
    bed().collect();
    bed().shut = true;
    EXPECT_TRUE(bed().scheduler.hold(id, "no", bed().now));
    bed().collect();
    disk.reboot();

    EXPECT_EQ(bed().state(id), TaskState::pending);
}

/// Whatever is recorded and whatever is lost: no number is given out twice.
TEST_F(RecoveryTest, NumbersNeverRepeatOverManyBoots) {
    for (unsigned seed = 1; seed <= 20; ++seed) {
        std::mt19937 random(seed);
        const auto chance = [&](unsigned percent) { return random() % 100 < percent; };
        Settings settings;
        settings.max_attempts = settings.max_crashes = settings.max_lost = 10'000;
        settings.max_interruptions = settings.host_failures = 10'000;
        Disk world(settings);
        world.reboot();
        const auto id = world.bed().add("echo");
        std::vector<Assigned> running;  // on any of the hosts, as far as it knows
        std::set<std::uint32_t> given;
        const auto host_of = [](const Assigned& one) { return one.type; };
        for (int step = 0; step < 300; ++step) {
            if (chance(12)) {
                world.reboot();
                continue;
            }
            Bed& bed = world.bed();
            bed.shut = chance(30);
            const std::string name = chance(50) ? "h1" : "h2";
            auto hello = Bed::hello(name);
            for (const auto& one : running)
                if (host_of(one) == name)
                    hello.running.push_back(one.claim());
            const auto host = bed.join(hello);
            for (const auto& verdict : bed.verdicts)
                if (verdict.verdict == wire::Verdict::cancel)
                    std::erase_if(running, [&](const Assigned& one) {
                        return one.token == verdict.token && host_of(one) == name;
                    });
            bed.offer(host, {{"echo", 1}});
            for (auto handed : bed.dispatch()) {
                ASSERT_TRUE(given.insert(handed.attempt).second)
                    << "number " << handed.attempt << " was given out twice, seed " << seed;
                handed.type = name;
                running.push_back(handed);
            }
            for (std::size_t i = 0; i < running.size(); ++i)
                if (host_of(running[i]) == name && chance(50)) {
                    bed.report_as(host,
                                  running[i].token,
                                  chance(50) ? AttemptStatus::retry : AttemptStatus::interrupted,
                                  "again",
                                  1);
                    running.erase(running.begin() + static_cast<std::ptrdiff_t>(i));
                    break;
                }
            if (chance(30))
                bed.scheduler.host_left(host, bed.now);
            bed.pass(std::chrono::seconds(random() % 40));
        }
        EXPECT_TRUE(world.bed().live(id));
        EXPECT_GT(given.size(), 20U);
    }
}

/// A task is held while the host that has tried it is away; then it comes back with its report.
class LateFailureTest : public RecoveryTest {
protected:
    void SetUp() override {
        bed().host("h1");
        id = bed().add("echo");
        handed = bed().dispatch_one();
        disk.reboot();
        EXPECT_TRUE(bed().scheduler.hold(id, "wait", bed().now));
        bed().collect();
        auto hello = Bed::hello("h1", 1);
        hello.finished = {handed.claim()};
        host = bed().join(hello);
    }
    TaskId id = 0;
    Assigned handed;
    HostIndex host = no_host;
};

TEST_F(LateFailureTest, IsRecordedBeforeItIsAcknowledged) {
    bed().shut = true;
    bed().report_as(host, handed.token, AttemptStatus::retry);
    bed().report_as(host, handed.token, AttemptStatus::retry);
    EXPECT_FALSE(bed().last_ack());

    bed().shut = false;
    bed().collect();

    ASSERT_TRUE(bed().last_ack());
    EXPECT_FALSE(bed().last_ack()->item.stale);
    EXPECT_EQ(disk.history(id).last_attempt, handed.attempt);
    EXPECT_EQ(disk.history(id).failures, 0U) << "it would not have run";
    EXPECT_EQ(bed().state(id), TaskState::held);
}

TEST_F(LateFailureTest, IsRecordedBeforeItsTaskIsHandedOutAgain) {
    EXPECT_TRUE(bed().scheduler.release(id, bed().now));
    bed().collect();
    bed().offer(host, {{"echo", 1}});
    bed().shut = true;
    bed().report_as(host, handed.token, AttemptStatus::retry);
    EXPECT_TRUE(bed().dispatch().empty());

    bed().shut = false;
    bed().collect();

    EXPECT_EQ(bed().last_ack()->item.token, handed.token);
    EXPECT_EQ(bed().dispatch_one().attempt, handed.attempt + 1);
}

TEST_F(LateFailureTest, IsRecordedOnceEvenIfItsAcknowledgementWasLost) {
    bed().report_as(host, handed.token, AttemptStatus::retry);
    bed().scheduler.host_disconnected(host, bed().now);
    EXPECT_TRUE(bed().scheduler.release(id, bed().now));
    bed().collect();
    auto hello = Bed::hello("h1", 1);
    hello.finished = {handed.claim()};
    host = bed().join(hello);
    bed().offer(host, {{"echo", 1}});

    bed().report_as(host, handed.token, AttemptStatus::retry);

    ASSERT_TRUE(bed().last_ack());
    EXPECT_FALSE(bed().last_ack()->item.stale);
    EXPECT_EQ(bed().failed_attempts.size(), 1U);
    EXPECT_EQ(bed().dispatch_one().attempt, handed.attempt + 1);
}

TEST_F(RecoveryTest, AnOlderAttemptOfAHeldTaskDoesNotReplaceANewerOne) {
    const auto first = bed().host("h1");
    const auto id = bed().add("echo");
    const auto older = bed().dispatch_one();
    bed().scheduler.host_disconnected(first, bed().now);
    bed().pass(1s);
    bed().host("h2");
    const auto newer = bed().dispatch_one();
    disk.reboot();
    EXPECT_TRUE(bed().scheduler.hold(id, "wait", bed().now));
    bed().collect();
    auto hello = Bed::hello("h2", 1);
    hello.finished = {newer.claim()};
    const auto second = bed().join(hello);
    hello = Bed::hello("h1", 1);
    hello.finished = {older.claim()};
    bed().join(hello);

    bed().report_as(second, newer.token);

    EXPECT_EQ(bed().outcome().attempt.number, newer.attempt);
}

}  // namespace
}  // namespace distributo::coordinator::core
