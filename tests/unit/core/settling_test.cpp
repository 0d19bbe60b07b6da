#include "bed.hpp"

#include <gtest/gtest.h>

namespace distributo::coordinator::core {
namespace {

/// One host that runs the only task; nothing becomes durable by itself.
class SettlingTest : public ::testing::Test {
protected:
    void SetUp() override {
        host = bed.host("h1");
        id = bed.add("echo");
        handed = bed.dispatch_one();
        bed.shut = true;
    }
    void record() {
        (void)bed.record();
        bed.collect();
    }
    Bed bed;
    HostIndex host = no_host;
    TaskId id = 0;
    Assigned handed;
};

TEST_F(SettlingTest, AfterAFailureTheTaskWaitsUntilThatIsDurable) {
    for (const auto status : {AttemptStatus::interrupted,
                              AttemptStatus::crashed,
                              AttemptStatus::install_failed,
                              AttemptStatus::retry}) {
        bed.report(handed, status);
        bed.pass(15s);
        EXPECT_EQ(bed.state(id), TaskState::pending) << to_string(status);
        EXPECT_EQ(bed.counts().pending, 1U);
        EXPECT_TRUE(bed.dispatch().empty()) << to_string(status);
        EXPECT_EQ(bed.scheduler.explain(id, bed.now).summary,
                  "what happened to it last is being recorded");
        const auto acks = bed.acks.size();

        record();
        ASSERT_EQ(bed.acks.size(), acks + 1) << to_string(status);
        EXPECT_EQ(bed.acks.back().item.token, handed.token);
        EXPECT_FALSE(bed.acks.back().item.stale);
        bed.scheduler.host_heard(host, bed.now);
        handed = bed.dispatch_one();
    }
}

TEST_F(SettlingTest, AFailureThatIsRepeatedIsAnsweredOnce) {
    bed.report(handed, AttemptStatus::retry);
    bed.report(handed, AttemptStatus::retry);
    EXPECT_TRUE(bed.acks.empty());
    record();

    EXPECT_EQ(bed.acks.size(), 1U);
    EXPECT_EQ(bed.failed_attempts.size(), 1U);
}

TEST_F(SettlingTest, ALostLeaseIsRecordedBeforeTheNextOne) {
    bed.scheduler.host_disconnected(host, bed.now);
    bed.pass(1s);
    bed.shut = false;
    const auto other = bed.host("h2");
    bed.shut = true;
    bed.failed_attempts.clear();
    bed.attempts_recorded = 0;
    EXPECT_EQ(bed.state(id), TaskState::pending);
    (void)other;
    EXPECT_EQ(bed.dispatch_one().attempt, 2U);
}

TEST_F(SettlingTest, ALateErrorIsAnsweredWhenItsLostLeaseIsDurable) {
    bed.scheduler.host_disconnected(host, bed.now);
    bed.pass(1s);
    (void)bed.join(Bed::hello("h1"));
    bed.report(handed, AttemptStatus::retry);
    EXPECT_TRUE(bed.acks.empty());
    record();

    EXPECT_EQ(bed.acks.size(), 1U);
    bed.report(handed, AttemptStatus::retry);
    EXPECT_EQ(bed.acks.size(), 2U);
}

TEST_F(SettlingTest, ALateResultDoesNotWaitForTheLostLease) {
    bed.scheduler.host_disconnected(host, bed.now);
    bed.pass(1s);
    (void)bed.join(Bed::hello("h1"));
    bed.report(handed);
    EXPECT_EQ(bed.outcome().state, TaskState::completed);
    record();
    EXPECT_TRUE(bed.acks.empty());

    bed.commit();
    EXPECT_EQ(bed.acks.size(), 1U);
}

TEST_F(SettlingTest, ALostLeaseThatIsResumedIsNotChargedTwice) {
    for (int i = 0; i < 30; ++i) {
        bed.scheduler.host_disconnected(host, bed.now);
        bed.pass(1s);
        ASSERT_EQ(bed.state(id), TaskState::pending);
        auto hello = Bed::hello("h1");
        hello.running = {handed.claim()};
        (void)bed.join(hello);
        ASSERT_EQ(bed.state(id), TaskState::running) << i;
    }
    record();
    EXPECT_EQ(bed.state(id), TaskState::running);
    bed.report(handed);
    EXPECT_EQ(bed.outcome().state, TaskState::completed);
}

TEST_F(SettlingTest, WhatEndsTheTaskMeanwhileAnswersTheHostOnce) {
    bed.report(handed, AttemptStatus::retry);
    EXPECT_TRUE(bed.scheduler.cancel(id, bed.now));
    bed.collect();
    EXPECT_EQ(bed.outcome().state, TaskState::cancelled);
    record();
    EXPECT_TRUE(bed.acks.empty());

    bed.commit();
    EXPECT_EQ(bed.acks.size(), 1U);
    EXPECT_EQ(bed.counts().live(), 0U);
}

TEST_F(SettlingTest, TheHostHearsOfACancelWhenItIsDurable) {
    EXPECT_TRUE(bed.scheduler.cancel(id, bed.now));
    bed.collect();
    EXPECT_EQ(bed.state(id), TaskState::cancelling);
    EXPECT_TRUE(bed.cancels.empty());
    auto hello = Bed::hello("h1");
    hello.running = {handed.claim()};
    (void)bed.join(hello);
    EXPECT_TRUE(bed.cancels.empty()) << "nor may a new connection tell it";
    ASSERT_EQ(bed.controls.size(), 1U);
    EXPECT_EQ(bed.controls[0].id, id);
    EXPECT_EQ(bed.controls[0].kind, Control::Kind::cancel);
    EXPECT_EQ(bed.controls[0].after_attempt, 1U);
    EXPECT_EQ(bed.controls[0].when, bed.wall);

    record();
    ASSERT_EQ(bed.cancels.size(), 1U);
    EXPECT_EQ(bed.cancels[0].token, handed.token);
}

TEST_F(SettlingTest, ACancelThatComesTooLateTellsNobody) {
    EXPECT_TRUE(bed.scheduler.cancel(id, bed.now));
    bed.report(handed);
    record();

    EXPECT_TRUE(bed.cancels.empty());
    EXPECT_EQ(bed.outcome().state, TaskState::completed);
}

TEST_F(SettlingTest, AReleasedTaskIsHandedOutWhenThatIsDurable) {
    bed.report(handed, AttemptStatus::retry, "later", 60'000);
    record();
    EXPECT_TRUE(bed.scheduler.release(id, bed.now));
    EXPECT_TRUE(bed.dispatch().empty());
    EXPECT_EQ(bed.state(id), TaskState::pending);
    EXPECT_EQ(bed.controls.back().kind, Control::Kind::release);

    record();
    EXPECT_EQ(bed.dispatch_one().attempt, 2U);
}

TEST_F(SettlingTest, AReleasedTaskThatIsHeldAgainStaysHeld) {
    bed.report(handed, AttemptStatus::retry, "later", 60'000);
    EXPECT_TRUE(bed.scheduler.release(id, bed.now));
    EXPECT_TRUE(bed.scheduler.hold(id, "no", bed.now));
    bed.collect();
    record();

    EXPECT_EQ(bed.state(id), TaskState::held);
    EXPECT_TRUE(bed.dispatch().empty());
    EXPECT_EQ(bed.controls.size(), 2U);
}

TEST(HoldTest, AnyTaskThatWaitsCanBeHeld) {
    Bed bed;
    TaskOptions later;
    later.not_before = bed.wall + 1h;
    const auto pending = bed.add("echo");
    const auto scheduled = bed.add("echo", later);
    for (const auto id : {pending, scheduled}) {
        EXPECT_TRUE(bed.scheduler.hold(id, "why not", bed.now));
        EXPECT_EQ(bed.state(id), TaskState::held);
        EXPECT_EQ(bed.view(id).hold_reason, "why not");
    }
    bed.host("h1", 2);
    bed.pass(2h);
    EXPECT_TRUE(bed.dispatch().empty());
    EXPECT_EQ(bed.counts().held, 2U);
    EXPECT_TRUE(bed.scheduler.hold(pending, "still not", bed.now));
    EXPECT_EQ(bed.view(pending).hold_reason, "still not");

    bed.host("h1", 2);
    EXPECT_TRUE(bed.scheduler.release(pending, bed.now));
    EXPECT_EQ(bed.dispatch_one().id, "a1");
}

TEST(HoldTest, WhatDoesNotWaitCannotBeHeld) {
    Bed bed;
    bed.host("h1");
    const auto id = bed.add("echo");
    const auto handed = bed.dispatch_one();
    EXPECT_EQ(bed.scheduler.hold(id, "", bed.now).error().code, base::Errc::conflict);
    EXPECT_TRUE(bed.scheduler.cancel(id, bed.now));
    EXPECT_EQ(bed.scheduler.hold(id, "", bed.now).error().code, base::Errc::conflict);
    bed.report(handed);
    EXPECT_EQ(bed.scheduler.hold(id, "", bed.now).error().code, base::Errc::conflict);
    bed.commit();
    EXPECT_EQ(bed.scheduler.hold(id, "", bed.now).error().code, base::Errc::not_found);
    EXPECT_EQ(bed.outcome().state, TaskState::completed);
}

}  // namespace
}  // namespace distributo::coordinator::core
