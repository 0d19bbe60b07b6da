// Results that are files of their own.
#include "base/digest.hpp"
#include "coordinator/store/sqlite/blobs.hpp"
#include "coordinator/store/sqlite/schema.hpp"
#include "tests/unit/store/sqlite_fixture.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>

namespace distributo::tests {
namespace {

namespace fs = std::filesystem;

class SqliteBlobTest : public SqliteStoreTest {
protected:
    static std::string large(char letter) {
        return '"' + std::string(store::longest_inline_result, letter) + '"';
    }
    [[nodiscard]] fs::path blob(const std::string& content) const {
        const auto name = base::sha256(content);
        return folder_.path() / "blobs" / name.substr(0, 2) / name;
    }
    [[nodiscard]] std::ptrdiff_t files() const {
        const fs::recursive_directory_iterator all(folder_.path() / "blobs");
        return std::ranges::count_if(all, [](const auto& one) { return one.is_regular_file(); });
    }
    /// A store with tasks that ended with these results: 1, 2, 3 …
    std::unique_ptr<store::Store> with(const std::vector<std::string>& results) {
        auto made = opened();
        for (core::TaskId id = 1; id <= results.size(); ++id) {
            EXPECT_TRUE(submit(*made, task(id)));
            EXPECT_TRUE(end(*made, completed(id, results[id - 1])));
        }
        return made;
    }
    void prune(store::Store& store, std::uint64_t most) {
        EXPECT_TRUE(await<bool>([&](auto done) {
            store.prune({.most_ended = most}, base::WallTime{}, std::move(done));
        }));
    }
    /// Starts again, and waits until what nobody refers to was found.
    std::unique_ptr<store::Store> started_again(std::unique_ptr<store::Store> old,
                                                const fs::path& superfluous) {
        old.reset();
        auto made = opened();
        while (fs::exists(superfluous))
            std::this_thread::yield();
        return made;
    }
};

TEST_F(SqliteBlobTest, ALargeResultIsAFileAndComesBack) {
    const auto store = with({large('a'), "1"});

    EXPECT_TRUE(fs::exists(blob(large('a'))));
    EXPECT_EQ(files(), 1) << "the small one is none";
    EXPECT_EQ(find(*store, 1)->outcome->result.view(), large('a'));
    EXPECT_EQ(find(*store, 2)->outcome->result.view(), "1");
    const auto page =
        *await<store::ResultsPage>([&](auto done) { store->results({}, std::move(done)); });
    EXPECT_EQ(page.tasks.at(0).outcome->result.view(), large('a'));
    EXPECT_LT(fs::file_size(file()), store::longest_inline_result * 4);
}

TEST_F(SqliteBlobTest, OneContentIsOneFileUntilTheLastHolderGoes) {
    auto store = with({large('a'), large('b'), large('a')});
    EXPECT_EQ(files(), 2);

    prune(*store, 1);
    store = started_again(std::move(store), blob(large('b')));

    EXPECT_EQ(find(*store, 3)->outcome->result.view(), large('a'));
    prune(*store, 0);
    store = started_again(std::move(store), blob(large('a')));
    EXPECT_EQ(files(), 0);
}

TEST_F(SqliteBlobTest, AResultThatIsWithdrawnGivesItsFileBack) {
    auto store = with({large('a'), large('b')});
    EXPECT_TRUE(await<store::TaskRecord>(
        [&](auto done) { store->reopen(1, base::WallTime{}, std::move(done)); }));

    store = started_again(std::move(store), blob(large('a')));

    EXPECT_TRUE(fs::exists(blob(large('b'))));
    EXPECT_TRUE(end(*store, completed(1, large('a'))));
    EXPECT_EQ(find(*store, 1)->outcome->result.view(), large('a'));
}

TEST_F(SqliteBlobTest, WhatACrashLeftIsRemovedAfterTheNextStart) {
    auto store = with({large('a')});
    store.reset();
    const auto orphan = blob(large('o'));
    const auto unfinished = fs::path(blob(large('u'))).concat(".new");
    for (const auto& left : {orphan, unfinished}) {
        fs::create_directories(left.parent_path());
        std::ofstream(left) << "x";
    }

    store = started_again(started_again(nullptr, orphan), unfinished);

    EXPECT_EQ(files(), 1);
    EXPECT_TRUE(find(*store, 1));
}

TEST_F(SqliteBlobTest, ADamagedFileIsNamedAndHarmsNothingElse) {
    const auto store = with({large('a'), large('b')});
    std::fstream(blob(large('a')), std::ios::in | std::ios::out).write("!", 1);

    const auto found = await<std::optional<store::TaskRecord>>(
        [&](auto done) { store->find(1, std::move(done)); });

    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, base::Errc::io);
    EXPECT_THAT(found.error().message, testing::HasSubstr(blob(large('a')).string()));
    EXPECT_TRUE(find(*store, 2));
    EXPECT_TRUE(await<store::TaskRecord>([&](auto done) {
        store->reopen(1, base::WallTime{}, std::move(done));
    })) << "it can be tried again";
    EXPECT_TRUE(submit(*store, task(3))) << "the store goes on";
}

TEST_F(SqliteBlobTest, AFileStaysWhileSomebodyMayStillReadIt) {
    store::Database database(file(), store::Database::Mode::write);
    ASSERT_TRUE(store::prepare_schema(database, file()));
    store::Blobs blobs(database, store::BlobFiles(folder_.path() / "blobs"));
    const auto now = std::chrono::steady_clock::now();
    const auto name = blobs.add(large('a'));
    blobs.clean(now, false);
    blobs.release(name);

    EXPECT_TRUE(blobs.clean(now, false));
    EXPECT_TRUE(fs::exists(blob(large('a'))));
    blobs.clean(now + 3s, false);
    EXPECT_FALSE(fs::exists(blob(large('a'))));

    // Nor may it go when it is wanted again in the meantime.
    blobs.release(blobs.add(large('b')));
    blobs.clean(now, false);
    (void)blobs.add(large('b'));
    blobs.clean(now, false);
    blobs.clean(now + 3s, false);
    EXPECT_TRUE(fs::exists(blob(large('b'))));
}

}  // namespace
}  // namespace distributo::tests
