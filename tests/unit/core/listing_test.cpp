#include "tests/unit/core/bed.hpp"

namespace distributo::coordinator::core {
namespace {

using Ids = std::vector<TaskId>;

class ListingTest : public testing::Test {
protected:
    Ids list(const ListQuery& query) { return bed.scheduler.list(query).ids; }

    Bed bed;
};

TEST_F(ListingTest, TheNewestComesFirst) {
    const auto ids = bed.add_many("echo", 3);

    EXPECT_EQ(list({}), (Ids{ids[2], ids[1], ids[0]}));
    EXPECT_EQ(list({.before = ids[2]}), (Ids{ids[1], ids[0]}));
    const auto page = bed.scheduler.list({.limit = 2});
    EXPECT_EQ(page.ids, (Ids{ids[2], ids[1]}));
    EXPECT_EQ(list({.before = page.next_before}), (Ids{ids[0]}));
    EXPECT_EQ(bed.scheduler.list({.limit = 3}).next_before, 0U) << "there is no more";
}

TEST_F(ListingTest, TasksOfOneGeneratorAreFound) {
    const auto first = bed.add_plain("echo", 7);
    bed.add_plain("echo", 8);
    bed.add("echo");
    const auto last = bed.add_plain("render", 7);

    EXPECT_EQ(list({.generator = 7}), (Ids{last, first}));
    EXPECT_EQ(list({.type = "echo", .generator = 7}), (Ids{first}));
    EXPECT_TRUE(list({.generator = 9}).empty());
    EXPECT_EQ(bed.scheduler.list({.generator = 9}).next_before, 0U);
}

TEST_F(ListingTest, GapsBetweenIdsCostNothing) {
    const auto first = bed.add("echo");
    bed.last_id += 1'000'000'000'000;
    const auto last = bed.add("echo");
    const auto page = bed.scheduler.list({});

    EXPECT_EQ(page.ids, (Ids{last, first}));
    EXPECT_EQ(page.next_before, 0U);
}

TEST_F(ListingTest, WhatHasEndedIsNotListed) {
    const auto ids = bed.add_many("echo", 200);
    for (const auto id : ids)
        if (id != ids[100]) {
            EXPECT_TRUE(bed.scheduler.cancel(id, bed.now));
        }
    bed.collect();
    bed.commit();

    EXPECT_EQ(list({}), (Ids{ids[100]}));
}

TEST_F(ListingTest, FiltersByWhatWasSubmitted) {
    TaskOptions red;
    red.group = "nightly";
    red.labels = {{"colour", "red"}, {"size", "big"}};
    const auto plain = bed.add_plain("echo");
    const auto grouped = bed.add("echo", red);
    const auto other = bed.add("render");

    EXPECT_EQ(list({.type = "echo"}), (Ids{grouped, plain}));
    EXPECT_EQ(list({.type = "render"}), (Ids{other}));
    EXPECT_EQ(list({.type = "unheard"}), (Ids{}));
    EXPECT_EQ(list({.group = "nightly"}), (Ids{grouped}));
    EXPECT_EQ(list({.group = "nightl"}), (Ids{}));
    EXPECT_EQ(list({.label = {"colour", "red"}}), (Ids{grouped}));
    EXPECT_EQ(list({.label = {"colour", "big"}}), (Ids{}));
}

TEST_F(ListingTest, FiltersByTheTimeOfSubmission) {
    const auto early = bed.add("echo");
    bed.pass(1s);
    const auto late = bed.add("echo");
    const auto second = bed.wall;

    EXPECT_EQ(list({.created_from = second}), (Ids{late}));
    EXPECT_EQ(list({.created_before = second}), (Ids{early}));
    EXPECT_EQ(list({.created_from = second - 1s, .created_before = second + 1ms}),
              (Ids{late, early}));
}

TEST_F(ListingTest, FiltersByStateAndHost) {
    bed.host("alpha", 1);
    const auto on_alpha = bed.add("echo");
    bed.dispatch();
    bed.host("beta", 1);
    const auto on_beta = bed.add("echo");
    bed.dispatch();
    const auto waiting = bed.add("echo");
    TaskOptions later;
    later.not_before = bed.wall + 1h;
    const auto scheduled = bed.add("echo", later);
    EXPECT_TRUE(bed.scheduler.cancel(on_beta, bed.now));

    EXPECT_EQ(list({.states = {TaskState::running}}), (Ids{on_alpha}));
    EXPECT_EQ(list({.states = {TaskState::running, TaskState::cancelling}}),
              (Ids{on_beta, on_alpha}));
    EXPECT_EQ(list({.states = {TaskState::pending}}), (Ids{waiting}));
    EXPECT_EQ(list({.states = {TaskState::scheduled, TaskState::running}}),
              (Ids{scheduled, on_alpha}));
    EXPECT_EQ(list({.states = {TaskState::completed}}), (Ids{}));
    EXPECT_EQ(list({.host = "alpha"}), (Ids{on_alpha}));
    EXPECT_EQ(list({.host = "gamma"}), (Ids{}));
    EXPECT_EQ(list({.states = {TaskState::pending}, .host = "alpha"}), (Ids{}));
}

TEST_F(ListingTest, RunningTasksComeInPagesToo) {
    bed.host("alpha", 3);
    const auto ids = bed.add_many("echo", 3);
    bed.dispatch();
    const auto page = bed.scheduler.list({.host = "alpha", .limit = 2});

    EXPECT_EQ(page.ids, (Ids{ids[2], ids[1]}));
    const auto rest = bed.scheduler.list({.host = "alpha", .before = page.next_before, .limit = 2});
    EXPECT_EQ(rest.ids, (Ids{ids[0]}));
    EXPECT_EQ(rest.next_before, 0U);
}

TEST_F(ListingTest, ALongSearchIsCutIntoPages) {
    const auto wanted = bed.add("rare");
    bed.add_many("echo", 10'000);
    ListQuery query{.type = "rare"};
    int calls = 0;
    LivePage page;
    do {
        page = bed.scheduler.list(query);
        query.before = page.next_before;
        ++calls;
    } while (page.ids.empty() && page.next_before != 0);

    EXPECT_EQ(page.ids, (Ids{wanted}));
    EXPECT_EQ(calls, 3);
}

TEST_F(ListingTest, ASearchForWhatIsNotThereEndsAtOnce) {
    TaskOptions options;
    options.group = "small";
    bed.add("render", options);
    bed.add_many("echo", 10'000);
    for (const ListQuery& query : {ListQuery{.states = {TaskState::held}},
                                   ListQuery{.group = "none"},
                                   ListQuery{.states = {TaskState::running}, .group = "small"},
                                   ListQuery{.states = {TaskState::retrying}, .type = "echo"}}) {
        const auto page = bed.scheduler.list(query);
        EXPECT_TRUE(page.ids.empty());
        EXPECT_EQ(page.next_before, 0U) << query.group << query.type;
    }
    EXPECT_NE(bed.scheduler.list({.group = "small"}).next_before, 0U) << "that one is further back";
}

TEST_F(ListingTest, RunningTasksAreFoundAmongManyThatWait) {
    bed.host("alpha", 1);
    const auto running = bed.add("echo");
    bed.dispatch();
    bed.add_many("echo", 10'000);
    const auto page = bed.scheduler.list({.states = {TaskState::running}});

    EXPECT_EQ(page.ids, (Ids{running}));
    EXPECT_EQ(page.next_before, 0U) << "only the hosts' tasks were looked at";
}

TEST_F(ListingTest, TooManyRunningOnesAreSearchedByTheirIds) {
    bed.host("alpha", 3000);
    bed.host("beta", 3000);
    const auto ids = bed.add_many("echo", 6000);
    EXPECT_EQ(bed.dispatch().size(), 6000U);
    ListQuery query{.states = {TaskState::running}, .limit = 10'000};
    const auto page = bed.scheduler.list(query);

    EXPECT_EQ(page.ids.size(), 4096U);
    EXPECT_EQ(page.ids.front(), ids.back());
    query.before = page.next_before;
    EXPECT_EQ(bed.scheduler.list(query).ids.back(), ids.front());
}

}  // namespace
}  // namespace distributo::coordinator::core
