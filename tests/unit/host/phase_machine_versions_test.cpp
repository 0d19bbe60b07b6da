#include "phase_machine_bed.hpp"

namespace distributo::host {
namespace {

constexpr PluginId third = 3;

class PhaseMachineVersionsTest : public PhaseMachineTest {
protected:
    explicit PhaseMachineVersionsTest(std::uint32_t slots = 2) : PhaseMachineTest(slots) {}

    void offer_version(const std::string& version, PluginId plugin) {
        auto info = type("t");
        info.version = version;
        offer({info}, plugin);
    }
    void pin(std::uint64_t number, std::string_view range) {
        assign(number, "t", {}, false, range);
    }
    PluginId plugin_of_last() {
        dispatch();
        return started.empty() ? 0 : started.back().plugin;
    }
    std::vector<std::string> announced() {
        std::vector<wire::Credit> credits;
        machine.collect_credit(true, credits);
        std::vector<std::string> texts;
        for (const auto& credit : credits)
            texts.push_back(std::string(credit.type) + '@' + std::string(credit.version));
        return texts;
    }
};

class OneSlotTest : public PhaseMachineVersionsTest {
protected:
    OneSlotTest() : PhaseMachineVersionsTest(1) {}
};

TEST_F(PhaseMachineVersionsTest, TasksGoToTheHighestVersionThatTheyAccept) {
    offer_version("1.2.0", first);
    offer_version("2.0.0-rc.1", third);
    offer_version("1.10.0", second);

    assign(1);
    EXPECT_EQ(plugin_of_last(), third);
    end(started.back().call.call);
    pin(2, "^1");
    EXPECT_EQ(plugin_of_last(), second);
    end(started.back().call.call);
    pin(3, "~1.2");
    EXPECT_EQ(plugin_of_last(), first);
    end(started.back().call.call);

    EXPECT_EQ(outcomes[0].version, "2.0.0-rc.1");
    EXPECT_EQ(outcomes[1].version, "1.10.0");
    EXPECT_EQ(outcomes[2].version, "1.2.0");
}

TEST_F(PhaseMachineVersionsTest, ATaskWhoseVersionIsNotThereGoesBack) {
    offer_version("1.2.0", first);
    pin(1, "^2");
    pin(2, "not a range");

    EXPECT_THAT(statuses(), ElementsAre(AttemptStatus::interrupted, AttemptStatus::interrupted));
    EXPECT_EQ(outcomes[0].version, "");
}

TEST_F(OneSlotTest, WaitingTasksMoveToANewerVersionInTheirOrder) {
    offer_version("1.0.0", first);
    for (std::uint64_t i = 1; i <= 3; ++i)
        assign(i);
    pin(4, "1.0.0");
    dispatch();

    offer_version("2.0.0", second);
    machine.drain(first, now);
    while (started.size() < 4)
        end(started.back().call.call);

    EXPECT_EQ(started[0].plugin, first);
    std::vector<PluginId> rest;
    for (std::size_t i = 1; i < 4; ++i)
        rest.push_back(started[i].plugin);
    EXPECT_THAT(rest, testing::UnorderedElementsAre(first, second, second))
        << "only the one that wants the old version stays with it";
    end(started.back().call.call);
    EXPECT_EQ(outcomes.size(), 4U);
    EXPECT_FALSE(machine.needs(first));
}

TEST_F(OneSlotTest, AVersionThatDrainsWithoutASuccessorRunsWhatItHas) {
    offer_version("1.0.0", first);
    assign(1);
    assign(2);
    dispatch();

    machine.drain(first, now);
    EXPECT_EQ(machine.credit("t", "1.0.0"), 0U);
    assign(3);  // was under way
    EXPECT_TRUE(machine.needs(first));
    for (std::size_t i = 0; i < 3; ++i)
        end(started.at(i).call.call);

    EXPECT_THAT(statuses(), ElementsAre(AttemptStatus::ok, AttemptStatus::ok, AttemptStatus::ok));
    EXPECT_FALSE(machine.needs(first));
}

TEST_F(OneSlotTest, TheNextVersionTakesOverWhatADrainingOneHasNotStarted) {
    offer_version("1.0.0", first);
    assign(1);
    assign(2);
    dispatch();
    machine.drain(first, now);

    offer_version("1.0.1", second);
    end(started.at(0).call.call);

    EXPECT_EQ(started.at(1).plugin, second);
    EXPECT_FALSE(machine.needs(first));
}

TEST_F(OneSlotTest, TheSameVersionAgainTakesOverAsWell) {
    offer_version("1.0.0", first);
    assign(1);
    assign(2);
    dispatch();

    offer_version("1.0.0", second);
    EXPECT_TRUE(machine.needs(first)) << "its call runs";
    machine.drain(first, now);
    end(started.at(0).call.call);

    EXPECT_EQ(started.at(1).plugin, second);
    EXPECT_FALSE(machine.needs(first));
    EXPECT_GT(machine.credit("t", "1.0.0"), 0U) << "draining the old one does not end the new";
}

TEST_F(OneSlotTest, AtTheLimitWhatDrainsIsGivenBack) {
    offer_version("1.0.0", first);
    assign(1);
    assign(2);
    dispatch();
    machine.drain(first, now);

    machine.give_back(first, "took too long", now);
    EXPECT_THAT(cancelled, ElementsAre(started.at(0).call.call));
    EXPECT_THAT(statuses(), ElementsAre(AttemptStatus::interrupted));
    EXPECT_EQ(outcomes[0].message, "took too long");
    end(started[0].call.call, CallResult::Status::cancelled);

    EXPECT_EQ(outcomes.at(1).status, AttemptStatus::interrupted) << "nobody is charged";
    EXPECT_FALSE(machine.needs(first));
}

TEST_F(OneSlotTest, ACallThatSucceedsAfterAllCounts) {
    offer_version("1.0.0", first);
    assign(1);
    dispatch();
    machine.drain(first, now);
    machine.give_back(first, "took too long", now);
    end(started.at(0).call.call);

    EXPECT_THAT(statuses(), ElementsAre(AttemptStatus::ok));
}

TEST_F(PhaseMachineVersionsTest, ASiblingOfACrashRunsAgainOnTheNewVersion) {
    offer_version("1.0.0", first);
    assign(1);
    dispatch();
    offer_version("1.1.0", second);
    machine.drain(first, now);

    end(started.at(0).call.call, CallResult::Status::aborted);

    EXPECT_EQ(started.at(1).plugin, second);
    end(started[1].call.call);
    EXPECT_EQ(outcomes.at(0).version, "1.1.0");
}

TEST_F(PhaseMachineVersionsTest, WithdrawnWithAnotherVersionThereNothingIsGivenBack) {
    offer_version("2.0.0", second);
    for (std::uint64_t i = 1; i <= 4; ++i)
        assign(i);
    dispatch();
    offer_version("1.0.0", first);

    machine.withdraw(second, "quarantined", now);
    EXPECT_THAT(outcomes, IsEmpty());
    end(started.at(0).call.call);

    EXPECT_EQ(started.at(2).plugin, first);
}

TEST_F(PhaseMachineVersionsTest, CreditNamesTheVersionWhereThereAreSeveral) {
    offer_version("1.0.0", first);
    EXPECT_THAT(announced(), ElementsAre("t@"));
    offer_version("2.0.0", second);
    machine.withdraw(third, "", now);
    EXPECT_THAT(announced(), ElementsAre("t@2.0.0"));
    EXPECT_EQ(machine.credit("t", "3.0.0"), 0U);
    EXPECT_EQ(machine.credit("u", "1.0.0"), 0U);
}

TEST_F(PhaseMachineVersionsTest, ANewVersionBeginsWithWhatTheOldOneLearnt) {
    offer_version("1.0.0", first);
    assign(1);
    dispatch();
    CallResult quick;
    quick.call = started.at(0).call.call;
    quick.elapsed_us = 10;
    machine.call_ended(std::move(quick), now);
    const auto learnt = machine.credit("t", "1.0.0");

    offer_version("1.0.1", second);

    EXPECT_EQ(machine.credit("t", "1.0.1"), learnt);
    EXPECT_GT(learnt, 100U);
}

TEST_F(PhaseMachineVersionsTest, CallsAreCountedByPlugin) {
    offer_version("1.0.0", first);
    for (const auto status : {CallResult::Status::ok,
                              CallResult::Status::permanent,
                              CallResult::Status::crashed,
                              CallResult::Status::timeout}) {
        assign(static_cast<std::uint64_t>(status) + 1);
        dispatch();
        end(started.back().call.call, status);
    }
    assign(50, "t", {}, true);
    dispatch();
    end(started.back().call.call, CallResult::Status::aborted, true);

    EXPECT_EQ(machine.calls_of(first).answered, 2U);
    EXPECT_EQ(machine.calls_of(first).crashed, 2U) << "one of them ran alone";
    EXPECT_EQ(machine.calls_of(third).crashed, 0U);
}

TEST_F(PhaseMachineVersionsTest, ManySwapsLeaveNothingBehind) {
    assign(0);  // nothing is there
    outcomes.clear();
    for (PluginId id = 1; id <= 1000; ++id) {
        offer_version("1.0." + std::to_string(id), id);
        if (id > 1)
            machine.drain(id - 1, now);
        assign(id);
        dispatch();
        ASSERT_EQ(started.back().plugin, id);
        end(started.back().call.call);
        if (id > 1) {
            ASSERT_FALSE(machine.needs(id - 1));
            machine.withdraw(id - 1, "drained", now);
        }
    }
    EXPECT_EQ(outcomes.size(), 1000U);
    EXPECT_EQ(machine.open_tasks(), 0U);
    EXPECT_LE(machine.type_entries(), 3U);
}

}  // namespace
}  // namespace distributo::host
