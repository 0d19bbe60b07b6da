#include "host/outbox.hpp"

#include "wire/limits.hpp"

#include <gtest/gtest.h>

namespace distributo::host {
namespace {

wire::Token token_in_slot(std::uint64_t number) {
    return {.term = 1, .slot = static_cast<std::uint32_t>(number), .counter = number};
}

Outcome outcome(std::uint64_t number, std::string result = "1") {
    Outcome made;
    made.token = token_in_slot(number);
    made.result = std::move(result);
    return made;
}

std::size_t count(const std::string& text, std::string_view word) {
    std::size_t found = 0;
    for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1))
        ++found;
    return found;
}

TEST(OutboxTest, SendsEachOutcomeOncePerConnection) {
    Outbox outbox;
    outbox.add(outcome(1));
    outbox.add(outcome(2));

    const auto first = outbox.next_message();

    EXPECT_NE(first.find("1-1-1"), std::string::npos);
    EXPECT_NE(first.find("1-2-2"), std::string::npos);
    EXPECT_TRUE(outbox.next_message().empty());
    outbox.rewind();
    EXPECT_EQ(outbox.next_message(), first);
}

TEST(OutboxTest, FollowUpsLeaveWithASuccessOnly) {
    Outbox outbox;
    auto made = outcome(1);
    made.emitted = R"([{"type":"t"}])";
    outbox.add(std::move(made));
    made = outcome(2);
    made.status = wire::AttemptStatus::permanent;
    made.emitted = R"([{"type":"u"}])";
    outbox.add(std::move(made));

    const auto message = outbox.next_message();
    EXPECT_EQ(count(message, R"("emitted":[{"type":"t"}])"), 1U);
    EXPECT_EQ(count(message, "emitted"), 1U);
}

TEST(OutboxTest, FollowUpsThatARunnerMadeUpDoNotBreakTheConnection) {
    for (const std::string emitted : {"[{", "{}", "7"}) {
        Outbox outbox;
        auto made = outcome(1);
        made.emitted = emitted;
        outbox.add(std::move(made));
        EXPECT_EQ(count(outbox.next_message(), R"("status":"permanent")"), 1U) << emitted;
    }
}

TEST(OutboxTest, FillsOneMessageWithAtMostABatch) {
    Outbox outbox;
    for (std::uint64_t i = 0; i < wire::limits::batch_entries + 3; ++i)
        outbox.add(outcome(1'000'000 + i));

    EXPECT_EQ(count(outbox.next_message(), "\"1-1000"), wire::limits::batch_entries);
    EXPECT_EQ(count(outbox.next_message(), "\"1-1000"), 3U);
    EXPECT_FALSE(outbox.has_unsent());
}

TEST(OutboxTest, KeepsWhatIsNotAcknowledged) {
    Outbox outbox;
    for (std::uint64_t i = 1; i <= 300; ++i)
        outbox.add(outcome(i));
    while (outbox.has_unsent())
        static_cast<void>(outbox.next_message());

    EXPECT_TRUE(outbox.acknowledge(token_in_slot(1)));
    EXPECT_TRUE(outbox.acknowledge(token_in_slot(3)));
    EXPECT_TRUE(outbox.acknowledge(token_in_slot(2)));
    EXPECT_FALSE(outbox.acknowledge(token_in_slot(2)));

    EXPECT_EQ(outbox.size(), 297U);
    EXPECT_EQ(outbox.claims().front(), token_in_slot(4));
    outbox.rewind();
    EXPECT_EQ(count(outbox.next_message(), "\"1-2-2\""), 0U);
}

TEST(OutboxTest, IsEmptyAndWeighsNothingWhenAllIsAcknowledged) {
    Outbox outbox;
    for (std::uint64_t i = 1; i <= 1000; ++i)
        outbox.add(outcome(i, std::string(100, '7')));
    for (std::uint64_t i = 1000; i >= 1; --i)
        EXPECT_TRUE(outbox.acknowledge(token_in_slot(i)));

    EXPECT_TRUE(outbox.empty());
    EXPECT_EQ(outbox.bytes(), 0U);
    EXPECT_FALSE(outbox.has_unsent());
}

