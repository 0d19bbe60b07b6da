#include "tests/unit/engine/engine_fixture.hpp"

namespace distributo::coordinator::engine {
namespace {

using base::Errc;
using std::chrono::seconds;
using wire::TaskState;

TEST_F(EngineTest, AnUnknownIdIsNotFound) {
    add(task("echo"));

    for (const std::string id : {"nobody", "c999", "", "a0"}) {
        const auto answer = find(id);
        ASSERT_TRUE(answer->here());
        EXPECT_EQ(answer->error(), Errc::not_found) << id;
    }
    EXPECT_EQ(wait("nobody", seconds(9))->error(), Errc::not_found);
    EXPECT_EQ(cancel("nobody")->error(), Errc::not_found);
    EXPECT_EQ(retry("c999")->error(), Errc::not_found);
}

TEST_F(EngineTest, ALiveTaskIsFoundByEitherName) {
    const auto answer = submit({named("mine")});
    const auto id = (**answer)[0].id;

    EXPECT_EQ((*find("mine"))->state, TaskState::pending);
    EXPECT_TRUE((*find("mine"))->live);
    EXPECT_EQ((*find(base::NumberText(id).str()))->id, "mine");
}

TEST_F(EngineTest, ARecordThatIsOlderThanTheSchedulerIsAskedForAgain) {
    const auto host = join();
    const auto id = add(task("echo"));
    store_->on_found = [&] {
        // The end becomes durable between the store's answer and its arrival.
        wire::ResultItem item;
        item.token = host->assigns.at(0).token;
        item.result = "42";
        engine_->host_result(host->index, item);
        io_.poll();
    };
    const auto answer = find(id);

    ASSERT_TRUE(answer->here());
    EXPECT_EQ((*answer)->state, TaskState::completed);
}

TEST_F(EngineTest, AWaitAnswersWhenTheTaskHasEnded) {
    const auto host = join();
    const auto id = add(task("echo"));
    const auto answer = wait(id, seconds(60));
    EXPECT_FALSE(answer->here());

    report(*host, host->assigns.at(0).token);

    ASSERT_TRUE(answer->here());
    EXPECT_EQ((*answer)->state, TaskState::completed);
    EXPECT_TRUE(wait(id, seconds(60))->here()) << "it has ended already";
}

TEST_F(EngineTest, AWaitEndsWithItsTimeAndTellsTheState) {
    const auto id = add(task("echo"));
    const auto answer = wait(id, seconds(10));
    const auto longer = wait(id, seconds(20));

    advance(seconds(9));
    EXPECT_FALSE(answer->here());
    advance(seconds(1));

    ASSERT_TRUE(answer->here());
    EXPECT_EQ((*answer)->state, TaskState::pending);
    EXPECT_FALSE(longer->here());
    EXPECT_TRUE(wait(id, seconds(0))->here());
}

TEST_F(EngineTest, ManyMayWaitForOneTask) {
    const auto host = join();
    const auto id = add(task("echo"));
    const auto first = wait(id, seconds(60));
    const auto second = wait(id, seconds(70));
    const auto other = wait(add(task("other")), seconds(60));

    report(*host, host->assigns.at(0).token);

    EXPECT_TRUE(first->here() && second->here());
    EXPECT_FALSE(other->here());
}

TEST_F(EngineTest, CancellingAWaitingTaskEndsItInTheStoreFirst) {
    const auto id = add(task("echo"));

    const auto answer = cancel(id);

    ASSERT_TRUE(answer->here());
    ASSERT_TRUE((*answer)->record.outcome) << "answered before the end was recorded";
    EXPECT_EQ((*answer)->state, TaskState::cancelled);
}

TEST_F(EngineTest, CancellingTellsTheHostOfARunningTask) {
    const auto host = join();
    const auto id = add(task("echo"));

    const auto answer = cancel(id);

    EXPECT_EQ((*answer)->state, TaskState::cancelling);
    ASSERT_EQ(host->cancels.size(), 1U);
    EXPECT_EQ(host->cancels[0], host->assigns.at(0).token);
    report_failure(*host, host->assigns[0].token, wire::AttemptStatus::cancelled);
    EXPECT_EQ((*find(id))->state, TaskState::cancelled);
}

TEST_F(EngineTest, CancellingTwiceIsFineAnEndedTaskIsNot) {
    const auto host = join();
    const auto waiting = add(task("other"));
    const auto done = add(task("echo"));
    report(*host, host->assigns.at(0).token);

    EXPECT_EQ((*cancel(waiting))->state, TaskState::cancelled);
    EXPECT_EQ((*cancel(waiting))->state, TaskState::cancelled);
    const auto refused = cancel(done);
    EXPECT_EQ(refused->error(), Errc::conflict);
    EXPECT_NE(refused->value->error().message.find("completed"), std::string::npos);
}

TEST_F(EngineTest, ARetryOpensANewGenerationAndCountsOn) {
    const auto host = join();
    const auto id = add(task("echo"));
    report_failure(*host, host->assigns.at(0).token);
    EXPECT_EQ((*find(id))->state, TaskState::failed);

    const auto answer = retry(id);

    ASSERT_TRUE(answer->here());
    EXPECT_TRUE((*answer)->live);
    ASSERT_EQ(host->assigns.size(), 2U);
    EXPECT_EQ(host->assigns[1].id, id);
    EXPECT_EQ(host->assigns[1].attempt, 2U);
    report(*host, host->assigns[1].token);
    const auto task = find(id);
    EXPECT_EQ((*task)->state, TaskState::completed);
    EXPECT_EQ((*task)->record.attempts.size(), 2U);
}

TEST_F(EngineTest, ARetryEndsTheBackoffOfALiveTask) {
    const auto host = join();
    const auto id = add(task("echo"));
    report_failure(*host, host->assigns.at(0).token, wire::AttemptStatus::retry);
    EXPECT_EQ((*find(id))->state, TaskState::retrying);

    retry(id);

    EXPECT_EQ(host->assigns.size(), 2U);
}

TEST_F(EngineTest, ARunningTaskCannotBeRetried) {
    const auto host = join();
    const auto id = add(task("echo"));

    EXPECT_EQ(retry(id)->error(), Errc::conflict);
    EXPECT_EQ(host->assigns.size(), 1U);
}

TEST_F(EngineTest, ResultsComeAsSoonAsThereAreSome) {
    const auto host = join();
    const auto nothing = results({});
    ASSERT_TRUE(nothing->here());
    EXPECT_TRUE((*nothing)->tasks.empty());
    const auto waiting = results({}, seconds(60));
    const auto elsewhere = results({.type = "other"}, seconds(60));
    EXPECT_FALSE(waiting->here());

    add(task("echo"));
    report(*host, host->assigns.at(0).token);

    ASSERT_TRUE(waiting->here());
    EXPECT_EQ((*waiting)->tasks.size(), 1U);
    EXPECT_FALSE(elsewhere->here());
    advance(seconds(61));
    ASSERT_TRUE(elsewhere->here());
    EXPECT_TRUE((*elsewhere)->tasks.empty());
    EXPECT_EQ((*elsewhere)->next_after, (*waiting)->next_after) << "it need not look there again";
}

TEST_F(EngineTest, LogsAreKeptFromTheHostThatHoldsTheTaskOnly) {
    const auto host = join();
    const auto other = join("beta");
    const auto id = add(task("echo"));
    FakeHost& holder = host->assigns.empty() ? *other : *host;
    FakeHost& stranger = host->assigns.empty() ? *host : *other;
    wire::LogItem line;
    line.token = holder.assigns.at(0).token;
    line.stream = "stdout";
    line.text = "hello";
    engine_->host_log(holder.index, line);
    line.text = "forged";
    engine_->host_log(stranger.index, line);

    const auto lines =
        ask<std::vector<LogLine>>([&](auto done) { engine_->logs(id, std::move(done)); });

    ASSERT_TRUE(lines->here());
    ASSERT_EQ((*lines)->size(), 1U);
    EXPECT_EQ((**lines)[0].text, "hello");
    EXPECT_EQ((**lines)[0].attempt, 1U);
}

TEST_F(EngineTest, ExplainsWaitingAndEndedTasks) {
    const auto host = join();
    const auto waiting = add(task("other"));
    const auto done = add(task("echo"));
    report(*host, host->assigns.at(0).token);
    const auto explain = [&](const std::string& id) {
        return ask<core::Explanation>(
            [&](auto answer) { engine_->explain(id, std::move(answer)); });
    };

    const auto why = explain(waiting);
    ASSERT_TRUE(why->here());
    ASSERT_EQ((*why)->hosts.size(), 1U);
    EXPECT_EQ((*why)->hosts[0].code, "no_capability");
    EXPECT_NE((*explain(done))->summary.find("completed"), std::string::npos);
}

}  // namespace
}  // namespace distributo::coordinator::engine
