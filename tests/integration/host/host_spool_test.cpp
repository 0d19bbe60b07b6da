#include "host_bed.hpp"

#include <gmock/gmock.h>

#include <cstdint>
#include <set>

// Results that outlive the host's process, and whom they are for.

namespace distributo::tests {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using wire::AttemptStatus;

class HostSpoolTest : public HostTest {
protected:
    HostSpoolTest() {
        coordinator.durable = true;
        coordinator.acknowledge = false;
    }
    /// The process ends without a word, and another one starts in the same directory.
    void restart() {
        agent.reset();
        start();
        const auto hellos = coordinator.hellos.size();
        wait_until([&] { return coordinator.hellos.size() > hellos; });
    }
    const wire::Hello& hello() const { return coordinator.hellos.back(); }
    bool spool_is_empty() const { return fs::is_empty(options.data_dir / "spool"); }
    /// A result that is in the spool and was never sent.
    wire::Token finish_unheard() {
        const auto token = coordinator.assign("test.sleep", R"({"ms":300})");
        wait_until([&] { return !coordinator.phases.empty(); });
        coordinator.greet = false;
        coordinator.drop();
        wait_until([&] { return !spool_is_empty(); });
        return token;
    }
};

TEST_F(HostSpoolTest, AResultThatWasNotAcknowledgedSurvivesTheHost) {
    start_with("test_basics.so", "test.echo");
    const auto token = coordinator.assign("test.echo", R"({"a":[1,2.50]})");
    result_of(token);
    const auto boot = hello().boot_id;
    coordinator.results.clear();

    restart();

    EXPECT_NE(hello().boot_id, boot);
    EXPECT_EQ(hello().coordinator_id, "fake");
    EXPECT_THAT(hello().finished, ElementsAre(FakeCoordinator::claim(token)));
    EXPECT_THAT(hello().running, IsEmpty());
    EXPECT_EQ(result_of(token).result, R"({"a":[1,2.50]})");
}

TEST_F(HostSpoolTest, AResultThatWasNeverSentSurvivesTheHost) {
    start_with("test_basics.so", "test.sleep");
    const auto token = finish_unheard();
    EXPECT_EQ(coordinator.result_count, 0U);

    restart();
    EXPECT_THAT(hello().finished, ElementsAre(FakeCoordinator::claim(token)));
    coordinator.greet = coordinator.acknowledge = true;
    coordinator.drop();

    EXPECT_EQ(result_of(token).status, AttemptStatus::ok);
}

TEST_F(HostSpoolTest, WhatIsAcknowledgedIsNotSentByTheNextProcess) {
    coordinator.acknowledge = true;
    start_with("test_basics.so", "test.echo");
    for (int i = 0; i < 10; ++i)
        result_of(coordinator.assign("test.echo"));
    agent->stop();
    wait_until([&] { return !coordinator.bye.empty(); });
    EXPECT_EQ(coordinator.bye, "drained");

    restart();

    EXPECT_THAT(hello().finished, IsEmpty());
    EXPECT_TRUE(spool_is_empty());
}

TEST_F(HostSpoolTest, AStopWithoutACoordinatorLeavesTheResultsForTheNextStart) {
    start_with("test_basics.so", "test.sleep");
    const auto token = coordinator.assign("test.sleep", R"({"ms":300})");
    wait_until([&] { return !coordinator.phases.empty(); });
    coordinator.greet = false;
    coordinator.drop();

    agent->stop();
    io.restart();
    io.run();  // until the host has ended
    restart();

    EXPECT_THAT(hello().finished, ElementsAre(FakeCoordinator::claim(token)));
}

TEST_F(HostSpoolTest, ACoordinatorThatForgetsCostsNothing) {
    coordinator.durable = false;
    start_with("test_basics.so", "test.echo");

    result_of(coordinator.assign("test.echo"));

    EXPECT_TRUE(spool_is_empty());
}

TEST_F(HostSpoolTest, WithoutADiskResultsGoOnFromMemory) {
    start_with("test_basics.so", "test.echo");
    fs::remove_all(options.data_dir / "spool");

    const auto token = coordinator.assign("test.echo");
    EXPECT_EQ(result_of(token).status, AttemptStatus::ok);
    wait_until([&] { return !coordinator.trouble.empty(); });
    EXPECT_THAT(coordinator.trouble, testing::HasSubstr("spool"));
    coordinator.drop();
    wait_until([&] { return coordinator.result_count == 2; });

    EXPECT_THAT(hello().finished, ElementsAre(FakeCoordinator::claim(token)));
}

TEST_F(HostSpoolTest, AnotherCoordinatorGetsNothingOfTheFirst) {
    start_with("test_basics.so", "test.sleep");
    const auto finished = coordinator.assign("test.sleep", R"({"ms":1})");
    result_of(finished);
    const auto running = coordinator.assign("test.sleep", R"({"ms":600000})");
    wait_until([&] { return !coordinator.phases.empty(); });
    coordinator.results.clear();
    coordinator.identity = "another";
    coordinator.offers_seen.clear();

    coordinator.drop();
    wait_until([&] { return coordinator.offers("test.sleep"); });

    EXPECT_EQ(hello().coordinator_id, "fake") << "it did not know better";
    EXPECT_EQ(result_of(coordinator.assign("test.sleep", R"({"ms":1})")).status, AttemptStatus::ok);
    EXPECT_EQ(coordinator.result(finished), nullptr);
    EXPECT_EQ(coordinator.result(running), nullptr);
}

TEST_F(HostSpoolTest, TheFirstCoordinatorGetsItsResultsWhenItIsBack) {
    start_with("test_basics.so", "test.echo");
    const auto token = coordinator.assign("test.echo", "1");
    result_of(token);
    coordinator.results.clear();
    coordinator.identity = "another";
    coordinator.drop();
    wait_until([&] { return coordinator.hellos.size() == 2; });
    const auto other = coordinator.assign("test.echo", "2");
    result_of(other);
    coordinator.results.clear();
    coordinator.identity = "fake";

    coordinator.drop();

    EXPECT_EQ(result_of(token).result, "1");
    EXPECT_EQ(hello().coordinator_id, "fake");
    EXPECT_THAT(hello().finished, ElementsAre(FakeCoordinator::claim(token)));
    EXPECT_EQ(coordinator.result(other), nullptr);
}

TEST_F(HostSpoolTest, WhateverWasHeardIsFoundAfterACrash) {
    start_with("test_noop.so", "test.noop");
    for (int i = 0; i < 5'000; ++i)
        coordinator.add("test.noop");
    coordinator.send();
    wait_until([&] { return coordinator.result_count > 1'000; });
    const auto heard = coordinator.results;

    restart();

    std::set<std::uint64_t> listed;
    for (const auto& claim : hello().finished)
        listed.insert(claim.token.counter);
    for (const auto& [counter, result] : heard)
        EXPECT_TRUE(listed.contains(counter)) << counter;
}

}  // namespace
}  // namespace distributo::tests
