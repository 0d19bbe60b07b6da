#include "coordinator/store/history.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace distributo::coordinator::store {
namespace {

using core::Attempt;
using core::Charge;
using core::Control;
using wire::AttemptStatus;

constexpr base::WallTime later{std::chrono::milliseconds(1'700'000'009'000)};

Attempt failed(std::uint32_t number, Charge charge) {
    Attempt made;
    made.number = number;
    made.host_id = "host-" + std::to_string(number);
    made.status = AttemptStatus::retry;
    made.message = "error " + std::to_string(number);
    made.charge = charge;
    return made;
}

Attempt interrupted(std::uint32_t number, Charge charge) {
    auto made = failed(number, charge);
    made.status = AttemptStatus::interrupted;
    return made;
}

Control control(Control::Kind kind, std::uint32_t after_attempt, std::string reason = {}) {
    Control made;
    made.kind = kind;
    made.after_attempt = after_attempt;
    made.reason = std::move(reason);
    return made;
}

core::TaskHistory fold(std::vector<Attempt> attempts, std::vector<Control> controls = {}) {
    return fold_history(attempts, controls);
}

TEST(HistoryTest, NothingHappenedToATaskWithoutRecords) {
    const auto history = fold({});

    EXPECT_EQ(history.last_attempt, 0U);
    EXPECT_EQ(history.failures, 0U);
    EXPECT_EQ(history.retry_at, base::WallTime{});
    EXPECT_FALSE(history.held || history.cancelling || history.released || history.last_lost);
}

TEST(HistoryTest, EveryAttemptIsChargedToItsBudget) {
    const auto history = fold({failed(1, Charge::failure),
                               failed(2, Charge::failure),
                               failed(3, Charge::crash),
                               failed(4, Charge::install),
                               interrupted(5, Charge::interruption),
                               interrupted(6, Charge::lost),
                               interrupted(9, Charge::none)});

    EXPECT_EQ(history.failures, 2U);
    EXPECT_EQ(history.crashes, 1U);
    EXPECT_EQ(history.install_failures, 1U);
    EXPECT_EQ(history.interruptions, 1U);
    EXPECT_EQ(history.lost, 1U);
    EXPECT_EQ(history.last_attempt, 9U);
}

TEST(HistoryTest, AnAttemptThatCameBackIsChargedOnce) {
    const auto history = fold({interrupted(1, Charge::lost), failed(1, Charge::failure)});

    EXPECT_EQ(history.lost, 0U);
    EXPECT_EQ(history.failures, 1U);
    EXPECT_FALSE(history.last_lost);
}

TEST(HistoryTest, OnlyTheLastAttemptSaysWhatToWaitFor) {
    auto first = failed(1, Charge::failure);
    first.retry_at = later;
    auto second = failed(2, Charge::failure);

    EXPECT_EQ(fold({first}).retry_at, later);
    EXPECT_EQ(fold({first, second}).retry_at, base::WallTime{});
}

TEST(HistoryTest, HostsStayExcludedAndAreNamedOnce) {
    auto first = failed(1, Charge::crash);
    first.excludes_host = true;
    auto second = failed(2, Charge::crash);
    auto third = failed(3, Charge::install);
    third.host_id = "host-1";
    third.excludes_host = true;
    auto unknown = failed(4, Charge::failure);
    unknown.host_id.clear();
    unknown.excludes_host = true;

    EXPECT_EQ(fold({first, second, third, unknown}).excluded_hosts,
              (std::vector<std::string>{"host-1"}));
}

TEST(HistoryTest, TheLastErrorIsWhatAHostToldLast) {
    const auto history = fold({failed(1, Charge::failure), interrupted(2, Charge::lost)});

    EXPECT_EQ(history.last_error, "error 1");
}

TEST(HistoryTest, ALateReportMayComeForWhatWasGivenUp) {
    EXPECT_TRUE(fold({interrupted(1, Charge::lost)}).last_lost);
    EXPECT_TRUE(fold({interrupted(1, Charge::none)}).last_lost);
    EXPECT_FALSE(fold({interrupted(1, Charge::interruption)}).last_lost);
    EXPECT_FALSE(fold({interrupted(1, Charge::lost), failed(2, Charge::failure)}).last_lost);
}

TEST(HistoryTest, RetryingForgetsEverythingButTheNumbers) {
    auto old = failed(1, Charge::failure);
    old.excludes_host = true;
    old.retry_at = later;
    const auto history =
        fold({old, interrupted(2, Charge::lost)},
             {control(Control::Kind::hold, 1, "for now"), control(Control::Kind::retry, 2)});

    EXPECT_EQ(history.last_attempt, 2U);
    EXPECT_EQ(history.failures, 0U);
    EXPECT_EQ(history.lost, 0U);
    EXPECT_TRUE(history.excluded_hosts.empty());
    EXPECT_EQ(history.retry_at, base::WallTime{});
    EXPECT_EQ(history.last_error, "");
    EXPECT_FALSE(history.held || history.last_lost);
}

TEST(HistoryTest, WhatFollowsARetryCounts) {
    const auto history = fold({failed(1, Charge::failure), failed(2, Charge::failure)},
                              {control(Control::Kind::retry, 1)});

    EXPECT_EQ(history.failures, 1U);
    EXPECT_EQ(history.last_error, "error 2");
}

TEST(HistoryTest, ReleasingForgetsInterruptionsAndWhatItWaitedForOnly) {
    auto first = failed(1, Charge::failure);
    auto second = interrupted(2, Charge::interruption);
    second.retry_at = later;
    const auto history = fold({first, second}, {control(Control::Kind::release, 2)});

    EXPECT_EQ(history.interruptions, 0U);
    EXPECT_EQ(history.retry_at, base::WallTime{});
    EXPECT_EQ(history.failures, 1U);
    EXPECT_EQ(history.last_error, "error 2");
    EXPECT_TRUE(history.released);
}

TEST(HistoryTest, WhatFollowsAReleaseCounts) {
    auto second = interrupted(2, Charge::interruption);
    second.retry_at = later;
    const auto history =
        fold({interrupted(1, Charge::interruption), second}, {control(Control::Kind::release, 1)});

    EXPECT_EQ(history.interruptions, 1U);
    EXPECT_EQ(history.retry_at, later);
}

TEST(HistoryTest, TheLastControlCounts) {
    using enum Control::Kind;

    const auto held =
        fold({}, {control(release, 0), control(hold, 0, "the disk is being replaced")});
    EXPECT_TRUE(held.held);
    EXPECT_EQ(held.hold_reason, "the disk is being replaced");
    EXPECT_FALSE(held.released);

    const auto released = fold({}, {control(hold, 0, "why"), control(release, 0)});
    EXPECT_FALSE(released.held);
    EXPECT_EQ(released.hold_reason, "");
    EXPECT_TRUE(released.released);

    EXPECT_TRUE(fold({}, {control(hold, 0), control(cancel, 0)}).cancelling);
    EXPECT_FALSE(fold({}, {control(cancel, 0), control(retry, 0)}).cancelling);
}

}  // namespace
}  // namespace distributo::coordinator::store
