// What the C++ layer has beside plain functions, through a real runner of either kind.
#include "probe.hpp"
#include "runtime/value_cache.hpp"

#include <fstream>

namespace distributo::runtime {
namespace {

using Status = CallResult::Status;
using testing::HasSubstr;

class LayerTest : public testing::TestWithParam<Isolation>, public Probe {
protected:
    LayerTest() {
        auto with = options("layer/test_layer");
        with.cache = cache;
        start(GetParam(), with);
        until_ready();
    }

    std::shared_ptr<ValueCache> cache = std::make_shared<ValueCache>();
};

INSTANTIATE_TEST_SUITE_P(Isolations,
                         LayerTest,
                         testing::Values(Isolation::process, Isolation::inproc),
                         [](const auto& param) {
                             return param.param == Isolation::process ? "process" : "inproc";
                         });

TEST_P(LayerTest, AnItemThatDoesNotDecodeFailsAlone) {
    const auto first = execute("layer.square", R"({"n":2})");
    const auto bad = execute("layer.square", R"({"n":"two"})");
    const auto last = execute("layer.square", R"({"n":4})");

    EXPECT_EQ(result(first).result, R"({"n":4,"together":2})");
    EXPECT_EQ(result(last).result, R"({"n":16,"together":2})");
    EXPECT_EQ(result(bad).status, Status::permanent);
    EXPECT_EQ(results[bad].message, "payload.n: expected integer, got string");
}

TEST_P(LayerTest, TasksThatWaitEndOneByOne) {
    const auto gate = folder.path() / "gate";
    const auto payload = R"({"file":")" + gate.string() + "\"}";
    std::vector<CallId> calls;
    for (int i = 0; i < 100; ++i)
        calls.push_back(execute("layer.wait", payload));
    const auto other = execute("layer.wait", payload);
    runner->flush();
    runner->cancel(other);
    EXPECT_EQ(result(other).status, Status::cancelled);
    EXPECT_EQ(results.size(), 1U) << "the others wait";

    std::ofstream{gate};
    for (const auto call : calls)
        EXPECT_EQ(result(call).result, "\"t" + std::to_string(call) + '"');
}

TEST_P(LayerTest, ATaskThatIsDroppedRunsAgain) {
    const auto& dropped = run("layer.wait", R"({"way":"drop"})");
    EXPECT_EQ(dropped.status, Status::retry);
    EXPECT_THAT(dropped.message, HasSubstr("destroyed without a result"));
    EXPECT_EQ(run("layer.wait", R"({"way":"throw"})").message, "as asked");
}

TEST_P(LayerTest, ServicesAreThere) {
    EXPECT_EQ(run("layer.follow", R"({"numbers":[3]})").emitted,
              R"([{"type":"layer.square","payload":{"n":3},)"
              R"("dedupe_key":"square 3","group":"squares"}])");
    EXPECT_EQ(run("layer.cache", R"({"key":"k","value":{"n":5}})").result, "null");
    EXPECT_EQ(run("layer.cache", R"({"key":"k","value":{"n":6}})").result, R"({"n":5})");
    const auto& copied = run("layer.copy");
    EXPECT_THAT(copied.result, HasSubstr(R"("text":"one two three")")) << copied.message;
}

TEST_P(LayerTest, TheProbeAnswersWithAttributesOrFails) {
    ASSERT_TRUE(module.probes);
    runner->probe(++last_call);
    EXPECT_EQ(result(last_call).result, R"({"healthy":true,"attributes":{"lens":"wide"}})");

    run("layer.health", R"({"able":false})");
    runner->probe(++last_call);
    EXPECT_EQ(result(last_call).message, "no lens");
    run("layer.health", R"({"able":true})");
}

}  // namespace
}  // namespace distributo::runtime
