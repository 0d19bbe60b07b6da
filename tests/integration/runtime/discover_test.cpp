// Types that a plugin names after its setup.
#include "probe.hpp"

namespace distributo::runtime {
namespace {

namespace fs = std::filesystem;
using Status = CallResult::Status;
using testing::HasSubstr;

class DiscoverTest : public testing::TestWithParam<Isolation>, public Probe {
protected:
    void begin(const std::string& how) {
        auto with = options("runtime/test_discover");
        with.config = "{\"how\":\"" + how + "\"}";
        Probe::start(GetParam(), std::move(with));
        until([this] { return ready || is_gone; });
    }
};

INSTANTIATE_TEST_SUITE_P(Modes,
                         DiscoverTest,
                         testing::Values(Isolation::process, Isolation::task, Isolation::inproc),
                         [](const auto& mode) { return std::string(to_string(mode.param)); });

TEST_P(DiscoverTest, TheTypesAreThereWhenThePluginIsReady) {
    begin("two");
    ASSERT_TRUE(ready) << why;
    ASSERT_EQ(module.types.size(), 2U);
    EXPECT_EQ(module.types[0].name, "test.first");
    EXPECT_TRUE(module.types[0].reentrant);
    EXPECT_FALSE(module.types[1].reentrant);
    EXPECT_EQ(run("test.first").result, "\"test.first\"") << results[last_call].message;
    EXPECT_EQ(run("test.second").result, "\"test.second\"") << results[last_call].message;
}

TEST_P(DiscoverTest, AFailureIsOneOfSetup) {
    begin("fails");
    EXPECT_FALSE(ready);
    EXPECT_EQ(why, "discover failed: the folder is empty");
    until([this] { return fs::exists(folder.path() / "data" / "torn_down"); });
}

TEST_P(DiscoverTest, TypesThatAreNotSoundAreRefused) {
    begin("unsound");
    EXPECT_FALSE(ready);
    EXPECT_THAT(why, HasSubstr("the version of test.second"));
}

class IsolatedTest : public testing::Test, public Probe {
protected:
    void begin(bool own_process) {
        auto with = options("runtime/test_isolated");
        with.config = R"({"how":"two"})";
        with.own_process = own_process;
        Probe::start(Isolation::inproc, std::move(with));
        until_ready();
    }
};

TEST_F(IsolatedTest, IsNotSetUpInAProcessThatOthersNeed) {
    begin(false);
    EXPECT_TRUE(module.needs_isolation);
    EXPECT_TRUE(module.types.empty());
    runner.reset();
    EXPECT_FALSE(fs::exists(folder.path() / "data" / "torn_down"));
}

TEST_F(IsolatedTest, RunsInAProcessOfItsOwn) {
    begin(true);
    EXPECT_EQ(run("test.first").result, "\"test.first\"") << results[last_call].message;
}

class DiscoverAgainTest : public testing::Test, public Probe {};

TEST_F(DiscoverAgainTest, AProcessThatNamesOtherTypesIsNotUsed) {
    auto with = options("runtime/test_discover");
    with.config = R"({"how":"changes"})";
    Probe::start(Isolation::process, std::move(with));
    until_ready();
    // The first process runs what is reentrant; the other type needs one of its own.
    const auto call = execute("test.0");
    runner->flush();
    until([this] { return is_gone; });

    EXPECT_FALSE(expected);
    EXPECT_EQ(why, "it offers other task types than before");
    EXPECT_EQ(result(call).status, Status::aborted);
}

}  // namespace
}  // namespace distributo::runtime
