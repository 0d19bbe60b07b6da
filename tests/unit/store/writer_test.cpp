#include "coordinator/store/sqlite/writer.hpp"

#include "coordinator/store/sqlite/recovery.hpp"
#include "coordinator/store/sqlite/schema.hpp"
#include "tests/support/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

namespace distributo::tests {
namespace {

using namespace std::chrono_literals;
namespace core = coordinator::core;
namespace store = coordinator::store;

class WriterTest : public testing::Test {
protected:
    WriterTest() {
        EXPECT_TRUE(store::prepare_schema(database_, file_));
        writer_ = std::make_unique<store::Writer>(
            database_, store::BlobFiles(folder_.path()), store::begin_term(database_));
    }
    /// A task that ended so long after the first ones.
    static store::Transaction ended(core::TaskId id, std::chrono::hours after) {
        store::Transaction made;
        made.submits.resize(1);
        made.submits[0].id = id;
        made.submits[0].type = "a";
        made.outcomes.resize(1);
        made.outcomes[0].id = id;
        made.outcomes[0].attempt.finished = begun + after;
        return made;
    }
    static constexpr base::WallTime begun{std::chrono::milliseconds(1'700'000'000'000)};
    static constexpr store::Retention a_day{.completed = 24h};

    TemporaryDirectory folder_;
    std::string file_ = (folder_.path() / "store.db").string();
    store::Database database_{file_, store::Database::Mode::write};
    std::unique_ptr<store::Writer> writer_;
};

TEST_F(WriterTest, WhatWasForgottenInVainIsCountedOnceWhenItIsForgotten) {
    const auto old = {ended(1, 0h), ended(2, 0h), ended(3, 0h)};
    const auto young = ended(4, 24h);
    writer_->begin();
    for (const auto& transaction : old)
        (void)writer_->apply(transaction);
    (void)writer_->apply(young);
    writer_->commit();
    writer_->begin();
    (void)writer_->prune(a_day, begun + 25h);
    (void)writer_->prune(a_day, begun + 25h);
    EXPECT_EQ(writer_->kept().total, 1U);

    writer_->roll_back();

    EXPECT_EQ(writer_->kept().total, 4U);
    EXPECT_EQ(writer_->forgotten(), 0U);
    writer_->begin();
    (void)writer_->prune(a_day, begun + 25h);
    writer_->commit();
    EXPECT_EQ(writer_->kept().total, 1U);
    EXPECT_FALSE(writer_->records().find(1));
    EXPECT_TRUE(writer_->records().find(4)) << "nobody wanted that forgotten";
}

}  // namespace
}  // namespace distributo::tests
