#include "bed.hpp"

#include <gtest/gtest.h>

namespace distributo::coordinator::core {
namespace {

using base::Errc;

TEST(CancelTest, AWaitingTaskEndsAtOnce) {
    Bed bed;
    TaskOptions later;
    later.not_before = bed.wall + 1h;
    const auto pending = bed.add("echo");
    const auto scheduled = bed.add("echo", later);
    EXPECT_TRUE(bed.scheduler.cancel(pending, bed.now));
    EXPECT_TRUE(bed.scheduler.cancel(scheduled, bed.now));
    bed.collect();
    ASSERT_EQ(bed.outcomes.size(), 2U);
    for (const auto& outcome : bed.outcomes) {
        EXPECT_EQ(outcome.state, TaskState::cancelled);
        EXPECT_EQ(outcome.attempt.number, 0U);
    }
    EXPECT_EQ(bed.counts().live(), 0U);

    bed.host("h1");
    bed.pass(1s);
    EXPECT_TRUE(bed.dispatch().empty());
    bed.commit();
    EXPECT_EQ(bed.counts().cancelled, 2U);
    EXPECT_EQ(bed.changed, (std::vector<TaskId>{pending, scheduled}));
    EXPECT_TRUE(bed.acks.empty());
}

TEST(CancelTest, ARetryingTaskEndsAtOnce) {
    Bed bed;
    bed.host("h1");
    const auto id = bed.add("echo");
    bed.report(bed.dispatch_one(), AttemptStatus::retry);
    const auto acks = bed.acks.size();
    EXPECT_TRUE(bed.scheduler.cancel(id, bed.now));
    bed.collect();

    EXPECT_EQ(bed.outcome().state, TaskState::cancelled);
    bed.pass(10s);
    EXPECT_TRUE(bed.dispatch().empty());
    bed.commit();
    EXPECT_EQ(bed.acks.size(), acks) << "the failed attempt was acknowledged long ago";
}

TEST(CancelTest, ARunningTaskIsStoppedThroughItsHost) {
    Bed bed;
    const auto host = bed.host("h1");
    const auto id = bed.add("echo");
    const auto handed = bed.dispatch_one();
    EXPECT_TRUE(bed.scheduler.cancel(id, bed.now));
    bed.collect();
    EXPECT_EQ(bed.state(id), TaskState::cancelling);
    EXPECT_EQ(bed.counts().cancelling, 1U);
    EXPECT_TRUE(bed.outcomes.empty());
    ASSERT_EQ(bed.cancels.size(), 1U);
    EXPECT_EQ(bed.cancels[0].host, host);
    EXPECT_EQ(bed.cancels[0].token, handed.token);

    bed.report(handed, AttemptStatus::cancelled);
    EXPECT_EQ(bed.outcome().state, TaskState::cancelled);
    EXPECT_EQ(bed.outcome().attempt.number, 1U);
    bed.commit();
    EXPECT_EQ(bed.acks.size(), 1U);
}

TEST(CancelTest, AResultThatComesInTimeWins) {
    Bed bed;
    bed.host("h1");
    const auto id = bed.add("echo");
    const auto handed = bed.dispatch_one();
    EXPECT_TRUE(bed.scheduler.cancel(id, bed.now));
    bed.report(handed);

    EXPECT_EQ(bed.outcome().state, TaskState::completed);
}

TEST(CancelTest, EveryOtherReportOfACancelledTaskCancelsIt) {
    for (const auto status : {AttemptStatus::retry,
                              AttemptStatus::retry_elsewhere,
                              AttemptStatus::permanent,
                              AttemptStatus::timeout,
                              AttemptStatus::crashed,
                              AttemptStatus::install_failed,
                              AttemptStatus::interrupted}) {
        Bed bed;
        bed.host("h1");
        const auto id = bed.add("echo");
        const auto handed = bed.dispatch_one();
        EXPECT_TRUE(bed.scheduler.cancel(id, bed.now));
        bed.report(handed, status);
        EXPECT_EQ(bed.outcome().state, TaskState::cancelled) << to_string(status);
        EXPECT_TRUE(bed.dispatch().empty());
    }
}

TEST(CancelTest, TheEndOfTheLeaseCancelsToo) {
    Bed bed;
    const auto host = bed.host("h1");
    const auto id = bed.add("echo");
    (void)bed.dispatch_one();
    EXPECT_TRUE(bed.scheduler.cancel(id, bed.now));
    bed.scheduler.host_disconnected(host, bed.now);
    bed.pass(1s);

    EXPECT_EQ(bed.outcome().state, TaskState::cancelled);
}

TEST(CancelTest, AskingTwiceChangesNothing) {
    Bed bed;
    bed.host("h1");
    const auto id = bed.add("echo");
    (void)bed.dispatch_one();
    EXPECT_TRUE(bed.scheduler.cancel(id, bed.now));
    EXPECT_TRUE(bed.scheduler.cancel(id, bed.now));
    bed.collect();

    EXPECT_EQ(bed.cancels.size(), 1U);
}

TEST(CancelTest, ATaskWhoseEndIsBeingRecordedConflicts) {
    Bed bed;
    bed.host("h1");
    const auto id = bed.add("echo");
    bed.report(bed.dispatch_one());
    EXPECT_EQ(bed.scheduler.cancel(id, bed.now).error().code, Errc::conflict);

    bed.commit();
    EXPECT_EQ(bed.scheduler.cancel(id, bed.now).error().code, Errc::not_found);
    EXPECT_EQ(bed.outcome().state, TaskState::completed);
}

TEST(CancelTest, ACancelledTaskIsNotHandedOutWhenItsPlaceInTheQueueComes) {
    Bed bed;
    const auto ids = bed.add_many("echo", 3);
    EXPECT_TRUE(bed.scheduler.cancel(ids[1], bed.now));
    bed.collect();
    bed.host("h1", 10);

    const auto handed = bed.dispatch();
    ASSERT_EQ(handed.size(), 2U);
    EXPECT_EQ(handed[0].id, "a1");
    EXPECT_EQ(handed[1].id, "a3");
}

}  // namespace
}  // namespace distributo::coordinator::core
