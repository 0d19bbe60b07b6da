#include "tests/unit/engine/engine_fixture.hpp"

namespace distributo::coordinator::engine {
namespace {

using base::Errc;
using std::chrono::seconds;
using wire::TaskState;
using Kind = Submitted::Kind;

/// What leaves the engine, and when.
class DurabilityTest : public EngineTest {
protected:
    auto hold(const std::string& id, const std::string& reason = "wait") {
        return ask<Found>([&](auto done) { engine_->hold(id, reason, found(std::move(done))); });
    }
    auto release(const std::string& id) {
        return ask<Found>([&](auto done) { engine_->release(id, found(std::move(done))); });
    }
    auto submit_once(std::vector<Submit> items, IdempotencyKey key) {
        return ask<std::vector<Submitted>>(
            [&](auto done) { engine_->submit(std::move(items), std::move(key), std::move(done)); });
    }
    void open_gate() {
        store_->open_gate();
        settle();
    }
};

TEST_F(DurabilityTest, AHostGetsTasksWhenItsPresenceIsDurable) {
    add(task("echo"));
    store_->shut = true;
    const auto host = join();
    EXPECT_TRUE(host->assigns.empty());

    open_gate();
    EXPECT_EQ(host->assigns.size(), 1U);
}

TEST_F(DurabilityTest, AFailedAttemptIsDurableBeforeAnythingFollowsFromIt) {
    const auto host = join();
    const auto id = add(task("echo"));
    store_->shut = true;
    report_failure(*host, host->assigns.at(0).token, wire::AttemptStatus::interrupted);
    EXPECT_TRUE(host->acks.empty());
    EXPECT_EQ(host->assigns.size(), 1U);

    open_gate();
    EXPECT_EQ(host->acks.size(), 1U);
    ASSERT_EQ(host->assigns.size(), 2U);
    EXPECT_EQ(host->assigns[1].attempt, 2U);
    EXPECT_EQ((*find(id))->record.attempts.size(), 1U);
}

TEST_F(DurabilityTest, ACancelIsAnsweredAndPassedOnWhenItIsDurable) {
    const auto host = join();
    const auto id = add(task("echo"));
    store_->shut = true;
    const auto answer = cancel(id);
    const auto again = cancel(id);
    EXPECT_FALSE(answer->here());
    EXPECT_FALSE(again->here()) << "it is not durable either";
    EXPECT_TRUE(host->cancels.empty());

    open_gate();
    ASSERT_TRUE(answer->here() && again->here());
    EXPECT_EQ((*answer)->state, TaskState::cancelling);
    EXPECT_EQ((*again)->state, TaskState::cancelling);
    EXPECT_EQ(host->cancels.size(), 1U);
    ASSERT_EQ((*answer)->record.controls.size(), 1U);
    EXPECT_EQ((*answer)->record.controls[0].kind, core::Control::Kind::cancel);
}

TEST_F(DurabilityTest, AHeldTaskWaitsUntilItIsReleased) {
    const auto id = add(task("echo"));
    store_->shut = true;
    const auto held = hold(id, "look at it first");
    EXPECT_FALSE(held->here());
    open_gate();
    ASSERT_TRUE(held->here());
    EXPECT_EQ((*held)->state, TaskState::held);
    const auto host = join();
    EXPECT_TRUE(host->assigns.empty());

    store_->shut = true;
    const auto released = release(id);
    EXPECT_FALSE(released->here());
    EXPECT_TRUE(host->assigns.empty());
    open_gate();
    EXPECT_TRUE(released->here());
    EXPECT_EQ(host->assigns.size(), 1U);
    EXPECT_EQ((*find(id))->record.controls.size(), 2U);
}

TEST_F(DurabilityTest, WhatDoesNotWaitIsNeitherHeldNorReleased) {
    const auto host = join();
    const auto id = add(task("echo"));
    EXPECT_EQ(hold(id)->error(), Errc::conflict);
    EXPECT_EQ(release(id)->error(), Errc::conflict);
    report(*host, host->assigns.at(0).token);
    EXPECT_EQ(hold(id)->error(), Errc::conflict);
    const auto refused = release(id);
    EXPECT_EQ(refused->error(), Errc::conflict);
    EXPECT_NE(refused->value->error().message.find("completed"), std::string::npos);
    EXPECT_EQ(hold("nobody")->error(), Errc::not_found);
}

TEST_F(DurabilityTest, AHostsQuarantineIsEndedDurably) {
    const auto host = join("alpha", 8);
    for (int i = 0; i < 5; ++i)
        add(task("echo"));
    for (int i = 0; i < 5; ++i)
        report_failure(*host,
                       host->assigns.at(static_cast<std::size_t>(i)).token,
                       wire::AttemptStatus::crashed);
    const auto view = engine_->scheduler().hosts(engine_->now()).front();
    ASSERT_EQ(view.state, core::HostView::State::quarantined);
    const std::string host_id(view.id);
    const auto assigned = host->assigns.size();
    store_->shut = true;
    std::optional<base::Result<void>> answer;
    engine_->release_host(host_id, [&](base::Result<void> done) { answer = done; });
    settle();
    EXPECT_FALSE(answer);

    open_gate();
    ASSERT_TRUE(answer && *answer);
    EXPECT_GT(host->assigns.size(), assigned);
    engine_->release_host(host_id, [&](base::Result<void> done) { answer = done; });
    settle();
    EXPECT_EQ(answer->error().code, Errc::conflict);
}

TEST_F(DurabilityTest, ARequestWithTheSameKeyIsDoneOnce) {
    const IdempotencyKey key{"monday", "digest"};
    const auto first = submit_once({task("echo"), task("echo", "2")}, key);
    const auto other = submit_once({task("echo")}, {"tuesday", "digest"});
    const auto again = submit_once({task("echo"), task("echo", "2")}, key);

    ASSERT_EQ((*again)->size(), 2U);
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_EQ((**first)[i].kind, Kind::created);
        EXPECT_EQ((**again)[i].kind, Kind::repeated);
        EXPECT_EQ((**again)[i].id, (**first)[i].id);
    }
    EXPECT_EQ((**other)[0].kind, Kind::created);
    EXPECT_EQ(engine_->scheduler().counts().live(), 3U);
}

TEST_F(DurabilityTest, AKeyStandsForOneContent) {
    submit_once({task("echo")}, {"monday", "one"});
    // In one transaction with others, each of which gets its own answer.
    std::vector<std::optional<base::Result<std::vector<Submitted>>>> answers(4);
    const auto into = [&](std::size_t at) {
        return [&, at](base::Result<std::vector<Submitted>> answer) { answers[at] = answer; };
    };
    engine_->submit({task("echo")}, into(0));
    engine_->submit({task("echo", "3")}, IdempotencyKey{"monday", "two"}, into(1));
    engine_->submit({task("echo")}, IdempotencyKey{"monday", "one"}, into(2));
    engine_->submit({task("echo")}, IdempotencyKey{"friday", "two"}, into(3));
    settle();

    EXPECT_EQ(answers[0]->value()[0].kind, Kind::created);
    EXPECT_EQ(answers[1]->error().code, Errc::conflict);
    EXPECT_EQ(answers[2]->value()[0].kind, Kind::repeated);
    EXPECT_EQ(answers[3]->value()[0].kind, Kind::created);
    EXPECT_EQ(engine_->scheduler().counts().live(), 3U);
}

TEST_F(DurabilityTest, AUniqueKeyLetsOneTaskLiveAtATime) {
    core::TaskOptions options;
    options.unique_key = "nightly";
    const auto shared = std::make_shared<core::TaskOptions>(options);
    const Submit one{"echo", base::Bytes::copy("1"), shared};
    const auto host = join();
    const auto first = submit({one});
    const auto second = submit({one});
    EXPECT_EQ((**second)[0].kind, Kind::repeated);
    EXPECT_EQ((**second)[0].id, (**first)[0].id);

    report(*host, host->assigns.at(0).token);
    EXPECT_EQ((**submit({one}))[0].kind, Kind::created);
}

TEST_F(DurabilityTest, AFullDiskRefusesWhatIsSubmittedAndNothingElse) {
    const auto host = join();
    const auto id = add(task("echo"));
    store_->full = true;
    const auto refused = submit({task("echo"), task("echo")});
    EXPECT_EQ(refused->error(), Errc::no_space);
    EXPECT_EQ(submit_once({task("echo")}, {"key", "digest"})->error(), Errc::no_space);
    EXPECT_EQ(engine_->scheduler().counts().live(), 1U);
    EXPECT_EQ(host->assigns.size(), 1U);
    wire::ResultItem item;
    item.token = host->assigns.at(0).token;
    item.result = "1";
    item.emitted = R"([{"type":"echo","payload":2}])";
    engine_->host_result(host->index, item);
    settle();

    EXPECT_EQ((*find(id))->state, TaskState::completed);
    EXPECT_EQ(host->acks.size(), 1U);
    ASSERT_EQ(host->assigns.size(), 2U) << "a follow-up is part of a result";
    EXPECT_EQ(host->assigns[1].payload, "2");
    store_->full = false;
    EXPECT_EQ((**submit({task("echo")}))[0].kind, Kind::created);
}

TEST_F(DurabilityTest, WhatTheDiskCannotTakeInTimeIsRefusedButNoResult) {
    core::Settings settings;
    settings.max_unstored_tasks = 3;
    make(settings);
    const auto host = join();
    add(task("echo"));
    store_->shut = true;
    const auto taken = submit({task("echo"), task("echo"), task("echo"), task("echo")});
    const auto refused = submit({task("echo")});
    ASSERT_TRUE(refused->here());
    EXPECT_EQ(refused->error(), Errc::limit);
    EXPECT_FALSE(taken->here());
    report(*host, host->assigns.at(0).token);

    open_gate();
    EXPECT_EQ(host->acks.size(), 1U);
    EXPECT_TRUE(taken->value->has_value());
    EXPECT_TRUE(submit({task("echo")})->value->has_value());
}

TEST_F(DurabilityTest, BytesOnTheirWayToTheDiskAreBoundedToo) {
    core::Settings settings;
    settings.max_unstored_bytes = 1000;
    make(settings);
    store_->shut = true;
    submit({task("echo", "\"" + std::string(2000, 'x') + "\"")});

    EXPECT_EQ(submit({task("echo")})->error(), Errc::limit);
    open_gate();
    EXPECT_TRUE(submit({task("echo")})->value->has_value());
}

TEST_F(DurabilityTest, AfterAFailedCommitNothingLeavesAndOneIsToldLast) {
    const auto host = join();
    const auto id = add(task("echo"));
    std::vector<std::string> order;
    engine_->on_store_failed([&](const base::Error& error) { order.push_back(error.message); });
    store_->broken = true;
    engine_->submit({task("echo")},
                    [&](auto answer) { order.push_back(answer ? "stored" : "refused"); });
    report_failure(*host, host->assigns.at(0).token, wire::AttemptStatus::interrupted);
    settle();
    EXPECT_EQ(order, (std::vector<std::string>{"refused", "disk full"}));

    store_->broken = false;
    EXPECT_EQ(cancel(id)->error(), Errc::unavailable);
    EXPECT_EQ(hold(id)->error(), Errc::unavailable);
    EXPECT_EQ(retry(id)->error(), Errc::unavailable);
    EXPECT_EQ(submit({task("echo")})->error(), Errc::unavailable);
    const auto late = join("beta");
    EXPECT_TRUE(host->acks.empty());
    EXPECT_EQ(host->assigns.size(), 1U);
    EXPECT_TRUE(late->assigns.empty());
    EXPECT_EQ(order.size(), 2U) << "told once";
}

TEST_F(DurabilityTest, AStoreThatFailsToReopenATaskHasFailed) {
    const auto host = join();
    const auto id = add(task("echo"));
    report(*host, host->assigns.at(0).token);
    int told = 0;
    engine_->on_store_failed([&](const base::Error&) { ++told; });
    store_->broken = true;

    const auto answer = retry(id);

    ASSERT_TRUE(answer->here());
    EXPECT_EQ(answer->error(), base::Errc::unavailable);
    EXPECT_FALSE(engine_->healthy());
    EXPECT_EQ(told, 1);
}

TEST_F(DurabilityTest, AStaleAnswerWaitsForWhatMadeItStale) {
    auto host = join();
    const auto id = add(task("echo"));
    const auto token = host->assigns.at(0).token;
    engine_->host_gone(host->index, true);
    settle();
    store_->shut = true;
    const auto cancelled = cancel(id);
    host = join();
    report(*host, token);
    EXPECT_TRUE(host->acks.empty()) << "a crash now would undo the cancel and lose the result";

    store_->open_gate();
    settle();

    ASSERT_EQ(host->acks.size(), 1U);
    EXPECT_TRUE(host->acks[0].stale);
}

TEST_F(DurabilityTest, ACommitThatFailsWhileOthersAreOnTheWayFailsThemAll) {
    std::vector<std::string> order;
    engine_->on_store_failed([&](const base::Error&) { order.push_back("told"); });
    const auto note = [&](auto answer) { order.push_back(answer ? "stored" : "refused"); };
    store_->broken = true;
    engine_->submit({task("echo")}, note);
    engine_->run_due();
    store_->broken = false;
    engine_->submit({task("echo")}, note);
    engine_->run_due();
    settle();

    EXPECT_EQ(order, (std::vector<std::string>{"refused", "refused", "told"}));
    EXPECT_EQ(engine_->scheduler().counts().live(), 0U);
}

/// An engine after another on one store; the first one just stops.
class RestartTest : public DurabilityTest {
protected:
    RestartTest() { restart(); }
    std::unique_ptr<FakeHost> come_back(const std::string& name,
                                        std::vector<wire::Claim> running,
                                        std::vector<wire::Claim> finished = {}) {
        auto hello = hello_of(name);
        hello.running = std::move(running);
        hello.finished = std::move(finished);
        return join(std::move(hello));
    }
};

TEST_F(RestartTest, ARunningTaskGoesOnAndItsResultIsRecordedOnce) {
    const auto before = join();
    const auto id = add(task("echo"));
    const auto given = before->assigns.at(0);
    restart();
    const auto host = come_back("alpha", {{given.token, given.lease}});
    ASSERT_EQ(welcome_.verdicts.size(), 1U);
    EXPECT_EQ(welcome_.verdicts[0].verdict, wire::Verdict::keep);
    EXPECT_TRUE(host->assigns.empty());

    report(*host, given.token);
    ASSERT_EQ(host->acks.size(), 1U);
    EXPECT_EQ(host->acks[0].token, given.token);
    EXPECT_FALSE(host->acks[0].stale);
    EXPECT_EQ((*find(id))->record.outcome->attempt.number, 1U);
    EXPECT_TRUE(before->acks.empty());
}

TEST_F(RestartTest, WhatNobodyClaimsComesBackWhenTheHostsAreThereOrGivenUp) {
    const auto alpha = join("alpha");
    add(task("echo"));
    ASSERT_EQ(alpha->assigns.size(), 1U);
    restart();
    const auto beta = come_back("beta", {});
    EXPECT_TRUE(beta->assigns.empty());
    advance(seconds(29));
    engine_->host_heard(beta->index);
    EXPECT_TRUE(beta->assigns.empty());
    advance(seconds(1));

    ASSERT_EQ(beta->assigns.size(), 1U);
    EXPECT_EQ(beta->assigns[0].attempt, 2U);
}

TEST_F(RestartTest, ACancelThatWasAnsweredIsNotForgotten) {
    const auto before = join();
    const auto id = add(task("echo"));
    const auto given = before->assigns.at(0);
    EXPECT_EQ((*cancel(id))->state, TaskState::cancelling);
    restart();
    const auto host = come_back("alpha", {{given.token, given.lease}});
    EXPECT_EQ(host->cancels.size(), 1U);
    report_failure(*host, given.token, wire::AttemptStatus::cancelled);

    EXPECT_EQ((*find(id))->state, TaskState::cancelled);
}

TEST_F(RestartTest, ARetriedTaskStartsItsNewGenerationInTheNextBoot) {
    const auto before = join();
    const auto id = add(task("echo"));
    report_failure(*before, before->assigns.at(0).token);
    EXPECT_EQ((*find(id))->state, TaskState::failed);
    engine_->host_gone(before->index, true);
    settle();
    EXPECT_EQ((*retry(id))->state, TaskState::pending);
    restart();
    const auto host = come_back("alpha", {});

    ASSERT_EQ(host->assigns.size(), 1U);
    EXPECT_GT(host->assigns[0].attempt, 1U);
}

TEST_F(RestartTest, AResultThatWasRecordedIsAcknowledgedAgainAfterARestart) {
    const auto before = join();
    const auto id = add(task("echo"));
    const auto given = before->assigns.at(0);
    report(*before, given.token);
    ASSERT_EQ((*find(id))->state, TaskState::completed);
    restart();
    const auto host = come_back("alpha", {}, {{given.token, given.lease}});
    report(*host, given.token);

    ASSERT_EQ(host->acks.size(), 1U);
    EXPECT_EQ(host->acks[0].token, given.token);
}

}  // namespace
}  // namespace distributo::coordinator::engine
