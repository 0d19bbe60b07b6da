// What the SQLite store does when its disk is full, and when it fails.
#include "tests/unit/store/faulty_disk.hpp"
#include "tests/unit/store/sqlite_fixture.hpp"

#include <gmock/gmock.h>

namespace distributo::tests {
namespace {

constexpr std::uint64_t reserve_size = 1024 * 1024;
constexpr std::uint64_t plenty = 100 * reserve_size;

class SqliteDiskTest : public SqliteStoreTest {
protected:
    store::SqliteOptions options() override {
        return {.directory = folder_.path(),
                .reserve = reserve_size,
                .free = [this](const auto&) { return disk_.free(); },
                .vfs = FaultyDisk::vfs_name()};
    }
    [[nodiscard]] bool has_reserve() const {
        return std::filesystem::exists(folder_.path() / "reserve");
    }
    /// No byte more may be written than there is, but what is there may be reused.
    void fill_disk() { disk_.set_size(disk_.used()); }

    /// More than the log has room for without growing.
    const std::string large_ = '"' + std::string(256 * 1024, 'x') + '"';
    FaultyDisk disk_{folder_.path()};
};

TEST_F(SqliteDiskTest, AFullDiskRefusesSubmitsAndNothingElse) {
    disk_.set_size(plenty);
    const auto store = opened();
    ASSERT_TRUE(has_reserve());
    submit(*store, task(1));
    fill_disk();

    store::Transaction mixed;
    mixed.submits = {task(2, large_), task(3), task(4)};
    mixed.submits[2].parent = 1;
    mixed.submissions = {{"key", "content", 0, 1, {}}};
    mixed.outcomes = {completed(1, large_)};
    const auto committed = commit(*store, std::move(mixed));

    ASSERT_TRUE(committed);
    EXPECT_TRUE(committed->submits_refused);
    EXPECT_TRUE(committed->duplicates.empty());
    EXPECT_FALSE(find(*store, 2));
    EXPECT_FALSE(find(*store, 3));
    EXPECT_TRUE(find(*store, 4)) << "a follow-up is part of an outcome";
    EXPECT_EQ(find(*store, 1)->outcome->result.view(), large_);
    EXPECT_FALSE(has_reserve());
    EXPECT_TRUE(store->health().disk_full);

    store::Transaction small;
    small.submits = {task(5)};
    EXPECT_TRUE(commit(*store, std::move(small))->submits_refused) << "until there is room";
    store::Transaction outcome;
    outcome.outcomes = {completed(4)};
    outcome.cursors.emplace_back().extension = 7;
    outcome.extensions.emplace_back().number = 7;
    EXPECT_FALSE(commit(*store, std::move(outcome))->submits_refused);
}

TEST_F(SqliteDiskTest, AFullDiskRefusesACursorWithTheTasksThatItBelongsTo) {
    disk_.set_size(plenty);
    auto store = opened();
    const auto feed = [](core::TaskId id, std::string checkpoint, std::string_view payload) {
        store::Transaction made;
        made.submits = {task(id, payload)};
        made.cursors.emplace_back().extension = 7;
        made.cursors.back().checkpoint = std::move(checkpoint);
        made.cursors.back().feeds = true;
        return made;
    };
    ASSERT_FALSE(commit(*store, feed(1, "one", "1"))->submits_refused);
    fill_disk();
    EXPECT_TRUE(commit(*store, feed(2, "two", large_))->submits_refused);
    auto cursor_only = feed(3, "three", "1");
    cursor_only.submits.clear();
    EXPECT_TRUE(commit(*store, std::move(cursor_only))->submits_refused);

    disk_.set_size(plenty);
    store.reset();
    store = make();
    const auto recovered = store->open();
    ASSERT_EQ(recovered->cursors.size(), 1U);
    EXPECT_EQ(recovered->cursors[0].checkpoint, "one");
    EXPECT_EQ(recovered->live.size(), 1U);
}

TEST_F(SqliteDiskTest, ItGoesOnByItselfWhenThereIsRoom) {
    disk_.set_size(plenty);
    const auto store = opened();
    fill_disk();
    EXPECT_TRUE(submit(*store, task(1, large_))->submits_refused);

    disk_.set_size(plenty);
    while (store->health().disk_full)
        submit(*store, task(2));

    EXPECT_TRUE(has_reserve());
    EXPECT_FALSE(submit(*store, task(3, large_))->submits_refused);
    EXPECT_TRUE(find(*store, 3));
    EXPECT_FALSE(find(*store, 1));
}

TEST_F(SqliteDiskTest, WhatWasTakenBackLeavesNoTrace) {
    disk_.set_size(plenty);
    const auto store = opened();
    submit(*store, task(1));
    fill_disk();
    auto odd = task(2, large_);
    odd.type = "odd";
    core::TaskOptions wanted;
    wanted.given_id = "mine";
    wanted.unique_key = "nightly";
    wanted.group = "group";
    odd.options = std::make_shared<core::TaskOptions>(wanted);
    ASSERT_TRUE(submit(*store, odd)->submits_refused);
    disk_.set_size(plenty);
    while (store->health().disk_full)
        submit(*store, task(3));

    const auto again = submit(*store, odd);

    EXPECT_TRUE(again->duplicates.empty());
    EXPECT_TRUE(end(*store, completed(2)));
    EXPECT_EQ(find(*store, 2)->sequence, 1U);
    const auto types =
        *await<std::vector<store::NamedTally>>([&](auto done) { store->types(std::move(done)); });
    ASSERT_EQ(types.size(), 2U);
    EXPECT_EQ(types[1].name, "odd");
    EXPECT_EQ(types[1].tally.total, 1U);
}

TEST_F(SqliteDiskTest, WhatWasWrittenAtTheSecondTryCountsOnce) {
    disk_.set_size(plenty);
    const auto store = opened();
    submit(*store, task(1));
    fill_disk();
    ASSERT_TRUE(end(*store, completed(1, '"' + std::string(60'000, 'x') + '"')));
    ASSERT_TRUE(store->health().disk_full);

    EXPECT_FALSE(*await<bool>(
        [&](auto done) { store->prune({.most_ended = 1}, base::WallTime{}, std::move(done)); }));

    EXPECT_TRUE(find(*store, 1));
}

TEST_F(SqliteDiskTest, ATaskThatWasReopenedOnAFullDiskIsFoundAgain) {
    disk_.set_size(plenty);
    auto store = opened();
    submit(*store, task(1));
    submit(*store, task(1000));
    auto outcome = completed(1);
    outcome.attempt.message = large_;  // kept with the task then, which needs room
    end(*store, std::move(outcome));
    store.reset();  // knows now that nothing below the other one lives
    store = opened();
    fill_disk();

    EXPECT_TRUE(await<store::TaskRecord>(
        [&](auto done) { store->reopen(1, base::WallTime{}, std::move(done)); }));

    EXPECT_TRUE(store->health().disk_full);
    const TemporaryDirectory killed;  // what is there if the process ends now
    for (const auto* name : {"store.db", "store.db-wal"})
        std::filesystem::copy_file(folder_.path() / name, killed.path() / name);
    const auto again =
        store::make_sqlite_store({.directory = killed.path(), .reserve = 0}, [](auto) {});
    EXPECT_EQ(again->open()->live.size(), 2U);
}

TEST_F(SqliteDiskTest, WithoutAnyRoomItWaitsAndThenGoesOn) {
    disk_.set_size(plenty);
    auto store = opened();
    submit(*store, task(1));
    disk_.set_size(0);
    store::Transaction transaction;
    transaction.outcomes = {completed(1, large_)};
    bool ended = false;
    store->commit(std::move(transaction), [&](auto committed) { ended = committed.has_value(); });
    while (has_reserve())
        std::this_thread::yield();
    EXPECT_EQ(store->health().queued, 1U);

    disk_.set_size(plenty);
    queue_.run_one();

    EXPECT_TRUE(ended);
    store.reset();
    EXPECT_TRUE(find(*opened(), 1)->outcome);
}

TEST_F(SqliteDiskTest, ItEndsAlsoWithoutRoom) {
    disk_.set_size(plenty);
    auto store = opened();
    submit(*store, task(1));
    disk_.set_size(0);
    store::Transaction transaction;
    transaction.outcomes = {completed(1, large_)};
    store->commit(std::move(transaction), [](auto) {});
    while (has_reserve())
        std::this_thread::yield();

    store.reset();

    disk_.set_size(plenty);
    EXPECT_FALSE(find(*opened(), 1)->outcome) << "it was not acknowledged";
}

TEST_F(SqliteDiskTest, AStartUsesTheReserveToo) {
    disk_.set_size(plenty);
    {
        const auto store = opened();
        submit(*store, task(1));
    }
    fill_disk();

    const auto store = opened();

    EXPECT_TRUE(store->health().disk_full);
    EXPECT_TRUE(submit(*store, task(2))->submits_refused);
    EXPECT_TRUE(end(*store, completed(1)));
}

TEST_F(SqliteDiskTest, WithoutRoomForAReserveItIsFullFromTheStart) {
    disk_.set_size(reserve_size);
    const auto store = opened();

    EXPECT_TRUE(store->health().disk_full);
    EXPECT_TRUE(submit(*store, task(1))->submits_refused);
}

TEST_F(SqliteDiskTest, ASyncThatFailedEndsEverything) {
    disk_.set_size(plenty);
    auto store = opened();
    submit(*store, task(1));
    disk_.fail_syncs();
    const int before = disk_.syncs;

    const auto failed = submit(*store, task(2));
    disk_.fail_syncs(false);
    const auto after = submit(*store, task(3));
    const auto outcome = end(*store, completed(1));

    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, base::Errc::io);
    EXPECT_THAT(failed.error().message, testing::HasSubstr(file()));
    EXPECT_FALSE(failed.error().hint.empty());
    EXPECT_FALSE(after) << "although the disk is well again";
    EXPECT_FALSE(outcome);
    store.reset();
    EXPECT_EQ(disk_.syncs, before + 1) << "it was not tried again";
    EXPECT_TRUE(find(*opened(), 1));
}

}  // namespace
}  // namespace distributo::tests
