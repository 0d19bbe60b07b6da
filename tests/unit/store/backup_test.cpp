#include "coordinator/store/sqlite/backup.hpp"

#include "base/digest.hpp"
#include "coordinator/store/sqlite/blob_files.hpp"
#include "coordinator/store/sqlite/database.hpp"
#include "coordinator/store/sqlite/live_tasks.hpp"
#include "coordinator/store/sqlite/schema.hpp"
#include "coordinator/store/sqlite/sqlite_store.hpp"
#include "tests/support/post_queue.hpp"
#include "tests/support/temporary_directory.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

namespace distributo::tests {
namespace {

namespace fs = std::filesystem;
namespace core = coordinator::core;
namespace store = coordinator::store;

class BackupTest : public testing::Test {
protected:
    using Written = base::Result<std::uint64_t>;

    /// Opens the store of a folder, which stays open until another one is.
    store::Recovered open(const TemporaryDirectory& folder) {
        store_.reset();
        store_ =
            store::make_sqlite_store({.directory = folder.path(), .reserve = 0},
                                     [this](auto function) { queue_.post(std::move(function)); });
        auto opened = store_->open();
        EXPECT_TRUE(opened);
        return std::move(*opened);
    }
    /// Puts a backup in a folder's place for the store.
    void restore(const TemporaryDirectory& folder) const {
        folder.empty();
        fs::copy_file(file(), folder.path() / "store.db");
    }
    void commit(store::Transaction transaction) {
        bool done = false;
        store_->commit(std::move(transaction),
                       [&](auto committed) { done = committed.has_value(); });
        while (!done)
            queue_.run_one();
    }
    static core::NewTask task(core::TaskId id) {
        core::NewTask made;
        made.id = id;
        made.type = "a";
        made.payload = base::Bytes::copy(std::string(1000, 'x'));
        return made;
    }
    static core::Outcome completed(core::TaskId id) {
        core::Outcome made;
        made.id = id;
        made.result = base::Bytes::copy(std::to_string(id));
        return made;
    }
    /// Adds tasks with these ids, and ends every other one.
    void add(core::TaskId first, core::TaskId end) {
        store::Transaction transaction;
        for (auto id = first; id < end; ++id) {
            transaction.submits.push_back(task(id));
            if (id % 2 == 0)
                transaction.outcomes.push_back(completed(id));
        }
        commit(std::move(transaction));
    }
    /// Calls `meanwhile` until the backup is there.
    template <typename Meanwhile>
    Written back_up(Meanwhile meanwhile) {
        std::optional<Written> written;
        store_->backup(file(), [&](Written answer) { written = std::move(answer); });
        while (!written)
            meanwhile();
        return *written;
    }
    Written back_up() {
        return back_up([this] { queue_.run_one(); });
    }
    std::optional<store::TaskRecord> find(core::TaskId id) {
        std::optional<store::TaskRecord> found;
        bool answered = false;
        store_->find(id, [&](auto answer) {
            answered = true;
            found = std::move(*answer);
        });
        while (!answered)
            queue_.run_one();
        return found;
    }
    /// The sequence of the only result.
    std::uint64_t sequence() {
        std::uint64_t found = 0;
        store_->results({}, [&](auto page) { found = page->tasks.at(0).sequence; });
        while (found == 0)
            queue_.run_one();
        return found;
    }
    [[nodiscard]] std::string file() const { return (backups_.path() / "b.db").string(); }
    [[nodiscard]] std::vector<std::string> files() const {
        std::vector<std::string> found;
        for (const auto& entry : fs::directory_iterator(backups_.path()))
            found.push_back(entry.path().filename().string());
        return found;
    }

