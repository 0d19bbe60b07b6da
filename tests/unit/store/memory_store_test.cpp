#include "tests/contract/store_contract_fixture.hpp"

namespace distributo::tests {
namespace {

StoreMaker keeps_two() {
    return {"keeps_two",
            [](StoreMaker::Post post) { return store::make_memory_store(std::move(post), 2); },
            [](const StoreMaker::Post&, std::unique_ptr<store::Store> old) { return old; }};
}

class MemoryStoreTest : public StoreContract {};

TEST_P(MemoryStoreTest, ForgetsTheOldestOutcomesFirst) {
    const auto a = add(named("a", "x", "1"));
    const auto b = add(task("a"));
    const auto c = add(task("a"));
    const auto live = add(task("a"));
    end(completed(b));
    end(completed(a));
    end(completed(c));

    EXPECT_FALSE(find(b));
    EXPECT_TRUE(find(a) && find(c) && find(live));
    const auto page = results({});
    EXPECT_EQ(ids(page), (Ids{a, c}));
    EXPECT_EQ(page.oldest, 2U);
    EXPECT_EQ(ids(list({})), (Ids{c, a}));

    end(completed(live));
    EXPECT_FALSE(find(a));
    EXPECT_EQ(resolve("x"), 0U) << "its given id is free again";
}

TEST_P(MemoryStoreTest, ALiveTaskOutlastsThousandsOfForgottenOnes) {
    const auto first = add(named("keep", "first", "1"));
    for (int round = 0; round < 10; ++round) {
        store::Transaction transaction;
        for (int i = 0; i < 1000; ++i)
            transaction.submits.push_back(task("a"));
        for (const auto& made : transaction.submits)
            transaction.outcomes.push_back(completed(made.id));
        commit(std::move(transaction));
    }
    const auto last = add(task("a"));

    EXPECT_EQ(find(first)->task.type, "keep");
    EXPECT_TRUE(find(last));
    EXPECT_TRUE(find(last - 1));
    EXPECT_FALSE(find(last - 3));
    EXPECT_EQ(ids(list({})), (Ids{last - 1, last - 2}));
}

TEST_P(MemoryStoreTest, ALongSearchIsCutIntoPages) {
    const auto wanted = add_ended(task("rare"));
    store::Transaction transaction;
    for (int i = 0; i < 40'000; ++i)
        transaction.submits.push_back(task("common"));
    commit(std::move(transaction));

    store::ListQuery query{.type = "rare"};
    auto page = list(query);
    EXPECT_TRUE(page.tasks.empty());
    EXPECT_NE(page.next_before, 0U);
    while (page.tasks.empty() && page.next_before != 0) {
        query.before = page.next_before;
        page = list(query);
    }
    EXPECT_EQ(ids(page), (Ids{wanted}));
}

TEST_P(MemoryStoreTest, HasNothingToBackUp) {
    const auto written =
        await<std::uint64_t>([&](auto done) { store_->backup("backup.db", std::move(done)); });

    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, base::Errc::unavailable);
}

INSTANTIATE_TEST_SUITE_P(Memory, MemoryStoreTest, testing::Values(keeps_two()));

TEST(MemoryStoreTurnTest, ManyCallsInOneTurnPostOnce) {
    std::vector<std::function<void()>> posted;
    const auto made = store::make_memory_store(
        [&](std::function<void()> function) { posted.push_back(std::move(function)); });
    int answers = 0;
    for (int i = 0; i < 10; ++i)
        made->commit({}, [&](auto) { ++answers; });

    ASSERT_EQ(posted.size(), 1U);
    posted[0]();
    EXPECT_EQ(answers, 10);

    made->commit({}, [&](auto) { ++answers; });
    EXPECT_EQ(posted.size(), 2U);
}

TEST(MemoryStoreTurnTest, NothingIsCalledAfterTheStoreIsGone) {
    std::vector<std::function<void()>> posted;
    auto made = store::make_memory_store(
        [&](std::function<void()> function) { posted.push_back(std::move(function)); });
    bool called = false;
    made->commit({}, [&](auto) { called = true; });

    made.reset();
    posted[0]();

    EXPECT_FALSE(called);
}

}  // namespace
}  // namespace distributo::tests
