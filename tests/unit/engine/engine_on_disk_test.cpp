// What the engine and the store that lasts promise together: tasks that other tasks and generators
// have emitted.
#include "coordinator/store/sqlite/sqlite_store.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/engine/engine_fixture.hpp"

#include <boost/asio/executor_work_guard.hpp>

#include <filesystem>

namespace distributo::coordinator::engine {
namespace {

class EngineOnDiskTest : public testing::Test {
protected:
    EngineOnDiskTest() { start(); }
    ~EngineOnDiskTest() override { engine_.reset(); }

    void start() {
        auto store = store::make_sqlite_store(
            {.directory = folder_->path(), .reserve = 0},
            [this](auto function) { boost::asio::post(io_, std::move(function)); });
        engine_ = std::make_unique<Engine>(io_, clock_, core::Settings{}, std::move(store));
        ASSERT_TRUE(engine_->start());
        join();
    }
    /// The next coordinator finds what one leaves that is killed now.
    void kill() {
        auto left = std::make_unique<tests::TemporaryDirectory>();
        for (const auto* name : {"store.db", "store.db-wal"})
            if (std::filesystem::exists(folder_->path() / name))
                std::filesystem::copy_file(folder_->path() / name, left->path() / name);
        engine_.reset();
        folder_ = std::move(left);
        start();
    }
    void join() {
        wire::Capability capability;
        capability.type = "visit";
        capability.credit = 1;
        wire::Capabilities offer;
        offer.sequence = 1;
        offer.types = {capability};
        wire::Hello hello;
        hello.host_id = std::string(32, 'a');
        hello.boot_id = "boot" + std::to_string(++joins_);
        hello.name = "alpha";
        hello.slots = 1;
        wire::Welcome welcome;
        host_ = std::make_unique<FakeHost>();
        host_->index = engine_->host_joined({hello, "127.0.0.1:1"}, *host_, welcome);
        engine_->host_capabilities(host_->index, offer);
    }
    template <typename Done>
    void run_until(Done done) {
        while (!done())
            io_.run_one();
    }
    /// Runs the next task, which emits these, up to its acknowledgement.
    void run_one_task(std::string_view emitted = {}) {
        run_until([&] { return host_->assigns.size() == done_ + 1; });
        wire::ResultItem item;
        item.token = host_->assigns[done_].token;
        item.result = "1";
        item.emitted = emitted;
        const auto acks = host_->acks.size();
        engine_->host_result(host_->index, item);
        run_until([&] { return host_->acks.size() == acks + 1; });
        ++done_;
    }
    Fed feed(std::string tasks, std::string checkpoint) {
        Feed made{std::move(tasks), {}, {}};
        made.cursor.extension = 3;
        made.cursor.checkpoint = std::move(checkpoint);
        std::optional<Fed> answer;
        engine_->feed(std::move(made), [&](base::Result<Fed> fed) { answer = *fed; });
        run_until([&] { return answer.has_value(); });
        return *answer;
    }
    std::vector<store::TaskRecord> outcomes() {
        std::optional<std::vector<store::TaskRecord>> found;
        engine_->results({}, {}, [&](auto page) { found = std::move(page->tasks); });
        run_until([&] { return found.has_value(); });
        return *found;
    }
    [[nodiscard]] std::uint64_t live() const { return engine_->scheduler().counts().live(); }

    boost::asio::io_context io_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
        io_.get_executor()};
    ManualClock clock_;
    std::unique_ptr<tests::TemporaryDirectory> folder_ =
        std::make_unique<tests::TemporaryDirectory>();
    std::unique_ptr<FakeHost> host_;
    std::unique_ptr<Engine> engine_;
    std::size_t done_ = 0;  // of the host's tasks
    int joins_ = 0;
};

constexpr auto both_pages = R"([{"type":"visit","payload":"/a","dedupe_key":"a"},)"
                            R"({"type":"visit","payload":"/b","dedupe_key":"b"}])";

TEST_F(EngineOnDiskTest, WhatAnAcknowledgedTaskEmittedIsThereAfterAKill) {
    feed(R"([{"type":"visit","payload":"/"}])", "1");
    run_one_task(both_pages);

    kill();

    EXPECT_EQ(engine_->load_of(3).waiting + engine_->load_of(3).running, 2U)
        << "they come from the generator of their parent";
    done_ = 0;
    run_one_task();
    run_one_task();
    const auto all = outcomes();
    ASSERT_EQ(all.size(), 3U);
    for (std::size_t i = 1; i < 3; ++i) {
        EXPECT_EQ(all[i].task.parent, all[0].task.id);
        EXPECT_EQ(all[i].task.generator, 3U);
    }
    EXPECT_EQ(all[1].task.options->dedupe_key, "a");
}

TEST_F(EngineOnDiskTest, OneKeyIsAcceptedOnceOverKillsWhileItsTaskLivesAndAfterItsEnd) {
    feed(R"([{"type":"visit","payload":"/"}])", "1");
    run_one_task(both_pages);
    kill();
    done_ = 0;
    run_one_task(both_pages);  // they link to each other, one of them lives
    EXPECT_EQ(live(), 1U);
    kill();
    done_ = 0;
    run_one_task(both_pages);
    EXPECT_EQ(live(), 0U);
    kill();
    const auto fed = feed(both_pages, "2");
    EXPECT_EQ(fed.created, 0U);
    EXPECT_EQ(fed.duplicates, 2U) << "for generators it is the same key";
    EXPECT_EQ(outcomes().size(), 3U);
}

TEST_F(EngineOnDiskTest, AGeneratorGoesOnFromItsLastDurablePlace) {
    feed(R"([{"type":"visit"}])", "one");
    feed(R"([{"type":"visit"},{"type":"visit"}])", "three");

    kill();

    ASSERT_EQ(engine_->known_cursors().size(), 1U);
    EXPECT_EQ(engine_->known_cursors()[0].extension, 3U);
    EXPECT_EQ(engine_->known_cursors()[0].checkpoint, "three");
    EXPECT_EQ(live(), 3U);
}

}  // namespace
}  // namespace distributo::coordinator::engine
