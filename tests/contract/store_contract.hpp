#pragma once

/// What every store must do. A store's own test includes this header once and instantiates
/// StoreContract with the way to make one:
///
///     INSTANTIATE_TEST_SUITE_P(Memory, StoreContract, testing::Values(StoreMaker{…}));
#include "tests/contract/store_contract_extensions.hpp"
#include "tests/contract/store_contract_fixture.hpp"
#include "tests/contract/store_contract_history.hpp"
#include "tests/contract/store_contract_recovery.hpp"
#include "tests/contract/store_contract_submits.hpp"

namespace distributo::tests {

TEST_P(StoreContract, OpeningTellsAnIdentityAndATerm) {
    PostQueue queue;
    const auto other = GetParam().make([&](std::function<void()> f) { queue.post(std::move(f)); });

    const auto opened = other->open();

    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->coordinator_id.size(), 32U);
    EXPECT_EQ(opened->coordinator_id.find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_GE(opened->term, 1U);
    EXPECT_GE(opened->next_id, 1U);
    EXPECT_TRUE(opened->live.empty());
}

TEST_P(StoreContract, ASubmittedTaskIsFoundAsItWas) {
    auto made = named("resize", "picture-1", R"({"width":640})");
    made.parent = 7;
    const auto id = add(made);

    const auto found = find(id);

    ASSERT_TRUE(found);
    EXPECT_EQ(found->task.id, id);
    EXPECT_EQ(found->task.type, "resize");
    EXPECT_EQ(found->task.payload.view(), R"({"width":640})");
    EXPECT_EQ(found->task.created, made.created);
    EXPECT_EQ(found->task.parent, 7U);
    ASSERT_TRUE(found->task.options);
    EXPECT_EQ(found->task.options->given_id, "picture-1");
    EXPECT_FALSE(found->outcome);
    EXPECT_EQ(found->sequence, 0U);
    EXPECT_TRUE(found->attempts.empty());
}

TEST_P(StoreContract, OptionsComeBackComplete) {
    auto made = task("build");
    core::TaskOptions options;
    options.given_id = "b";
    options.project = "p";
    options.group = "g";
    options.unique_key = "u";
    options.version_range = "^1.2";
    options.requires_confinement.isolation = 2;
    options.requires_confinement.layers.add(wire::Layer::seccomp);
    options.labels = {{"colour", "red"}};
    options.requires_labels = {{"gpu", "yes"}};
    options.install = base::Bytes::copy(R"({"v":1})");
    options.args = {"-j", "2"};
    options.env = {{"HOME", "/"}};
    options.not_before = base::WallTime(std::chrono::milliseconds(1));
    options.deadline = base::WallTime(std::chrono::milliseconds(2));
    options.timeout_ms = 3;
    options.priority = -4;
    options.max_attempts = 5;
    made.options = std::make_shared<core::TaskOptions>(options);
    const auto id = add(made);

    const auto found = find(id);

    ASSERT_TRUE(found && found->task.options);
    const auto& back = *found->task.options;
    EXPECT_EQ(back.given_id, "b");
    EXPECT_EQ(back.project, "p");
    EXPECT_EQ(back.group, "g");
    EXPECT_EQ(back.unique_key, "u");
    EXPECT_EQ(back.version_range, "^1.2");
    EXPECT_EQ(back.requires_confinement, options.requires_confinement);
    EXPECT_EQ(back.labels, options.labels);
    EXPECT_EQ(back.requires_labels, options.requires_labels);
    EXPECT_EQ(back.install.view(), R"({"v":1})");
    EXPECT_EQ(back.args, options.args);
    EXPECT_EQ(back.env, options.env);
    EXPECT_EQ(back.not_before, options.not_before);
    EXPECT_EQ(back.deadline, options.deadline);
    EXPECT_EQ(back.timeout_ms, 3);
    EXPECT_EQ(back.priority, -4);
    EXPECT_EQ(back.max_attempts, 5U);
}

TEST_P(StoreContract, AnUnknownTaskIsNotFound) {
    const auto id = add(task("a"));

    EXPECT_FALSE(find(id + 1));
    EXPECT_FALSE(find(0));
    EXPECT_EQ(resolve("nobody"), 0U);
}

TEST_P(StoreContract, GapsBetweenIdsDoNotMatter) {
    const auto first = add(task("a"));
    next_id_ += 1000;
    const auto second = add(task("b"));
    const auto third = add(task("c"));

    EXPECT_EQ(find(first)->task.type, "a");
    EXPECT_EQ(find(second)->task.type, "b");
    EXPECT_EQ(find(third)->task.type, "c");
    EXPECT_FALSE(find(second - 1));
}

TEST_P(StoreContract, AnOutcomeIsRecordedOnce) {
    const auto id = add(task("a"));

    end(completed(id, R"({"n":1})"));
    end(failed(id, 2));

    const auto found = find(id);
    ASSERT_TRUE(found && found->outcome);
    EXPECT_EQ(found->outcome->state, core::TaskState::completed);
    EXPECT_EQ(found->outcome->result.view(), R"({"n":1})");
    EXPECT_EQ(found->outcome->attempt.number, 1U);
    EXPECT_EQ(found->outcome->attempt.host, "worker-7");
    EXPECT_EQ(found->outcome->attempt.times.execute_us, 5'000'000'000U);
    ASSERT_EQ(found->attempts.size(), 1U);
    EXPECT_EQ(results({}).newest, found->sequence);
}

TEST_P(StoreContract, ListsNewestFirstPageByPage) {
    Ids all;
    for (int i = 0; i < 5; ++i)
        all.push_back(add_ended(task("a")));

    store::ListQuery query;
    query.limit = 2;
    const auto first = list(query);
    query.before = first.next_before;
    const auto second = list(query);
    query.before = second.next_before;
    const auto third = list(query);

    EXPECT_EQ(ids(first), (Ids{all[4], all[3]}));
    EXPECT_EQ(ids(second), (Ids{all[2], all[1]}));
    EXPECT_EQ(ids(third), (Ids{all[0]}));
    EXPECT_EQ(third.next_before, 0U);
}

TEST_P(StoreContract, AnExactlyFullLastPageSaysThatItIsTheLast) {
    const auto first = add_ended(task("a"));
    const auto second = add_ended(task("a"));

    store::ListQuery query;
    query.limit = 2;
    const auto page = list(query);

    EXPECT_EQ(ids(page), (Ids{second, first}));
    EXPECT_EQ(page.next_before, 0U);
}

TEST_P(StoreContract, ListsWhatTheFiltersAskFor) {
    add(task("a"));
    const auto done = add(task("a"));
    const auto bad = add(task("b"));
    const auto in_group = add(grouped("a", "nightly"));
    end(completed(done));
    end(failed(bad, 1));
    end(completed(in_group));
    const auto only = [&](store::ListQuery query) { return ids(list(query)); };

    EXPECT_EQ(only({}), (Ids{in_group, bad, done})) << "not the live one";
    EXPECT_EQ(only({.states = {core::TaskState::completed}}), (Ids{in_group, done}));
    EXPECT_EQ(only({.states = {core::TaskState::running}}), (Ids{}));
    EXPECT_EQ(only({.states = {core::TaskState::failed, core::TaskState::pending}}), (Ids{bad}));
    EXPECT_EQ(only({.type = "b"}), (Ids{bad}));
    EXPECT_EQ(only({.group = "nightly"}), (Ids{in_group}));
    EXPECT_EQ(only({.host = "worker-7"}), (Ids{in_group, bad, done}));
    EXPECT_EQ(only({.host = "worker-8"}), (Ids{}));
}

TEST_P(StoreContract, ListsByLabelAndTime) {
    core::TaskOptions red;
    red.labels = {{"colour", "red"}, {"size", "big"}};
    const auto first = add_ended(with(red));
    auto made = task("a");
    made.created += 1s;
    const auto created = made.created;
    const auto second = add_ended(std::move(made));
    const auto only = [&](store::ListQuery query) { return ids(list(query)); };

    EXPECT_EQ(only({.label = {"colour", "red"}}), (Ids{first}));
    EXPECT_EQ(only({.label = {"colour", "big"}}), (Ids{}));
    EXPECT_EQ(only({.created_from = created}), (Ids{second}));
    EXPECT_EQ(only({.created_before = created}), (Ids{first}));
    EXPECT_EQ(only({.created_from = created - 1s, .created_before = created + 1ms}),
              (Ids{second, first}));
}

TEST_P(StoreContract, CountsByGroupAndByType) {
    const auto a = add(grouped("resize", "nightly"));
    const auto b = add(grouped("resize", "nightly"));
    const auto c = add(grouped("build", "weekly"));
    add(task("build"));
    end(completed(a));
    end(failed(c, 1));
    const auto groups = [&](core::TaskId before, std::size_t limit) {
        return *await<std::vector<store::NamedTally>>(
            [&](auto done) { store_->groups(before, limit, std::move(done)); });
    };
    const auto group = [&](const std::string& name) {
        return *await<std::optional<store::NamedTally>>(
            [&](auto done) { store_->group(name, std::move(done)); });
    };

    ASSERT_TRUE(group("nightly"));
    EXPECT_EQ(group("nightly")->tally.total, 2U);
    EXPECT_EQ(group("nightly")->tally.completed, 1U);
    EXPECT_EQ(group("nightly")->tally.live(), 1U);
    EXPECT_EQ(group("nightly")->newest, b);
    EXPECT_FALSE(group("daily"));
    const auto all = groups(~core::TaskId{0}, 10);
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].name, "weekly") << "the newest task is first";
    EXPECT_EQ(all[0].tally.failed, 1U);
    EXPECT_EQ(all[1].name, "nightly");
    EXPECT_EQ(groups(~core::TaskId{0}, 1).size(), 1U);
    ASSERT_EQ(groups(c, 10).size(), 1U);
    EXPECT_EQ(groups(c, 10)[0].name, "nightly");
    const auto types =
        *await<std::vector<store::NamedTally>>([&](auto done) { store_->types(std::move(done)); });
    ASSERT_EQ(types.size(), 2U);
    EXPECT_EQ(types[0].name, "build");
    EXPECT_EQ(types[0].tally.total, 2U);
    EXPECT_EQ(types[1].name, "resize");
    EXPECT_EQ(types[1].tally.completed, 1U);
}

