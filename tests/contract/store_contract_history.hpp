#pragma once

// Part of the store contract, see store_contract.hpp: attempts, controls and other generations.
#include "tests/contract/store_contract_fixture.hpp"

namespace distributo::tests {

TEST_P(StoreContract, AttemptsAreKeptInOrderAndTheLastOneOnce) {
    const auto id = add(task("a"));
    store::Transaction transaction;
    transaction.attempts = {{id, attempt(1, wire::AttemptStatus::retry)},
                            {id, attempt(2, wire::AttemptStatus::crashed)}};
    commit(std::move(transaction));
    end(failed(id, 3));

    const auto found = find(id);

    ASSERT_TRUE(found);
    ASSERT_EQ(found->attempts.size(), 3U);
    EXPECT_EQ(found->attempts[1].number, 2U);
    EXPECT_EQ(found->attempts[1].status, wire::AttemptStatus::crashed);
    EXPECT_EQ(found->attempts[1].message, "exit status 6");
    EXPECT_EQ(found->attempts[2].number, 3U);
}

TEST_P(StoreContract, ATaskThatNeverRanHasNoAttempt) {
    const auto id = add(task("a"));
    core::Outcome outcome;
    outcome.id = id;
    outcome.state = core::TaskState::cancelled;
    end(outcome);

    const auto found = find(id);

    ASSERT_TRUE(found && found->outcome);
    EXPECT_TRUE(found->attempts.empty());
}

TEST_P(StoreContract, AReopenedTaskIsLiveAgainAndKeepsItsAttempts) {
    const auto id = add(named("a", "x", "1"));
    store::Transaction transaction;
    transaction.attempts = {{id, attempt(1, wire::AttemptStatus::retry)}};
    commit(std::move(transaction));
    end(failed(id, 2));

    const auto reopened = reopen(id);

    ASSERT_TRUE(reopened);
    EXPECT_EQ(reopened->task.payload.view(), "1");
    EXPECT_EQ(reopened->task.attempts_before, 2U);
    EXPECT_EQ(reopened->attempts.size(), 2U);
    EXPECT_FALSE(find(id)->outcome);
    EXPECT_TRUE(results({}).tasks.empty());
    EXPECT_TRUE(list({}).tasks.empty());

    auto second = completed(id);
    second.attempt.number = 3;
    end(second);
    EXPECT_EQ(find(id)->attempts.size(), 3U);
    EXPECT_EQ(ids(results({})), (Ids{id}));
    EXPECT_EQ(resolve("x"), id);
}

TEST_P(StoreContract, OnlyAnEndedTaskCanBeReopened) {
    const auto id = add(task("a"));

    const auto live = reopen(id);
    const auto unknown = reopen(id + 1);

    ASSERT_FALSE(live);
    EXPECT_EQ(live.error().code, base::Errc::conflict);
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, base::Errc::not_found);
}

TEST_P(StoreContract, AnAttemptComesBackComplete) {
    const auto id = add(task("a"));
    auto made = attempt(7, wire::AttemptStatus::crashed);
    made.host_id = "0123456789abcdef0123456789abcdef";
    made.version = "1.2.3";
    made.charge = core::Charge::crash;
    made.excludes_host = true;
    made.retry_at = reopened_at;
    record(id, made);

    const auto found = find(id);

    ASSERT_TRUE(found);
    ASSERT_EQ(found->attempts.size(), 1U);
    const auto& back = found->attempts[0];
    EXPECT_EQ(back.number, 7U);
    EXPECT_EQ(back.host, made.host);
    EXPECT_EQ(back.host_id, made.host_id);
    EXPECT_EQ(back.version, "1.2.3");
    EXPECT_EQ(back.started, made.started);
    EXPECT_EQ(back.finished, made.finished);
    EXPECT_EQ(back.times.execute_us, made.times.execute_us);
    EXPECT_EQ(back.charge, core::Charge::crash);
    EXPECT_TRUE(back.excludes_host);
    EXPECT_EQ(back.retry_at, reopened_at);
}

