#include "bed.hpp"
#include "coordinator/core/host_table.hpp"

#include <gmock/gmock.h>

namespace distributo::coordinator::core {
namespace {

using ::testing::HasSubstr;

TaskOptions wants(const std::string& range) {
    TaskOptions options;
    options.version_range = range;
    return options;
}

/// A host that offers these versions of "echo".
HostIndex join(Bed& bed,
               const std::string& id,
               const std::vector<std::pair<std::string, std::uint32_t>>& versions) {
    const auto host = bed.join(Bed::hello(id, 4));
    bed.offer_versions(host, versions);
    return host;
}

TEST(VersionsTest, ATaskWithoutARangeIsForTheHighestVersion) {
    Bed bed;
    join(bed, "h1", {{"1.9.0", 4}, {"2.0.0", 4}, {"2.0.0-rc.1", 4}, {"10.0.0-rc.1", 4}});
    const auto task = bed.add("echo");

    const auto handed = bed.dispatch_one();

    EXPECT_EQ(handed.version, "") << "whatever is the highest when it starts";
    EXPECT_EQ(bed.view(task).version, "10.0.0-rc.1");
}

TEST(VersionsTest, ARangeIsForTheHighestVersionInIt) {
    Bed bed;
    join(bed, "h1", {{"1.2.0", 4}, {"1.9.0", 4}, {"2.0.0", 4}});
    const auto caret = bed.add("echo", wants("^1.2"));
    const auto tilde = bed.add("echo", wants("~1.2.0"));
    const auto all = bed.add("echo", wants("*"));

    const auto handed = bed.dispatch();

    EXPECT_EQ(handed.size(), 3U);
    EXPECT_EQ(bed.view(caret).version, "1.9.0");
    EXPECT_EQ(bed.view(tilde).version, "1.2.0");
    EXPECT_EQ(bed.view(all).version, "2.0.0");
    for (const auto& one : handed)
        EXPECT_EQ(one.version,
                  one.id == base::NumberText(caret).view()   ? "^1.2"
                  : one.id == base::NumberText(tilde).view() ? "~1.2.0"
                                                             : "*");
}

TEST(VersionsTest, OnlyHostsWithAVersionInTheRangeGetTheTask) {
    Bed bed;
    join(bed, "old", {{"1.1.0", 4}});
    const auto fresh = join(bed, "new", {{"1.2.0", 4}});
    join(bed, "other", {{"2.0.0", 4}});
    for (int i = 0; i < 4; ++i)
        bed.add("echo", wants("^1.2"));

    for (const auto& handed : bed.dispatch())
        EXPECT_EQ(handed.host, fresh);
    bed.add("echo", wants("^1.2"));
    EXPECT_TRUE(bed.dispatch().empty()) << "it is full, and no other one will do";
}

TEST(VersionsTest, ATaskWaitsUntilAVersionInItsRangeIsOffered) {
    Bed bed;
    const auto host = join(bed, "h1", {{"1.1.0", 4}});
    bed.add("echo", wants(">=1.2 <2"));
    EXPECT_TRUE(bed.dispatch().empty());

    bed.offer_versions(host, {{"2.0.0", 4}});
    EXPECT_TRUE(bed.dispatch().empty());

    bed.offer_versions(host, {{"2.0.0", 4}, {"1.2.3", 4}});
    EXPECT_EQ(bed.dispatch().size(), 1U);
}

TEST(VersionsTest, AVersionThatIsNotSemanticIsTheLowestAndInNoRange) {
    Bed bed;
    const auto host = join(bed, "h1", {{"nightly", 4}});
    const auto plain = bed.add("echo");
    bed.add("echo", wants("*"));
    EXPECT_EQ(bed.dispatch().size(), 1U);
    EXPECT_EQ(bed.view(plain).version, "nightly");

    bed.offer_versions(host, {{"nightly", 4}, {"0.0.1-a", 4}});
    const auto next = bed.add("echo");
    bed.dispatch();
    EXPECT_EQ(bed.view(next).version, "0.0.1-a");
}

TEST(VersionsTest, EachVersionTakesItsShareOfTheHost) {
    Bed bed;
    join(bed, "h1", {{"1.0.0", 2}, {"2.0.0", 4}});
    bed.add("echo", wants("^1"));
    for (int i = 0; i < 8; ++i)
        bed.add("echo");

    const auto handed = bed.dispatch();

    EXPECT_EQ(handed.size(), 3U) << "1/2 and 1/4 and 1/4";
    for (const auto& one : handed)
        if (one.version == "^1")
            bed.report(one);
    EXPECT_EQ(bed.dispatch().size(), 2U) << "two quarters have become free";
}

TEST(VersionsTest, CreditIsForOneVersionOrForAll) {
    Bed bed;
    const auto host = join(bed, "h1", {{"1.0.0", 4}, {"2.0.0", 4}});
    bed.scheduler.host_credit(host, {"echo", 0, "2.0.0"}, bed.now);
    bed.add("echo");
    const auto old = bed.add("echo", wants("^1"));
    bed.dispatch();
    EXPECT_EQ(bed.view(old).state, TaskState::running);
    EXPECT_EQ(bed.counts().pending, 1U) << "the highest version is meant, also when it is full";

    bed.scheduler.host_credit(host, {"echo", 4, {}}, bed.now);
    EXPECT_EQ(bed.dispatch().size(), 1U);
    bed.scheduler.host_credit(host, {"echo", 0, {}}, bed.now);
    bed.add("echo", wants("^1"));
    EXPECT_TRUE(bed.dispatch().empty());
}

TEST(VersionsTest, TasksOfAReplacedVersionAreCountedUntilTheyEnd) {
    Bed bed;
    const auto host = join(bed, "h1", {{"1.0.0", 2}});
    bed.add_many("echo", 6);
    const auto first = bed.dispatch();
    ASSERT_EQ(first.size(), 2U);

    bed.offer_versions(host, {{"1.0.1", 2}});
    EXPECT_TRUE(bed.dispatch().empty()) << "the old version still fills the host";
    bed.report(first[0]);
    EXPECT_EQ(bed.dispatch().size(), 1U);
    bed.report(first[1]);
    EXPECT_EQ(bed.dispatch().size(), 1U);
    EXPECT_TRUE(bed.dispatch().empty()) << "and then the new one does";
}

TEST(VersionsTest, TheVersionThatRanATaskIsRecorded) {
    Bed bed;
    const auto host = join(bed, "h1", {{"1.0.0", 4}});
    bed.add("echo");
    const auto assigned = bed.dispatch_one();
    bed.offer_versions(host, {{"1.0.1", 4}});

    bed.report(assigned, AttemptStatus::crashed, "boom", 0, "1.0.1");
    ASSERT_EQ(bed.failed_attempts.size(), 1U);
    EXPECT_EQ(bed.failed_attempts[0].attempt.version, "1.0.1") << "the host knows better";

    const auto again = bed.dispatch_one();
    bed.report(again);
    EXPECT_EQ(bed.outcome().attempt.version, "1.0.1") << "a host that does not say it";
}

TEST(VersionsTest, ALostAttemptNamesTheVersionThatItWasFor) {
    Bed bed;
    const auto host = join(bed, "h1", {{"1.0.0", 4}});
    bed.add("echo");
    bed.dispatch_one();
    bed.scheduler.host_left(host, bed.now);
    bed.collect();

    ASSERT_EQ(bed.failed_attempts.size(), 1U);
    EXPECT_EQ(bed.failed_attempts[0].attempt.version, "1.0.0");
}

TEST(VersionsTest, AFailedInstallPausesThatVersionOnly) {
    Bed bed;
    join(bed, "h1", {{"1.0.0", 4}, {"2.0.0", 4}});
    bed.add("echo");
    bed.report(bed.dispatch_one(), AttemptStatus::install_failed);
    EXPECT_TRUE(bed.dispatch().empty());

    bed.add("echo", wants("^1"));
    EXPECT_EQ(bed.dispatch().size(), 1U);
    bed.pass(16s);
    EXPECT_EQ(bed.dispatch().size(), 1U) << "the pause is over";
}

TEST(VersionsTest, AFailedInstallOfAVersionThatWasReplacedPausesNothing) {
    Bed bed;
    const auto host = join(bed, "h1", {{"1.0.0", 4}});
    bed.add("echo");
    const auto assigned = bed.dispatch_one();
    bed.offer_versions(host, {{"1.0.1", 4}});

    bed.report(assigned, AttemptStatus::install_failed);

    EXPECT_EQ(bed.dispatch().size(), 1U);
}

TEST(VersionsTest, AHostThatFailedOnceMayTryAgainWhenOnlyItHasTheVersion) {
    Bed bed;
    const auto old = join(bed, "old", {{"1.0.0", 4}});
    join(bed, "new", {{"2.0.0", 4}});
    bed.add("echo", wants("^1"));
    bed.report(bed.dispatch_one(), AttemptStatus::crashed);

    EXPECT_EQ(bed.dispatch_one().host, old);
}

TEST(VersionsTest, ExplainNamesTheVersionsAndTheRange) {
    Bed bed;
    join(bed, "h1", {{"1.0.0", 4}, {"1.1.0", 4}});
    const auto task = bed.add("echo", wants("^1.2"));
    bed.dispatch();

    const auto explanation = bed.scheduler.explain(task, bed.now);

    EXPECT_EQ(explanation.summary, "no host offers a version of its type in the range ^1.2");
    EXPECT_THAT(explanation.hint, HasSubstr("plugin for echo"));
    ASSERT_EQ(explanation.hosts.size(), 1U);
    EXPECT_EQ(explanation.hosts[0].code, "version");
    EXPECT_EQ(explanation.hosts[0].detail, "has echo 1.1.0, 1.0.0, the task wants ^1.2");
}

TEST(VersionsTest, TheCapabilityOfARangeIsThatOfItsHighestVersionAnywhere) {
    Bed bed;
    join(bed, "h1", {{"1.2.0", 4}, {"3.0.0", 4}});
    const auto second = join(bed, "h2", {{"1.9.0", 4}});
    join(bed, "h3", {{"2.0.0", 4}});
    const auto version = [&](std::string_view range) {
        const auto* found = bed.scheduler.capability("echo", range);
        return found ? found->version : "none";
    };

    EXPECT_EQ(version(""), "3.0.0");
    EXPECT_EQ(version("^1.2"), "1.9.0");
    EXPECT_EQ(version("<2"), "1.9.0");
    EXPECT_EQ(version("^4"), "none");
    bed.scheduler.host_left(second, bed.now);
    EXPECT_EQ(version("^1.2"), "1.2.0");

    const auto types = bed.scheduler.types();
    ASSERT_EQ(types.size(), 1U);
    ASSERT_EQ(types[0].versions.size(), 3U);
    EXPECT_EQ(types[0].versions[0].version, "3.0.0");
    EXPECT_EQ(types[0].versions[2].version, "1.2.0");
    EXPECT_EQ(types[0].versions[2].hosts, 1U);
    EXPECT_EQ(types[0].hosts, 2U);
}

TEST(VersionsTest, TasksThatAHostBringsAlongAreCountedUnderWhatItOffersThen) {
    Bed bed;
    auto hello = Bed::hello("h1", 1);
    const auto host = bed.join(hello);
    bed.offer_versions(host, {{"1.0.0", 4}});
    bed.add_many("echo", 8);
    const auto handed = bed.dispatch();
    ASSERT_EQ(handed.size(), 4U);
    bed.scheduler.host_disconnected(host, bed.now);
    bed.pass(31s);
    ASSERT_EQ(bed.counts().running, 0U);

    for (const auto& one : handed)
        hello.running.push_back(one.token);
    EXPECT_EQ(bed.join(hello), host);
    EXPECT_EQ(bed.counts().running, 4U);
    bed.offer_versions(host, {{"1.1.0", 5}});
    EXPECT_EQ(bed.dispatch().size(), 1U) << "four fifths are taken, not four hosts";
}

TEST(HostTest, OffersThatNobodyNeedsAreDropped) {
    Host host;
    for (int i = 0; i < 100'000; ++i) {
        Offer* const offer = host.claim_offer(3, Version("1.0." + std::to_string(i)));
        ASSERT_NE(offer, nullptr);
        offer->offered = true;
        EXPECT_EQ(host.best_offer(3, {}), offer);
        offer->offered = false;
        host.drop_if_unused(*offer);
    }
    EXPECT_LT(host.offers.size(), 10U);
    EXPECT_TRUE(host.types.empty());
}

TEST(HostTest, MoreOffersThanCanBeNumberedAreNotMade) {
    Host host;
    for (TypeIndex type = 0; type < 4096; ++type) {
        Offer* const offer = host.claim_offer(type, {});
        ASSERT_NE(offer, nullptr);
        offer->offered = true;
    }
    EXPECT_EQ(host.claim_offer(9000, {}), nullptr);
    EXPECT_EQ(host.assume_offer(9000), nullptr);
    Offer* const last = host.best_offer(4095, {});
    last->offered = false;
    host.drop_if_unused(*last);
    EXPECT_NE(host.claim_offer(9000, {}), nullptr);
}

}  // namespace
}  // namespace distributo::coordinator::core
