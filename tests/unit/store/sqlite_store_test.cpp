#include "coordinator/store/sqlite/sqlite_store.hpp"

#include "coordinator/store/sqlite/database.hpp"
#include "coordinator/store/sqlite/packed_ids.hpp"
#include "tests/contract/store_contract.hpp"
#include "tests/support/temporary_directory.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <memory>
#include <string>
#include <unistd.h>

namespace distributo::tests {
namespace {

/// A store in a folder that goes with the test.
StoreMaker sqlite() {
    auto folder = std::make_shared<TemporaryDirectory>();
    return {"sqlite",
            [folder](StoreMaker::Post post) {
                folder->empty();
                return store::make_sqlite_store({.directory = folder->path()}, std::move(post));
            },
            [folder](StoreMaker::Post post, std::unique_ptr<store::Store> old) {
                old.reset();
                return store::make_sqlite_store({.directory = folder->path()}, std::move(post));
            }};
}

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreContract, testing::Values(sqlite()));

class SqliteStoreTest : public testing::Test {
protected:
    std::unique_ptr<store::Store> make() {
        return store::make_sqlite_store({.directory = folder_.path()}, [this](auto function) {
            queue_.post(std::move(function));
        });
    }
    [[nodiscard]] std::string file() const { return (folder_.path() / "store.db").string(); }
    base::Error refused() {
        const auto opened = make()->open();
        EXPECT_FALSE(opened);
        return opened ? base::Error{} : opened.error();
    }
    /// Commits one task and waits until that is durable.
    void add(store::Store& store, core::TaskId id, std::string payload = "1") {
        store::Transaction transaction;
        transaction.submits.resize(1);
        transaction.submits[0].id = id;
        transaction.submits[0].type = "a";
        transaction.submits[0].payload = base::Bytes::copy(payload);
        bool done = false;
        store.commit(std::move(transaction), [&](auto committed) { done = committed.has_value(); });
        queue_.run_one();
        EXPECT_TRUE(done);
    }

    PostQueue queue_;
    TemporaryDirectory folder_;
};

TEST_F(SqliteStoreTest, ASecondCoordinatorIsRefused) {
    const auto first = make();
    ASSERT_TRUE(first->open());

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

TEST_F(SqliteStoreTest, WhatIsQueuedWhenItGoesIsStored) {
    {
        const auto store = make();
        ASSERT_TRUE(store->open());
        for (core::TaskId id = 1; id <= 100; ++id) {
            store::Transaction transaction;
            transaction.submits.resize(1);
            transaction.submits[0].id = id;
            transaction.submits[0].type = "a";
            store->commit(std::move(transaction), [](auto) { FAIL() << "the store is gone"; });
        }
    }
    EXPECT_EQ(make()->open()->live.size(), 100U);
}

TEST_F(SqliteStoreTest, NothingIsAnsweredAfterTheStoreIsGone) {
    auto store = make();
    ASSERT_TRUE(store->open());
    bool called = false;
    store->commit({}, [&](auto) { called = true; });
    store->types([&](auto) { called = true; });

    store.reset();
    queue_.run_one();

    EXPECT_FALSE(called);
}

TEST_F(SqliteStoreTest, HealthTellsThatItLasts) {
    const auto store = make();
    ASSERT_TRUE(store->open());
    add(*store, 1, std::string(100'000, '1'));

    const auto health = store->health();

    EXPECT_TRUE(health.durable);
    EXPECT_FALSE(health.disk_full);
    EXPECT_GT(health.bytes, 100'000U);
    EXPECT_GT(health.free, 0U);
    EXPECT_EQ(health.queued, 0U);
    EXPECT_GT(health.commit.count(), 0);
}

TEST(PackedPairsTest, ComeBackAndTakeLittleRoom) {
    const std::vector<store::PairReader::Pair> all = {
        {1, 1}, {2, 2}, {3, 1}, {4, 1'000'000}, {9, 5}, {~std::uint64_t{0}, 1U << 31U}, {0, 0}};
    store::PairPacker packer;
    for (const auto& [first, second] : all)
        packer.add(first, second);

    store::PairReader reader(packer.bytes());
    for (const auto& pair : all)
        EXPECT_EQ(reader.next(), pair);
    EXPECT_FALSE(reader.next());

    store::PairPacker rising;
    for (std::uint64_t i = 0; i < 1000; ++i)
        rising.add(1'000'000 + i, 2'000'000 + i);
    EXPECT_LE(rising.bytes().size(), 2010U);
}

TEST(PackedPairsTest, BytesThatEndEarlyEndThePairs) {
    store::PairPacker packer;
    packer.add(300, 300);
    const auto& bytes = packer.bytes();

    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(store::PairReader(std::string_view(bytes).substr(0, size)).next());
    EXPECT_FALSE(store::PairReader(std::string(100, '\xff')).next());
}

}  // namespace
}  // namespace distributo::tests