TEST_P(StoreContract, WhatEndedIsForgottenByAge) {
    const auto live = add(task("a"));
    const auto done = add(named("a", "x", "1"));
    const auto bad = add(task("a"));
    const auto young = add(task("a"));
    end(failed(bad, 1));
    end(completed(done));
    auto later = completed(young);
    later.attempt.finished += 1h;
    end(later);
    const auto ended = completed(done).attempt.finished;
    const store::Retention retention{.completed = 2h, .unsuccessful = 3h};

    prune(retention, ended + 2h - 1ms);
    EXPECT_EQ(ids(list({})), (Ids{young, bad, done})) << "nothing is old enough";

    prune(retention, ended + 2h);
    EXPECT_EQ(ids(list({})), (Ids{young, bad})) << "the completed one is";
    EXPECT_EQ(resolve("x"), 0U) << "its given id is free again";
    EXPECT_EQ(ids(results({})), (Ids{bad, young}));

    prune(retention, ended + 3h);
    EXPECT_TRUE(list({}).tasks.empty());
    EXPECT_TRUE(find(live));
}

TEST_P(StoreContract, WhatEndedIsForgottenByNumberTheOldestFirst) {
    Ids all;
    for (int i = 0; i < 4; ++i)
        all.push_back(add(task("a")));
    for (const auto id : {all[2], all[0], all[1]})
        end(completed(id));

    prune({.most_ended = 2}, reopened_at);

    EXPECT_EQ(ids(list({})), (Ids{all[1], all[0]}));
    EXPECT_TRUE(find(all[3]));
}

