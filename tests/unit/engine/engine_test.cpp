#include "tests/unit/engine/engine_fixture.hpp"

namespace distributo::coordinator::engine {
namespace {

using Kind = Submitted::Kind;

TEST_F(EngineTest, ASubmittedTaskReachesAHostThatOffersItsType) {
    const auto host = join();

    const auto answer = submit({task("echo", R"({"n":1})"), task("other")});

    ASSERT_TRUE(answer->here());
    EXPECT_EQ((**answer)[0].kind, Kind::created);
    EXPECT_LT((**answer)[0].id, (**answer)[1].id);
    ASSERT_EQ(host->assigns.size(), 1U);
    EXPECT_TRUE(host->gathered.empty()) << "was not flushed";
    EXPECT_EQ(host->assigns[0].type, "echo");
    EXPECT_EQ(host->assigns[0].payload, R"({"n":1})");
    EXPECT_EQ(host->assigns[0].id, base::NumberText((**answer)[0].id).view());
    EXPECT_EQ(host->assigns[0].attempt, 1U);
}

TEST_F(EngineTest, TheWelcomeTellsTheRulesOfTheCoordinator) {
    join();

    EXPECT_EQ(welcome_.coordinator_id, engine_->coordinator_id());
    EXPECT_EQ(welcome_.coordinator_id.size(), 32U);
    EXPECT_EQ(welcome_.lease_ms, 30'000);
    EXPECT_EQ(welcome_.heartbeat_ms, 5'000);
    EXPECT_EQ(welcome_.reconnect_window_ms, 1'000);
    EXPECT_EQ(welcome_.term, engine_->scheduler().term());
}

TEST_F(EngineTest, ASubmitIsNeitherAnsweredNorDispatchedBeforeItIsDurable) {
    const auto host = join();
    store_->shut = true;

    const auto answer = submit({task("echo")});
    EXPECT_FALSE(answer->here());
    EXPECT_TRUE(host->assigns.empty());

    store_->open_gate();
    settle();
    EXPECT_TRUE(answer->here());
    EXPECT_EQ(host->assigns.size(), 1U);
}

TEST_F(EngineTest, AResultIsAcknowledgedOnceItIsDurable) {
    const auto host = join();
    const auto id = add(task("echo"));
    store_->shut = true;

    report(*host, host->assigns.at(0).token);
    EXPECT_TRUE(host->acks.empty());

    store_->open_gate();
    settle();
    ASSERT_EQ(host->acks.size(), 1U);
    EXPECT_EQ(host->acks[0].token, host->assigns[0].token);
    EXPECT_FALSE(host->acks[0].stale);
    const auto task = find(id);
    EXPECT_EQ((*task)->state, wire::TaskState::completed);
    EXPECT_EQ((*task)->record.outcome->result.view(), "42");
    EXPECT_EQ((*task)->record.outcome->attempt.host, "alpha");
}

TEST_F(EngineTest, WhatComesInOneTurnIsOneTransaction) {
    const auto host = join();
    submit({task("echo"), task("echo")});
    const int before = store_->commits;
    int answers = 0;

    for (int i = 0; i < 3; ++i)
        engine_->submit({task("echo")}, [&](auto) { ++answers; });
    for (const auto& assigned : host->assigns) {
        wire::ResultItem item;
        item.token = assigned.token;
        item.result = "1";
        engine_->host_result(host->index, item);
    }
    settle();

    EXPECT_EQ(store_->commits, before + 1);
    EXPECT_EQ(answers, 3);
    EXPECT_EQ(host->acks.size(), 2U);
}

TEST_F(EngineTest, AnEmptySubmitIsAnsweredToo) {
    const auto answer = submit({});

    ASSERT_TRUE(answer->here());
    EXPECT_TRUE((*answer)->empty());
}

TEST_F(EngineTest, AGivenIdIsTakenOnce) {
    const auto first = submit({named("mine", "1")});
    const auto id = (**first)[0].id;

    const auto again = submit({task("echo"), named("mine", "1"), named("mine", "2"), task("echo")});

    ASSERT_EQ((*again)->size(), 4U);
    EXPECT_EQ((**again)[0].kind, Kind::created);
    EXPECT_EQ((**again)[1].kind, Kind::repeated);
    EXPECT_EQ((**again)[1].id, id);
    EXPECT_EQ((**again)[2].kind, Kind::conflict);
    EXPECT_EQ((**again)[2].id, id);
    EXPECT_EQ((**again)[3].kind, Kind::created);
    EXPECT_EQ((*find("mine"))->record.task.id, id);
    EXPECT_EQ(engine_->scheduler().counts().live(), 3U);
}

TEST_F(EngineTest, AGivenIdMayNotLookLikeTheNumberOfAnotherTask) {
    const auto first = submit({task("echo")});
    const auto id = (**first)[0].id;

    const auto answer = submit({named(base::NumberText(id).str()), task("echo")});

    EXPECT_EQ((**answer)[0].kind, Kind::conflict);
    EXPECT_EQ((**answer)[0].id, id);
    EXPECT_EQ((**answer)[1].kind, Kind::created);
}

TEST_F(EngineTest, ANumberThatSomebodyChoseAsAnIdIsNotAllotted) {
    const auto next = engine_->next_id();
    const auto chosen = base::NumberText(next + 1).str();

    const auto answer = submit({task("echo"), named(chosen, "1"), task("echo"), task("echo")});

    for (const auto& one : **answer)
        EXPECT_NE(one.id, next + 1);
    EXPECT_EQ((*find(chosen))->id, chosen);
    EXPECT_EQ((*find(chosen))->record.task.id, (**answer)[1].id);
    const auto again = submit({named(chosen, "1"), named(chosen, "2")});
    EXPECT_EQ((**again)[0].kind, Kind::repeated);
    EXPECT_EQ((**again)[1].kind, Kind::conflict);
}

TEST_F(EngineTest, TakesOverWhatTheStoreKnows) {
    make({}, [](GatedStore& store) {
        core::NewTask left;
        left.id = 5;
        left.type = "echo";
        left.payload = base::Bytes::copy("[5]");
        left.attempts_before = 2;
        store.live.push_back({left, nullptr});
        store.next_id = 6;
        store.reserved = {7};
    });

    const auto host = join();
    const auto answer = submit({task("echo"), task("echo")});

    ASSERT_EQ(host->assigns.size(), 3U);
    EXPECT_EQ(host->assigns[0].payload, "[5]");
    EXPECT_EQ(host->assigns[0].attempt, 3U) << "attempt numbers do not repeat";
    EXPECT_EQ((**answer)[0].id, 6U);
    EXPECT_EQ((**answer)[1].id, 8U);
}

TEST_F(EngineTest, TheQueueLimitCountsWhatIsOnItsWayToTheStore) {
    core::Settings settings;
    settings.max_tasks = 3;
    make(settings);
    store_->shut = true;

    submit({task("echo"), task("echo")});
    const auto refused = submit({task("echo"), task("echo")});
    const auto accepted = submit({task("echo")});

    ASSERT_TRUE(refused->here());
    EXPECT_EQ(refused->error(), base::Errc::limit);
    EXPECT_FALSE(accepted->here());
    store_->open_gate();
    settle();
    EXPECT_TRUE(accepted->here() && accepted->value->has_value());
}

TEST_F(EngineTest, ABrokenStoreStopsEveryAcknowledgement) {
    const auto host = join();
    add(task("echo"));
    store_->broken = true;

    const auto lost = submit({task("echo")});
    report(*host, host->assigns.at(0).token);
    const auto later = submit({task("echo")});

    ASSERT_TRUE(lost->here() && later->here());
    EXPECT_EQ(lost->error(), base::Errc::unavailable);
    EXPECT_EQ(later->error(), base::Errc::unavailable);
    EXPECT_NE(lost->value->error().message.find("disk full"), std::string::npos);
    EXPECT_TRUE(host->acks.empty());
    EXPECT_FALSE(engine_->healthy());
}

TEST_F(EngineTest, ANewerConnectionOfAHostReplacesTheOldOne) {
    const auto first = join();
    const auto second = join();

    add(task("echo"));

    EXPECT_TRUE(first->was_replaced);
    EXPECT_FALSE(second->was_replaced);
    EXPECT_TRUE(first->assigns.empty());
    EXPECT_EQ(second->assigns.size(), 1U);
}

TEST_F(EngineTest, WhatAHostBringsFromAnotherCoordinatorIsNotTakenForAnOwnTask) {
    const auto host = join();
    add(task("echo"));
    const auto token = host->assigns.at(0).token;
    core::HostJoin again;
    again.hello.host_id = std::string(27, '0') + "alpha";
    again.hello.boot_id = "alpha-boot";
    again.hello.running = {token};

    for (const auto& [coordinator, verdict] :
         {std::pair(engine_->coordinator_id(), wire::Verdict::keep),
          std::pair(std::string(), wire::Verdict::keep),
          std::pair(std::string("another"), wire::Verdict::cancel)}) {
        again.hello.coordinator_id = coordinator;
        wire::Welcome welcome;
        FakeHost port;
        port.index = engine_->host_joined(again, port, welcome);
        ASSERT_EQ(welcome.verdicts.size(), 1U);
        EXPECT_EQ(welcome.verdicts[0].token, token);
        EXPECT_EQ(welcome.verdicts[0].verdict, verdict) << coordinator;
        engine_->host_gone(port.index, false);
    }
}

TEST_F(EngineTest, AHostThatIsGoneIsNotTalkedTo) {
    auto host = join();
    const auto id = add(task("echo"));
    engine_->host_gone(host->index, true);
    host.reset();
    settle();

    EXPECT_EQ((*find(id))->state, wire::TaskState::pending);
    const auto other = join("beta");
    EXPECT_EQ(other->assigns.size(), 1U);
}

TEST_F(EngineTest, ABackedUpHostGetsNothingUntilItHasCaughtUp) {
    const auto host = join();
    engine_->host_backed_up(host->index, true);
    add(task("echo"));
    EXPECT_TRUE(host->assigns.empty());

    engine_->host_backed_up(host->index, false);
    settle();
    EXPECT_EQ(host->assigns.size(), 1U);
}

TEST_F(EngineTest, WhatIsDueRunsByTheClock) {
    const auto host = join();
    core::TaskOptions options;
    options.not_before = clock_.wall() + std::chrono::minutes(1);
    submit({{"echo", base::Bytes::copy("1"), std::make_shared<core::TaskOptions>(options)}});
    EXPECT_TRUE(host->assigns.empty());

    engine_->host_heard(host->index);
    advance(std::chrono::seconds(29));
    engine_->host_heard(host->index);
    advance(std::chrono::seconds(29));
    engine_->host_heard(host->index);
    EXPECT_TRUE(host->assigns.empty());
    advance(std::chrono::seconds(3));

    EXPECT_EQ(host->assigns.size(), 1U);
}

TEST_F(EngineTest, WhoMovesTheClockLearnsWhenSomethingIsDue) {
    EXPECT_EQ(engine_->next_due(), base::TimePoint::max());
    core::TaskOptions options;
    options.not_before = clock_.wall() + std::chrono::minutes(1);

    submit({{"echo", base::Bytes::copy("1"), std::make_shared<core::TaskOptions>(options)}});

    EXPECT_EQ(engine_->next_due(), clock_.now() + std::chrono::minutes(1));
}

TEST_F(EngineTest, ADestroyedEngineAnswersNobody) {
    bool answered = false;
    engine_->submit({task("echo")}, [&](auto) { answered = true; });
    engine_->find("nobody", [&](auto) { answered = true; });

    engine_.reset();
    settle();

    EXPECT_FALSE(answered);
}

}  // namespace
}  // namespace distributo::coordinator::engine
