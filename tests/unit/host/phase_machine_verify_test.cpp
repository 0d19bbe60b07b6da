#include "phase_machine_bed.hpp"

namespace distributo::host {
namespace {

/// An install of an earlier run of the host, of the type "t" with this spec.
class VerifyTest : public PhaseMachineTest {
protected:
    static constexpr const char* spec = R"({"v":1})";
    VerifyTest() {
        auto info = type("t", true);
        info.verifies = true;
        offer({info});
        machine.add_install(content_key("t", spec, "digest1"));
        assign(1, "t", spec);
        assign(2, "t", spec);
        dispatch();
    }
};

TEST_F(VerifyTest, AnInstallOfAnEarlierRunIsVerifiedOnceBeforeItIsUsed) {
    ASSERT_EQ(verified.size(), 1U);
    EXPECT_TRUE(started.empty());
    EXPECT_EQ(verified[0].spec, spec);
    end(verified[0].call);

    EXPECT_EQ(started.size(), 2U);
    EXPECT_TRUE(installs.empty());
    assign(3, "t", spec);
    end(started[0].call.call);
    EXPECT_EQ(started.size(), 3U);
    EXPECT_EQ(verified.size(), 1U);
}

TEST_F(VerifyTest, WhatIsNotGoodAnyMoreIsRemovedAndInstalledAnew) {
    end(verified.at(0).call, CallResult::Status::retry);

    EXPECT_THAT(removed, ElementsAre(verified[0].content_key));
    EXPECT_TRUE(started.empty());
    ASSERT_EQ(installs.size(), 1U);
    end(installs[0].call);
    EXPECT_EQ(started.size(), 2U);
    EXPECT_EQ(verified.size(), 1U);
    EXPECT_TRUE(outcomes.empty());
}

TEST_F(VerifyTest, AProcessThatWentForAnotherReasonSaysNothing) {
    end(verified.at(0).call, CallResult::Status::aborted);

    EXPECT_TRUE(removed.empty());
    EXPECT_EQ(verified.size(), 2U);
}

TEST_F(VerifyTest, ACancelledTaskDoesNotCondemnTheInstall) {
    machine.cancel(token(1), now);
    end(verified.at(0).call, CallResult::Status::cancelled);

    EXPECT_TRUE(removed.empty());
    EXPECT_THAT(statuses(), ElementsAre(AttemptStatus::cancelled));
    ASSERT_EQ(verified.size(), 2U);
    end(verified[1].call);
    EXPECT_EQ(started.size(), 1U);
}

}  // namespace
}  // namespace distributo::host
