#include "bed.hpp"

#include <gtest/gtest.h>

namespace distributo::coordinator::core {
namespace {

TEST(LifeTest, ATaskGoesFromPendingOverRunningToCompleted) {
    Bed bed;
    const auto id = bed.add("echo", {}, R"({"a":1})");
    EXPECT_EQ(bed.state(id), TaskState::pending);
    const auto host = bed.host("h1");

    bed.wait(2s);
    const auto handed = bed.dispatch_one();
    EXPECT_EQ(handed.host, host);
    EXPECT_EQ(handed.id, "a1");
    EXPECT_EQ(handed.type, "echo");
    EXPECT_EQ(handed.payload, R"({"a":1})");
    EXPECT_EQ(handed.attempt, 1U);
    EXPECT_FALSE(handed.alone);
    EXPECT_EQ(bed.state(id), TaskState::running);
    EXPECT_EQ(bed.view(id).host, "h1");

    bed.wait(3s);
    bed.report(handed);
    const auto outcome = bed.outcome();
    EXPECT_EQ(outcome.id, id);
    EXPECT_EQ(outcome.state, TaskState::completed);
    EXPECT_EQ(outcome.reason, FailReason::none);
    EXPECT_EQ(outcome.result.view(), "\"done\"");
    EXPECT_EQ(outcome.attempt.number, 1U);
    EXPECT_EQ(outcome.attempt.host, "h1");
    EXPECT_EQ(outcome.attempt.finished, bed.wall);
    EXPECT_EQ(outcome.attempt.started, bed.wall - 3s);
    EXPECT_EQ(outcome.attempt.times.execute_us, 5U);

    EXPECT_TRUE(bed.acks.empty()) << "acknowledged before it was durable";
    bed.commit();
    ASSERT_TRUE(bed.last_ack());
    EXPECT_EQ(bed.last_ack()->host, host);
    EXPECT_EQ(bed.last_ack()->item.token, handed.token);
    EXPECT_FALSE(bed.last_ack()->item.stale);
    EXPECT_EQ(bed.changed, std::vector<TaskId>{id});
    EXPECT_FALSE(bed.live(id));
}

TEST(LifeTest, CountsFollowEveryState) {
    Bed bed;
    bed.add("echo", {}, "12345");
    EXPECT_EQ(bed.counts().pending, 1U);
    EXPECT_EQ(bed.counts().payload_bytes, 5U);
    bed.host("h1");
    const auto handed = bed.dispatch_one();
    EXPECT_EQ(bed.counts().pending, 0U);
    EXPECT_EQ(bed.counts().running, 1U);

    bed.report(handed);
    EXPECT_EQ(bed.counts().live(), 0U);
    EXPECT_EQ(bed.counts().completed, 0U) << "counted before it was durable";
    EXPECT_EQ(bed.counts().payload_bytes, 0U);
    bed.commit();
    EXPECT_EQ(bed.counts().completed, 1U);
}

TEST(LifeTest, TheCreditIsFreeBeforeTheOutcomeIsDurable) {
    Bed bed;
    bed.host("h1");
    bed.add_many("echo", 2);
    const auto first = bed.dispatch_one();
    bed.report(first);

    EXPECT_EQ(bed.dispatch().size(), 1U);
}

TEST(LifeTest, AGivenIdIsTheShownId) {
    Bed bed;
    bed.host("h1");
    TaskOptions options;
    options.given_id = "mine";
    options.timeout_ms = 1500;
    bed.add("echo", options);

    const auto handed = bed.dispatch_one();
    EXPECT_EQ(handed.id, "mine");
    EXPECT_EQ(handed.timeout_ms, 1500);
}

TEST(LifeTest, ATaskWithoutOptionsHasAllDefaults) {
    Bed bed;
    bed.host("h1");
    const auto id = bed.add_plain("echo");

    const auto handed = bed.dispatch_one();
    EXPECT_EQ(handed.id, "a1");
    EXPECT_EQ(handed.payload, "");
    EXPECT_EQ(bed.view(id).options, nullptr);
}

TEST(LifeTest, AttemptsGoOnFromEarlierGenerations) {
    Bed bed;
    bed.host("h1");
    NewTask task;
    task.id = 9;
    task.type = bed.names.intern("echo");
    task.attempts_before = 4;
    bed.scheduler.add(task, bed.now, bed.wall);

    EXPECT_EQ(bed.dispatch_one().attempt, 5U);
}

TEST(LifeTest, AnIdThatIsLiveIsNotTakenTwice) {
    Bed bed;
    NewTask task;
    task.id = 9;
    task.type = bed.names.intern("echo");
    bed.scheduler.add(task, bed.now, bed.wall);
    bed.scheduler.add(task, bed.now, bed.wall);

    EXPECT_EQ(bed.counts().pending, 1U);
}

TEST(LifeTest, AnIdMayComeAgainAfterItsEndWasRecorded) {
    Bed bed;
    bed.host("h1");
    bed.add("echo");
    bed.report(bed.dispatch_one());
    bed.commit();
    NewTask task;
    task.id = 1;
    task.type = bed.names.intern("echo");
    task.attempts_before = 1;
    bed.scheduler.add(task, bed.now, bed.wall);

    EXPECT_EQ(bed.dispatch_one().attempt, 2U);
}

TEST(LifeTest, AScheduledTaskWaitsForItsTime) {
    Bed bed;
    bed.host("h1");
    TaskOptions options;
    options.not_before = bed.wall + 10s;
    const auto id = bed.add("echo", options);
    EXPECT_EQ(bed.state(id), TaskState::scheduled);
    EXPECT_EQ(bed.view(id).next_try, base::Duration(10s));
    EXPECT_EQ(bed.counts().scheduled, 1U);
    EXPECT_EQ(bed.scheduler.next_tick(), bed.now + 10s);

    bed.pass(9999ms);
    EXPECT_TRUE(bed.dispatch().empty());
    bed.pass(1ms);
    EXPECT_EQ(bed.dispatch().size(), 1U);
}

TEST(LifeTest, ATimeThatHasPassedIsNow) {
    Bed bed;
    TaskOptions options;
    options.not_before = bed.wall - 10s;

    EXPECT_EQ(bed.state(bed.add("echo", options)), TaskState::pending);
}

TEST(LifeTest, TasksWithoutTimesNeedNoTimers) {
    Bed bed;
    bed.add("echo");

    EXPECT_EQ(bed.scheduler.next_tick(), base::TimePoint::max());
}

TEST(LifeTest, AWaitingTaskExpiresAtItsDeadline) {
    Bed bed;
    TaskOptions options;
    options.deadline = bed.wall + 5s;
    const auto id = bed.add("echo", options);
    bed.pass(4999ms);
    EXPECT_EQ(bed.state(id), TaskState::pending);

    bed.pass(1ms);
    EXPECT_EQ(bed.outcome().state, TaskState::expired);
    EXPECT_EQ(bed.outcome().attempt.number, 0U);
    bed.host("h1");
    EXPECT_TRUE(bed.dispatch().empty());
    bed.commit();
    EXPECT_EQ(bed.counts().expired, 1U);
    EXPECT_TRUE(bed.acks.empty());
}

TEST(LifeTest, AScheduledTaskExpiresToo) {
    Bed bed;
    TaskOptions options;
    options.deadline = bed.wall + 5s;
    options.not_before = bed.wall + 10s;
    bed.add("echo", options);

    bed.pass(20s);
    EXPECT_EQ(bed.outcome().state, TaskState::expired);
    bed.commit();
    EXPECT_EQ(bed.counts().live(), 0U);
}

TEST(LifeTest, ADeadlineInThePastExpiresAtOnce) {
    Bed bed;
    bed.host("h1");
    TaskOptions options;
    options.deadline = bed.wall;
    bed.add("echo", options);

    EXPECT_EQ(bed.outcome().state, TaskState::expired);
    EXPECT_TRUE(bed.dispatch().empty());
}

TEST(LifeTest, TheHostIsToldHowMuchTimeIsLeft) {
    Bed bed;
    bed.host("h1");
    TaskOptions options;
    options.deadline = bed.wall + 5s;
    bed.add("echo", options);

    bed.wait(2s);
    EXPECT_EQ(bed.dispatch_one().deadline_ms, 3000);
}

TEST(LifeTest, ARunningTaskIsStoppedAtItsDeadlineAndExpiresWithTheReport) {
    for (const auto status : {AttemptStatus::cancelled, AttemptStatus::ok, AttemptStatus::retry}) {
        Bed bed;
        bed.host("h1");
        TaskOptions options;
        options.deadline = bed.wall + 5s;
        const auto id = bed.add("echo", options);
        const auto handed = bed.dispatch_one();
        bed.pass(5s);
        ASSERT_EQ(bed.cancels.size(), 1U);
        EXPECT_EQ(bed.cancels.front().token, handed.token);
        EXPECT_EQ(bed.state(id), TaskState::cancelling);

        bed.report(handed, status);
        EXPECT_EQ(bed.outcome().state, TaskState::expired);
        EXPECT_EQ(bed.outcome().attempt.number, 1U);
        bed.commit();
        EXPECT_EQ(bed.acks.size(), 1U);
    }
}

TEST(LifeTest, ARunningTaskExpiresWhenItsLeaseEndsAfterTheDeadline) {
    Bed bed;
    const auto host = bed.host("h1");
    TaskOptions options;
    options.deadline = bed.wall + 5s;
    bed.add("echo", options);
    (void)bed.dispatch_one();
    bed.pass(5s);

    bed.scheduler.host_left(host, bed.now);
    bed.collect();
    EXPECT_EQ(bed.outcome().state, TaskState::expired);
}

TEST(LifeTest, AHostThatEndsATaskAtItsDeadlineDoesNotMakeItRetry) {
    Bed bed;
    bed.host("h1");
    TaskOptions options;
    options.deadline = bed.wall + 5s;
    bed.add("echo", options);
    const auto handed = bed.dispatch_one();

    bed.wait(5s);
    bed.report(handed, AttemptStatus::timeout);
    EXPECT_EQ(bed.outcome().state, TaskState::expired);
}

TEST(LifeTest, ADeadlineOfATaskThatHasEndedDoesNothing) {
    Bed bed;
    bed.host("h1");
    TaskOptions options;
    options.deadline = bed.wall + 5s;
    bed.add("echo", options);
    bed.report(bed.dispatch_one());
    bed.pass(10s);
    bed.commit();
    const auto other = bed.add("echo");
    bed.pass(10s);

    EXPECT_EQ(bed.outcomes.size(), 1U);
    EXPECT_EQ(bed.state(other), TaskState::pending);
}

TEST(LifeTest, PhaseAndProgressAreShown) {
    Bed bed;
    const auto host = bed.host("h1");
    const auto id = bed.add("echo");
    const auto handed = bed.dispatch_one();
    EXPECT_EQ(bed.view(id).phase, wire::Phase::assigned);
    EXPECT_EQ(bed.view(id).progress, -1);

    bed.scheduler.host_phase(host, {handed.token, wire::Phase::execute}, bed.now);
    bed.scheduler.host_progress(host, {handed.token, 0.5, "half"}, bed.now);
    EXPECT_EQ(bed.view(id).phase, wire::Phase::execute);
    EXPECT_EQ(bed.view(id).progress, 0.5);
    EXPECT_EQ(bed.view(id).progress_text, "half");
}

TEST(LifeTest, TheQueueIsLimitedByNumberAndBytes) {
    Settings settings;
    settings.max_tasks = 3;
    settings.max_payload_bytes = 10;
    Bed bed(settings);
    bed.add("echo", {}, "12345");

    EXPECT_TRUE(bed.scheduler.check_room(2, 5));
    const auto many = bed.scheduler.check_room(3, 0);
    ASSERT_FALSE(many);
    EXPECT_EQ(many.error().code, base::Errc::limit);
    const auto large = bed.scheduler.check_room(1, 6);
    ASSERT_FALSE(large);
    EXPECT_EQ(large.error().code, base::Errc::limit);
}

TEST(LifeTest, TypesAreListedWithTheirLoad) {
    Bed bed;
    bed.host("h1");
    bed.add_many("echo", 3);
    bed.add("nobody");
    (void)bed.dispatch();

    const auto types = bed.scheduler.types();
    ASSERT_EQ(types.size(), 2U);
    EXPECT_EQ(types[0].type, "echo");
    EXPECT_EQ(types[0].pending, 2U);
    EXPECT_EQ(types[0].running, 1U);
    EXPECT_EQ(types[0].hosts, 1U);
    ASSERT_NE(types[0].capability, nullptr);
    EXPECT_EQ(types[1].type, "nobody");
    EXPECT_EQ(types[1].pending, 1U);
    EXPECT_EQ(types[1].hosts, 0U);
    EXPECT_EQ(types[1].capability, nullptr);
}

TEST(LifeTest, TheNewestCapabilityIsTheOneThatIsTold) {
    Bed bed;
    bed.host("h1");
    EXPECT_EQ(bed.scheduler.capability("shell"), nullptr);
    const auto second = bed.join(Bed::hello("h2"));
    wire::Capabilities offer;
    offer.types.push_back(Bed::capability("echo", 1));
    offer.types.back().version = "2.0.0";
    bed.scheduler.host_capabilities(second, offer, bed.now);
    ASSERT_NE(bed.scheduler.capability("echo"), nullptr);
    EXPECT_EQ(bed.scheduler.capability("echo")->version, "2.0.0");

    bed.scheduler.host_left(second, bed.now);
    ASSERT_NE(bed.scheduler.capability("echo"), nullptr);
    EXPECT_EQ(bed.scheduler.capability("echo")->version, "1.0.0");
}

}  // namespace
}  // namespace distributo::coordinator::core
