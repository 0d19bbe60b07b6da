// What a host offers to running tasks, through a real runner.
#include "base/digest.hpp"
#include "probe.hpp"
#include "runtime/value_cache.hpp"

namespace distributo::runtime {
namespace {

using Status = CallResult::Status;
using testing::HasSubstr;

class ServicesTest : public testing::TestWithParam<Isolation>, public Probe {
protected:
    ServicesTest() {
        auto with = options("services/test_services");
        with.cache = cache;
        start(GetParam(), with);
        until_ready();
    }
    const CallResult& keep(bool verify) {
        const CallId call = ++last_call;
        InstallCall request{.call = call,
                            .type = "test.kept",
                            .content_key = "key",
                            .spec = "{}",
                            .staging_dir = (folder.path() / "install").string()};
        request.verify = verify;
        runner->install(request);
        return result(call);
    }

    std::shared_ptr<ValueCache> cache = std::make_shared<ValueCache>();
};

INSTANTIATE_TEST_SUITE_P(Isolations,
                         ServicesTest,
                         testing::Values(Isolation::process, Isolation::inproc),
                         [](const auto& param) {
                             return param.param == Isolation::process ? "process" : "inproc";
                         });

TEST_P(ServicesTest, FollowUpsComeWithTheResult) {
    const auto& parent = run("test.tree", R"({"name":"a","depth":1,"width":1})");
    ASSERT_EQ(parent.status, Status::ok) << parent.message;
    EXPECT_EQ(parent.emitted,
              R"([{"type":"test.tree","payload":{"name":"a.0","depth":0,"width":1},)"
              R"("dedupe_key":"a.0","group":"tree"}])");

    const auto& failed = run("test.emit", R"({"type":"t","payload":1,"times":2,"fail":true})");
    EXPECT_EQ(failed.status, Status::permanent);
    EXPECT_EQ(failed.emitted, "");
    const auto& many = run("test.emit", R"({"type":"t","payload":1,"times":1025,"fail":false})");
    EXPECT_EQ(many.status, Status::permanent);
    EXPECT_THAT(logged(many.call, "plugin"), HasSubstr("a call may emit 1024 at most"));
}

TEST_P(ServicesTest, TheCacheIsSharedWithTheHost) {
    cache->put("theirs", "from another plugin", {}, std::chrono::steady_clock::now());
    EXPECT_EQ(run("test.cache", R"({"key":"theirs"})").result, "\"from another plugin\"");
    EXPECT_EQ(run("test.cache", R"({"key":"nobody's"})").result, "null");
    EXPECT_EQ(run("test.cache", R"({"key":"mine","value":"1"})").result, "\"1\"");
    EXPECT_EQ(*cache->get("mine", std::chrono::steady_clock::now()), "1");
}

TEST_P(ServicesTest, ManyAskTheCacheAtOnce) {
    std::vector<CallId> calls;
    for (int i = 0; i < 400; ++i)
        calls.push_back(execute(
            "test.cache",
            R"({"key":"k)" + std::to_string(i) + R"(","value":"v)" + std::to_string(i) + "\"}"));
    for (std::size_t i = 0; i < calls.size(); ++i)
        EXPECT_EQ(result(calls[i]).result, "\"v" + std::to_string(i) + '"');
}

TEST_P(ServicesTest, ArtifactsLiveInTheWorkDirectory) {
    const auto& answer = run("test.artifact");
    ASSERT_EQ(answer.status, Status::ok) << answer.message;
    EXPECT_EQ(answer.result, "\"one two;three;" + base::sha256("one two") + '"');
}

TEST_P(ServicesTest, VerifyLooksAtWhatWasInstalled) {
    const auto dir = folder.path() / "install";
    std::filesystem::create_directories(dir);
    EXPECT_EQ(keep(false).status, Status::ok);
    EXPECT_EQ(keep(true).status, Status::ok);
    std::filesystem::remove(dir / "state");
    EXPECT_EQ(keep(true).status, Status::retry);
}

class ProbeTest : public testing::TestWithParam<Isolation>, public Probe {
protected:
    void on_capabilities_changed() override { ++changes; }
    const CallResult& probe() {
        const CallId call = ++last_call;
        runner->probe(call);
        return result(call);
    }
    int changes = 0;
};

INSTANTIATE_TEST_SUITE_P(Isolations,
                         ProbeTest,
                         testing::Values(Isolation::process, Isolation::inproc),
                         [](const auto& param) {
                             return param.param == Isolation::process ? "process" : "inproc";
                         });

TEST_P(ProbeTest, AnswersAndANoticeArrives) {
    start(GetParam(), "services/test_together");
    until_ready();
    EXPECT_TRUE(module.probes);
    EXPECT_EQ(probe().result, R"({"healthy":true,"attributes":{"camera":"front"}})");
    EXPECT_EQ(run("test.health", R"("no lens")").status, Status::ok);
    until([this] { return changes > 0; });
    EXPECT_EQ(probe().result,
              R"({"healthy":false,"reason":"no lens","attributes":{"camera":"none"}})");
}

TEST(CacheLifeTest, SurvivesTheEndOfARunner) {
    auto cache = std::make_shared<ValueCache>();
    for (const char* const payload : {R"({"key":"k","value":"kept"})", R"({"key":"k"})"}) {
        Probe probe;
        auto with = probe.options("services/test_services");
        with.cache = cache;
        probe.start(Isolation::process, with);
        probe.until_ready();
        EXPECT_EQ(probe.run("test.cache", payload).result, "\"kept\"");
    }
}

}  // namespace
}  // namespace distributo::runtime
