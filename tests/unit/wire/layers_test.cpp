#include "wire/layers.hpp"

#include <gtest/gtest.h>

namespace distributo::wire {
namespace {

TEST(LayersTest, EveryLayerHasANameOfItsOwn) {
    const auto all = Layers::of_bits(~0U);
    ASSERT_EQ(all.names().size(), layer_count);
    for (const auto name : all.names()) {
        const auto layer = parse_layer(name);
        ASSERT_TRUE(layer) << name;
        EXPECT_EQ(to_string(*layer), name);
    }
    EXPECT_FALSE(parse_layer("selinux"));
}

TEST(LayersTest, TellsWhatIsMissing) {
    Layers own;
    own.add(Layer::landlock);
    Layers wanted = own;
    EXPECT_TRUE(own.missing(wanted).empty());
    wanted.add(Layer::seccomp);
    wanted.add(Layer::cgroup);
    EXPECT_EQ(own.missing(wanted).text(), "seccomp, cgroup");
}

TEST(ConfinementTest, CoversWhatIsWeaker) {
    Layers layers;
    layers.add(Layer::landlock);
    const Confinement process{.isolation = isolation_rank("process"), .layers = layers};

    EXPECT_TRUE(process.covers({}));
    EXPECT_TRUE(process.covers({.isolation = isolation_rank("inproc"), .layers = layers}));
    EXPECT_TRUE(process.covers(process));
    EXPECT_FALSE(process.covers({.isolation = isolation_rank("task"), .layers = {}}));
    EXPECT_FALSE(Confinement{.isolation = isolation_rank("task")}.covers(process));
    EXPECT_EQ(isolation_rank("vm"), 0);
    EXPECT_EQ(isolation_name(isolation_rank("task")), "task");
    EXPECT_EQ(isolation_name(0), "");
}

}  // namespace
}  // namespace distributo::wire
