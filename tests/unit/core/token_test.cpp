#include "bed.hpp"

#include <gtest/gtest.h>

namespace distributo::coordinator::core {
namespace {

/// Two hosts, and one task that runs on the first.
class TokenTest : public ::testing::Test {
protected:
    void SetUp() override {
        first = bed.host("h1");
        id = bed.add("echo");
        handed = bed.dispatch_one();
        second = bed.host("h2");
        ASSERT_EQ(handed.host, first);
    }
    /// A report that must not be taken: answered so that the host can forget it, nothing changed.
    void expect_refused(HostIndex host, const Token& token, bool stale) {
        const auto acks = bed.acks.size();
        const auto outcomes = bed.outcomes.size();
        bed.report_as(host, token);
        ASSERT_EQ(bed.acks.size(), acks + 1);
        EXPECT_EQ(bed.acks.back().host, host);
        EXPECT_EQ(bed.acks.back().item.token, token);
        EXPECT_EQ(bed.acks.back().item.stale, stale);
        EXPECT_EQ(bed.outcomes.size(), outcomes);
    }
    Bed bed;
    HostIndex first = no_host;
    HostIndex second = no_host;
    TaskId id = 0;
    Assigned handed;
};

TEST_F(TokenTest, ATokenCarriesTheBootTerm) {
    EXPECT_EQ(handed.token.term, 7U);
    EXPECT_EQ(bed.scheduler.term(), 7U);
}

TEST_F(TokenTest, OnlyTheHostThatGotItMayUseIt) {
    TaskId found = 0;
    EXPECT_TRUE(bed.scheduler.holds(first, handed.token, found));
    EXPECT_EQ(found, id);
    EXPECT_FALSE(bed.scheduler.holds(second, handed.token, found));
    expect_refused(second, handed.token, true);
    EXPECT_EQ(bed.state(id), TaskState::running);

    bed.scheduler.host_phase(second, {handed.token, wire::Phase::execute}, bed.now);
    bed.scheduler.host_progress(second, {handed.token, 0.5, "mine"}, bed.now);
    EXPECT_EQ(bed.view(id).phase, wire::Phase::assigned);
    EXPECT_EQ(bed.view(id).progress, -1);
}

TEST_F(TokenTest, ForgedTokensAreRefused) {
    for (auto token : {Token{7, handed.token.slot, handed.token.counter + 1},
                       Token{7, handed.token.slot, 0},
                       Token{7, 4'000'000'000U, handed.token.counter},
                       Token{7, handed.token.slot + 1, handed.token.counter},
                       Token{7, ~0U, ~0ULL},
                       Token{6, handed.token.slot, handed.token.counter},
                       Token{8, handed.token.slot, handed.token.counter}}) {
        expect_refused(first, token, true);
        TaskId found = 0;
        EXPECT_FALSE(bed.scheduler.holds(first, token, found));
        bed.scheduler.host_phase(first, {token, wire::Phase::execute}, bed.now);
    }
    EXPECT_EQ(bed.state(id), TaskState::running);
    EXPECT_EQ(bed.view(id).phase, wire::Phase::assigned);
}

TEST_F(TokenTest, HostsThatNobodyKnowsChangeNothing) {
    expect_refused(99, handed.token, true);
    bed.scheduler.host_heard(99, bed.now);
    bed.scheduler.host_capabilities(99, {}, bed.now);
    bed.scheduler.host_credit(99, {"echo", 5}, bed.now);
    bed.scheduler.host_draining(99, bed.now);
    bed.scheduler.host_backed_up(99, true, bed.now);
    bed.scheduler.host_disconnected(99, bed.now);
    bed.scheduler.host_left(99, bed.now);
    EXPECT_EQ(bed.scheduler.host_name(99), "");
    EXPECT_EQ(bed.state(id), TaskState::running);
}

TEST_F(TokenTest, AResultThatIsRepeatedBeforeItIsDurableIsAcknowledgedOnce) {
    bed.report(handed);
    bed.report(handed);
    EXPECT_EQ(bed.outcomes.size(), 1U);
    EXPECT_TRUE(bed.acks.empty());

    bed.commit();
    EXPECT_EQ(bed.acks.size(), 1U);
}

TEST_F(TokenTest, AResultThatIsRepeatedAfterItWasRecordedIsAcknowledgedAgain) {
    bed.report(handed);
    bed.commit();

    expect_refused(first, handed.token, false);
}

TEST_F(TokenTest, AResultWhoseSlotHasANewTaskDoesNotTouchThatTask) {
    bed.report(handed);
    bed.commit();
    const auto other = bed.add("echo");
    const auto next = bed.dispatch_one();
    ASSERT_EQ(next.token.slot, handed.token.slot) << "the test wants the slot to be used again";

    expect_refused(first, handed.token, false);
    EXPECT_EQ(bed.state(other), TaskState::running);
}

TEST_F(TokenTest, AFailureThatIsRepeatedIsChargedOnce) {
    bed.report(handed, AttemptStatus::retry);
    bed.report(handed, AttemptStatus::retry);
    EXPECT_EQ(bed.failed_attempts.size(), 1U);
    EXPECT_EQ(bed.acks.size(), 2U);
    EXPECT_FALSE(bed.acks.back().item.stale);

    bed.report(handed, AttemptStatus::ok);
    EXPECT_TRUE(bed.outcomes.empty()) << "a host cannot change its mind";
}

TEST_F(TokenTest, ALateResultIsTakenWhileNobodyElseGotTheTask) {
    bed.scheduler.host_disconnected(first, bed.now);
    bed.scheduler.host_draining(second, bed.now);
    bed.pass(1s);
    ASSERT_EQ(bed.state(id), TaskState::pending);

    (void)bed.join(Bed::hello("h1"));
    bed.report(handed);
    EXPECT_EQ(bed.outcome().state, TaskState::completed);
    EXPECT_EQ(bed.outcome().attempt.number, 1U);
    EXPECT_EQ(bed.counts().pending, 0U);
    bed.commit();
    EXPECT_FALSE(bed.last_ack()->item.stale);
}

TEST_F(TokenTest, ALateResultOfAHostThatWasForgottenIsTakenToo) {
    bed.scheduler.host_draining(second, bed.now);
    bed.scheduler.host_disconnected(first, bed.now);
    bed.pass(31s);
    ASSERT_EQ(bed.state(id), TaskState::pending);

    EXPECT_EQ(bed.join(Bed::hello("h1")), first);
    bed.report(handed);
    EXPECT_EQ(bed.outcome().state, TaskState::completed);
}

TEST_F(TokenTest, ALateErrorIsAcknowledgedAndNotChargedAgain) {
    bed.scheduler.host_draining(second, bed.now);
    bed.scheduler.host_disconnected(first, bed.now);
    bed.pass(1s);
    ASSERT_EQ(bed.failed_attempts.size(), 1U);

    (void)bed.join(Bed::hello("h1"));
    bed.report(handed, AttemptStatus::retry);
    EXPECT_EQ(bed.state(id), TaskState::pending);
    EXPECT_EQ(bed.failed_attempts.size(), 1U);
    ASSERT_TRUE(bed.last_ack());
    EXPECT_FALSE(bed.last_ack()->item.stale);
}

TEST_F(TokenTest, ALatePermanentErrorEndsTheTask) {
    bed.scheduler.host_draining(second, bed.now);
    bed.scheduler.host_disconnected(first, bed.now);
    bed.pass(1s);

    bed.report(handed, AttemptStatus::permanent);
    EXPECT_EQ(bed.outcome().reason, FailReason::permanent);
}

TEST_F(TokenTest, ALateResultIsStaleOnceANewerLeaseExists) {
    bed.scheduler.host_disconnected(first, bed.now);
    bed.pass(1s);
    const auto again = bed.dispatch_one();
    ASSERT_EQ(again.host, second);
    (void)bed.join(Bed::hello("h1"));
    expect_refused(first, handed.token, true);

    bed.report(again);
    EXPECT_EQ(bed.outcome().attempt.host, "h2");
    expect_refused(first, handed.token, true);
    bed.commit();
    expect_refused(first, handed.token, true);
}

TEST_F(TokenTest, AResultThatComesAfterTheTaskWasCancelledElsewhereIsStale) {
    bed.scheduler.host_draining(second, bed.now);
    bed.scheduler.host_disconnected(first, bed.now);
    bed.pass(1s);
    EXPECT_TRUE(bed.scheduler.cancel(id, bed.now));
    bed.collect();
    expect_refused(first, handed.token, true);

    bed.commit();
    expect_refused(first, handed.token, true);
}

}  // namespace
}  // namespace distributo::coordinator::core
