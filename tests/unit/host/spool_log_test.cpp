#include "host/spool_log.hpp"

#include "fake_spool_files.hpp"
#include "host/outbox.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace distributo::host {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class SpoolLogTest : public testing::Test {
protected:
    static SpoolRecord record(std::uint64_t counter, std::string coordinator = "a") {
        Outbox outbox;
        outbox.keep_first(true);
        outbox.add({.token = {.term = 1, .slot = 0, .counter = counter}, .result = "1"});
        auto sealed = outbox.seal();
        sealed.record.coordinator_id = std::move(coordinator);
        return sealed.record;
    }
    base::Result<std::uint64_t> append(SpoolLog& log,
                                       std::uint64_t counter,
                                       const std::string& coordinator = "a",
                                       bool fresh = false) {
        const auto one = record(counter, coordinator);
        return log.append({&one, 1}, fresh);
    }
    static std::vector<std::uint64_t> counters(SpoolLog& log, std::string_view coordinator = "a") {
        std::vector<std::uint64_t> all;
        for (const auto& kept : log.load(coordinator))
            all.push_back(kept.outcome.token.counter);
        return all;
    }
    /// What a new process finds.
    std::vector<std::uint64_t> after_restart(std::string_view coordinator = "a") {
        SpoolLog log(files);
        EXPECT_TRUE(log.open());
        return counters(log, coordinator);
    }

    FakeSpoolFiles files;
};

TEST_F(SpoolLogTest, WhatWasAppendedSurvivesAPowerCut) {
    SpoolLog log(files);
    EXPECT_EQ(*log.open(), "");

    ASSERT_TRUE(append(log, 1));
    const std::vector<SpoolRecord> two{record(2), record(3)};
    ASSERT_TRUE(log.append(two));
    files.cut_power();

    EXPECT_EQ(files.syncs, 2);
    SpoolLog again(files);
    EXPECT_EQ(*again.open(), "a");
    EXPECT_THAT(counters(again), ElementsAre(1, 2, 3));
}

TEST_F(SpoolLogTest, AFileOfAnEarlierProcessIsNotAppendedTo) {
    SpoolLog log(files);
    ASSERT_TRUE(log.open());
    const auto before = append(log, 1);
    SpoolLog again(files);
    ASSERT_TRUE(again.open());

    const auto after = append(again, 2);

    EXPECT_NE(*before, *after);
    EXPECT_THAT(after_restart(), ElementsAre(1, 2));
}

TEST_F(SpoolLogTest, ANewFileIsBegunWhenTheLastIsLargeOrAFreshOneIsWanted) {
    SpoolLog log(files, {.file_bytes = 200});
    ASSERT_TRUE(log.open());

    const auto first = *append(log, 1);
    EXPECT_EQ(*append(log, 2), first);
    const auto large = *append(log, 3);
    EXPECT_NE(large, first);
    EXPECT_NE(*append(log, 4, "a", true), large);

    log.remove(first);
    EXPECT_THAT(after_restart(), ElementsAre(3, 4));
}

TEST_F(SpoolLogTest, TheCurrentFileCanBeRemovedToo) {
    SpoolLog log(files);
    ASSERT_TRUE(log.open());
    log.remove(*append(log, 1));

    ASSERT_TRUE(append(log, 2));

    EXPECT_THAT(after_restart(), ElementsAre(2));
}

TEST_F(SpoolLogTest, NoFileHasResultsForTwoCoordinators) {
    SpoolLog log(files);
    ASSERT_TRUE(log.open());
    const auto one = *append(log, 1, "a");
    const auto other = *append(log, 2, "b");
    ASSERT_TRUE(append(log, 3, "a"));

    EXPECT_NE(one, other);
    log.remove(other);
    EXPECT_THAT(after_restart("a"), ElementsAre(1, 3));
    EXPECT_THAT(after_restart("b"), IsEmpty());
}

TEST_F(SpoolLogTest, AFullDiskIsReportedAndLeavesNothingBehind) {
    SpoolLog log(files);
    ASSERT_TRUE(log.open());
    files.space = 30;

    const auto failed = append(log, 1);

    ASSERT_FALSE(failed);
    EXPECT_THAT(failed.error().message, testing::HasSubstr("no space"));
    EXPECT_THAT(files.files, IsEmpty());
    files.space = 1000;
    EXPECT_TRUE(append(log, 2));
    EXPECT_THAT(after_restart(), ElementsAre(2));
}

TEST_F(SpoolLogTest, AWriteThatFailedIsNotWrittenBehind) {
    SpoolLog log(files);
    ASSERT_TRUE(log.open());
    const auto first = *append(log, 1);
    files.space = 30;
    ASSERT_FALSE(append(log, 2));
    files.space = 1000;

    EXPECT_NE(*append(log, 3), first);
    EXPECT_THAT(after_restart(), ElementsAre(1, 3));
}

TEST_F(SpoolLogTest, AfterAFailedSyncTheFileGetsNoMore) {
    SpoolLog log(files);
    ASSERT_TRUE(log.open());
    const auto first = *append(log, 1);
    files.sync_fails = true;
    ASSERT_FALSE(append(log, 2));
    files.sync_fails = false;

    EXPECT_NE(*append(log, 3), first);
    files.cut_power();
    EXPECT_THAT(after_restart(), ElementsAre(1, 3));
}

TEST_F(SpoolLogTest, ADiskThatCannotCreateIsReported) {
    SpoolLog log(files);
    ASSERT_TRUE(log.open());
    files.broken = true;

    EXPECT_FALSE(append(log, 1));

    files.broken = false;
    EXPECT_TRUE(append(log, 2));
}

TEST_F(SpoolLogTest, ATornEndIsCutWhereverItWasTorn) {
    SpoolLog log(files);
    ASSERT_TRUE(log.open());
    const auto file = *append(log, 1);
    const auto good = files.files[file].data.size();
    ASSERT_TRUE(append(log, 2));
    const auto whole = files.files[file].data;

    for (auto cut = good; cut < whole.size(); ++cut) {
        files.files[file].data = whole.substr(0, cut);
        ASSERT_THAT(after_restart(), ElementsAre(1)) << cut;
    }
}

TEST_F(SpoolLogTest, AFileWithoutAResultIsRemovedAndOneOfALaterVersionIsNot) {
    files.files[1].data = spool_head().substr(0, 5);
    files.files[2].data = spool_head();
    files.files[3].data = "DTOSPOOL\7\0\0\0and more";

    SpoolLog log(files);
    ASSERT_TRUE(log.open());

    ASSERT_THAT(files.files, SizeIs(1));
    EXPECT_EQ(files.files.begin()->first, 3U);
    EXPECT_EQ(*append(log, 1), 4U);
}

TEST_F(SpoolLogTest, TheOldestForCoordinatorsThatStayAwayAreGivenUp) {
    {
        SpoolLog log(files);
        ASSERT_TRUE(log.open());
        for (std::uint64_t counter = 1; counter <= 3; ++counter)
            ASSERT_TRUE(append(log, counter, "away", true));
        ASSERT_TRUE(append(log, 4, "a"));
    }
    const auto one = files.files[1].data.size();

    SpoolLog log(files, {.foreign_bytes = 2 * one});
    ASSERT_TRUE(log.open());

    EXPECT_THAT(counters(log, "away"), ElementsAre(2, 3));
    EXPECT_THAT(counters(log), ElementsAre(4));
}

}  // namespace
}  // namespace distributo::host
