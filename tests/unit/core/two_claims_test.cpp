#include "returning_hosts.hpp"

namespace distributo::coordinator::core {
namespace {

using wire::Verdict;

/// Task 1 was given to h1 as number 1 and, by the next boot, to h2 as number 2.
class TwoClaimsTest : public ReturningHostsTest {
protected:
    void SetUp() override {
        ReturningHostsTest::SetUp();
        bed().pass(31s);
        join("h2");
        const auto again = bed().dispatch();
        ASSERT_EQ(again[0].id, "a1");
        ASSERT_EQ(again[0].attempt, 2U);
        newer = again[0].claim();
        older = handed[0].claim();
        disk.reboot();
    }
    wire::Claim older;
    wire::Claim newer;
};

TEST_F(TwoClaimsTest, TheNewerAttemptTakesOver) {
    const auto first = come_back("h1", {older});
    EXPECT_EQ(bed().verdicts[0].verdict, Verdict::keep);
    const auto second = come_back("h2", {newer});
    EXPECT_EQ(bed().verdicts[0].verdict, Verdict::keep);
    EXPECT_EQ(bed().view(ids[0]).host, "h2");
    EXPECT_EQ(bed().view(ids[0]).attempts, 2U);
    ASSERT_EQ(bed().cancels.size(), 1U);
    EXPECT_EQ(bed().cancels[0].host, first);
    EXPECT_EQ(bed().cancels[0].token, older.token);
    EXPECT_EQ(bed().counts().running, 1U);

    expect_stale(first, older.token);
    bed().report_as(second, newer.token);
    EXPECT_EQ(bed().outcome().attempt.number, 2U);
}

TEST_F(TwoClaimsTest, OneHostMayHaveBoth) {
    const LeaseProofs proofs(bed_key);
    newer.lease.proof = proofs.proof(proofs.host_digest("h1"), ids[0], 2);
    const auto host = come_back("h1", {older, newer});
    ASSERT_EQ(bed().cancels.size(), 1U);
    EXPECT_EQ(bed().cancels[0].token, older.token);
    EXPECT_EQ(bed().scheduler.hosts(bed().now)[0].in_flight, 1U);

    bed().report_as(host, newer.token);
    EXPECT_EQ(bed().outcome().attempt.number, 2U);
    EXPECT_EQ(bed().scheduler.hosts(bed().now)[0].in_flight, 0U);
}

TEST_F(TwoClaimsTest, TheOlderAttemptComesTooLate) {
    come_back("h2", {newer});
    const auto first = come_back("h1", {older});
    EXPECT_EQ(bed().verdicts[0].verdict, Verdict::cancel);
    EXPECT_EQ(bed().view(ids[0]).host, "h2");

    expect_stale(first, older.token);
}

TEST_F(TwoClaimsTest, ANewerOneMayComeAfterTheOlderHasFailed) {
    const auto first = come_back("h1", {older});
    bed().report_as(first, older.token, AttemptStatus::interrupted);
    come_back("h2", {newer});

    EXPECT_EQ(bed().verdicts[0].verdict, Verdict::keep);
    EXPECT_EQ(disk.history(ids[0]).last_attempt, 1U);
}

TEST_F(TwoClaimsTest, ANewerOneTakesOverAlsoBeforeTheFailureOfTheOlderIsDurable) {
    const auto first = come_back("h1", {older});
    bed().shut = true;
    bed().report_as(first, older.token, AttemptStatus::interrupted);
    const auto second = come_back("h2", {newer});
    EXPECT_EQ(bed().verdicts[0].verdict, Verdict::keep);
    bed().report_as(first, older.token, AttemptStatus::interrupted);
    bed().report_as(second, newer.token);
    EXPECT_TRUE(bed().acks.empty()) << "nothing is durable";

    (void)bed().record();
    bed().collect();
    ASSERT_EQ(bed().acks.size(), 1U);
    EXPECT_EQ(bed().acks[0].host, first);
    EXPECT_EQ(bed().acks[0].item.token, older.token);
    EXPECT_FALSE(bed().acks[0].item.stale);
    bed().commit();
    EXPECT_EQ(bed().last_ack()->item.token, newer.token);
    EXPECT_EQ(bed().outcome().attempt.number, 2U);
}

TEST_F(TwoClaimsTest, WhatANewerOneHasFinishedCountsAlsoWhenTheTaskIsHeldMeanwhile) {
    const auto first = come_back("h1", {older});
    bed().report_as(first, older.token, AttemptStatus::interrupted);
    EXPECT_TRUE(bed().scheduler.hold(ids[0], "wait", bed().now));
    bed().collect();
    const auto second = come_back("h2", {}, {newer});
    bed().report_as(second, newer.token);

    EXPECT_EQ(bed().outcome().attempt.number, 2U);
}

TEST_F(TwoClaimsTest, OnlyANewerOneTakesOver) {
    const auto first = come_back("h1", {older});
    bed().shut = true;
    bed().report_as(first, older.token, AttemptStatus::interrupted);
    come_back("h1", {older});
    EXPECT_EQ(bed().verdicts[0].verdict, Verdict::cancel);

    (void)bed().record();
    bed().collect();
    EXPECT_EQ(bed().last_ack()->item.token, older.token);
}

}  // namespace
}  // namespace distributo::coordinator::core
