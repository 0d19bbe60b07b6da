#include "tests/unit/engine/engine_fixture.hpp"

namespace distributo::coordinator::engine {
namespace {

using wire::TaskState;
using Ids = std::vector<std::string>;

class ListingTest : public EngineTest {
protected:
    struct Page {
        Ids ids;
        std::vector<TaskState> states;
        TaskId next_before = 0;
    };
    Page page(const store::ListQuery& query) {
        const auto answer = ask<Page>([&](Engine::Done<Page> done) {
            engine_->list(query, [done = std::move(done)](base::Result<TaskPage> found) {
                Page page;
                page.next_before = found->next_before;
                for (const auto& one : found->tasks) {
                    page.ids.push_back(one.shown_id());
                    page.states.push_back(one.state());
                }
                done(std::move(page));
            });
        });
        EXPECT_TRUE(answer->here());
        return **answer;
    }
    Ids list(const store::ListQuery& query) { return page(query).ids; }
    /// The host's first task ends, and that becomes durable inside of this call.
    void finish_now(const FakeHost& host) {
        wire::ResultItem item;
        item.token = host.assigns.at(0).token;
        item.result = "42";
        engine_->host_result(host.index, item);
        io_.poll();
    }
};

TEST_F(ListingTest, ByTheStateThatPeopleSee) {
    const auto host = join("alpha", 1);
    const auto running = add(task("echo"));
    const auto pending = add(task("echo"));

    EXPECT_EQ(list({}), (Ids{pending, running}));
    EXPECT_EQ(list({.states = {TaskState::running}}), (Ids{running}));
    EXPECT_EQ(list({.states = {TaskState::pending}}), (Ids{pending}));
    EXPECT_EQ(list({.states = {TaskState::pending, TaskState::running}, .limit = 1}),
              (Ids{pending}));
    EXPECT_EQ(list({.host = "alpha"}), (Ids{running}));
    report(*host, host->assigns.at(0).token);
    EXPECT_EQ(list({.states = {TaskState::completed}, .host = "alpha"}), (Ids{running}));
    EXPECT_EQ(list({.states = {TaskState::completed}, .host = "beta"}), (Ids{}));
    EXPECT_EQ(list({.host = "alpha"}), (Ids{pending, running})) << "one runs now, one did";
}

TEST_F(ListingTest, LiveAndEndedTasksComeTogetherPageByPage) {
    Ids all;
    for (int i = 0; i < 7; ++i) {
        all.insert(all.begin(), add(task("other")));
        if (i % 3 != 0)
            cancel(all.front());
    }
    for (const std::size_t limit : {1U, 2U, 3U, 6U, 7U, 100U}) {
        Ids seen;
        store::ListQuery query{.limit = limit};
        std::size_t pages = 0;
        do {
            const auto next = page(query);
            EXPECT_LE(next.ids.size(), limit);
            seen.insert(seen.end(), next.ids.begin(), next.ids.end());
            query.before = next.next_before;
            ++pages;
        } while (query.before != 0);
        EXPECT_EQ(seen, all) << limit;
        EXPECT_EQ(pages, (all.size() + limit - 1) / limit) << "the last full page is the last";
    }
}

TEST_F(ListingTest, ATaskThatEndsMeanwhileIsListedOnce) {
    const auto host = join();
    const auto id = add(task("echo"));
    store_->on_listed = [&] { finish_now(*host); };
    const auto found = page({});

    EXPECT_EQ(found.ids, (Ids{id}));
    EXPECT_EQ(found.states, std::vector{TaskState::completed});
}

TEST_F(ListingTest, ATaskThatLeavesTheStateMeanwhileIsLeftOut) {
    const auto host = join();
    add(task("echo"));
    store_->on_listed = [&] { finish_now(*host); };

    EXPECT_EQ(list({.states = {TaskState::running, TaskState::failed}}), (Ids{}));
}

TEST_F(ListingTest, ATaskWhoseEndIsBeingRecordedIsListedOnce) {
    const auto host = join();
    const auto id = add(task("echo"));
    store_->shut = true;
    wire::ResultItem item;
    item.token = host->assigns.at(0).token;
    engine_->host_result(host->index, item);
    const auto found = page({});

    EXPECT_EQ(found.ids, (Ids{id}));
    EXPECT_EQ(found.states, std::vector{TaskState::completed}) << "the store knows it already";
}

TEST_F(ListingTest, AnEndIsNotListedWithoutTheTasksThatCameWithIt) {
    const auto host = join();
    const auto parent = add(task("echo"));
    store_->shut = true;
    wire::ResultItem item;
    item.token = host->assigns.at(0).token;
    item.result = "42";
    item.emitted = R"([{"type":"echo"}])";
    engine_->host_result(host->index, item);
    settle();
    store_->on_listed = [&] { store_->open_gate(); };  // the answer knows of it, the scan did not
    const auto found = page({});

    ASSERT_EQ(found.ids.size(), 2U);
    EXPECT_EQ(found.ids[1], parent);
    EXPECT_EQ(found.states, (std::vector{TaskState::running, TaskState::completed}));
}

TEST_F(ListingTest, ALongSearchAnswersWithWhatItHasAndGoesOnLater) {
    const auto wanted = add(task("rare"));
    submit(std::vector<Submit>(300'000, task("common")));
    store::ListQuery query{.type = "rare"};
    const auto first = page(query);
    EXPECT_TRUE(first.ids.empty());
    ASSERT_NE(first.next_before, 0U);

    query.before = first.next_before;
    const auto second = page(query);
    EXPECT_EQ(second.ids, (Ids{wanted}));
    EXPECT_EQ(second.next_before, 0U);
}

TEST_F(ListingTest, AListOfLiveTasksHasWhatTheyWereSubmittedWith) {
    core::TaskOptions options;
    options.group = "nightly";
    submit({{"other", base::Bytes::copy("[1]"), std::make_shared<core::TaskOptions>(options)}});
    std::string text;
    ask<int>([&](auto done) {
        engine_->list({}, [&, done](base::Result<TaskPage> found) {
            const auto& task = found->tasks.at(0).record.task;
            text = std::string(task.type) + std::string(task.payload.view()) + task.options->group;
            done(0);
        });
    });

    EXPECT_EQ(text, "other[1]nightly");
}

}  // namespace
}  // namespace distributo::coordinator::engine
