#include "phase_machine_bed.hpp"

#include <map>

namespace distributo::host {
namespace {

TEST_F(PhaseMachineTest, ATaskRunsAndItsOutcomeCarriesResultAndTimes) {
    offer({type("t")});
    assign(1);
    now += 3ms;
    dispatch();
    ASSERT_EQ(started.size(), 1U);
    EXPECT_EQ(started[0].call.payload, "{}");
    now += 1s;
    end(started[0].call.call);

    ASSERT_EQ(outcomes.size(), 1U);
    EXPECT_EQ(outcomes[0].token, token(1));
    EXPECT_EQ(outcomes[0].status, AttemptStatus::ok);
    EXPECT_EQ(outcomes[0].result, "7");
    EXPECT_EQ(outcomes[0].times.wait_us, 3'000U);
    EXPECT_EQ(outcomes[0].times.execute_us, 1'000'000U);
    EXPECT_EQ(machine.open_tasks(), 0U);
}

TEST_F(PhaseMachineTest, LongTasksRunOnlyOnFreeSlots) {
    offer({type("t")});
    for (std::uint64_t i = 1; i <= 3; ++i)
        assign(i);
    dispatch();
    ASSERT_EQ(started.size(), 2U);

    end(started[0].call.call);

    EXPECT_EQ(started.size(), 3U);
}

TEST_F(PhaseMachineTest, ShortTasksGoToTheRunnerInBatches) {
    offer({type("t")});
    assign(1);
    dispatch();
    CallResult quick;
    quick.call = started[0].call.call;
    quick.elapsed_us = 10;
    machine.call_ended(CallResult(quick), now);
    for (std::uint64_t i = 2; i <= 300; ++i)
        assign(i);

    dispatch();

    EXPECT_EQ(started.size(), 300U);
}

TEST_F(PhaseMachineTest, ATypeThatMayRunOnceAtATimeDoes) {
    offer({type("t", false, 1)});
    assign(1);
    assign(2);
    dispatch();

    EXPECT_EQ(started.size(), 1U);
}

TEST_F(PhaseMachineTest, TypesShareTheSlots) {
    offer({type("t"), type("u")});
    assign(1, "t");
    assign(2, "u");
    assign(3, "u");
    dispatch();

    EXPECT_EQ(started.size(), 2U);
}

TEST_F(PhaseMachineTest, AFloodOfOneTypeDoesNotStarveAnother) {
    offer({type("t"), type("u")});
    for (std::uint64_t i = 1; i <= 10; ++i)
        assign(i, "t");
    assign(11, "u");
    dispatch();
    end(started[0].call.call);
    end(started[1].call.call);

    EXPECT_THAT(std::vector({started[2].call.type, started[3].call.type}), testing::Contains("u"));
}

TEST_F(PhaseMachineTest, ATaskOfATypeThatIsGoneIsGivenBack) {
    assign(1, "unknown");

    ASSERT_THAT(statuses(), ElementsAre(AttemptStatus::interrupted));
    EXPECT_NE(outcomes[0].message.find("unknown"), std::string::npos);
}

TEST_F(PhaseMachineTest, WithdrawingGivesBackWhatWaitsAndLetsCallsEnd) {
    offer({type("t")});
    for (std::uint64_t i = 1; i <= 3; ++i)
        assign(i);
    dispatch();

    machine.withdraw(first, "removed", now);
    EXPECT_THAT(statuses(), ElementsAre(AttemptStatus::interrupted));
    end(started[0].call.call);

    EXPECT_EQ(outcomes[1].status, AttemptStatus::ok);
    EXPECT_EQ(machine.credit("t", ""), 0U);
}

TEST_F(PhaseMachineTest, AReplacedPluginTakesTheWaitingTasks) {
    offer({type("t")});
    for (std::uint64_t i = 1; i <= 3; ++i)
        assign(i);
    dispatch();

    offer({type("t")}, second);
    machine.withdraw(first, "replaced", now);
    end(started[0].call.call);

    ASSERT_EQ(started.size(), 3U);
    EXPECT_EQ(started[2].plugin, second);
    EXPECT_THAT(statuses(), ElementsAre(AttemptStatus::ok));
}

// ---- setup -------------------------------------------------------------------------------------

TEST_F(PhaseMachineTest, ATaskThatRunsAloneWaitsInSetupForItsProcess) {
    offer({type("t")});
    assign(1, "t", {}, true);
    dispatch();
    now += 80ms;
    machine.report_phases(now);
    EXPECT_THAT(phases, ElementsAre(wire::Phase::setup));

    machine.call_started(started.at(0).call.call, now);
    now += 60ms;
    machine.report_phases(now);
    now += 940ms;
    end(started[0].call.call);

    EXPECT_THAT(phases, ElementsAre(wire::Phase::setup, wire::Phase::execute));
    EXPECT_EQ(outcomes[0].times.setup_us, 80'000U);
    EXPECT_EQ(outcomes[0].times.execute_us, 1'000'000U);
}

TEST_F(PhaseMachineTest, OnlyPhasesThatLastAreReportedAndOnce) {
    offer({type("t")});
    assign(1);
    dispatch();
    now += 49ms;
    machine.report_phases(now);
    EXPECT_THAT(phases, IsEmpty());
    now += 1ms;
    machine.report_phases(now);
    machine.report_phases(now + 1s);

    EXPECT_THAT(phases, ElementsAre(wire::Phase::execute));
}

// ---- install -----------------------------------------------------------------------------------

TEST_F(PhaseMachineTest, OneInstallServesAllTasksWithTheSameContent) {
    offer({type("t")});
    assign(1, "t", R"({"a":1})");
    assign(2, "t", R"({"a":1})");
    dispatch();
    ASSERT_EQ(installs.size(), 1U);
    EXPECT_EQ(installs[0].spec, R"({"a":1})");
    EXPECT_EQ(installs[0].content_key, content_key("t", R"({"a":1})", "digest1"));

    now += 10ms;
    end(installs[0].call);

    EXPECT_EQ(kept, std::vector{installs[0].content_key});
    ASSERT_EQ(started.size(), 2U);
    EXPECT_EQ(started[0].call.task_id, "task");
    EXPECT_EQ(started[0].call.install_dir, "/i/" + installs[0].content_key);
    end(started[0].call.call);
    end(started[1].call.call);
    EXPECT_EQ(outcomes[0].times.install_us, 10'000U);
    assign(3, "t", R"({"a":1})");
    dispatch();
    EXPECT_EQ(started.size(), 3U);
    EXPECT_EQ(installs.size(), 1U);
}

TEST_F(PhaseMachineTest, ATypeThatNeedsInstallIsInstalledWithoutASpecification) {
    offer({type("t", true)});
    assign(1);
    dispatch();

    ASSERT_EQ(installs.size(), 1U);
    EXPECT_EQ(installs[0].spec, "{}");
}

TEST_F(PhaseMachineTest, AFailedInstallFailsAllThatWaitForItAndIsTriedAgainLater) {
    offer({type("t")});
    assign(1, "t", "1");
    assign(2, "t", "1");
    dispatch();

    end(installs[0].call, CallResult::Status::permanent);

    EXPECT_THAT(statuses(),
                ElementsAre(AttemptStatus::install_failed, AttemptStatus::install_failed));
    EXPECT_EQ(outcomes[0].message, "install failed: why");
    EXPECT_EQ(dropped.size(), 1U);
    assign(3, "t", "1");
    dispatch();
    ASSERT_EQ(installs.size(), 2U);
    EXPECT_EQ(installs[1].attempt, 2U);
}

TEST_F(PhaseMachineTest, CancellingTheInstallerHandsTheInstallToTheNext) {
    offer({type("t")});
    assign(1, "t", "1");
    assign(2, "t", "1");
    dispatch();

    machine.cancel(token(1), now);
    EXPECT_THAT(cancelled, ElementsAre(installs[0].call));
    end(installs[0].call, CallResult::Status::cancelled);

    EXPECT_THAT(statuses(), ElementsAre(AttemptStatus::cancelled));
    EXPECT_EQ(installs.size(), 2U);
}

TEST_F(PhaseMachineTest, AnInstallOfAnotherPluginVersionIsNotReused) {
    offer({type("t")});
    assign(1, "t", "1");
    dispatch();
    end(installs[0].call);
    offer({type("t")}, second);

    assign(2, "t", "1");
    dispatch();

    EXPECT_EQ(installs.size(), 2U);
}

TEST_F(PhaseMachineTest, AnInstallFromAnEarlierRunIsUsed) {
    machine.add_install(content_key("t", "1", "digest1"));
    offer({type("t")});
    assign(1, "t", "1");
    dispatch();

    EXPECT_THAT(installs, IsEmpty());
    EXPECT_EQ(started.size(), 1U);
}

// ---- crashes -----------------------------------------------------------------------------------

TEST_F(PhaseMachineTest, AnAbortedCallRunsAgainWithoutAReport) {
    offer({type("t")});
    assign(1);
    dispatch();

    end(started[0].call.call, CallResult::Status::aborted);

    EXPECT_THAT(outcomes, IsEmpty());
    ASSERT_EQ(started.size(), 2U);
    EXPECT_FALSE(started[1].alone);
}

TEST_F(PhaseMachineTest, ASuspectRunsAloneAndASecondCrashThereIsItsOwn) {
    offer({type("t")});
    assign(1);
    dispatch();

    end(started[0].call.call, CallResult::Status::aborted, true);
    ASSERT_EQ(started.size(), 2U);
    EXPECT_TRUE(started[1].alone);
    EXPECT_THAT(outcomes, IsEmpty());
    end(started[1].call.call, CallResult::Status::aborted, true);

    EXPECT_THAT(statuses(), ElementsAre(AttemptStatus::crashed));
}

TEST_F(PhaseMachineTest, ATaskThatTheCoordinatorSuspectsRunsAlone) {
    offer({type("t")});
    assign(1, "t", {}, true);
    dispatch();

    EXPECT_TRUE(started.at(0).alone);
    end(started[0].call.call, CallResult::Status::crashed);
    EXPECT_THAT(statuses(), ElementsAre(AttemptStatus::crashed));
}

TEST_F(PhaseMachineTest, ATaskWhoseProcessNeverStaysGoesBackInTheEnd) {
    offer({type("t")});
    assign(1);
    dispatch();

    for (std::size_t i = 0; i < 100 && outcomes.empty(); ++i)
        end(started.back().call.call, CallResult::Status::aborted);

    EXPECT_THAT(statuses(), ElementsAre(AttemptStatus::interrupted));
}

TEST_F(PhaseMachineTest, AnAbortedCallOfARemovedPluginIsGivenBack) {
    offer({type("t")});
    assign(1);
    dispatch();
    machine.withdraw(first, "quarantined", now);

    end(started[0].call.call, CallResult::Status::aborted);

    EXPECT_THAT(statuses(), ElementsAre(AttemptStatus::interrupted));
}

// ---- cancel, deadline, shutdown
// ------------------------------------------------------------------

TEST_F(PhaseMachineTest, CancellingAWaitingTaskEndsItAtOnce) {
    offer({type("t")});
    for (std::uint64_t i = 1; i <= 4; ++i)
        assign(i);
    dispatch();

    machine.cancel(token(4), now);
    machine.cancel(token(3), now);
    assign(5);
    end(started[0].call.call);

    EXPECT_THAT(statuses(),
                ElementsAre(AttemptStatus::cancelled, AttemptStatus::cancelled, AttemptStatus::ok));
    EXPECT_EQ(started.size(), 3U);
}

TEST_F(PhaseMachineTest, CancellingARunningTaskAsksItsCallToEnd) {
    offer({type("t")});
    assign(1);
    dispatch();

    machine.cancel(token(1), now);
    EXPECT_THAT(cancelled, ElementsAre(started[0].call.call));
    EXPECT_THAT(outcomes, IsEmpty());
    end(started[0].call.call, CallResult::Status::cancelled);

    EXPECT_THAT(statuses(), ElementsAre(AttemptStatus::cancelled));
}

TEST_F(PhaseMachineTest, APluginThatGivesUpUnaskedHasFailed) {
    offer({type("t")});
    assign(1);
    dispatch();

    end(started[0].call.call, CallResult::Status::cancelled);

    EXPECT_THAT(statuses(), ElementsAre(AttemptStatus::retry));
}

TEST_F(PhaseMachineTest, TheSmallerOfTimeoutAndDeadlineLimitsTheCall) {
    offer({type("t")});
    wire::AssignItem item;
    item.token = token(1);
    item.type = "t";
    item.timeout_ms = 5'000;
    item.deadline_ms = 3'000;
    machine.assign(item, now);
    now += 1s;
    dispatch();

    EXPECT_EQ(started.at(0).call.timeout, 2s);
}

TEST_F(PhaseMachineTest, ATaskWhoseDeadlinePassedWhileItWaitedDoesNotStart) {
    offer({type("t")});
    wire::AssignItem item;
    item.token = token(1);
    item.type = "t";
    item.deadline_ms = 10;
    machine.assign(item, now);
    now += 10ms;
    dispatch();

    EXPECT_THAT(started, IsEmpty());
    EXPECT_THAT(statuses(), ElementsAre(AttemptStatus::timeout));
}

TEST_F(PhaseMachineTest, ClosingGivesBackWhatHasNotStartedAndTakesNothingNew) {
    offer({type("t")});
    for (std::uint64_t i = 1; i <= 3; ++i)
        assign(i);
    dispatch();

    machine.close("shutdown", now);
    assign(4);
    end(started[0].call.call);

    EXPECT_THAT(
        statuses(),
        ElementsAre(AttemptStatus::interrupted, AttemptStatus::interrupted, AttemptStatus::ok));
    EXPECT_EQ(machine.open_tasks(), 1U);
}

TEST_F(PhaseMachineTest, WhatADrainCancelsIsInterruptedUnlessItSucceeds) {
    offer({type("t")});
    assign(1);
    assign(2);
    dispatch();

    machine.cancel_all(now);
    end(started[0].call.call, CallResult::Status::cancelled);
    end(started[1].call.call, CallResult::Status::ok);

    EXPECT_THAT(statuses(), ElementsAre(AttemptStatus::interrupted, AttemptStatus::ok));
}

TEST_F(PhaseMachineTest, ALateResultOfAnAbandonedTaskIsIgnored) {
    offer({type("t")});
    assign(1);
    dispatch();

    machine.abandon_all("stopped", now);
    end(started[0].call.call);

    EXPECT_THAT(statuses(), ElementsAre(AttemptStatus::interrupted));
    EXPECT_EQ(machine.open_tasks(), 0U);
}

TEST_F(PhaseMachineTest, ALeaseComesBackWithItsTaskAndWithItsOutcome) {
    offer({type("t")});
    assign(1);
    assign(2, "gone");
    dispatch();

    EXPECT_THAT(machine.claims(), ElementsAre(wire::Claim(token(1), lease(1))));
    end(started[0].call.call);

    ASSERT_EQ(outcomes.size(), 2U);
    EXPECT_EQ(outcomes[0].lease, lease(2));
    EXPECT_EQ(outcomes[1].token, token(1));
    EXPECT_EQ(outcomes[1].lease, lease(1));
}

TEST_F(PhaseMachineTest, WhatIsDisownedEndsAndNobodyHearsOfIt) {
    offer({type("t")});
    for (std::uint64_t i = 1; i <= 3; ++i)
        assign(i);
    dispatch();

    machine.disown_all(now);
    machine.disown_all(now);

    EXPECT_THAT(cancelled, ElementsAre(started[0].call.call, started[1].call.call));
    EXPECT_THAT(machine.claims(), IsEmpty());
    EXPECT_EQ(machine.find(started[0].call.call), nullptr);
    now += 1s;
    machine.report_phases(now);
    EXPECT_THAT(phases, IsEmpty());
    end(started[0].call.call, CallResult::Status::cancelled);
    end(started[1].call.call, CallResult::Status::ok);
    EXPECT_THAT(outcomes, IsEmpty());
    EXPECT_EQ(machine.open_tasks(), 0U);
    assign(4);
    dispatch();
    EXPECT_EQ(started.size(), 3U);
}

// ---- credit ------------------------------------------------------------------------------------

TEST_F(PhaseMachineTest, CreditIsAnnouncedWhenItHasChangedEnough) {
    offer({type("t")});
    machine.credit_announced();
    std::vector<wire::Credit> credits;
    machine.collect_credit(false, credits);
    EXPECT_THAT(credits, IsEmpty());

    assign(1);
    dispatch();
    CallResult quick;
    quick.call = started[0].call.call;
    machine.call_ended(CallResult(quick), now);
    machine.collect_credit(false, credits);

    ASSERT_EQ(credits.size(), 1U);
    EXPECT_GT(credits[0].credit, 1000U);
    machine.collect_credit(false, credits);
    EXPECT_EQ(credits.size(), 1U);
}

TEST_F(PhaseMachineTest, AFullOutboxAnnouncesZeroOnceAndTheCreditAfterwards) {
    offer({type("t")});
    machine.credit_announced();
    std::vector<wire::Credit> credits;

    machine.collect_credit(true, credits);
    machine.collect_credit(true, credits);
    ASSERT_EQ(credits.size(), 1U);
    EXPECT_EQ(credits[0].credit, 0U);
    machine.collect_credit(false, credits);

    ASSERT_EQ(credits.size(), 2U);
    EXPECT_EQ(credits[1].credit, 3U);
}

}  // namespace
}  // namespace distributo::host
