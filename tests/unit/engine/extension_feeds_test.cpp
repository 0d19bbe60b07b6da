#include "tests/unit/engine/engine_fixture.hpp"

namespace distributo::coordinator::engine {
namespace {

using base::Errc;
using core::ExtensionNumber;
using core::ExtensionRecord;

class ExtensionFeedsTest : public EngineTest {
protected:
    ExtensionFeedsTest() { restart(); }
    auto keep(ExtensionRecord record) {
        return ask<ExtensionNumber>(
            [&](auto done) { engine_->keep_extension(std::move(record), std::move(done)); });
    }
    auto keep_cursor(core::Cursor cursor) {
        return ask<bool>([&](auto done) {
            engine_->keep_cursor(std::move(cursor), [done](base::Result<void> kept) {
                kept ? done(true) : done(kept.error());
            });
        });
    }
    auto feed(std::string tasks, std::string checkpoint = "c", std::string group = {}) {
        Feed feed{std::move(tasks), std::move(group), {}};
        feed.cursor.extension = 7;
        feed.cursor.checkpoint = std::move(checkpoint);
        return ask<Fed>([&](auto done) { engine_->feed(std::move(feed), std::move(done)); });
    }
    static std::string shown(TaskId id) { return base::NumberText(id).str(); }
    static ExtensionRecord record(std::string name) {
        ExtensionRecord made;
        made.name = std::move(name);
        return made;
    }
};

TEST_F(ExtensionFeedsTest, NumbersAreGivenOnceAndOverRestarts) {
    EXPECT_EQ(**keep(record("words")), 1U);
    EXPECT_EQ(**keep(record("primes")), 2U);
    auto gone = record("primes");
    gone.number = 2;
    gone.removed = true;
    EXPECT_EQ(**keep(gone), 2U);

    restart();

    ASSERT_EQ(engine_->known_extensions().size(), 2U);
    EXPECT_EQ(engine_->known_extensions()[0].name, "words");
    EXPECT_TRUE(engine_->known_extensions()[1].removed);
    EXPECT_EQ(**keep(record("others")), 3U);
}

TEST_F(ExtensionFeedsTest, AFeedIsAnsweredWhenItIsDurableAndRunsThen) {
    const auto host = join();
    store_->shut = true;
    const auto fed = feed(R"([{"type":"echo","payload":{"n":1}},{"type":"echo"}])");
    EXPECT_FALSE(fed->here());
    EXPECT_TRUE(host->assigns.empty());
    EXPECT_EQ(engine_->load_of(7).waiting, 2U);

    store_->open_gate();
    settle();

    ASSERT_TRUE(fed->here());
    EXPECT_EQ((*fed)->created, 2U);
    EXPECT_EQ(host->assigns.size(), 2U);
    EXPECT_EQ(engine_->load_of(7).waiting, 0U);
    EXPECT_EQ(engine_->load_of(7).running, 2U);
    EXPECT_EQ(store_->commits, 2) << "the host's record, and one transaction for the feed";
}

TEST_F(ExtensionFeedsTest, ARestartFindsTheLastCursorAndTheTasks) {
    EXPECT_TRUE(feed(R"([{"type":"a"}])", "one")->here());
    EXPECT_TRUE(feed(R"([{"type":"a"}])", "two")->here());
    core::Cursor sink;
    sink.extension = 9;
    sink.sequence = 12;
    EXPECT_TRUE(keep_cursor(sink)->here());

    restart();

    ASSERT_EQ(engine_->known_cursors().size(), 2U);
    EXPECT_EQ(engine_->known_cursors()[0].checkpoint, "two");
    EXPECT_EQ(engine_->known_cursors()[1].sequence, 12U);
    EXPECT_EQ(engine_->load_of(7).waiting, 2U);
    EXPECT_EQ((*find(shown(1)))->record.task.generator, 7U);
}

TEST_F(ExtensionFeedsTest, WhatIsThereAlreadyIsCounted) {
    const char* const tasks = R"([{"type":"a","dedupe_key":"k"},{"type":"a","dedupe_key":"l"}])";
    EXPECT_EQ((*feed(tasks))->created, 2U);
    const auto again = feed(R"([{"type":"a","dedupe_key":"l"},{"type":"a","dedupe_key":"m"}])");
    EXPECT_EQ((*again)->created, 1U);
    EXPECT_EQ((*again)->duplicates, 1U);
    EXPECT_EQ(engine_->load_of(7).waiting, 3U);
    EXPECT_EQ((*find(shown(1)))->record.task.options->dedupe_key, "k");
}

TEST_F(ExtensionFeedsTest, WhatCannotRunIsStoredAsFailed) {
    const auto fed = feed(R"([{"type":"a"},{"type":"b","priority":"x"},{"payload":1}])", "c", "g");

    EXPECT_EQ((*fed)->created, 2U);
    EXPECT_EQ((*fed)->faulty, 2U);
    EXPECT_NE((*fed)->fault.find("task of a generator: priority"), std::string::npos);
    const auto page = results({});
    ASSERT_EQ((*page)->tasks.size(), 1U);
    EXPECT_EQ((*page)->tasks[0].task.type, "b");
    EXPECT_EQ((*page)->tasks[0].task.generator, 7U);
    EXPECT_EQ((*page)->tasks[0].task.options->group, "g");
    EXPECT_EQ((*page)->tasks[0].task.payload.view(), "{}");
    EXPECT_EQ(engine_->load_of(7).waiting, 1U);
    EXPECT_EQ((*find(shown(1)))->record.task.options->group, "g");
}

TEST_F(ExtensionFeedsTest, FollowUpTasksComeFromTheSameGenerator) {
    const auto host = join();
    ASSERT_TRUE(feed(R"([{"type":"echo"}])")->here());
    wire::ResultItem item;
    item.token = host->assigns.at(0).token;
    item.result = "1";
    item.emitted = R"([{"type":"other"}])";
    engine_->host_result(host->index, item);
    settle();

    const auto child = find(shown(2));
    EXPECT_EQ((*child)->record.task.parent, 1U);
    EXPECT_EQ((*child)->record.task.generator, 7U);
    EXPECT_EQ(engine_->load_of(7).waiting, 1U);
    ASSERT_TRUE(engine_->live(2));
    EXPECT_EQ(engine_->live(2)->record.task.generator, 7U);
    EXPECT_EQ((*results({}))->tasks.at(0).task.generator, 7U);
}

TEST_F(ExtensionFeedsTest, AFullDiskRefusesFeedsAndNothingElse) {
    store_->full = true;
    EXPECT_EQ(feed(R"([{"type":"a"}])", "lost")->error(), Errc::no_space);
    EXPECT_EQ(feed("", "lost, too")->error(), Errc::no_space);
    EXPECT_EQ(engine_->load_of(7).waiting, 0U);
    core::Cursor sink;
    sink.extension = 9;
    EXPECT_TRUE(**keep_cursor(sink));
    EXPECT_EQ(**keep(record("words")), 1U);

    store_->full = false;
    EXPECT_EQ((*feed(R"([{"type":"a"}])", "kept"))->created, 1U);
    restart();
    ASSERT_EQ(engine_->known_cursors().size(), 2U);
    EXPECT_EQ(engine_->known_cursors()[0].checkpoint, "kept");
}

TEST_F(ExtensionFeedsTest, AFullQueueRefusesTheWholeFeed) {
    core::Settings settings;
    settings.max_tasks = 2;
    restart(settings);
    EXPECT_EQ(feed(R"([{"type":"a"},{"type":"a"},{"type":"a"}])")->error(), Errc::limit);
    EXPECT_EQ((*feed(R"([{"type":"a"},{"type":"a"}])"))->created, 2U);
    EXPECT_EQ(feed(R"([{"type":"a"}])")->error(), Errc::limit);
    EXPECT_EQ((*feed(""))->created, 0U);
}

TEST_F(ExtensionFeedsTest, ABrokenStoreAnswersEverybody) {
    store_->broken = true;
    EXPECT_EQ(feed(R"([{"type":"a"}])")->error(), Errc::unavailable);
    EXPECT_EQ(keep_cursor({})->error(), Errc::unavailable);
    EXPECT_EQ(keep(record("words"))->error(), Errc::unavailable);
}

TEST_F(ExtensionFeedsTest, WhoWaitsForRoomIsCalledOnceWhenThereIs) {
    const auto host = join("alpha", 1);
    ASSERT_TRUE(feed(R"([{"type":"echo"},{"type":"echo"},{"type":"echo"}])")->here());
    int calls = 0;
    engine_->when_waiting_below(7, 2, [&] { ++calls; });
    EXPECT_EQ(calls, 0);
    settle();
    EXPECT_EQ(calls, 0) << "two wait";

    report(*host, host->assigns.at(0).token);
    EXPECT_EQ(calls, 1);
    report(*host, host->assigns.at(1).token);
    EXPECT_EQ(calls, 1);

    engine_->when_waiting_below(7, 2, [&] { ++calls; });
    EXPECT_EQ(calls, 1) << "a callback ran inside the call";
    settle();
    EXPECT_EQ(calls, 2);

    engine_->when_waiting_below(7, 1, [&] { ++calls; });
    engine_->when_waiting_below(7, 1, nullptr);
    settle();
    EXPECT_EQ(calls, 2);
}

TEST_F(ExtensionFeedsTest, AHeldTaskWaits) {
    ASSERT_TRUE(feed(R"([{"type":"a"}])")->here());
    (void)ask<Found>([&](auto done) { engine_->hold(shown(1), "later", found(std::move(done))); });
    EXPECT_EQ(engine_->load_of(7).waiting, 1U);
    (void)cancel(shown(1));
    EXPECT_EQ(engine_->load_of(7).waiting, 0U);
}

TEST_F(ExtensionFeedsTest, OutcomesAreKeptForThoseThatWantThem) {
    const auto sink = **keep(record("table"));
    core::Cursor cursor;
    cursor.extension = sink;
    cursor.sequence = 3;
    ASSERT_TRUE(keep_cursor(cursor)->here());
    engine_->keep(store::Retention{});
    settle();
    EXPECT_EQ(store_->needed_after, ~std::uint64_t{0}) << "nobody was known at the start";
    restart();

    engine_->keep(store::Retention{});
    settle();
    EXPECT_EQ(store_->needed_after, 3U);
    engine_->keep_outcomes_after(5);
    advance(std::chrono::seconds(2));
    EXPECT_EQ(store_->needed_after, 5U);
    engine_->keep(store::Retention{});
    settle();
    EXPECT_EQ(store_->needed_after, 5U);
}

}  // namespace
}  // namespace distributo::coordinator::engine
