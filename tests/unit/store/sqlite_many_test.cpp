// Tasks over many blocks of ids: lists that look only where they must, and what is left when tasks
// are forgotten.
#include "coordinator/store/sqlite/block_marks.hpp"
#include "coordinator/store/sqlite/database.hpp"
#include "tests/unit/store/sqlite_fixture.hpp"

#include <algorithm>

namespace distributo::tests {
namespace {

constexpr core::TaskId blocks = 8;
constexpr core::TaskId last_id = blocks * store::block_size - 100;

class SqliteManyTest : public SqliteStoreTest {
protected:
    SqliteManyTest() { store_ = opened(); }

    static bool is_rare(core::TaskId id) { return id % 3000 == 7; }
    static bool is_failed(core::TaskId id) { return id % 500 == 11; }
    static base::WallTime created(core::TaskId id) {
        return base::WallTime(std::chrono::seconds(id));
    }

    /// Rare tasks have a type, a group, a label and an id of their own; some fail; all end, apart
    /// from the first one.
    void fill() {
        store::Transaction transaction;
        for (core::TaskId id = 1; id <= last_id; ++id) {
            auto made = task(id);
            made.created = created(id);
            if (is_rare(id)) {
                core::TaskOptions options;
                options.given_id = "given" + std::to_string(id);
                options.group = "group";
                options.labels = {{"colour", "red" + std::to_string(id)}};
                made.options = std::make_shared<core::TaskOptions>(options);
                made.type = "rare";
                transaction.attempts.push_back({id, {}});
                transaction.controls.push_back({id, core::Control::Kind::hold, {}, {}, 0});
            }
            transaction.submits.push_back(std::move(made));
        }
        std::swap(late_.attempts, transaction.attempts);
        std::swap(late_.controls, transaction.controls);
        ASSERT_TRUE(commit(*store_, std::move(transaction)));
        ASSERT_TRUE(commit(*store_, std::move(late_)));
        store::Transaction ends;
        for (core::TaskId id = last_id; id > 1; --id) {
            auto outcome = completed(id);
            outcome.attempt.number = 2;
            outcome.attempt.finished = base::WallTime(std::chrono::hours(1));
            outcome.attempt.host = is_rare(id) ? "rare-host" : "host";
            if (is_failed(id))
                outcome.state = core::TaskState::failed;
            ends.outcomes.push_back(std::move(outcome));
        }
        ASSERT_TRUE(commit(*store_, std::move(ends)));
    }
    /// Ids of all pages.
    std::vector<core::TaskId> list(store::ListQuery query) {
        std::vector<core::TaskId> found;
        query.limit = 7;
        do {
            const auto page =
                *await<store::ListPage>([&](auto done) { store_->list(query, std::move(done)); });
            for (const auto& record : page.tasks)
                found.push_back(record.task.id);
            query.before = page.next_before;
        } while (query.before != 0);
        return found;
    }
    template <typename Wanted>
    static std::vector<core::TaskId> ended(Wanted wanted) {
        std::vector<core::TaskId> found;
        for (core::TaskId id = last_id; id > 1; --id)
            if (wanted(id))
                found.push_back(id);
        return found;
    }
    bool prune(const store::Retention& retention) {
        return *await<bool>([&](auto done) {
            store_->prune(retention, base::WallTime(std::chrono::hours(100)), std::move(done));
        });
    }
    std::int64_t number(const std::string& sql) {
        return store::Database(file(), store::Database::Mode::read).number(sql);
    }
    std::int64_t rows(const std::string& table) { return number("SELECT count(*) FROM " + table); }

    std::unique_ptr<store::Store> store_;
    store::Transaction late_;
};

TEST_F(SqliteManyTest, EveryFilterFindsItsTasksInAllBlocks) {
    fill();
    using State = core::TaskState;
    const auto rare = ended(is_rare);
    const auto failed = ended(is_failed);
    const auto rare_and_good = ended([](auto id) { return is_rare(id) && !is_failed(id); });

    EXPECT_EQ(list({}).size(), last_id - 1);
    EXPECT_EQ(list({.type = "rare"}), rare);
    EXPECT_EQ(list({.group = "group"}), rare);
    EXPECT_EQ(list({.host = "rare-host"}), rare);
    EXPECT_EQ(list({.states = {State::failed}}), failed);
    EXPECT_EQ(list({.states = {State::failed, State::expired}}), failed);
    EXPECT_EQ(list({.states = {State::completed}, .type = "rare"}), rare_and_good);
    EXPECT_EQ(list({.label = {"colour", "red3007"}}), (std::vector<core::TaskId>{3007}));
    EXPECT_EQ(list({.type = "a", .group = "group"}), std::vector<core::TaskId>());
    EXPECT_EQ(list({.states = {State::failed}, .host = "rare-host"}),
              ended([](auto id) { return is_rare(id) && is_failed(id); }));
    EXPECT_EQ(
        list({.type = "rare", .created_from = created(3007), .created_before = created(6007)}),
        (std::vector<core::TaskId>{3007}));
    EXPECT_EQ(list({.type = "rare", .before = 6007}), (std::vector<core::TaskId>{3007, 7}));
}

TEST_F(SqliteManyTest, ResultsAreReadInPagesOverManyCommits) {
    fill();
    store::ResultsQuery query{.type = "rare"};
    std::vector<core::TaskId> found;
    for (;;) {
        const auto page =
            *await<store::ResultsPage>([&](auto done) { store_->results(query, std::move(done)); });
        for (const auto& record : page.tasks)
            found.push_back(record.task.id);
        query.after = page.next_after;
        query.limit = 1;
        if (page.next_after == page.newest)
            break;
    }
    EXPECT_EQ(found, ended(is_rare));
}

TEST_F(SqliteManyTest, WhatIsForgottenLeavesNothing) {
    fill();
    int slices = 0;
    while (prune({.unsuccessful = std::chrono::hours(1000)}))
        ++slices;
    EXPECT_GE(slices, 7) << "it takes its time";
    EXPECT_EQ(list({}), ended(is_failed)) << "their time is not over";
    EXPECT_EQ(number("SELECT sum(total) FROM tally WHERE kind = 1"), rows("task"));

    while (prune({.unsuccessful = std::chrono::hours(1)}))
        ++slices;

    EXPECT_EQ(rows("task"), 1) << "the live one";
    for (const auto* table : {"outcome", "attempt", "control", "given_id", "recorded"})
        EXPECT_EQ(rows(table), 0) << table;
    EXPECT_EQ(number("SELECT count(DISTINCT block) FROM mark"), 2)
        << "that of the live task, and the last one, which may get more";
    EXPECT_EQ(number("SELECT count(*) FROM name WHERE kind = 6 AND text < 'colour=red7'"), 0);
    EXPECT_EQ(number("SELECT total FROM tally"), 1);
    EXPECT_EQ(rows("tally"), 1);
    EXPECT_TRUE(find(*store_, 1));
    EXPECT_TRUE(submit(*store_, task(last_id + 1)));
    EXPECT_TRUE(end(*store_, completed(last_id + 1)));
    EXPECT_EQ(list({}), (std::vector<core::TaskId>{last_id + 1}));
}

}  // namespace
}  // namespace distributo::tests