    PostQueue queue_;
    TemporaryDirectory folder_, other_, backups_;
    std::unique_ptr<store::Store> store_;
};

TEST_F(BackupTest, HasAllThatWasThereWhenItWasAskedForAlthoughMoreIsWritten) {
    constexpr core::TaskId before = 5000;
    open(folder_);
    add(1, before);
    auto next = before;

    const auto written = back_up([&] {
        add(next, next + 20);
        next += 20;
    });

    ASSERT_TRUE(written) << written.error().message;
    EXPECT_EQ(*written, fs::file_size(file()));
    EXPECT_EQ(files(), (std::vector<std::string>{"b.db"}));
    const store::Database copy(file(), store::Database::Mode::read);
    EXPECT_EQ(copy.number("SELECT count(*) FROM pragma_integrity_check WHERE "
                          "integrity_check = 'ok'"),
              1);
    restore(other_);
    const auto recovered = open(other_);
    EXPECT_GE(recovered.kept.total, before - 1);
    EXPECT_EQ(recovered.live.size(), recovered.kept.live());
    EXPECT_EQ(recovered.live[0].task.payload.view(), std::string(1000, 'x'));
    EXPECT_EQ(find(before - 2)->outcome->result.view(), std::to_string(before - 2));
    EXPECT_FALSE(find(before - 1)->outcome);
}

TEST_F(BackupTest, ResultsThatAreFilesAreInItAndBecomeFilesAgain) {
    const std::string large = '"' + std::string(store::longest_inline_result, 'x') + '"';
    open(folder_);
    add(1, 4);
    store::Transaction transaction;
    transaction.outcomes = {completed(1), completed(3)};
    transaction.outcomes[0].result = base::Bytes::copy(large);
    transaction.outcomes[1].result = base::Bytes::copy(large + ' ');
    commit(std::move(transaction));
    const store::BlobFiles blobs(folder_.path() / "blobs");
    blobs.remove(base::sha256(large + ' '));

    const auto written = back_up();

    ASSERT_TRUE(written) << "one that is lost is no reason to have none of the others";
    restore(other_);
    open(other_);
    EXPECT_EQ(find(1)->outcome->result.view(), large);
    EXPECT_TRUE(fs::exists(other_.path() / "blobs" / base::sha256(large).substr(0, 2)));
    store_.reset();
    EXPECT_EQ(store::Database((other_.path() / "store.db").string(), store::Database::Mode::read)
                  .number("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'packed%'"),
              0)
        << "they are not kept twice";
}

TEST_F(BackupTest, NeverReplacesAFile) {
    open(folder_);
    std::ofstream(file()) << "precious";

    const auto written = back_up();

    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, base::Errc::conflict);
    EXPECT_EQ(fs::file_size(file()), 8U);
    EXPECT_EQ(files().size(), 1U);
}

TEST_F(BackupTest, SaysWhenItCannotBeWrittenAndTheStoreGoesOn) {
    open(folder_);
    fs::remove(backups_.path());

    const auto written = back_up();

    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, base::Errc::io);
    EXPECT_THAT(written.error().message, testing::HasSubstr(file()));
    add(1, 3);
    fs::create_directory(backups_.path());
    EXPECT_TRUE(back_up());
}

