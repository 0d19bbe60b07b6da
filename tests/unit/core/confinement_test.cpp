#include "tests/unit/core/bed.hpp"

#include <gtest/gtest.h>

namespace distributo::coordinator::core {
namespace {

using wire::Layer;

wire::Layers layers(std::initializer_list<Layer> some) {
    wire::Layers made;
    for (const auto one : some)
        made.add(one);
    return made;
}

TaskOptions requiring(std::string_view isolation, wire::Layers some = {}) {
    TaskOptions options;
    options.requires_confinement = {.isolation = wire::isolation_rank(isolation), .layers = some};
    return options;
}

TEST(ConfinementTest, ATaskRunsWhereAllThatItRequiresIsInForce) {
    Bed bed;
    const auto weak = bed.join(Bed::hello("weak", 8));
    bed.offer_confined(weak, {{"1.0.0", "process", layers({Layer::landlock})}});
    const auto strong = bed.join(Bed::hello("strong", 8));
    bed.offer_confined(
        strong, {{"1.0.0", "process", layers({Layer::landlock, Layer::seccomp, Layer::memory})}});

    bed.add("echo", requiring("", layers({Layer::landlock, Layer::seccomp})));

    EXPECT_EQ(bed.dispatch_one().host, strong);
}

TEST(ConfinementTest, AnIsolationIncludesTheWeakerOnes) {
    Bed bed;
    const auto inside = bed.join(Bed::hello("inside", 8));
    bed.offer_confined(inside, {{"1.0.0", "inproc", {}}});
    bed.add("echo", requiring("process"));
    EXPECT_TRUE(bed.dispatch().empty());

    const auto each = bed.join(Bed::hello("each", 8));
    bed.offer_confined(each, {{"1.0.0", "task", {}}});
    EXPECT_EQ(bed.dispatch_one().host, each);
    bed.add("echo", requiring("task"));
    EXPECT_EQ(bed.dispatch_one().host, each);
}

TEST(ConfinementTest, AHostThatLosesALayerGetsNoMoreSuchTasks) {
    Bed bed;
    const auto host = bed.join(Bed::hello("h", 8));
    bed.offer_confined(host, {{"1.0.0", "process", layers({Layer::landlock})}});
    bed.offer_confined(host, {{"1.0.0", "process", {}}});
    bed.add("echo", requiring("", layers({Layer::landlock})));
    EXPECT_TRUE(bed.dispatch().empty());

    bed.offer_confined(host, {{"1.0.0", "process", layers({Layer::landlock})}});
    EXPECT_EQ(bed.dispatch_one().host, host);
}

TEST(ConfinementTest, OfSeveralVersionsTheConfinedOneIsAskedFor) {
    Bed bed;
    const auto host = bed.join(Bed::hello("h", 8));
    bed.offer_confined(host,
                       {{"1.0.0", "process", layers({Layer::landlock})}, {"2.0.0", "process", {}}});
    bed.add("echo", requiring("", layers({Layer::landlock})));

    EXPECT_EQ(bed.dispatch_one().version, "1.0.0");
    bed.add("echo", requiring("process"));
    EXPECT_EQ(bed.dispatch_one().version, "2.0.0");
    bed.add("echo");
    EXPECT_EQ(bed.dispatch_one().version, "");
}

TEST(ConfinementTest, ExplainNamesTheMissingLayers) {
    Bed bed;
    const auto host = bed.join(Bed::hello("h", 8));
    bed.offer_confined(host, {{"1.0.0", "inproc", layers({Layer::landlock})}});

    const auto both =
        bed.add("echo", requiring("process", layers({Layer::seccomp, Layer::no_network})));
    const auto explanation = bed.scheduler.explain(both, bed.now);
    EXPECT_EQ(explanation.summary,
              "no host that offers its type confines it as far as it requires");
    EXPECT_EQ(obstacle_of(explanation, "h").code, "confinement");
    EXPECT_EQ(obstacle_of(explanation, "h").detail,
              "runs echo with isolation inproc, the task requires process, and without seccomp, "
              "no-network, which the task requires");

    const auto layer = bed.add("echo", requiring("", layers({Layer::seccomp})));
    EXPECT_EQ(obstacle_of(bed.scheduler.explain(layer, bed.now), "h").detail,
              "runs echo without seccomp, which the task requires");
}

}  // namespace
}  // namespace distributo::coordinator::core
