#include "host/spool.hpp"

#include "fake_spool_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

namespace distributo::host {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class ManualClock final : public base::Clock {
public:
    [[nodiscard]] base::TimePoint now() const override { return time; }
    [[nodiscard]] base::WallTime wall() const override { return {}; }
    base::TimePoint time{1h};
};

class SpoolTest : public testing::Test {
protected:
    SpoolTest() { start(); }

    void start() {
        spool.reset();
        spool.emplace(io, clock, files);
        static_cast<void>(spool->open());
        for (auto& one : spool->take("a"))
            found.push_back(one.outcome.token.counter);
    }
    /// Writes `count` results of `bytes` each and waits until they are stored, or are not.
    std::uint64_t write(std::size_t count, std::size_t bytes = 10) {
        Outbox outbox;
        outbox.keep_first(true);
        for (std::size_t i = 0; i < count; ++i)
            outbox.add({.token = {.term = 1, .slot = 0, .counter = ++counter},
                        .result = '"' + std::string(bytes, 'x') + '"'});
        std::vector<SealedResults> batch;
        while (outbox.unsealed() != 0) {
            batch.push_back(outbox.seal());
            batch.back().record.coordinator_id = "a";
        }
        std::optional<std::uint64_t> stored;
        spool->write(std::move(batch), [&](const auto&, auto file) { stored = file; });
        io.restart();
        const auto work = boost::asio::make_work_guard(io);
        while (!stored)
            io.run_one();
        return *stored;
    }
    /// Everything that the thread was asked for is done.
    void settle() { static_cast<void>(write(1)); }

    boost::asio::io_context io;
    ManualClock clock;
    FakeSpoolFiles files;
    std::optional<Spool> spool;
    std::vector<std::uint64_t> found;
    std::uint64_t counter = 0;
};

TEST_F(SpoolTest, GivesBackTheMessageAndSaysWhereItIs) {
    Outbox outbox;
    outbox.keep_first(true);
    outbox.add({.token = {.term = 1, .slot = 0, .counter = 7}});
    std::vector<SealedResults> batch{outbox.seal()};
    batch[0].record.coordinator_id = "a";
    const auto message = batch[0].record.message;
    bool done = false;

    spool->write(std::move(batch), [&](const auto& written, auto file) {
        done = true;
        EXPECT_EQ(file, 1U);
        ASSERT_THAT(written, SizeIs(1));
        EXPECT_EQ(written[0].record.message, message);
    });
    EXPECT_TRUE(spool->busy());
    EXPECT_FALSE(spool->ready());
    const auto work = boost::asio::make_work_guard(io);
    io.run_one();

    EXPECT_TRUE(done);
    EXPECT_TRUE(spool->ready());
}

TEST_F(SpoolTest, WhatIsNotReleasedIsFoundAtTheNextStart) {
    write(3);

    start();

    EXPECT_THAT(found, ElementsAre(1, 2, 3));
}

TEST_F(SpoolTest, WhatTheDestructorFindsUnderWayIsWritten) {
    Outbox outbox;
    outbox.keep_first(true);
    outbox.add({.token = {.term = 1, .slot = 0, .counter = 7}});
    std::vector<SealedResults> batch{outbox.seal()};
    batch[0].record.coordinator_id = "a";
    spool->write(std::move(batch), [](const auto&, auto) { FAIL() << "it is gone"; });

    start();

    EXPECT_THAT(found, ElementsAre(7));
}

TEST_F(SpoolTest, AFileGoesWhenNothingOfItIsNeeded) {
    const auto large = std::size_t{128} * 1024;
    const auto first = write(2, large);
    spool->release(first, 1);
    EXPECT_EQ(write(1), first) << "something in it is needed";
    spool->release(first, 2);

    const auto second = write(1);
    settle();

    EXPECT_NE(second, first);
    EXPECT_THAT(files.files, SizeIs(1));
}

TEST_F(SpoolTest, ASmallFileIsFilledUpAlthoughNothingOfItIsNeeded) {
    const auto first = write(1);
    spool->release(first, 1);

    EXPECT_EQ(write(1), first);
}

TEST_F(SpoolTest, AnEmptySpoolLeavesNoFile) {
    spool->release(write(2), 2);

    start();

    EXPECT_THAT(files.files, IsEmpty());
}

TEST_F(SpoolTest, FilesOfAnEarlierProcessGoWhenTheirResultsAreAcknowledged) {
    write(2);
    start();
    write(1);
    ASSERT_THAT(files.files, SizeIs(2));

    spool->release(1, 1);
    settle();
    EXPECT_THAT(files.files, SizeIs(2));
    spool->release(1, 1);
    settle();

    EXPECT_THAT(files.files, SizeIs(1));
}

TEST_F(SpoolTest, ABrokenDiskIsLeftAloneForAWhile) {
    files.broken = true;
    EXPECT_EQ(write(1), 0U);
    EXPECT_NE(spool->trouble(), "");
    EXPECT_FALSE(spool->ready());

    clock.time += 5s;
    EXPECT_TRUE(spool->ready());
    files.broken = false;
    EXPECT_NE(write(1), 0U);

    EXPECT_EQ(spool->trouble(), "");
}

}  // namespace
}  // namespace distributo::host
