#include "host/spool_format.hpp"

#include "host/outbox.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace distributo::host {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

/// A record of `count` results, as the outbox makes it.
SpoolRecord record(std::uint64_t first, std::size_t count = 1) {
    Outbox outbox;
    outbox.keep_first(true);
    for (std::size_t i = 0; i < count; ++i)
        outbox.add({.token = {.term = 1, .slot = 2, .counter = first + i},
                    .lease = {.task = first + i, .attempt = 3, .proof = 0xFFFF'FFFF'FFFF'FFFF},
                    .result = R"({"n": )" + std::to_string(i) + "}"});
    auto sealed = outbox.seal();
    sealed.record.coordinator_id = "c41d";
    return sealed.record;
}

std::string file_of(const std::vector<SpoolRecord>& records) {
    auto file = spool_head();
    for (const auto& one : records)
        append_spool_record(file, one);
    return file;
}

TEST(SpoolFormatTest, GivesBackEverythingOfAnOutcome) {
    Outbox outbox;
    outbox.keep_first(true);
    outbox.add({.token = {.term = 1, .slot = 2, .counter = 3},
                .lease = {.task = 12, .attempt = 2, .proof = 99},
                .result = R"({"x": 1.50})",
                .emitted = R"([{"type":"t","payload":1}])",
                .times = {.wait_us = 1, .setup_us = 2, .install_us = 3, .execute_us = 4},
                .version = "1.2.0"});
    outbox.add({.token = {.term = 1, .slot = 3, .counter = 4},
                .status = wire::AttemptStatus::retry,
                .message = "größe \"7\"\n",
                .detail = "[1]",
                .retry_after_ms = 5000});
    auto sealed = outbox.seal();
    sealed.record.coordinator_id = "c41d";

    const auto scan = scan_spool(file_of({sealed.record}));

    ASSERT_THAT(scan.records, SizeIs(1));
    EXPECT_EQ(scan.records[0].coordinator_id, "c41d");
    EXPECT_EQ(scan.records[0].message, sealed.record.message);
    const auto outcomes = outcomes_of(scan.records[0]);
    ASSERT_TRUE(outcomes) << outcomes.error().message;
    ASSERT_THAT(*outcomes, SizeIs(2));
    const auto& done = outcomes->at(0);
    EXPECT_EQ(done.token, (wire::Token{.term = 1, .slot = 2, .counter = 3}));
    EXPECT_EQ(done.lease, (wire::Lease{.task = 12, .attempt = 2, .proof = 99}));
    EXPECT_EQ(done.status, wire::AttemptStatus::ok);
    EXPECT_EQ(done.result, R"({"x": 1.50})");
    EXPECT_EQ(done.emitted, R"([{"type":"t","payload":1}])");
    EXPECT_EQ(done.times.execute_us, 4U);
    EXPECT_EQ(done.version, "1.2.0");
    const auto& failed = outcomes->at(1);
    EXPECT_EQ(failed.status, wire::AttemptStatus::retry);
    EXPECT_EQ(failed.lease, wire::Lease{});
    EXPECT_EQ(failed.message, "größe \"7\"\n");
    EXPECT_EQ(failed.detail, "[1]");
    EXPECT_EQ(failed.retry_after_ms, 5000);
}

TEST(SpoolFormatTest, AfterACutAnywhereWhatWasWholeIsThere) {
    const std::vector<SpoolRecord> records{record(1), record(2, 3), record(5)};
    std::vector<std::size_t> ends{spool_head().size()};
    for (std::size_t n = 1; n <= records.size(); ++n)
        ends.push_back(file_of({records.begin(), records.begin() + static_cast<long>(n)}).size());
    const auto whole = file_of(records);

    for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
        const auto scan = scan_spool(std::string_view(whole).substr(0, cut));
        std::size_t expected = 0;
        while (expected < records.size() && ends[expected + 1] <= cut)
            ++expected;
        ASSERT_EQ(scan.records.size(), expected) << cut;
        EXPECT_FALSE(scan.foreign) << cut;
        EXPECT_EQ(scan.damaged_bytes, 0U) << cut;
        const auto good_end = cut < ends[0] ? 0 : ends[expected];
        EXPECT_EQ(scan.torn_bytes, cut - good_end) << cut;
    }
}

TEST(SpoolFormatTest, ZeroesBehindTheLastRecordAreATornEnd) {
    const auto scan = scan_spool(file_of({record(1)}) + std::string(5000, '\0'));

    EXPECT_THAT(scan.records, SizeIs(1));
    EXPECT_EQ(scan.torn_bytes, 5000U);
}

TEST(SpoolFormatTest, ADamagedByteTakesOnlyItsOwnRecordAlong) {
    const std::vector<SpoolRecord> records{record(1), record(2), record(3)};
    const auto head = spool_head().size();
    const auto first_end = file_of({records[0]}).size();
    const auto second_end = file_of({records[0], records[1]}).size();
    const auto whole = file_of(records);

    for (std::size_t at = head; at < whole.size(); ++at) {
        auto damaged = whole;
        damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
        const auto scan = scan_spool(damaged);
        ASSERT_EQ(scan.records.size(), 2U) << at;
        if (at < second_end)
            EXPECT_EQ(scan.damaged_bytes,
                      at < first_end ? first_end - head : second_end - first_end)
                << at;
        else
            EXPECT_EQ(scan.torn_bytes, whole.size() - second_end) << at;
    }
}

TEST(SpoolFormatTest, ARecordMayContainWhatLooksLikeOne) {
    auto outer = record(1);
    outer.message = file_of({record(2)});
    const auto scan = scan_spool(file_of({outer, record(3)}));

    ASSERT_THAT(scan.records, SizeIs(2));
    EXPECT_EQ(scan.records[0].message, outer.message);
    EXPECT_FALSE(outcomes_of(scan.records[0]));
}

TEST(SpoolFormatTest, ALaterVersionIsNotRead) {
    auto file = file_of({record(1)});
    file[8] = 2;

    const auto scan = scan_spool(file);

    EXPECT_TRUE(scan.foreign);
    EXPECT_THAT(scan.records, IsEmpty());
}

TEST(SpoolFormatTest, ARecordWithoutItsLeasesIsRefused) {
    auto one = record(1, 2);
    one.leases.pop_back();

    EXPECT_FALSE(outcomes_of(one));
}

}  // namespace
}  // namespace distributo::host
