#pragma once

// Part of the store contract, see store_contract.hpp: what a later boot of the coordinator finds.
#include "tests/contract/store_contract_fixture.hpp"

namespace distributo::tests {

TEST_P(StoreContract, EveryBootHasAHigherTermAndTheSameIdentity) {
    const auto first = restart();
    const auto second = restart();

    EXPECT_GT(second.term, first.term);
    EXPECT_EQ(second.coordinator_id, first.coordinator_id);
    EXPECT_EQ(second.lease_key, first.lease_key);
    EXPECT_NE(first.lease_key, (std::array<std::uint64_t, 2>{}));
}

TEST_P(StoreContract, LiveTasksAreFoundAgain) {
    const auto ended = add(task("a"));
    auto made = named("b", "x", R"({"n":1})");
    const auto live = add(made);
    end(completed(ended));

    const auto recovered = restart();

    ASSERT_EQ(recovered.live.size(), 1U);
    const auto& back = recovered.live[0];
    EXPECT_EQ(back.task.id, live);
    EXPECT_EQ(back.task.type, "b");
    EXPECT_EQ(back.task.payload.view(), R"({"n":1})");
    EXPECT_EQ(back.task.created, made.created);
    ASSERT_TRUE(back.task.options);
    EXPECT_EQ(back.task.options->given_id, "x");
    EXPECT_FALSE(back.history) << "nothing happened to it";
    EXPECT_GT(recovered.next_id, live);
    EXPECT_EQ(recovered.kept.total, 2U);
    EXPECT_EQ(recovered.kept.completed, 1U);
    EXPECT_TRUE(find(ended)->outcome);
    EXPECT_EQ(resolve("x"), live);
}

TEST_P(StoreContract, IdsThatLookLikeNumbersStayReserved) {
    add(named("a", base::NumberText(123'456).str(), "1"));
    add(named("a", "not-a-number!", "1"));

    EXPECT_EQ(restart().reserved, (Ids{123'456}));
}

TEST_P(StoreContract, AnIdIsNotUsedAgainWhenItsTaskIsForgotten) {
    const auto last = add(task("a"));
    end(completed(last));
    prune({.completed = 0s}, reopened_at);
    ASSERT_FALSE(find(last));

    EXPECT_GT(restart().next_id, last);
}

TEST_P(StoreContract, ASequenceIsNotUsedAgainWhenItsTaskIsForgotten) {
    end(completed(add(task("a"))));
    const auto newest = results({}).newest;
    prune({.completed = 0s}, reopened_at);
    restart();

    EXPECT_EQ(results({}).newest, newest);
    end(completed(add(task("a"))));
    EXPECT_EQ(results({}).tasks.at(0).sequence, newest + 1);
}

TEST_P(StoreContract, EveryBootMayHaveGivenOutANumberThatWasNotRecorded) {
    const auto untouched = add(task("a"));
    const auto tried = add(task("a"));
    record(tried, attempt(4, wire::AttemptStatus::retry));
    restart();
    const auto young = add(task("a"));
    record(tried, attempt(6, wire::AttemptStatus::retry));
    const auto recovered = restart();

    ASSERT_EQ(recovered.live.size(), 3U);
    EXPECT_EQ(recovered.live[0].task.id, untouched);
    EXPECT_EQ(recovered.live[0].task.attempts_before, 2U);
    EXPECT_EQ(recovered.live[1].task.id, tried);
    EXPECT_EQ(recovered.live[1].task.attempts_before, 7U);
    EXPECT_EQ(recovered.live[2].task.id, young);
    EXPECT_EQ(recovered.live[2].task.attempts_before, 1U);
}

TEST_P(StoreContract, AnOldAttemptThatIsRecordedLateFreesNoNumber) {
    const auto id = add(task("a"));
    restart();
    restart();
    restart();
    record(id, attempt(1, wire::AttemptStatus::retry));

    EXPECT_EQ(restart().live.at(0).task.attempts_before, 4U)
        << "the boots between may have given out 2, 3 and 4";
}

TEST_P(StoreContract, NumbersOfForgottenBootsAreNotUsedByAnotherGeneration) {
    const auto id = add(task("a"));
    restart();
    restart();
    core::Outcome never_ran;
    never_ran.id = id;
    never_ran.state = core::TaskState::cancelled;
    end(never_ran);

    EXPECT_GE(reopen(id)->task.attempts_before, 2U);
    EXPECT_GE(restart().live.at(0).task.attempts_before, 3U);
}

TEST_P(StoreContract, ThePastOfATaskIsFoundAgain) {
    const auto id = add(task("a"));
    auto first = attempt(1, wire::AttemptStatus::retry);
    first.charge = core::Charge::failure;
    record(id, first);
    auto second = attempt(2, wire::AttemptStatus::crashed);
    second.charge = core::Charge::crash;
    second.host_id = "h";
    second.excludes_host = true;
    second.retry_at = reopened_at;
    record(id, second);
    record({id, core::Control::Kind::hold, "why", reopened_at, 2});

    const auto recovered = restart();

    ASSERT_EQ(recovered.live.size(), 1U);
    ASSERT_TRUE(recovered.live[0].history);
    const auto& history = *recovered.live[0].history;
    EXPECT_EQ(history.last_attempt, 2U);
    EXPECT_EQ(history.failures, 1U);
    EXPECT_EQ(history.crashes, 1U);
    EXPECT_EQ(history.excluded_hosts, (std::vector<std::string>{"h"}));
    EXPECT_EQ(history.retry_at, reopened_at);
    EXPECT_TRUE(history.held);
    EXPECT_EQ(history.hold_reason, "why");
}

TEST_P(StoreContract, AnotherGenerationIsFoundAgain) {
    const auto id = add(task("a"));
    auto outcome = failed(id, 3);
    outcome.attempt.charge = core::Charge::failure;
    end(outcome);
    EXPECT_TRUE(reopen(id));

    const auto recovered = restart();

    ASSERT_EQ(recovered.live.size(), 1U);
    EXPECT_EQ(recovered.live[0].task.attempts_before, 4U);
    ASSERT_TRUE(recovered.live[0].history);
    EXPECT_EQ(recovered.live[0].history->failures, 0U) << "it begins anew";
    EXPECT_EQ(find(id)->attempts.size(), 1U);
    EXPECT_TRUE(results({}).tasks.empty());
    end(completed(id));
    EXPECT_EQ(find(id)->outcome->state, core::TaskState::completed);
}

TEST_P(StoreContract, ResultsKeepTheirOrderOverARestart) {
    const auto a = add(task("a"));
    const auto b = add(task("a"));
    end(completed(b));
    const auto before = results({});
    restart();
    end(completed(a));

    const auto page = results({});

    EXPECT_EQ(ids(page), (Ids{b, a}));
    EXPECT_EQ(page.tasks[0].sequence, before.tasks[0].sequence);
    EXPECT_EQ(page.newest, before.newest + 1);
}

TEST_P(StoreContract, HostsAreFoundAgainUntilTheyLeave) {
    store::Transaction first;
    first.hosts = {{.host_id = "a", .name = "alpha", .present = true},
                   {.host_id = "b", .name = "beta", .present = true},
                   {.host_id = "c",
                    .name = "gamma",
                    .quarantined_until = reopened_at,
                    .quarantines = 2,
                    .quarantine_reason = "five crashes in a row"}};
    commit(std::move(first));
    store::Transaction second;
    second.hosts = {{.host_id = "a", .name = "alpha2", .present = true},
                    {.host_id = "b", .name = "beta", .present = false}};
    commit(std::move(second));

    const auto hosts = restart().hosts;

    const auto find_host = [&](const std::string& id) -> const core::HostRecord* {
        for (const auto& host : hosts)
            if (host.host_id == id)
                return &host;
        return nullptr;
    };
    ASSERT_TRUE(find_host("a"));
    EXPECT_EQ(find_host("a")->name, "alpha2");
    EXPECT_TRUE(find_host("a")->present);
    EXPECT_TRUE(!find_host("b") || !find_host("b")->present);
    ASSERT_TRUE(find_host("c"));
    EXPECT_FALSE(find_host("c")->present);
    EXPECT_EQ(find_host("c")->quarantined_until, reopened_at);
    EXPECT_EQ(find_host("c")->quarantines, 2U);
    EXPECT_EQ(find_host("c")->quarantine_reason, "five crashes in a row");
}

TEST_P(StoreContract, WhatMayNotBeStoredTwiceIsRememberedOverARestart) {
    store::Transaction first;
    first.submits = {named("a", "x", "1"), unique("nightly"), task("a")};
    first.submissions = {{"key", "content", 2, 1, reopened_at}};
    const Ids all = {first.submits[0].id, first.submits[1].id, first.submits[2].id};
    commit(std::move(first));
    restart();

    store::Transaction again;
    again.submits = {named("a", "x", "1"), unique("nightly"), task("a")};
    again.submissions = {{"key", "content", 2, 1, reopened_at}};
    const auto committed = commit(std::move(again));

    ASSERT_EQ(committed.duplicates.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(committed.duplicates[i].existing, all[i]);
        EXPECT_TRUE(committed.duplicates[i].identical);
    }
    EXPECT_EQ(committed.replays.size(), 1U);
}

}  // namespace distributo::tests
