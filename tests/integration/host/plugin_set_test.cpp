#include "host/plugin_set.hpp"

#include "base/digest.hpp"
#include "base/ids.hpp"
#include "built.hpp"

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <set>

// Builds of one plugin that take each other's place, in real processes. The clock is the machine's,
// but can be put forward.

namespace distributo::tests {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using host::PluginId;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class MovableClock final : public base::Clock {
public:
    [[nodiscard]] base::TimePoint now() const override { return real_.now() + ahead; }
    [[nodiscard]] base::WallTime wall() const override { return real_.wall(); }
    base::Duration ahead{};

private:
    base::SystemClock real_;
};

class PluginSetTest : public testing::Test, public host::PluginSetEvents {
protected:
    PluginSetTest() {
        fs::create_directories(folder);
        fs::create_directories(root / "work");
        options.cache = root / "cache";
        options.data = root / "data";
        options.runner.work_root = root / "work";
        options.runner.runner_program = built / "bin/distributo-runner";
        options.runner.host_id = "test";
        options.runner.threads = 2;
        options.linger = 0s;
    }
    ~PluginSetTest() override {
        set.reset();
        std::error_code ignored;
        fs::remove_all(root, ignored);
    }

    void on_offered(const host::Plugin& plugin) override {
        offered.push_back(plugin.module().version);
        newest = plugin.id();
    }
    void on_draining(PluginId plugin) override { draining.push_back(plugin); }
    [[nodiscard]] bool needs(PluginId plugin) const override { return busy.contains(plugin); }
    [[nodiscard]] host::CallCounts calls_of(PluginId plugin) const override {
        return plugin == newest ? calls : host::CallCounts{};
    }
    void on_drain_limit(PluginId plugin, std::string_view why) override {
        limited.push_back(plugin);
        limit_reason = why;
    }
    void on_withdrawn(PluginId plugin, std::string_view) override { withdrawn.push_back(plugin); }
    void on_offer_changed() override { ++changes; }
    void on_call_started(runtime::CallId) override {}
    void on_call_results(std::vector<runtime::CallResult> results) override {
        for (auto& result : results)
            ended.push_back(std::move(result));
    }
    void on_call_unstartable(runtime::CallId, const std::string&) override {}
    void on_call_log(runtime::CallId, std::string_view, std::string_view) override {}
    void on_call_progress(runtime::CallId, double, std::string_view) override {}

    void start() { set.emplace(io, clock, options, static_cast<host::PluginSetEvents&>(*this)); }
    void put(const std::string& build, const std::string& name = "build.so") {
        put_library("builds/build_" + build + ".so", name);
    }
    void put_library(const std::string& library, const std::string& name) {
        const auto fresh = root / "fresh";
        fs::copy_file(built / "test-plugins" / library, fresh);
        fs::rename(fresh, folder / name);
        set->apply({.removed = {}, .present = {folder / name}});
    }
    void remove(const std::string& name = "build.so") {
        fs::remove(folder / name);
        set->apply({.removed = {folder / name}, .present = {}});
    }
    void wait_until(const std::function<bool()>& done) {
        const auto end = std::chrono::steady_clock::now() + 60s;
        while (!done()) {
            ASSERT_LT(std::chrono::steady_clock::now(), end) << "it never happened";
            set->flush();
            io.restart();
            io.run_one_for(20ms);
        }
    }
    void wait_for_offer(const std::string& version) {
        wait_until([&] { return !offered.empty() && offered.back() == version; });
    }
    [[nodiscard]] std::string refusal(const std::string& name = "build.so") const {
        for (const auto& one : set->refused())
            if (one.file == name)
                return one.reason;
        return {};
    }
    /// Lets the newest plugin crash, one call after the other, until it is given up.
    void crash_until_withdrawn() {
        const auto bad = newest;
        while (std::ranges::count(withdrawn, bad) == 0) {
            runtime::ExecuteCall call;
            call.call = ++last_call;
            call.type = "test.build";
            call.task_id = std::to_string(last_call);  // crashes of one task count once
            call.payload = "{}";
            const auto before = ended.size();
            set->find(bad)->execute(std::move(call));
            wait_until([&] { return ended.size() > before; });
            io.restart();
            io.poll();
        }
    }
    [[nodiscard]] std::size_t copies() const {
        std::size_t count = 0;
        for (const auto& entry : fs::directory_iterator(options.cache))
            count += entry.is_directory() ? 1 : 0;
        return count;
    }

