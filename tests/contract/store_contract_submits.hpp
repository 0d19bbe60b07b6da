#pragma once

// Part of the store contract, see store_contract.hpp: what may be submitted twice.
#include "tests/contract/store_contract_fixture.hpp"

namespace distributo::tests {

TEST_P(StoreContract, TheSameGivenIdAndContentIsARepeat) {
    const auto first = add(named("a", "x", "1"));

    store::Transaction again;
    again.submits = {task("a"), named("a", "x", "1"), named("a", "x", "2"), named("b", "x", "1")};
    const auto stored = again.submits[0].id;
    const auto refused = again.submits[1].id;
    const auto committed = commit(std::move(again));

    ASSERT_EQ(committed.duplicates.size(), 3U);
    EXPECT_EQ(committed.duplicates[0].index, 1U);
    EXPECT_EQ(committed.duplicates[0].existing, first);
    EXPECT_TRUE(committed.duplicates[0].identical);
    EXPECT_EQ(committed.duplicates[1].index, 2U);
    EXPECT_FALSE(committed.duplicates[1].identical) << "another payload";
    EXPECT_FALSE(committed.duplicates[2].identical) << "another type";
    EXPECT_TRUE(find(stored));
    EXPECT_FALSE(find(refused));
    EXPECT_EQ(resolve("x"), first);
}

TEST_P(StoreContract, ARepeatWithinOneTransactionIsFound) {
    store::Transaction both;
    both.submits = {named("a", "x", "1"), named("a", "x", "1")};
    const auto first = both.submits[0].id;

    const auto committed = commit(std::move(both));

    ASSERT_EQ(committed.duplicates.size(), 1U);
    EXPECT_EQ(committed.duplicates[0].index, 1U);
    EXPECT_EQ(committed.duplicates[0].existing, first);
}

TEST_P(StoreContract, ADelayThatWasCountedAnewIsStillARepeat) {
    const auto delayed = [&](std::int64_t not_before_ms, std::int32_t priority) {
        auto made = task("a");
        core::TaskOptions options;
        options.given_id = "x";
        options.not_before = base::WallTime(std::chrono::milliseconds(not_before_ms));
        options.priority = priority;
        made.options = std::make_shared<core::TaskOptions>(options);
        return made;
    };
    add(delayed(1000, 0));

    store::Transaction again;
    again.submits = {delayed(2000, 0), delayed(1000, 1)};
    const auto committed = commit(std::move(again));

    ASSERT_EQ(committed.duplicates.size(), 2U);
    EXPECT_TRUE(committed.duplicates[0].identical);
    EXPECT_FALSE(committed.duplicates[1].identical) << "another priority";
}

TEST_P(StoreContract, AUniqueKeyIsTakenWhileItsTaskLives) {
    const auto first = add(unique("nightly"));

    store::Transaction again;
    again.submits = {unique("nightly"), unique("weekly")};
    const auto committed = commit(std::move(again));

    ASSERT_EQ(committed.duplicates.size(), 1U);
    EXPECT_EQ(committed.duplicates[0].index, 0U);
    EXPECT_EQ(committed.duplicates[0].existing, first);
    EXPECT_TRUE(committed.duplicates[0].identical) << "whatever else differs";
    end(completed(first));
    const auto second = add(unique("nightly"));
    EXPECT_TRUE(find(second)) << "the key is free when its task has ended";
}

TEST_P(StoreContract, ARefusedUniqueKeyTakesNoGivenId) {
    add(unique("nightly"));
    core::TaskOptions options;
    options.unique_key = "nightly";
    options.given_id = "mine";
    add(with(options));

    EXPECT_EQ(resolve("mine"), 0U);
    EXPECT_NE(resolve("nobody"), add(named("a", "mine", "1")));
}

TEST_P(StoreContract, ATaskMayBeFollowedByOneWithItsUniqueKey) {
    const auto first = add(unique("nightly"));
    store::Transaction transaction;
    transaction.submits.push_back(unique("nightly"));
    const auto second = transaction.submits[0].id;
    transaction.submits[0].parent = first;
    transaction.outcomes.push_back(completed(first));

    EXPECT_TRUE(commit(std::move(transaction)).duplicates.empty());

    ASSERT_TRUE(find(second));
    EXPECT_EQ(find(second)->task.parent, first);
    EXPECT_EQ(find(first)->task.parent, 0U);
}

TEST_P(StoreContract, ATaskMayBeStoredTogetherWithItsEnd) {
    store::Transaction transaction;
    transaction.submits.push_back(unique("nightly"));
    const auto id = transaction.submits[0].id;
    transaction.outcomes.push_back(failed(id, 0));
    commit(std::move(transaction));

    ASSERT_TRUE(find(id));
    EXPECT_TRUE(find(id)->outcome);
    EXPECT_TRUE(find(add(unique("nightly")))) << "its key is free";
}

TEST_P(StoreContract, ARepeatedSubmissionStoresNothingAndNamesTheFirstTasks) {
    store::Transaction first;
    first.submits = {task("a"), task("a"), task("b")};
    first.submissions = {{"key", "content", 1, 2, reopened_at}};
    const Ids all = {first.submits[0].id, first.submits[1].id, first.submits[2].id};
    EXPECT_TRUE(commit(std::move(first)).replays.empty());

    store::Transaction again;
    again.submits = {task("a"), task("b"), task("c")};
    again.submissions = {{"key", "content", 0, 2, reopened_at}};
    const auto refused = again.submits[0].id;
    const auto stored = again.submits[2].id;
    const auto committed = commit(std::move(again));

    ASSERT_EQ(committed.replays.size(), 1U);
    EXPECT_EQ(committed.replays[0].index, 0U);
    EXPECT_TRUE(committed.replays[0].same_content);
    ASSERT_EQ(committed.duplicates.size(), 2U);
    EXPECT_EQ(committed.duplicates[0].existing, all[1]);
    EXPECT_TRUE(committed.duplicates[0].identical);
    EXPECT_EQ(committed.duplicates[1].index, 1U);
    EXPECT_EQ(committed.duplicates[1].existing, all[2]);
    EXPECT_FALSE(find(refused));
    EXPECT_TRUE(find(stored)) << "it belongs to no submission";
}

TEST_P(StoreContract, AKeyThatIsUsedForOtherContentIsRefused) {
    store::Transaction both;
    both.submits = {task("a"), task("a")};
    both.submissions = {{"key", "content", 0, 1, reopened_at}, {"key", "other", 1, 1, reopened_at}};
    const auto refused = both.submits[1].id;
    const auto committed = commit(std::move(both));

    ASSERT_EQ(committed.replays.size(), 1U);
    EXPECT_EQ(committed.replays[0].index, 1U);
    EXPECT_FALSE(committed.replays[0].same_content);
    ASSERT_EQ(committed.duplicates.size(), 1U);
    EXPECT_EQ(committed.duplicates[0].index, 1U);
    EXPECT_FALSE(find(refused));
}

TEST_P(StoreContract, ARepeatedSubmissionGetsTheAnswersOfTheFirst) {
    const auto taken = add(named("a", "x", "1"));
    const auto submission = [&] {
        store::Transaction made;
        made.submits = {named("a", "x", "1"), named("a", "x", "2"), task("a")};
        made.submissions = {{"key", "content", 0, 3, reopened_at}};
        return made;
    };
    auto first = submission();
    const auto stored = first.submits[2].id;
    commit(std::move(first));

    const auto committed = commit(submission());

    ASSERT_EQ(committed.duplicates.size(), 3U);
    EXPECT_EQ(committed.duplicates[0].existing, taken);
    EXPECT_TRUE(committed.duplicates[0].identical);
    EXPECT_EQ(committed.duplicates[1].existing, taken);
    EXPECT_FALSE(committed.duplicates[1].identical) << "its id stands for other work, still";
    EXPECT_EQ(committed.duplicates[2].existing, stored);
    EXPECT_TRUE(committed.duplicates[2].identical);
}

TEST_P(StoreContract, ASubmissionIsRememberedForADay) {
    const auto submit_at = [&](base::WallTime when) {
        store::Transaction made;
        made.submits = {task("a")};
        made.submissions = {{"key", "content", 0, 1, when}};
        return commit(std::move(made)).replays.size();
    };
    const auto day = std::chrono::floor<std::chrono::milliseconds>(store::submission_life);
    EXPECT_EQ(submit_at(reopened_at), 0U);
    EXPECT_EQ(submit_at(reopened_at + day - 1ms), 1U);
    EXPECT_EQ(submit_at(reopened_at + day), 0U) << "a day is over: it is a new one";
    EXPECT_EQ(submit_at(reopened_at + day + 1ms), 1U);

    prune({}, reopened_at + day + 2ms);
    EXPECT_EQ(submit_at(reopened_at + day + 2ms), 1U) << "only the old one may be forgotten";
}

}  // namespace distributo::tests
