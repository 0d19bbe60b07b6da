#include "coordinator/store/sqlite/database.hpp"
#include "tests/unit/store/sqlite_fixture.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <unistd.h>

namespace distributo::tests {
namespace {

TEST_F(SqliteStoreTest, ASecondCoordinatorIsRefused) {
    const auto first = opened();

    const auto error = refused();

    EXPECT_EQ(error.code, base::Errc::conflict);
    EXPECT_THAT(error.message, testing::HasSubstr(folder_.path().string()));
    EXPECT_THAT(error.message, testing::HasSubstr(std::to_string(::getpid())));
}

TEST_F(SqliteStoreTest, AFileOfANewerVersionIsRefusedUntouched) {
    ASSERT_TRUE(make()->open());
    store::Database(file(), store::Database::Mode::write).execute("PRAGMA user_version = 99");

    const auto error = refused();

    EXPECT_EQ(error.code, base::Errc::unavailable);
    EXPECT_THAT(error.message, testing::HasSubstr(file()));
    EXPECT_FALSE(error.hint.empty());
    EXPECT_EQ(store::Database(file(), store::Database::Mode::read).number("PRAGMA user_version"),
              99);
}

TEST_F(SqliteStoreTest, AFileOfAnOlderVersionIsTakenOver) {
    ASSERT_TRUE(submit(*opened(), task(1)));
    store::Database(file(), store::Database::Mode::write)
        .execute(
            "DROP TABLE extension; DROP TABLE cursor; ALTER TABLE task DROP COLUMN generator;"
            "PRAGMA user_version = 1");
    const auto store = make();
    const auto recovered = store->open();

    ASSERT_TRUE(recovered) << recovered.error().message;
    ASSERT_EQ(recovered->live.size(), 1U);
    EXPECT_EQ(recovered->live[0].task.generator, 0U);
    EXPECT_TRUE(recovered->extensions.empty());
    EXPECT_TRUE(recovered->cursors.empty());
    store::Transaction fed;
    fed.submits.push_back(task(2));
    fed.submits.back().generator = 3;
    fed.cursors.emplace_back().extension = 3;
    ASSERT_TRUE(commit(*store, std::move(fed)));
    EXPECT_EQ(find(*store, 2)->task.generator, 3U);
    EXPECT_EQ(find(*store, 1)->task.generator, 0U);
}

TEST_F(SqliteStoreTest, SomebodyElsesDatabaseIsRefused) {
    store::Database(file(), store::Database::Mode::write).execute("CREATE TABLE theirs(x)");

    EXPECT_EQ(refused().code, base::Errc::io);
}

TEST_F(SqliteStoreTest, ADamagedFileStopsTheStartAndIsNamed) {
    std::ofstream(file()) << std::string(8192, 'x');

    const auto error = refused();

    EXPECT_EQ(error.code, base::Errc::io);
    EXPECT_THAT(error.message, testing::HasSubstr(file() + " is damaged"));
    EXPECT_FALSE(error.hint.empty());
}

TEST_F(SqliteStoreTest, DamageThatIsMetLaterEndsEverything) {
    constexpr core::TaskId count = 2000;
    auto store = opened();
    store::Transaction transaction;
    for (core::TaskId id = 1; id <= count; ++id) {
        transaction.submits.push_back(task(id, std::string(1000, '1')));
        transaction.outcomes.push_back(completed(id));
    }
    ASSERT_TRUE(commit(*store, std::move(transaction)));
    store.reset();
    const auto size = std::filesystem::file_size(file());
    std::fstream damaged(file(), std::ios::binary | std::ios::in | std::ios::out);
    damaged.seekp(static_cast<std::streamoff>(size / 2));
    damaged << std::string(size / 4, '\xff') << std::flush;
    store = opened();

    base::Result<std::optional<store::TaskRecord>> found = std::nullopt;
    for (core::TaskId id = 1; found && id <= count; ++id)
        found = await<std::optional<store::TaskRecord>>(
            [&](auto done) { store->find(id, std::move(done)); });

    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, base::Errc::io);
    const auto refused = submit(*store, task(count + 1));
    ASSERT_FALSE(refused) << "nothing may be added to a damaged file";
    EXPECT_THAT(refused.error().message, testing::HasSubstr(file()));
    EXPECT_FALSE(refused.error().hint.empty());
}

TEST_F(SqliteStoreTest, AQuestionThatTakesTooLongIsEnded) {
    const store::Database database(file(), store::Database::Mode::write);
    int looks = 0;
    database.watch([](void* counter) { return ++*static_cast<int*>(counter) == 3 ? 1 : 0; },
                   &looks);

    try {
        (void)database.number(
            "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "
            "SELECT sum(x) FROM n");
        FAIL() << "it has no end";
    } catch (const store::DatabaseError& error) {
        EXPECT_TRUE(error.is_timeout());
        EXPECT_FALSE(error.is_damage());
    }
    EXPECT_EQ(looks, 3);
}

TEST_F(SqliteStoreTest, WhatIsQueuedWhenItGoesIsStored) {
    {
        const auto store = opened();
        for (core::TaskId id = 1; id <= 100; ++id) {
            store::Transaction transaction;
            transaction.submits.push_back(task(id));
            store->commit(std::move(transaction), [](auto) { FAIL() << "the store is gone"; });
        }
    }
    EXPECT_EQ(make()->open()->live.size(), 100U);
}

TEST_F(SqliteStoreTest, NothingIsAnsweredAfterTheStoreIsGone) {
    auto store = opened();
    bool called = false;
    store->commit({}, [&](auto) { called = true; });
    store->types([&](auto) { called = true; });

    store.reset();
    queue_.run_one();

    EXPECT_FALSE(called);
}

TEST_F(SqliteStoreTest, HealthTellsThatItLasts) {
    const auto store = opened();
    submit(*store, task(1, std::string(100'000, '1')));

    const auto health = store->health();

    EXPECT_TRUE(health.durable);
    EXPECT_FALSE(health.disk_full);
    EXPECT_GT(health.bytes, 100'000U);
    EXPECT_GT(health.free, 0U);
    EXPECT_EQ(health.queued, 0U);
    EXPECT_GT(health.commit.count(), 0);
}

}  // namespace
}  // namespace distributo::tests
