#pragma once

#include "disk.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace distributo::coordinator::core {

/// Two tasks run on one host when the coordinator dies, two more are in its queue.
class ReturningHostsTest : public ::testing::Test {
protected:
    void SetUp() override {
        disk.reboot();
        bed().host("h1", 2);
        ids = bed().add_many("echo", 4);
        handed = bed().dispatch();
        ASSERT_EQ(handed.size(), 2U);
        disk.reboot();
    }
    Bed& bed() { return disk.bed(); }
    HostIndex come_back(const std::string& id,
                        std::vector<wire::Claim> running,
                        std::vector<wire::Claim> finished = {}) {
        auto hello = Bed::hello(id, 2);
        hello.running = std::move(running);
        hello.finished = std::move(finished);
        return bed().join(hello);
    }
    HostIndex join(const std::string& id) {
        const auto host = come_back(id, {});
        bed().offer(host, {{"echo", 2}});
        return host;
    }
    void expect_untouched() {
        EXPECT_TRUE(bed().outcomes.empty());
        EXPECT_TRUE(bed().failed_attempts.empty());
        for (const auto id : ids) {
            EXPECT_EQ(bed().state(id), TaskState::pending);
            EXPECT_EQ(bed().view(id).attempts, 0U);
        }
    }
    /// A result that must not count.
    void expect_stale(HostIndex host, const Token& token) {
        const auto acks = bed().acks.size();
        bed().report_as(host, token);
        ASSERT_EQ(bed().acks.size(), acks + 1);
        EXPECT_EQ(bed().acks.back().item.token, token);
        EXPECT_TRUE(bed().acks.back().item.stale);
        EXPECT_TRUE(bed().outcomes.empty());
    }
    Disk disk;
    std::vector<TaskId> ids;
    std::vector<Assigned> handed;
};

}  // namespace distributo::coordinator::core
