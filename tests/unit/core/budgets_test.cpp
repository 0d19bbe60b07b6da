#include "bed.hpp"

#include <gtest/gtest.h>

namespace distributo::coordinator::core {
namespace {

TEST(BudgetTest, AHandlerErrorIsRetriedAfterABackoff) {
    Bed bed;
    const auto host = bed.host("h1");
    const auto id = bed.add("echo");
    const auto first = bed.dispatch_one();
    bed.report(first, AttemptStatus::retry, "no luck");
    EXPECT_EQ(bed.state(id), TaskState::retrying);
    EXPECT_EQ(bed.view(id).last_error, "no luck");
    EXPECT_LE(bed.view(id).next_try, base::Duration(2s));
    ASSERT_EQ(bed.failed_attempts.size(), 1U);
    EXPECT_EQ(bed.failed_attempts[0].attempt.number, 1U);
    EXPECT_EQ(bed.failed_attempts[0].attempt.message, "no luck");
    ASSERT_TRUE(bed.last_ack()) << "nobody waits for a failed attempt to be durable";
    EXPECT_EQ(bed.last_ack()->host, host);
    EXPECT_FALSE(bed.last_ack()->item.stale);

    bed.pass(2s);
    EXPECT_EQ(bed.state(id), TaskState::pending);
    const auto second = bed.dispatch_one();
    EXPECT_EQ(second.attempt, 2U);
    EXPECT_NE(second.token, first.token);
}

TEST(BudgetTest, TheThirdHandlerErrorEndsTheTask) {
    Bed bed;
    bed.host("h1");
    bed.add("echo");
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(bed.outcomes.empty());
        bed.report(bed.dispatch_one(), AttemptStatus::retry);
        bed.pass(300s);
        bed.host("h1");  // nothing was heard from it for so long
    }

