#include "disk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace distributo::coordinator::core {
namespace {

using ::testing::HasSubstr;

/// A host that breaks what it gets.
class QuarantineTest : public ::testing::Test {
protected:
    static Settings settings() {
        Settings made;
        made.max_crashes = 1000;
        made.lease_floor = 24h;
        made.install_failure_hosts = 1000;
        return made;
    }
    QuarantineTest() : disk(settings()) { disk.reboot(); }
    Bed& bed() { return disk.bed(); }
    /// Crashes what comes, `times` times, of at most so many tasks.
    void crash(int times, int of_tasks) {
        std::vector<TaskId> ids = bed().add_many("echo", of_tasks);
        for (int i = 0; i < times; ++i) {
            const auto handed = bed().dispatch();
            ASSERT_FALSE(handed.empty()) << i;
            bed().report(handed.front(), AttemptStatus::crashed, "signal 11");
            // The next of them goes first.
            if (i < of_tasks - 1)
                (void)bed().scheduler.hold(ids[static_cast<std::size_t>(i)], "", bed().now);
        }
        for (const auto id : ids)
            (void)bed().scheduler.cancel(id, bed().now);
        bed().collect();
        bed().commit();
    }
    [[nodiscard]] HostView view() { return bed().scheduler.hosts(bed().now).front(); }
    Disk disk;
};

TEST_F(QuarantineTest, FiveCrashesOfThreeTasksStopAHost) {
    bed().host("h1");
    crash(4, 3);
    EXPECT_EQ(view().state, HostView::State::ready);
    const auto id = bed().add("echo");
    bed().report(bed().dispatch_one(), AttemptStatus::crashed, "signal 11");

    EXPECT_EQ(view().state, HostView::State::quarantined);
    EXPECT_EQ(view().quarantine_left, base::Duration(60s));
    EXPECT_EQ(view().quarantine_reason,
              "5 crashes or failed installs in a row, the last: signal 11");
    EXPECT_TRUE(bed().dispatch().empty());
    EXPECT_TRUE(bed().scheduler.types().front().versions.empty());
    const auto explanation = bed().scheduler.explain(id, bed().now);
    EXPECT_EQ(obstacle_of(explanation, "h1").code, "host_quarantined");
    EXPECT_THAT(obstacle_of(explanation, "h1").detail, HasSubstr("60 s"));
    EXPECT_THAT(explanation.hint, HasSubstr("host release"));
    bed().pass(59'999ms);
    EXPECT_TRUE(bed().dispatch().empty());
    bed().pass(1ms);
    EXPECT_EQ(bed().dispatch().size(), 1U);
    EXPECT_EQ(view().state, HostView::State::ready);
    EXPECT_EQ(view().quarantine_left, base::Duration::zero());
}

TEST_F(QuarantineTest, TwoTasksAreNotEnough) {
    bed().host("h1");
    crash(20, 2);

    EXPECT_EQ(view().state, HostView::State::ready);
}

TEST_F(QuarantineTest, FailedInstallsCountLikeCrashes) {
    bed().host("h1");
    for (int i = 0; i < 5; ++i) {
        const auto id = bed().add("echo");
        bed().report(bed().dispatch_one(), AttemptStatus::install_failed);
        EXPECT_TRUE(bed().scheduler.cancel(id, bed().now));
        if (i < 4)
            bed().pass(15min);
    }
    EXPECT_EQ(view().state, HostView::State::quarantined);
}

TEST_F(QuarantineTest, OtherFailuresAreTheTasksOwn) {
    bed().host("h1");
    for (int i = 0; i < 20; ++i) {
        bed().add("echo");
        bed().report(bed().dispatch_one(),
                     i % 2 == 0 ? AttemptStatus::permanent : AttemptStatus::timeout);
    }
    EXPECT_EQ(view().state, HostView::State::ready);
}

TEST_F(QuarantineTest, ASuccessBeginsTheCountAnew) {
    bed().host("h1");
    for (int i = 0; i < 5; ++i) {
        crash(4, 3);
        bed().add("echo");
        bed().report(bed().dispatch_one());
        bed().commit();
    }
    EXPECT_EQ(view().state, HostView::State::ready);
}

TEST_F(QuarantineTest, ItDoublesUpToAnHourUntilASuccess) {
    bed().host("h1");
    for (const auto length : {60s, 120s, 240s, 480s, 960s, 1920s, 3600s, 3600s}) {
        crash(5, 3);
        EXPECT_EQ(view().quarantine_left, base::Duration(length));
        bed().pass(length);
    }
    bed().add("echo");
    bed().report(bed().dispatch_one());
    bed().commit();
    EXPECT_EQ(disk.hosts().at("h1").quarantines, 0U);
    crash(5, 3);
    EXPECT_EQ(view().quarantine_left, base::Duration(60s));
}

TEST_F(QuarantineTest, ItOutlivesConnectionsAndRestarts) {
    auto host = bed().host("h1");
    crash(5, 3);
    bed().scheduler.host_left(host, bed().now);
    bed().collect();
    const auto id = bed().add("echo");
    bed().host("h1");
    EXPECT_TRUE(bed().dispatch().empty());
    disk.reboot(20s);
    bed().host("h1");
    EXPECT_EQ(view().state, HostView::State::quarantined);
    EXPECT_EQ(view().quarantine_left, base::Duration(40s));
    EXPECT_THAT(std::string(view().quarantine_reason), HasSubstr("signal 11"));
    EXPECT_TRUE(bed().dispatch().empty());

    bed().pass(40s);
    EXPECT_EQ(bed().dispatch().size(), 1U);
    disk.reboot();
    bed().host("h1");
    EXPECT_EQ(view().state, HostView::State::ready);
    EXPECT_TRUE(bed().scheduler.cancel(id, bed().now));
    crash(5, 3);
    EXPECT_EQ(view().quarantine_left, base::Duration(120s)) << "the second in a row";
}

TEST_F(QuarantineTest, AClockThatWasSetBackDoesNotMakeItLonger) {
    bed().host("h1");
    crash(5, 3);
    const auto record = disk.hosts().at("h1");
    Bed other(settings(), 9);
    other.wall -= 1'000'000s;
    other.scheduler.await_hosts({record}, other.now, other.now, other.wall);
    other.host("h1");

    EXPECT_LE(other.scheduler.hosts(other.now).front().quarantine_left, base::Duration(1h));
}

TEST_F(QuarantineTest, APersonCanEndIt) {
    bed().host("h1");
    crash(5, 3);
    bed().add("echo");
    EXPECT_TRUE(bed().scheduler.release_host("h1", bed().now));
    bed().collect();
    EXPECT_EQ(bed().dispatch().size(), 1U);
    EXPECT_EQ(view().state, HostView::State::ready);
    EXPECT_EQ(disk.hosts().at("h1").quarantined_until, base::WallTime{});
    EXPECT_EQ(disk.hosts().at("h1").quarantines, 0U);
    EXPECT_TRUE(disk.hosts().at("h1").present);

    EXPECT_EQ(bed().scheduler.release_host("h1", bed().now).error().code, base::Errc::conflict);
    EXPECT_EQ(bed().scheduler.release_host("h2", bed().now).error().code, base::Errc::not_found);
}

TEST_F(QuarantineTest, OtherHostsGoOn) {
    bed().host("h1");
    crash(5, 3);
    const auto other = bed().host("h2");
    bed().add("echo");

    EXPECT_EQ(bed().dispatch_one().host, other);
}

// ---- host records ----

TEST(HostRecordTest, AHostGetsTasksOnceItsPresenceIsDurable) {
    Bed bed;
    bed.shut = true;
    bed.add("echo");
    const auto host = bed.host("h1");
    ASSERT_EQ(bed.host_changes.size(), 1U);
    EXPECT_EQ(bed.host_changes[0].record.host_id, "h1");
    EXPECT_TRUE(bed.host_changes[0].record.present);
    EXPECT_TRUE(bed.dispatch().empty());
    EXPECT_EQ(obstacle_of(bed.scheduler.explain(1, bed.now), "h1").code, "joining");

    bed.scheduler.host_committed(host, bed.host_changes[0].serial + 1, bed.now);
    EXPECT_TRUE(bed.dispatch().empty()) << "that was another record";
    bed.scheduler.host_committed(host, bed.host_changes[0].serial, bed.now);
    EXPECT_EQ(bed.dispatch_one().host, host);
}

TEST(HostRecordTest, OnlyChangesAreRecorded) {
    Bed bed;
    const auto host = bed.host("h1");
    bed.scheduler.host_disconnected(host, bed.now);
    bed.host("h1");
    EXPECT_EQ(bed.host_changes.size(), 1U);
    auto renamed = Bed::hello("h1");
    renamed.name = "attic";
    (void)bed.join(renamed);
    ASSERT_EQ(bed.host_changes.size(), 2U);
    EXPECT_EQ(bed.host_changes[1].record.name, "attic");

    bed.scheduler.host_left(host, bed.now);
    bed.collect();
    ASSERT_EQ(bed.host_changes.size(), 3U);
    EXPECT_FALSE(bed.host_changes[2].record.present);
}

TEST(HostRecordTest, ARecordOfAnEarlierStayDoesNotCount) {
    Bed bed;
    bed.shut = true;
    bed.add("echo");
    const auto host = bed.host("h1");
    bed.scheduler.host_left(host, bed.now);
    bed.host("h1");
    ASSERT_EQ(bed.host_changes.size(), 3U);
    bed.scheduler.host_committed(host, bed.host_changes[0].serial, bed.now);
    bed.scheduler.host_committed(host, bed.host_changes[1].serial, bed.now);
    EXPECT_TRUE(bed.dispatch().empty());

    bed.scheduler.host_committed(host, bed.host_changes[2].serial, bed.now);
    EXPECT_EQ(bed.dispatch().size(), 1U);
}

TEST(HostRecordTest, GivingAHostUpIsRecorded) {
    Bed bed;
    const auto host = bed.host("h1");
    bed.pass(30s);
    EXPECT_TRUE(bed.host_changes.back().record.present) << "silent, but still connected";
    bed.scheduler.host_disconnected(host, bed.now);
    bed.collect();

    EXPECT_FALSE(bed.host_changes.back().record.present);
}

}  // namespace
}  // namespace distributo::coordinator::core