TEST(OutboxTest, IsFullAboveItsLimitOnly) {
    Outbox outbox(10'000);
    outbox.add(outcome(1, '"' + std::string(9'000, 'x') + '"'));
    EXPECT_FALSE(outbox.full());

    outbox.add(outcome(2, '"' + std::string(9'000, 'x') + '"'));
    EXPECT_TRUE(outbox.full());

    outbox.acknowledge(token_in_slot(1));
    EXPECT_FALSE(outbox.full());
}

// ---- through the spool ---------------------------------------------------------------------

TEST(OutboxTest, WhatIsToBeKeptFirstIsNotSentBeforeItIs) {
    Outbox outbox;
    outbox.keep_first(true);
    outbox.add(outcome(1));
    outbox.add(outcome(2));
    const auto sealed = outbox.seal();
    outbox.add(outcome(3));

    EXPECT_EQ(sealed.record.leases.size(), 2U);
    EXPECT_FALSE(outbox.has_unsent());
    EXPECT_TRUE(outbox.next_message().empty());
    EXPECT_EQ(outbox.unsealed(), 1U);
    EXPECT_FALSE(outbox.all_kept());
    EXPECT_FALSE(outbox.acknowledge(token_in_slot(1))) << "it was never sent";

    outbox.kept(sealed, 9);
    EXPECT_TRUE(outbox.has_unsent());
    EXPECT_EQ(outbox.next_message(), sealed.record.message);
    outbox.kept(outbox.seal(), 9);
    EXPECT_TRUE(outbox.all_kept());
}

TEST(OutboxTest, ASealedMessageLeavesAsItIsWhenItIsItsTurn) {
    Outbox outbox;
    outbox.keep_first(true);
    outbox.add(outcome(1));
    const auto first = outbox.seal();
    outbox.add(outcome(2));
    const auto second = outbox.seal();

    outbox.kept(first, 1);
    EXPECT_TRUE(outbox.leaves_now(first));
    EXPECT_FALSE(outbox.leaves_now(first));
    outbox.rewind();
    outbox.kept(second, 1);
    EXPECT_FALSE(outbox.leaves_now(second)) << "the first one is to be sent again before it";

    EXPECT_EQ(count(outbox.next_message(), "token"), 2U);
}

TEST(OutboxTest, SaysOfWhichFilesNothingIsNeededAnyMore) {
    Outbox outbox;
    outbox.keep_first(true);
    for (std::uint64_t i = 1; i <= 2; ++i)
        outbox.add(outcome(i));
    outbox.kept(outbox.seal(), 4);
    outbox.add(outcome(3));
    outbox.kept(outbox.seal(), 5);
    outbox.add(outcome(4));
    outbox.kept(outbox.seal(), 0);
    for (std::uint64_t i = 1; i <= 4; ++i)
        EXPECT_TRUE(outbox.acknowledge(token_in_slot(i)));

    const auto released = outbox.take_released();

    using File = std::pair<std::uint64_t, std::size_t>;
    EXPECT_EQ(released, (std::vector<File>{{4, 2}, {5, 1}}));
    EXPECT_TRUE(outbox.take_released().empty());
}

TEST(OutboxTest, WhatWasSentWithoutWaitingForTheDiskIsReleasedWhenItIsThere) {
    Outbox outbox;
    outbox.keep_first(true);
    outbox.add(outcome(1));
    outbox.add(outcome(2));
    const auto sealed = outbox.seal();
    outbox.keep_first(false);
    EXPECT_EQ(count(outbox.next_message(), "token"), 2U);
    EXPECT_TRUE(outbox.acknowledge(token_in_slot(1)));

    outbox.kept(sealed, 4);
    EXPECT_TRUE(outbox.acknowledge(token_in_slot(2)));

    EXPECT_EQ(outbox.take_released().at(0).second, 2U);
}

TEST(OutboxTest, WithoutASpoolNothingWaits) {
    Outbox outbox;
    outbox.keep_first(true);
    outbox.add(outcome(1));
    outbox.do_without_spool();

    EXPECT_EQ(outbox.unsealed(), 0U);
    EXPECT_FALSE(outbox.next_message().empty());
    EXPECT_TRUE(outbox.acknowledge(token_in_slot(1)));
    EXPECT_TRUE(outbox.take_released().empty());
}

TEST(OutboxTest, WhatTheSpoolHadIsListedAndSentAgain) {
    Outbox outbox;
    auto old = outcome(1);
    old.lease = {.task = 12, .attempt = 2, .proof = 99};
    outbox.restore(std::move(old), 3);
    outbox.keep_first(true);

    EXPECT_EQ(
        outbox.claims(),
        (std::vector<wire::Claim>{{token_in_slot(1), {.task = 12, .attempt = 2, .proof = 99}}}));
    EXPECT_EQ(outbox.unsealed(), 0U);
    EXPECT_EQ(count(outbox.next_message(), "\"1-1-1\""), 1U);
    EXPECT_TRUE(outbox.acknowledge(token_in_slot(1)));
    EXPECT_EQ(outbox.take_released().at(0).first, 3U);
}

TEST(OutboxTest, ListsNoMoreThanOneHelloCanCarry) {
    Outbox outbox;
    constexpr std::uint64_t large = 0xFFFF'FFFF'FFFF'0000;
    constexpr std::uint64_t many = 40'000;
    for (std::uint64_t i = 1; i <= many; ++i) {
        Outcome one;
        one.token = {.term = 0xFFFF'FFFF, .slot = 0xFFFF'FFFF, .counter = large + i};
        one.lease = {.task = large, .attempt = 0xFFFF'FFFF, .proof = large};
        outbox.add(std::move(one));
    }

    wire::Hello hello;
    hello.finished = outbox.claims();

    EXPECT_TRUE(outbox.full());
    EXPECT_EQ(hello.finished.back().token.counter, large + many);
    EXPECT_LT(hello.finished.size(), many);
    hello.running.assign(8'192, hello.finished.back());
    EXPECT_LT(wire::encode(hello).size(), wire::limits::max_message);
    outbox.acknowledge({.term = 0xFFFF'FFFF, .slot = 0xFFFF'FFFF, .counter = large + 1});
    EXPECT_EQ(outbox.claims(), hello.finished) << "what was left out is not missed";
}

TEST(OutboxTest, ForgetsEverythingForAnotherCoordinator) {
    Outbox outbox;
    outbox.keep_first(true);
    outbox.add(outcome(1));
    const auto sealed = outbox.seal();
    outbox.kept(sealed, 4);
    outbox.add(outcome(2));

    outbox.clear();

    EXPECT_TRUE(outbox.empty());
    EXPECT_EQ(outbox.bytes(), 0U);
    EXPECT_EQ(outbox.unsealed(), 0U);
    EXPECT_FALSE(outbox.has_unsent());
    EXPECT_TRUE(outbox.take_released().empty());
    outbox.add(outcome(3));
    EXPECT_EQ(count(outbox.seal().record.message, "token"), 1U);
}

TEST(OutboxTest, AResultThatIsNotJsonBecomesAFailureThatSaysSo) {
    Outbox outbox;
    outbox.add(outcome(1, "{\"a\":"));

    const auto message = outbox.next_message();

    EXPECT_NE(message.find("permanent"), std::string::npos) << message;
    EXPECT_NE(message.find("not JSON"), std::string::npos) << message;
    EXPECT_EQ(message.find("{\\\"a\\\":"), std::string::npos) << message;
}

TEST(OutboxTest, AResultAboveTheLimitBecomesAFailureThatNamesIt) {
    Outbox outbox;
    outbox.add(outcome(1, '"' + std::string(wire::limits::inline_result, 'x') + '"'));

    const auto message = outbox.next_message();

    EXPECT_NE(message.find("permanent"), std::string::npos);
    EXPECT_NE(message.find("1048578 bytes"), std::string::npos);
    EXPECT_LT(message.size(), 1000U);
}

TEST(OutboxTest, CutsALongMessageBetweenCharacters) {
    Outbox outbox;
    Outcome failed;
    failed.token = token_in_slot(1);
    failed.status = wire::AttemptStatus::retry;
    failed.message = std::string(wire::limits::error_length - 1, 'x') + "\xC3\xA4 and more";
    outbox.add(std::move(failed));

    const auto message = outbox.next_message();

    EXPECT_EQ(count(message, "x"), wire::limits::error_length - 1);
    EXPECT_EQ(message.find('\xC3'), std::string::npos);
}

}  // namespace
}  // namespace distributo::host