    EXPECT_EQ(bed.outcome().state, TaskState::failed);
    EXPECT_EQ(bed.outcome().reason, FailReason::attempts_exhausted);
    EXPECT_EQ(bed.outcome().attempt.number, 3U);
    EXPECT_EQ(bed.failed_attempts.size(), 2U);
    bed.commit();
    EXPECT_EQ(bed.counts().failed, 1U);
}

TEST(BudgetTest, ATaskMayHaveItsOwnBudget) {
    Bed bed;
    bed.host("h1");
    TaskOptions options;
    options.max_attempts = 1;
    bed.add("echo", options);

    bed.report(bed.dispatch_one(), AttemptStatus::retry);
    EXPECT_EQ(bed.outcome().reason, FailReason::attempts_exhausted);
}

TEST(BudgetTest, AnErrorIsPermanentWhenThePluginSaysSo) {
    Bed bed;
    bed.host("h1");
    bed.add("echo");

    bed.report(bed.dispatch_one(), AttemptStatus::permanent, "bad input");
    EXPECT_EQ(bed.outcome().reason, FailReason::permanent);
    EXPECT_EQ(bed.outcome().attempt.message, "bad input");
    EXPECT_TRUE(bed.acks.empty());
    bed.commit();
    EXPECT_EQ(bed.acks.size(), 1U);
}

TEST(BudgetTest, ATimeoutIsAnAttempt) {
    Bed bed;
    bed.host("h1");
    TaskOptions options;
    options.max_attempts = 2;
    const auto id = bed.add("echo", options);
    bed.report(bed.dispatch_one(), AttemptStatus::timeout);
    EXPECT_EQ(bed.state(id), TaskState::retrying);
    bed.pass(2s);

    bed.report(bed.dispatch_one(), AttemptStatus::timeout);
    EXPECT_EQ(bed.outcome().reason, FailReason::timeout);
}

TEST(BudgetTest, ThePluginsRetryAfterWins) {
    Bed bed;
    bed.host("h1");
    const auto id = bed.add("echo");

    bed.report(bed.dispatch_one(), AttemptStatus::retry, "later", 12'345);
    EXPECT_EQ(bed.view(id).next_try, base::Duration(12'345ms));
}

TEST(BudgetTest, AnAbsurdRetryAfterIsBounded) {
    Bed bed;
    bed.host("h1");
    const auto id = bed.add("echo");

    bed.report(bed.dispatch_one(), AttemptStatus::retry, "later", INT64_MAX);
    EXPECT_GT(bed.view(id).next_try, base::Duration(24h));
}

TEST(BudgetTest, TheBackoffDoublesUpToItsLimitWithFullJitter) {
    Settings settings;
    settings.max_attempts = 1000;
    settings.lease_floor = 24h;
    Bed bed(settings);
    bed.host("h1");
    const auto id = bed.add("echo");
    base::Duration longest_late{};
    base::Duration shortest_late = 1h;
    for (int failure = 1; failure <= 100; ++failure) {
        bed.report(bed.dispatch_one(), AttemptStatus::retry);
        const auto wait = bed.view(id).next_try;
        const auto limit =
            std::min<base::Duration>(300s, failure < 10 ? 2s * (1 << (failure - 1)) : 300s);
        EXPECT_GE(wait, base::Duration::zero());
        EXPECT_LE(wait, limit) << "after failure " << failure;
        if (failure > 10) {
            longest_late = std::max(longest_late, wait);
            shortest_late = std::min(shortest_late, wait);
        }
        bed.pass(300s);
    }
    EXPECT_GT(longest_late, base::Duration(240s)) << "the jitter does not reach up";
    EXPECT_LT(shortest_late, base::Duration(60s)) << "the jitter does not reach down";
}

TEST(BudgetTest, ReleaseMakesARetryingTaskPending) {
    Bed bed;
    bed.host("h1");
    const auto id = bed.add("echo");
    bed.report(bed.dispatch_one(), AttemptStatus::retry, "later", 60'000);

    EXPECT_TRUE(bed.scheduler.release(id, bed.now));
    EXPECT_EQ(bed.dispatch_one().attempt, 2U);
    bed.pass(60s);
    EXPECT_EQ(bed.counts().running + bed.counts().pending, 1U) << "the old timer still counts";
}

TEST(BudgetTest, ReleaseRefusesWhatDoesNotWait) {
    Bed bed;
    bed.host("h1");
    const auto id = bed.add("echo");
    EXPECT_EQ(bed.scheduler.release(id, bed.now).error().code, base::Errc::conflict);
    const auto handed = bed.dispatch_one();
    EXPECT_EQ(bed.scheduler.release(id, bed.now).error().code, base::Errc::conflict);
    bed.report(handed);
    EXPECT_EQ(bed.scheduler.release(id, bed.now).error().code, base::Errc::conflict);
    bed.commit();
    EXPECT_EQ(bed.scheduler.release(id, bed.now).error().code, base::Errc::not_found);
}

TEST(BudgetTest, ReleaseStartsAScheduledTask) {
    Bed bed;
    TaskOptions options;
    options.not_before = bed.wall + 1h;
    const auto id = bed.add("echo", options);

    EXPECT_TRUE(bed.scheduler.release(id, bed.now));
    EXPECT_EQ(bed.state(id), TaskState::pending);
    EXPECT_EQ(bed.counts().scheduled, 0U);
}

TEST(BudgetTest, ACrashIsRetriedAtOnceAndAlone) {
    Bed bed;
    bed.host("h1");
    const auto id = bed.add("echo");
    bed.report(bed.dispatch_one(), AttemptStatus::crashed, "signal 11");
    EXPECT_EQ(bed.state(id), TaskState::pending);

    const auto again = bed.dispatch_one();
    EXPECT_TRUE(again.alone);
    EXPECT_EQ(again.attempt, 2U);
}

TEST(BudgetTest, TheThirdCrashIsPoison) {
    Bed bed;
    bed.host("h1");
    bed.add("echo");
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(bed.outcomes.empty());
        bed.report(bed.dispatch_one(), AttemptStatus::crashed);
    }

    EXPECT_EQ(bed.outcome().reason, FailReason::poison);
    EXPECT_EQ(bed.failed_attempts.size(), 2U);
}

TEST(BudgetTest, ASuspectRunsOnAnotherHostWhenThereIsOne) {
    Bed bed;
    const auto first = bed.host("h1", 4);
    bed.add("echo");
    const auto handed = bed.dispatch_one();
    ASSERT_EQ(handed.host, first);
    const auto second = bed.host("h2", 4);

    bed.report(handed, AttemptStatus::crashed);
    EXPECT_EQ(bed.dispatch_one().host, second);
}

TEST(BudgetTest, RetryElsewhereAvoidsTheHostAsLongAsThereIsAnother) {
    Bed bed;
    const auto first = bed.host("h1");
    const auto id = bed.add("echo");
    bed.report(bed.dispatch_one(), AttemptStatus::retry_elsewhere, "no licence");
    bed.pass(2s);
    EXPECT_EQ(bed.state(id), TaskState::pending);

    const auto second = bed.host("h2");
    const auto handed = bed.dispatch_one();
    EXPECT_EQ(handed.host, second);
    bed.report(handed, AttemptStatus::interrupted);
    bed.scheduler.host_left(second, bed.now);
    EXPECT_EQ(bed.dispatch_one().host, first) << "the only host there is";
}

TEST(BudgetTest, AnInterruptionIsFreeOfChargeAndGoesFirst) {
    Bed bed;
    bed.host("h1");
    const auto first = bed.add("echo");
    bed.add("echo");
    bed.report(bed.dispatch_one(), AttemptStatus::interrupted, "plugin removed");
    EXPECT_EQ(bed.state(first), TaskState::pending);

    EXPECT_EQ(bed.dispatch_one().id, "a1");
}

TEST(BudgetTest, TwentyInterruptionsHoldTheTask) {
    Bed bed;
    bed.host("h1");
    const auto id = bed.add("echo");
    for (int i = 0; i < 20; ++i) {
        ASSERT_EQ(bed.state(id), TaskState::pending) << i;
        bed.report(bed.dispatch_one(), AttemptStatus::interrupted);
    }
    EXPECT_EQ(bed.state(id), TaskState::held);
    EXPECT_EQ(bed.view(id).hold_reason, "interrupted 20 times without getting to an end");
    EXPECT_EQ(bed.counts().held, 1U);
    EXPECT_TRUE(bed.dispatch().empty());

    EXPECT_TRUE(bed.scheduler.release(id, bed.now));
    bed.report(bed.dispatch_one(), AttemptStatus::interrupted);
    EXPECT_EQ(bed.state(id), TaskState::pending) << "release gives the whole budget back";
}

TEST(BudgetTest, AFailedInstallTurnsTheCapabilityOffForAWhile) {
    Bed bed;
    const auto host = bed.host("h1", 2);
    bed.add("echo");
    bed.report(bed.dispatch_one(), AttemptStatus::install_failed, "no space");
    const auto other = bed.add("echo");
    EXPECT_TRUE(bed.dispatch().empty());
    EXPECT_EQ(bed.state(other), TaskState::pending);

    bed.pass(14'999ms);
    EXPECT_TRUE(bed.dispatch().empty());
    bed.pass(1ms);
    EXPECT_EQ(per_host(bed.dispatch())[host], 2);
}

TEST(BudgetTest, ThePauseAfterAFailedInstallDoubles) {
    Settings settings;
    settings.install_failure_hosts = 100;
    settings.lease_floor = 24h;
    Bed bed(settings);
    bed.host("h1");
    bed.add("echo");
    for (const auto pause : {15s, 30s, 60s, 120s, 240s, 480s, 900s, 900s}) {
        bed.report(bed.dispatch_one(), AttemptStatus::install_failed);
        bed.pass(pause - 1ms);
        EXPECT_TRUE(bed.dispatch().empty()) << "a pause of " << pause.count() << " s was shorter";
        bed.pass(1ms);
    }
}

TEST(BudgetTest, TasksThatFailTheSameInstallTogetherPauseItOnce) {
    Bed bed;
    bed.host("h1", 4);
    bed.add_many("echo", 4);
    const auto handed = bed.dispatch();
    ASSERT_EQ(handed.size(), 4U);
    for (const auto& one : handed)
        bed.report(one, AttemptStatus::install_failed);

    bed.pass(15s);
    EXPECT_EQ(bed.dispatch().size(), 4U);
}

TEST(BudgetTest, OtherTypesOfTheHostGoOnWhenAnInstallFails) {
    Bed bed;
    const auto host = bed.join(Bed::hello("h1"));
    bed.offer(host, {{"echo", 1}, {"shell", 1}});
    bed.add("echo");
    bed.report(bed.dispatch_one(), AttemptStatus::install_failed);
    bed.add("shell");

    EXPECT_EQ(bed.dispatch_one().type, "shell");
}

TEST(BudgetTest, ANewPluginVersionIsTriedAtOnce) {
    Bed bed;
    const auto host = bed.host("h1");
    bed.add("echo");
    bed.report(bed.dispatch_one(), AttemptStatus::install_failed);
    bed.offer(host, {{"echo", 1}});
    EXPECT_TRUE(bed.dispatch().empty()) << "the same version says nothing new";

    wire::Capabilities offer;
    offer.sequence = ++bed.sequence;
    offer.types.push_back(Bed::capability("echo", 1));
    offer.types.back().digest = "other";
    bed.scheduler.host_capabilities(host, offer, bed.now);
    EXPECT_EQ(bed.dispatch().size(), 1U);
}

TEST(BudgetTest, ThreeHostsThatFailToInstallEndTheTask) {
    Bed bed;
    std::set<HostIndex> tried;
    for (const char* name : {"h1", "h2", "h3", "h4"})
        bed.host(name);
    bed.add("echo");
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(bed.outcomes.empty());
        const auto handed = bed.dispatch_one();
        tried.insert(handed.host);
        bed.report(handed, AttemptStatus::install_failed, "no compiler");
    }

    EXPECT_EQ(tried.size(), 3U);
    EXPECT_EQ(bed.outcome().reason, FailReason::install_failed);
    EXPECT_EQ(bed.outcome().attempt.message, "no compiler");
}

TEST(BudgetTest, ASingleHostThatCannotInstallEndsTheTaskToo) {
    Settings settings;
    settings.lease_floor = 24h;
    Bed bed(settings);
    bed.host("h1");
    bed.add("echo");
    for (const auto pause : {15s, 30s, 60s}) {
        EXPECT_TRUE(bed.outcomes.empty());
        bed.report(bed.dispatch_one(), AttemptStatus::install_failed);
        bed.pass(pause);
    }

    EXPECT_EQ(bed.outcome().reason, FailReason::install_failed);
}

TEST(BudgetTest, TenLostLeasesEndTheTask) {
    Bed bed;
    const auto id = bed.add("echo");
    for (int i = 0; i < 10; ++i) {
        const auto host = bed.host("h1");
        ASSERT_EQ(bed.state(id), TaskState::pending) << i;
        (void)bed.dispatch_one();
        bed.scheduler.host_disconnected(host, bed.now);
        bed.pass(1s);
    }

    EXPECT_EQ(bed.outcome().state, TaskState::failed);
    EXPECT_EQ(bed.outcome().reason, FailReason::lost);
    EXPECT_EQ(bed.outcome().attempt.number, 10U);
    bed.commit();
    EXPECT_TRUE(bed.acks.empty()) << "nobody reported it";
}

TEST(BudgetTest, AnErrorTextIsCutBetweenCharacters) {
    Bed bed;
    bed.host("h1");
    bed.add("echo");
    std::string text(4095, 'x');
    text += "ü and more";

    bed.report(bed.dispatch_one(), AttemptStatus::permanent, text);
    EXPECT_EQ(bed.outcome().attempt.message, std::string(4095, 'x'));
}

}  // namespace
}  // namespace distributo::coordinator::core
