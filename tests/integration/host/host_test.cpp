#include "host_bed.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace distributo::tests {
namespace {

using testing::HasSubstr;
using wire::AttemptStatus;

TEST_F(HostTest, OffersItsTypesAndRunsTheirTasks) {
    start_with("test_basics.so", "test.echo");

    const auto& result = result_of(coordinator.assign("test.echo", R"({"a":[1,2.50]})"));

    EXPECT_EQ(result.status, AttemptStatus::ok) << result.message;
    EXPECT_EQ(result.result, R"({"a":[1,2.50]})");
    const auto& hello = coordinator.hellos.at(0);
    EXPECT_EQ(hello.name, "test-host");
    EXPECT_EQ(hello.slots, 4U);
    EXPECT_EQ(coordinator.capability("test.echo")->isolation, "process");
    EXPECT_EQ(coordinator.capability("test.echo")->digest.size(), 64U);
}

TEST_F(HostTest, SaysHowAPluginFailed) {
    start_with("test_basics.so", "test.fail");

    const auto permanent = coordinator.assign("test.fail", R"({"how":"permanent"})");
    const auto retry = coordinator.assign("test.fail", R"({"how":"retry"})");

    EXPECT_EQ(result_of(permanent).status, AttemptStatus::permanent);
    EXPECT_THAT(result_of(permanent).message, HasSubstr("failed as asked"));
    EXPECT_EQ(result_of(retry).status, AttemptStatus::retry);
}

TEST_F(HostTest, OutputArrivesBeforeTheResult) {
    start_with("test_basics.so", "test.log");

    const auto& result = result_of(coordinator.assign("test.log", R"({"lines":3})"));

    EXPECT_THAT(result.log, HasSubstr("plugin line 3"));
}

TEST_F(HostTest, ReportsThePhaseOfATaskThatTakesLong) {
    start_with("test_basics.so", "test.sleep");

    const auto token = coordinator.assign("test.sleep", R"({"ms":300})");

    EXPECT_EQ(result_of(token).status, AttemptStatus::ok);
    ASSERT_EQ(coordinator.phases.size(), 1U);
    EXPECT_EQ(coordinator.phases[0].token, token);
    EXPECT_EQ(coordinator.phases[0].phase, wire::Phase::execute);
}

TEST_F(HostTest, BeatsWhenThereIsNothingToSay) {
    start();

    wait_until([&] { return coordinator.heartbeats >= 2; });
}

// ---- plugins come and go -----------------------------------------------------------------------

TEST_F(HostTest, APluginDroppedInIsOfferedAndWithdrawnWhenRemoved) {
    start();
    wait_until([&] { return !coordinator.offers_seen.empty(); });
    EXPECT_FALSE(coordinator.offers("test.noop"));

    drop_in("good/test_noop.so", "test_noop.so");
    wait_until([&] { return coordinator.offers("test.noop"); });
    EXPECT_EQ(result_of(coordinator.assign("test.noop")).status, AttemptStatus::ok);
    fs::remove(folder / "test_noop.so");
    wait_until([&] { return !coordinator.offers("test.noop"); });

    auto status = AttemptStatus::ok;
    while (status == AttemptStatus::ok)  // what is under way when it is removed still runs
        status = result_of(coordinator.assign("test.noop")).status;
    EXPECT_EQ(status, AttemptStatus::interrupted);
}

TEST_F(HostTest, ATaskThatRunsWhileItsPluginIsRemovedFinishes) {
    start_with("test_basics.so", "test.sleep");
    const auto token = coordinator.assign("test.sleep", R"({"ms":400})");
    wait_until([&] { return !coordinator.phases.empty(); });

    fs::remove(folder / "test_basics.so");
    wait_until([&] { return !coordinator.offers("test.sleep"); });
    EXPECT_EQ(coordinator.result(token), nullptr);

    EXPECT_EQ(result_of(token).status, AttemptStatus::ok);
}

TEST_F(HostTest, APluginIsReplacedUnderLoadWithoutAFailedTask) {
    start_with("test_noop.so", "test.noop");
    const auto before = coordinator.capability("test.noop")->digest;
    const auto replaced = [&] {
        const auto* capability = coordinator.capability("test.noop");
        return capability && capability->digest != before;
    };
    const auto first_offer = coordinator.offers_seen.back().sequence;
    std::size_t sent = 0;
    bool dropped = false;

    wait_until([&] {
        if (replaced() && sent >= 400)
            return coordinator.results.size() == sent;
        if (sent == coordinator.results.size()) {
            for (int i = 0; i < 20; ++i, ++sent)
                coordinator.add("test.noop");
            coordinator.send();
        }
        if (sent >= 200 && !dropped) {
            drop_in("good/test_noop.so", "test_noop.so", "another version");
            dropped = true;
        }
        return false;
    });

    for (const auto& [counter, result] : coordinator.results)
        EXPECT_EQ(result.status, AttemptStatus::ok) << result.message;
    EXPECT_TRUE(std::ranges::none_of(coordinator.offers_seen, [&](const auto& offer) {
        return offer.types.empty() && offer.sequence > first_offer;
    }));
}

TEST_F(HostTest, ATextFileIsRefusedWithAReason) {
    std::ofstream(folder / "note.so") << "this is text\n";
    start_with("test_noop.so", "test.noop");

    wait_until([&] { return !coordinator.refusal("note.so").empty(); });

    EXPECT_THAT(coordinator.refusal("note.so"), HasSubstr("text"));
}

TEST_F(HostTest, TheFirstOfTwoPluginsKeepsTheTypeAndTheSecondFollowsItWhenItGoes) {
    drop_in("twins/test_twin_one.so", "one.so");
    start();
    wait_until([&] { return coordinator.offers("test.twin"); });
    drop_in("twins/test_twin_two.so", "two.so");
    wait_until([&] { return !coordinator.refusal("two.so").empty(); });
    EXPECT_THAT(coordinator.refusal("two.so"), HasSubstr("one.so"));
    const auto digest = coordinator.capability("test.twin")->digest;

    fs::remove(folder / "one.so");
    wait_until([&] {
        const auto* capability = coordinator.capability("test.twin");
        return capability && capability->digest != digest;
    });

    EXPECT_EQ(coordinator.refusal("two.so"), "");
}

// ---- crashes, cancel, time limits
// ----------------------------------------------------------------

TEST_F(HostTest, ACrashIsChargedToTheTaskThatCausedIt) {
    drop_in("good/test_crash.so", "test_crash.so");
    start_with("test_basics.so", "test.sleep");
    wait_until([&] { return coordinator.offers("test.crash"); });

    const auto sleeper = coordinator.assign("test.sleep", R"({"ms":200})");
    const auto& crash = result_of(coordinator.assign("test.crash", R"({"how":"segv"})"));

    EXPECT_EQ(crash.status, AttemptStatus::crashed);
    EXPECT_THAT(crash.message, HasSubstr("SEGV"));
    EXPECT_EQ(result_of(sleeper).status, AttemptStatus::ok);
    EXPECT_TRUE(coordinator.offers("test.crash"));
}

TEST_F(HostTest, OneOfManySuspectsIsFoundAndTheOthersAreNotHarmed) {
    start_with("test_crash.so", "test.crash");
    std::vector<wire::Token> innocent;
    for (int i = 0; i < 3; ++i)
        innocent.push_back(coordinator.add("test.crash", R"({"how":"segv","times":0})"));
    const auto guilty = coordinator.add("test.crash", R"({"how":"abort"})");
    coordinator.send();

    EXPECT_EQ(result_of(guilty).status, AttemptStatus::crashed);
    for (const auto& token : innocent)
        EXPECT_EQ(result_of(token).status, AttemptStatus::ok);
}

TEST_F(HostTest, APluginThatKeepsCrashingIsQuarantined) {
    start_with("test_crash.so", "test.crash");

    for (int i = 0; i < 3; ++i)
        result_of(coordinator.assign("test.crash", R"({"how":"segv"})"));
    wait_until([&] { return !coordinator.offers("test.crash"); });

    EXPECT_THAT(coordinator.refusal("test_crash.so"), HasSubstr("crashed 3 times in 60 s"));
}

TEST_F(HostTest, ATaskThatIsCancelledEndsAsCancelled) {
    start_with("test_basics.so", "test.sleep");
    const auto token = coordinator.assign("test.sleep", R"({"ms":600000})");
    wait_until([&] { return !coordinator.phases.empty(); });

    coordinator.cancel(token);

    EXPECT_EQ(result_of(token).status, AttemptStatus::cancelled);
}

TEST_F(HostTest, ATaskThatIgnoresItsTimeLimitIsEnded) {
    start_with("test_crash.so", "test.hang");
    wire::AssignItem item;
    item.type = "test.hang";
    item.timeout_ms = 100;
    const auto token = coordinator.add(item);
    coordinator.send();

    EXPECT_EQ(result_of(token).status, AttemptStatus::timeout);
}

// ---- install
// -------------------------------------------------------------------------------------

TEST_F(HostTest, TheSameContentIsInstalledOnce) {
    start_with("test_install.so", "test.install");
    wire::AssignItem item;
    item.type = "test.install";
    item.install = R"({"value":"seven"})";
    const auto first = coordinator.add(item);
    const auto second = coordinator.add(item);
    coordinator.send();
    result_of(first);
    result_of(second);
    const auto third = coordinator.add(item);
    coordinator.send();

    EXPECT_EQ(result_of(first).result, R"({"value":"seven","installs":1})");
    EXPECT_EQ(result_of(second).result, R"({"value":"seven","installs":1})");
    EXPECT_EQ(result_of(third).result, R"({"value":"seven","installs":1})");
    EXPECT_GT(result_of(first).times.install_us, 0U);
    EXPECT_EQ(result_of(third).times.install_us, 0U);
}

TEST_F(HostTest, AFailedInstallIsTheHostsFaultAndLeavesNothing) {
    start_with("test_install.so", "test.install");
    wire::AssignItem item;
    item.type = "test.install";
    item.install = R"({"fail":true})";
    const auto token = coordinator.add(item);
    coordinator.send();

    EXPECT_EQ(result_of(token).status, AttemptStatus::install_failed);
    EXPECT_THAT(result_of(token).message, HasSubstr("install failed as asked"));
    EXPECT_TRUE(fs::is_empty(options.data_dir / "installs"));
    EXPECT_TRUE(fs::is_empty(options.data_dir / "staging"));
}

// ---- the connection
// ------------------------------------------------------------------------------

TEST_F(HostTest, CarriesOnWithoutAConnectionAndReportsAfterwards) {
    start_with("test_basics.so", "test.sleep");
    const auto token = coordinator.assign("test.sleep", R"({"ms":1500})");
    wait_until([&] { return !coordinator.phases.empty(); });

    coordinator.drop();
    wait_until([&] { return coordinator.hellos.size() == 2; });

    EXPECT_THAT(coordinator.hellos[1].running, testing::ElementsAre(FakeCoordinator::claim(token)));
    EXPECT_EQ(coordinator.hellos[1].boot_id, coordinator.hellos[0].boot_id);
    EXPECT_EQ(result_of(token).status, AttemptStatus::ok);
}

TEST_F(HostTest, AResultIsSentAgainUntilItIsAcknowledged) {
    start_with("test_noop.so", "test.noop");
    coordinator.acknowledge = false;
    const auto token = coordinator.assign("test.noop");
    result_of(token);

    coordinator.drop();
    wait_until([&] { return coordinator.result_count == 2; });
    EXPECT_THAT(coordinator.hellos.at(1).finished,
                testing::ElementsAre(FakeCoordinator::claim(token)));
    coordinator.acknowledge = true;
    coordinator.drop();
    wait_until([&] { return coordinator.result_count == 3; });
    coordinator.drop();
    wait_until([&] { return coordinator.hellos.size() == 4; });

    EXPECT_THAT(coordinator.hellos[3].finished, testing::IsEmpty());
}

TEST_F(HostTest, CancelsWhatTheCoordinatorDoesNotWantAnyMore) {
    start_with("test_basics.so", "test.sleep");
    const auto token = coordinator.assign("test.sleep", R"({"ms":600000})");
    wait_until([&] { return !coordinator.phases.empty(); });
    coordinator.verdict = wire::Verdict::cancel;

    coordinator.drop();

    EXPECT_EQ(result_of(token).status, AttemptStatus::cancelled);
}

// ---- leaving
// -------------------------------------------------------------------------------------

TEST_F(HostTest, StopsAfterItsTasksHaveEnded) {
    start_with("test_basics.so", "test.sleep");
    const auto running = coordinator.assign("test.sleep", R"({"ms":300})");
    wait_until([&] { return !coordinator.phases.empty(); });

    agent->stop();
    wait_until([&] { return coordinator.draining; });
    const auto late = coordinator.assign("test.sleep", R"({"ms":1})");
    wait_until([&] { return !coordinator.bye.empty(); });

    EXPECT_EQ(result_of(running).status, AttemptStatus::ok);
    EXPECT_EQ(result_of(late).status, AttemptStatus::interrupted);
    EXPECT_EQ(agent->exit_code(), 0);
}

TEST_F(HostTest, SaysOnEveryConnectionThatItIsLeaving) {
    start_with("test_basics.so", "test.sleep");
    coordinator.assign("test.sleep", R"({"ms":600000})");
    wait_until([&] { return !coordinator.phases.empty(); });
    agent->stop();
    wait_until([&] { return coordinator.draining; });
    coordinator.draining = false;
    coordinator.offers_seen.clear();

    coordinator.drop();
    wait_until([&] { return coordinator.draining; });

    EXPECT_TRUE(coordinator.offers_seen.empty()) << "it would have been given tasks";
}

TEST_F(HostTest, ASecondStopInterruptsWhatRuns) {
    start_with("test_basics.so", "test.sleep");
    const auto token = coordinator.assign("test.sleep", R"({"ms":600000})");
    wait_until([&] { return !coordinator.phases.empty(); });

    agent->stop();
    agent->stop();
    wait_until([&] { return !coordinator.bye.empty(); });

    EXPECT_EQ(result_of(token).status, AttemptStatus::interrupted);
    EXPECT_EQ(agent->exit_code(), base::exit_code::interrupted);
}

TEST_F(HostTest, LeavesWhenIdleIfToldTo) {
    options.exit_when_idle = true;
    start_with("test_noop.so", "test.noop");
    const auto token = coordinator.assign("test.noop");

    wait_until([&] { return !coordinator.bye.empty(); });

    EXPECT_EQ(result_of(token).status, AttemptStatus::ok);
    EXPECT_EQ(coordinator.bye, "idle");
}

// ---- many tasks
// ----------------------------------------------------------------------------------

class HostIsolationTest : public HostTest,
                          public testing::WithParamInterface<runtime::Isolation> {};

TEST_P(HostIsolationTest, EveryOneOfManyTasksHasExactlyOneResult) {
    options.isolation = GetParam();
    start_with("test_noop.so", "test.noop");
    constexpr std::size_t many = 20'000;

    for (std::size_t i = 0; i < many; ++i)
        coordinator.add("test.noop");
    coordinator.send();
    wait_until([&] { return coordinator.results.size() == many; });

    EXPECT_EQ(coordinator.result_count, many);
    for (const auto& [counter, result] : coordinator.results)
        ASSERT_EQ(result.status, AttemptStatus::ok) << result.message;
    EXPECT_GT(coordinator.credits["test.noop"], 100U);
}

INSTANTIATE_TEST_SUITE_P(,
                         HostIsolationTest,
                         testing::Values(runtime::Isolation::process, runtime::Isolation::inproc),
                         [](const auto& one) {
                             return one.param == runtime::Isolation::process ? "Process" : "Inproc";
                         });

}  // namespace
}  // namespace distributo::tests