TEST_F(BackupTest, LeavesNothingWhenTheStoreEndsFirst) {
    open(folder_);
    add(1, 20'000);
    store_->backup(file(), [](auto) {});

    store_.reset();

    EXPECT_THAT(files(), testing::IsEmpty());
}

TEST_F(BackupTest, WhatIsMadeOutOfItIsAnotherStore) {
    const auto old = open(folder_);
    add(1, 4);
    store::Transaction hosts;
    hosts.hosts = {{.host_id = "h", .name = "host", .present = true}};
    hosts.extensions = {{.number = 3, .name = "words"}};
    hosts.cursors = {{.extension = 3, .checkpoint = "line 7"}};
    commit(std::move(hosts));
    ASSERT_TRUE(back_up());
    const auto sequence_before = sequence();
    restore(other_);

    const auto restored = open(other_);

    EXPECT_NE(restored.coordinator_id, old.coordinator_id);
    EXPECT_NE(restored.lease_key, old.lease_key);
    for (const auto& host : restored.hosts)
        EXPECT_FALSE(host.present) << "nobody brings leases of another store back";
    ASSERT_EQ(restored.extensions.size(), 1U);
    EXPECT_EQ(restored.extensions[0].name, "words");
    ASSERT_EQ(restored.cursors.size(), 1U);
    EXPECT_EQ(restored.cursors[0].checkpoint, "line 7");
    EXPECT_EQ(sequence(), sequence_before) << "what it has stays as it is";

    const auto again = open(other_);
    EXPECT_EQ(again.coordinator_id, restored.coordinator_id) << "once is enough";
    EXPECT_EQ(again.term, restored.term + 1);
}

TEST_F(BackupTest, NothingIsGivenOutAgainThatItDoesNotKnowOf) {
    open(folder_);
    add(1, 4);
    ASSERT_TRUE(back_up());
    restore(other_);
    const auto at_once = open(other_);
    constexpr auto day = std::chrono::milliseconds(std::chrono::hours(24)).count();
    store::Database(file(), store::Database::Mode::write)
        .execute("UPDATE meta SET value = value - " + std::to_string(day) +
                 " WHERE key = 'backup'");
    restore(other_);

    const auto a_day_later = open(other_);

    EXPECT_GE(at_once.next_id, 1'000'000'000U);
    EXPECT_GE(at_once.live[0].task.attempts_before, 1000U);
    // Nor what was given out after it was restored for the first time.
    EXPECT_GE(a_day_later.next_id, at_once.next_id + day * 1000);
    EXPECT_GE(a_day_later.live[0].task.attempts_before, 1000U + 24 * 60);
    store::Transaction end;
    end.outcomes = {completed(1)};
    commit(std::move(end));
    EXPECT_GE(find(1)->sequence, 1'000'000'000U);
}

TEST_F(BackupTest, IsRefusedBesideTheLogOfAnotherStore) {
    open(folder_);
    ASSERT_TRUE(back_up());
    restore(other_);
    std::ofstream(other_.path() / "store.db-wal") << "what another store wrote";
    store_ = store::make_sqlite_store({.directory = other_.path(), .reserve = 0}, [](auto) {});

    const auto opened = store_->open();

    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().message, testing::HasSubstr("store.db-wal"));
    EXPECT_FALSE(opened.error().hint.empty());
}

TEST(BackupsTest, WhatChangesWhileItIsCopiedIsInTheCopy) {
    const TemporaryDirectory folder;
    const auto source = (folder.path() / "source.db").string();
    const auto target = (folder.path() / "target.db").string();
    const store::Database database(source, store::Database::Mode::write);
    ASSERT_TRUE(store::prepare_schema(database, source));
    database.execute(R"sql(
        WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
        INSERT INTO name SELECT i, 0, hex(randomblob(500)) FROM n)sql");
    PostQueue queue;
    store::Outbox outbox([&](auto function) { queue.post(std::move(function)); });
    std::optional<base::Result<std::uint64_t>> written;
    store::Backups backups(database, store::BlobFiles(folder.path() / "blobs"), outbox);
    backups.add(std::make_unique<store::BackupCall>(
        target, [&](base::Result<std::uint64_t> answer) { written = std::move(answer); }));

    backups.step();
    ASSERT_TRUE(backups.is_copying());
    database.execute("UPDATE name SET text = id WHERE id <= 10 OR id > 4990");
    while (backups.is_copying())
        backups.step();
    queue.run_one();

    ASSERT_TRUE(written && *written);
    const store::Database copy(target, store::Database::Mode::read);
    EXPECT_EQ(copy.number("SELECT count(*) FROM name WHERE text = id"), 20);
    EXPECT_EQ(copy.number("SELECT count(*) FROM name"), 5000);
}

TEST(LiveTasksTest, TheFloorJumpsOverIdsThatNobodyHas) {
    constexpr core::TaskId far = core::TaskId{1} << 60U;
    store::LiveTasks tasks;
    tasks.add(1, {.type = 1});
    tasks.add(far, {.type = 1});
    tasks.remove(1);

    EXPECT_EQ(tasks.floor(far + 1), far);
}

}  // namespace
}  // namespace distributo::tests