    fs::path root = fs::temp_directory_path() / ("distributo-set-" + base::random_hex(6));
    fs::path folder = root / "plugins";
    boost::asio::io_context io{1};
    MovableClock clock;
    host::PluginSetOptions options;
    std::optional<host::PluginSet> set;
    std::vector<std::string> offered;
    std::vector<PluginId> draining, withdrawn, limited;
    std::set<PluginId> busy;
    std::string limit_reason;
    host::CallCounts calls;  // of the newest
    std::vector<runtime::CallResult> ended;
    PluginId newest = 0;
    runtime::CallId last_call = 0;
    int changes = 0;
};

TEST_F(PluginSetTest, AReplacedVersionStaysUntilNothingNeedsIt) {
    start();
    put("a");
    wait_for_offer("1.0.0");
    const auto old = newest;
    busy.insert(old);
    put("b");
    wait_for_offer("1.0.1");
    EXPECT_THAT(draining, ElementsAre(old));
    set->flush();
    EXPECT_NE(set->find(old), nullptr);
    EXPECT_THAT(withdrawn, IsEmpty());

    busy.clear();
    wait_until([&] { return set->find(old) == nullptr; });

    EXPECT_THAT(withdrawn, ElementsAre(old));
    EXPECT_THAT(limited, IsEmpty());
}

TEST_F(PluginSetTest, WhatIsForCoordinatorsOnlyIsNoComplaint) {
    start();
    put_library("streams/test_streams.so", "streams.so");
    wait_until([&] { return !set->loading(); });
    EXPECT_EQ(refusal("streams.so"), "");
    EXPECT_THAT(set->health(), IsEmpty());
    put("a");
    wait_for_offer("1.0.0");
}

TEST_F(PluginSetTest, ARemovedVersionLingersForWhatIsUnderWay) {
    options.linger = 1h;
    start();
    put("a");
    wait_for_offer("1.0.0");
    remove();
    set->flush();
    EXPECT_THAT(set->offered(), IsEmpty());
    EXPECT_NE(set->find(newest), nullptr);

    clock.ahead = 2h;
    wait_until([&] { return set->find(newest) == nullptr; });
}

TEST_F(PluginSetTest, AtTheLimitItsTasksAreGivenBackOnce) {
    options.drain_limit = 10min;
    start();
    put("a");
    wait_for_offer("1.0.0");
    const auto old = newest;
    busy.insert(old);
    put("b");
    wait_for_offer("1.0.1");
    clock.ahead = 9min;
    set->flush();
    EXPECT_THAT(limited, IsEmpty());

    clock.ahead = 11min;
    set->flush();
    set->flush();

    EXPECT_THAT(limited, ElementsAre(old));
    EXPECT_THAT(limit_reason, HasSubstr("took too long"));
    EXPECT_NE(set->find(old), nullptr) << "it goes when they have gone";
}

TEST_F(PluginSetTest, ANewVersionThatKeepsCrashingGoesAndTheOneBeforeComesBack) {
    start();
    put("a");
    wait_for_offer("1.0.0");
    put("crashes");
    wait_for_offer("1.4.0");
    crash_until_withdrawn();
    wait_for_offer("1.0.0");

    EXPECT_THAT(offered, ElementsAre("1.0.0", "1.4.0", "1.0.0"));
    EXPECT_THAT(refusal(), HasSubstr("version 1.4.0 was given up"));
    EXPECT_THAT(refusal(), HasSubstr("version 1.0.0 runs instead"));

    set->apply({.removed = {}, .present = {folder / "build.so"}});
    wait_for_offer("1.4.0");
    EXPECT_EQ(refusal(), "") << "written again, it gets another chance";
}

TEST_F(PluginSetTest, AVersionWhoseFirstCallsCrashIsGivenUpBeforeATaskIsPoison) {
    start();
    put("a");
    wait_for_offer("1.0.0");
    put("crashes");
    wait_for_offer("1.4.0");
    const auto bad = newest;
    calls = {.answered = 0, .crashed = 1};
    set->flush();
    EXPECT_EQ(refusal(), "");

    calls.crashed = 2;
    set->flush();
    EXPECT_THAT(withdrawn, testing::Contains(bad));
    EXPECT_THAT(set->offered(), IsEmpty());
    wait_for_offer("1.0.0");
    calls = {};

    EXPECT_THAT(refusal(), HasSubstr("1.4.0 was given up: its first calls crashed"));
    EXPECT_THAT(refusal(), HasSubstr("version 1.0.0 runs instead"));
    wait_until([&] { return set->find(bad) == nullptr; });
}

TEST_F(PluginSetTest, AVersionThatAnsweredMayCrashNowAndThen) {
    start();
    put("a");
    wait_for_offer("1.0.0");
    put("b");
    wait_for_offer("1.0.1");
    calls = {.answered = 1, .crashed = 2};
    set->flush();

    EXPECT_EQ(refusal(), "");
    EXPECT_EQ(set->offered().size(), 1U);
}

TEST_F(PluginSetTest, WithTheCopyGoneAVersionThatWasGivenUpGoesOn) {
    start();
    put("a");
    wait_for_offer("1.0.0");
    const auto copy = set->offered().at(0)->digest();
    put("crashes");
    wait_for_offer("1.4.0");
    fs::remove_all(options.cache / copy);
    calls = {.answered = 0, .crashed = 2};
    wait_until([&] { return refusal().find("nor does") != std::string::npos; });

    ASSERT_EQ(set->offered().size(), 1U);
    EXPECT_EQ(set->offered()[0]->module().version, "1.4.0");
    set->flush();
    EXPECT_EQ(set->offered().size(), 1U) << "there is nothing to go back to any more";
}

TEST_F(PluginSetTest, AVersionThatHasProvenItselfIsOnlyQuarantined) {
    start();
    put("a");
    wait_for_offer("1.0.0");
    put("crashes");
    wait_for_offer("1.4.0");
    clock.ahead = 2h;
    crash_until_withdrawn();

    ASSERT_EQ(set->refused().size(), 1U);
    EXPECT_TRUE(set->refused()[0].quarantined);
    EXPECT_GT(set->refused()[0].retry_ms, 0);
    EXPECT_THAT(set->refused()[0].types, ElementsAre("test.build"));
    wait_until([&] { return !set->loading(); });
    EXPECT_THAT(offered, ElementsAre("1.0.0", "1.4.0"));
    EXPECT_THAT(set->offered(), IsEmpty());
}

TEST_F(PluginSetTest, WithoutAnEarlierVersionItIsOnlyQuarantined) {
    start();
    put("crashes");
    wait_for_offer("1.4.0");
    crash_until_withdrawn();

    ASSERT_EQ(set->refused().size(), 1U);
    EXPECT_TRUE(set->refused()[0].quarantined);
    EXPECT_GT(set->refused()[0].retry_ms, 0);
    EXPECT_THAT(set->refused()[0].types, ElementsAre("test.build"));
    EXPECT_THAT(refusal(), Not(HasSubstr("instead")));
}

TEST_F(PluginSetTest, AQuarantineOutlivesTheProcess) {
    start();
    put("crashes");
    wait_for_offer("1.4.0");
    crash_until_withdrawn();
    offered.clear();

    start();
    set->apply({.removed = {}, .present = {folder / "build.so"}});
    wait_until([&] { return !refusal().empty(); });

    ASSERT_EQ(set->refused().size(), 1U);
    EXPECT_TRUE(set->refused()[0].quarantined);
    EXPECT_GT(set->refused()[0].retry_ms, 0);
    EXPECT_THAT(set->refused()[0].types, ElementsAre("test.build"));
    EXPECT_THAT(offered, IsEmpty());
}

TEST_F(PluginSetTest, WhoTakesAPluginOutAndPutsItBackEndsItsQuarantine) {
    start();
    put("crashes");
    wait_for_offer("1.4.0");
    crash_until_withdrawn();
    offered.clear();

    remove();
    put("crashes");

    wait_for_offer("1.4.0");
}

TEST_F(PluginSetTest, AVersionThatWasGivenUpIsGivenUpAgainAfterARestart) {
    start();
    put("a");
    wait_for_offer("1.0.0");
    put("crashes");
    wait_for_offer("1.4.0");
    crash_until_withdrawn();
    wait_for_offer("1.0.0");
    offered.clear();

    start();
    set->apply({.removed = {}, .present = {folder / "build.so"}});

    wait_for_offer("1.0.0");
    EXPECT_THAT(offered, ElementsAre("1.0.0"));
}

TEST_F(PluginSetTest, TheHistoryOutlivesTheProcess) {
    start();
    put("a");
    wait_for_offer("1.0.0");
    wait_until([&] { return fs::exists(options.cache / "history"); });
    set.reset();
    offered.clear();

    start();
    put("no_setup");
    wait_for_offer("1.0.0");

    EXPECT_THAT(refusal(), HasSubstr("version 1.0.0 runs instead"));
}

TEST_F(PluginSetTest, ACopyThatIsGoneIsSaidWithTheFirstReason) {
    start();
    put("a");
    wait_for_offer("1.0.0");
    wait_until([&] { return fs::exists(options.cache / "history"); });
    set.reset();
    for (const auto& entry : fs::directory_iterator(options.cache))
        if (entry.is_directory())
            fs::remove_all(entry);

    start();
    std::ofstream(folder / "build.so") << "text\n";
    set->apply({.removed = {}, .present = {folder / "build.so"}});
    wait_until([&] { return refusal().find("nor does") != std::string::npos; });

    EXPECT_THAT(refusal(), HasSubstr("is text"));
    EXPECT_THAT(refusal(), HasSubstr("gone or damaged"));
    EXPECT_THAT(set->offered(), IsEmpty());
}

TEST_F(PluginSetTest, WhatWasRemovedForGoodIsNotGoneBackTo) {
    start();
    put("a");
    wait_for_offer("1.0.0");
    const auto old = newest;
    remove();
    wait_until([&] { return set->find(old) == nullptr; });
    put("no_setup");
    wait_until([&] { return !refusal().empty(); });
    wait_until([&] { return !set->loading(); });

    EXPECT_THAT(refusal(), Not(HasSubstr("instead")));
    EXPECT_THAT(offered, ElementsAre("1.0.0"));
}

TEST_F(PluginSetTest, VersionsOfOnePluginStandSideBySideAndStrangersStayOut) {
    start();
    put("a", "one.so");
    wait_for_offer("1.0.0");
    put("next", "two.so");
    wait_for_offer("2.0.0");
    put("stranger", "three.so");
    put("a_again", "four.so");
    wait_until([&] { return set->refused().size() == 2; });

    EXPECT_EQ(set->offered().size(), 2U);
    EXPECT_THAT(refusal("three.so"), HasSubstr("offers the type test.build, which one.so"));
    EXPECT_THAT(refusal("four.so"), HasSubstr("in version 1.0.0, which one.so offers"));

    remove("one.so");
    wait_for_offer("1.0.0");
    EXPECT_EQ(refusal("four.so"), "");
    wait_until([&] { return refusal("three.so").find("one.so") == std::string::npos; });
    EXPECT_THAT(refusal("three.so"), HasSubstr("offers the type test.build"));
}

TEST_F(PluginSetTest, OnlyCopiesThatMayBeNeededAreKept) {
    start();
    for (const auto* build : {"a", "b", "c", "next"}) {
        put(build);
        const auto before = offered.size();
        wait_until([&] { return offered.size() > before; });
    }
    wait_until([&] { return copies() == 2; });

    put("a");
    wait_for_offer("1.0.0");
    EXPECT_EQ(set->offered().at(0)->digest(),
              *base::sha256_file(built / "test-plugins/builds/build_a.so"));
}

TEST_F(PluginSetTest, AFileThatIsReplacedWhileItIsCopiedEndsAsTheLast) {
    start();
    for (int i = 0; i < 10; ++i) {
        put("a");
        remove();
        put("b");
    }
    wait_until([&] { return !set->loading() && !offered.empty(); });

    EXPECT_THAT(offered, ElementsAre("1.0.1"));
}

}  // namespace
}  // namespace distributo::tests
