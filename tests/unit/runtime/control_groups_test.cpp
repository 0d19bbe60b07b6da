#include "runtime/control_groups.hpp"

#include <gtest/gtest.h>

namespace distributo::runtime {
namespace {

constexpr const char* mounts = R"(22 1 0:21 / /proc rw,relatime - proc proc rw
30 22 0:26 / /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory
31 22 0:27 / /sys/fs/cgroup rw,nosuid shared:10 - cgroup2 cgroup2 rw,nsdelegate
)";

std::string group_or_why(const char* mountinfo, const char* membership) {
    const auto group = own_group(mountinfo, membership);
    return group ? group->string() : group.error().message;
}

TEST(OwnGroupTest, LiesBelowTheMountPoint) {
    EXPECT_EQ(group_or_why(mounts, "9:memory:/x\n0::/system.slice/distributo-host.service\n"),
              "/sys/fs/cgroup/system.slice/distributo-host.service");
}

TEST(OwnGroupTest, TheRootGroupIsNobodysToFill) {
    EXPECT_EQ(group_or_why(mounts, "0::/\n"),
              "this host was not started in a control group of its own");
}

TEST(OwnGroupTest, VersionOneIsNotEnough) {
    EXPECT_EQ(group_or_why("30 22 0:26 / /c rw - cgroup cgroup rw,memory\n", "9:memory:/x\n"),
              "control groups of version 2 are not mounted");
    EXPECT_EQ(group_or_why(mounts, "9:memory:/x\n"),
              "this host was not started in a control group of its own");
}

TEST(ControlGroupsTest, AGroupThatCannotBeWrittenIsRefused) {
    const auto groups = ControlGroups::take_over("/proc/self");
    ASSERT_FALSE(groups);
    EXPECT_EQ(groups.error().code, base::Errc::unavailable);
}

}  // namespace
}  // namespace distributo::runtime