TEST_P(StoreContract, ResultsComeInOrderOfRecording) {
    const auto a = add(task("a"));
    const auto b = add(task("b"));
    const auto c = add(grouped("a", "nightly"));
    end(completed(c));
    end(completed(a));
    end(completed(b));

    const auto all = results({});
    EXPECT_EQ(ids(all), (Ids{c, a, b}));
    EXPECT_EQ(all.tasks[1].sequence, all.tasks[0].sequence + 1);
    EXPECT_EQ(all.next_after, all.tasks[2].sequence);
    EXPECT_EQ(all.newest, all.tasks[2].sequence);
    EXPECT_EQ(all.oldest, all.tasks[0].sequence);

    EXPECT_EQ(ids(results({.after = all.tasks[0].sequence})), (Ids{a, b}));
    EXPECT_EQ(ids(results({.type = "b"})), (Ids{b}));
    EXPECT_EQ(ids(results({.group = "nightly"})), (Ids{c}));
    EXPECT_EQ(ids(results({.from_id = b})), (Ids{c, b}));
    EXPECT_EQ(ids(results({.to_id = a})), (Ids{a}));

    const auto page = results({.limit = 1});
    EXPECT_EQ(ids(page), (Ids{c}));
    EXPECT_EQ(page.next_after, all.tasks[0].sequence);
}

TEST_P(StoreContract, TheCursorMovesPastResultsThatDoNotMatch) {
    const auto a = add(task("a"));
    end(completed(a));

    const auto page = results({.type = "other"});

    EXPECT_TRUE(page.tasks.empty());
    EXPECT_EQ(page.next_after, page.newest);
    EXPECT_EQ(results({.after = page.newest}).next_after, page.newest);
}

TEST_P(StoreContract, TheCursorMovesPastResultsThatWereWithdrawn) {
    const auto a = add(task("a"));
    end(completed(a));
    EXPECT_TRUE(reopen(a));

    const auto page = results({});

    EXPECT_TRUE(page.tasks.empty());
    EXPECT_EQ(page.next_after, page.newest) << "who goes on from it would ask for ever";
}

TEST_P(StoreContract, CallbacksComeInTheOrderOfTheCalls) {
    auto made = task("a");
    const auto id = made.id;
    store::Transaction first;
    first.submits.push_back(std::move(made));
    store::Transaction second;
    second.outcomes.push_back(completed(id));
    std::string order;
    bool ended = false;

    store_->commit(std::move(first), [&](auto) { order += "submit "; });
    store_->commit(std::move(second), [&](auto) { order += "outcome "; });
    store_->find(id, [&](base::Result<std::optional<store::TaskRecord>> found) {
        order += "find";
        ended = found->has_value() && (*found)->outcome.has_value();
    });
    while (order.size() < std::string("submit outcome find").size())
        queue_.run_one();

    EXPECT_EQ(order, "submit outcome find");
    EXPECT_TRUE(ended) << "find saw the state before the commits";
}

}  // namespace distributo::tests