TEST_P(StoreContract, TheAttemptOfAnOutcomeComesBackComplete) {
    const auto id = add(task("a"));
    auto outcome = failed(id, 3);
    outcome.attempt.host_id = "0123456789abcdef0123456789abcdef";
    outcome.attempt.version = "1.2.3";
    outcome.attempt.charge = core::Charge::failure;
    end(outcome);

    const auto found = find(id);
    const auto reopened = reopen(id);

    ASSERT_TRUE(found && reopened);
    EXPECT_EQ(found->outcome->reason, wire::FailReason::attempts_exhausted);
    ASSERT_EQ(found->attempts.size(), 1U);
    ASSERT_EQ(reopened->attempts.size(), 1U);
    for (const auto* back :
         {&found->outcome->attempt, &found->attempts[0], &reopened->attempts[0]}) {
        EXPECT_EQ(back->number, 3U);
        EXPECT_EQ(back->host, "worker-7");
        EXPECT_EQ(back->host_id, outcome.attempt.host_id);
        EXPECT_EQ(back->version, "1.2.3");
        EXPECT_EQ(back->message, "exit status 6");
        EXPECT_EQ(back->charge, core::Charge::failure);
        EXPECT_EQ(back->finished, outcome.attempt.finished);
    }
}

TEST_P(StoreContract, AnAttemptThatCameBackIsKeptOnce) {
    const auto id = add(task("a"));
    record(id, attempt(1, wire::AttemptStatus::interrupted));
    record(id, attempt(1, wire::AttemptStatus::retry));
    record(id, attempt(2, wire::AttemptStatus::interrupted));
    auto late = completed(id);
    late.attempt.number = 2;
    end(late);

    const auto check = [](const std::vector<core::Attempt>& attempts) {
        ASSERT_EQ(attempts.size(), 2U);
        EXPECT_EQ(attempts[0].status, wire::AttemptStatus::retry);
        EXPECT_EQ(attempts[1].status, wire::AttemptStatus::ok) << "the late report counts";
    };
    check(find(id)->attempts);
    check(reopen(id)->attempts);
}

TEST_P(StoreContract, ControlsComeBackInOrder) {
    const auto id = add(task("a"));
    record({id, core::Control::Kind::hold, "the disk is full", reopened_at, 2});
    record({id, core::Control::Kind::release, "", reopened_at, 3});
    record({id + 1, core::Control::Kind::cancel, "", reopened_at, 0});

    const auto found = find(id);

    ASSERT_TRUE(found);
    ASSERT_EQ(found->controls.size(), 2U);
    EXPECT_EQ(found->controls[0].id, id);
    EXPECT_EQ(found->controls[0].kind, core::Control::Kind::hold);
    EXPECT_EQ(found->controls[0].reason, "the disk is full");
    EXPECT_EQ(found->controls[0].when, reopened_at);
    EXPECT_EQ(found->controls[0].after_attempt, 2U);
    EXPECT_EQ(found->controls[1].kind, core::Control::Kind::release);
}

TEST_P(StoreContract, ReopeningIsAControl) {
    const auto id = add(task("a"));
    end(failed(id, 2));

    const auto reopened = reopen(id);

    ASSERT_TRUE(reopened);
    ASSERT_EQ(reopened->controls.size(), 1U);
    EXPECT_EQ(reopened->controls[0].kind, core::Control::Kind::retry);
    EXPECT_EQ(reopened->controls[0].when, reopened_at);
    EXPECT_EQ(reopened->controls[0].after_attempt, 2U);
    EXPECT_EQ(find(id)->controls.size(), 1U);
}

TEST_P(StoreContract, AReopenedTaskHasItsUniqueKeyAgain) {
    const auto id = add(unique("nightly"));
    end(failed(id, 1));
    const auto other = add(unique("nightly"));

    const auto refused = reopen(id);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, base::Errc::conflict);
    EXPECT_TRUE(find(id)->outcome);

    end(failed(other, 1));
    EXPECT_TRUE(reopen(id));
    const auto again = unique("nightly");
    store::Transaction transaction;
    transaction.submits = {again};
    EXPECT_EQ(commit(std::move(transaction)).duplicates.size(), 1U);
}

}  // namespace distributo::tests
