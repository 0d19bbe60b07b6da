#include "bed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace distributo::coordinator::core {
namespace {

using ::testing::HasSubstr;

TEST(ExplainTest, WithoutHostsItSaysSo) {
    Bed bed;
    const auto id = bed.add("echo");
    const auto explanation = bed.scheduler.explain(id, bed.now);

    EXPECT_EQ(explanation.summary, "no host is known");
    EXPECT_THAT(explanation.hint, HasSubstr("distributo-host"));
    EXPECT_TRUE(explanation.hosts.empty());
}

TEST(ExplainTest, AHostThatDoesNotOfferTheTypeSaysWhatItOffers) {
    Bed bed;
    const auto host = bed.join(Bed::hello("dev-1"));
    bed.offer(host, {{"echo", 1}, {"shell", 1}});
    const auto id = bed.add("word_count");
    const auto explanation = bed.scheduler.explain(id, bed.now);

    EXPECT_EQ(explanation.summary, "no host offers its type");
    EXPECT_THAT(explanation.hint, HasSubstr("word_count"));
    const auto obstacle = obstacle_of(explanation, "dev-1");
    EXPECT_EQ(obstacle.host, host);
    EXPECT_EQ(obstacle.code, "no_capability");
    EXPECT_EQ(obstacle.detail, "offers echo@1.0.0, shell@1.0.0 – not word_count");
}

TEST(ExplainTest, ARefusedPluginOfThatNameIsTheHint) {
    Bed bed;
    const auto host = bed.join(Bed::hello("dev-1"));
    wire::Capabilities offer;
    offer.refused.push_back({"word_count.so", "needs GLIBC_2.38"});
    bed.scheduler.host_capabilities(host, offer, bed.now);
    const auto id = bed.add("word_count");

    EXPECT_EQ(bed.scheduler.explain(id, bed.now).hint,
              "dev-1 refused word_count.so: needs GLIBC_2.38");
}

TEST(ExplainTest, AQuarantinedPluginIsNamedWithReasonAndNextAttempt) {
    Bed bed;
    const auto host = bed.join(Bed::hello("dev-1"));
    wire::Capabilities offer;
    offer.refused.push_back({.file = "words.so",
                             .reason = "crashed 3 times in 60 s: killed by SIGSEGV",
                             .quarantined = true,
                             .retry_ms = 60'000,
                             .plugin = "words",
                             .version = "1.2.0",
                             .digest = "ab",
                             .types = {"word_count"}});
    bed.scheduler.host_capabilities(host, offer, bed.now);
    const auto id = bed.add("word_count");
    bed.now += std::chrono::seconds(20);
    const auto explanation = bed.scheduler.explain(id, bed.now);

    EXPECT_EQ(explanation.summary, "its plugin crashed too often on every host that could run it");
    const auto obstacle = obstacle_of(explanation, "dev-1");
    EXPECT_EQ(obstacle.code, "quarantined");
    EXPECT_EQ(obstacle.detail,
              "words 1.2.0 is in quarantine there, next attempt in 40 s: crashed 3 times in 60 s: "
              "killed by SIGSEGV");
}

TEST(ExplainTest, EveryHostTellsItsFirstObstacle) {
    Bed bed;
    TaskOptions options;
    options.requires_labels = {{"gpu", "nvidia"}};
    const wire::Labels labels = options.requires_labels;
    const auto busy = bed.host("busy", 1, labels);
    bed.add("echo", options);
    ASSERT_EQ(bed.dispatch_one().host, busy);

    bed.host("unlabelled");
    bed.host("wrong", 1, {{"gpu", "amd"}});
    const auto draining = bed.host("draining", 1, labels);
    bed.scheduler.host_draining(draining, bed.now);
    const auto away = bed.host("away", 1, labels);
    bed.scheduler.host_disconnected(away, bed.now);
    const auto backed_up = bed.host("backed_up", 1, labels);
    bed.scheduler.host_backed_up(backed_up, true, bed.now);
    const auto no_more = bed.host("no_more", 1, labels);
    bed.scheduler.host_credit(no_more, {"echo", 0}, bed.now);
    const auto id = bed.add("echo", options);
    EXPECT_TRUE(bed.dispatch().empty());

    const auto explanation = bed.scheduler.explain(id, bed.now);
    EXPECT_EQ(explanation.hosts.size(), 7U);
    EXPECT_EQ(explanation.summary, "every host that can run it is busy");
    EXPECT_EQ(obstacle_of(explanation, "busy").code, "busy");
    EXPECT_EQ(obstacle_of(explanation, "busy").detail, "has 1 tasks on 1 slots");
    EXPECT_EQ(obstacle_of(explanation, "unlabelled").code, "labels");
    EXPECT_EQ(obstacle_of(explanation, "unlabelled").detail,
              "has no label gpu, the task requires gpu=nvidia");
    EXPECT_EQ(obstacle_of(explanation, "wrong").detail,
              "has the label gpu=amd, the task requires gpu=nvidia");
    EXPECT_EQ(obstacle_of(explanation, "draining").code, "draining");
    EXPECT_EQ(obstacle_of(explanation, "away").code, "disconnected");
    EXPECT_EQ(obstacle_of(explanation, "backed_up").code, "busy");
    EXPECT_EQ(obstacle_of(explanation, "no_more").code, "busy");
}

TEST(ExplainTest, AFailedInstallIsNamedWithTheTimeThatIsLeft) {
    Bed bed;
    bed.host("h1");
    const auto id = bed.add("echo");
    bed.report(bed.dispatch_one(), AttemptStatus::install_failed);
    bed.wait(5s);
    const auto explanation = bed.scheduler.explain(id, bed.now);

    EXPECT_EQ(obstacle_of(explanation, "h1").code, "capability_off");
    EXPECT_THAT(obstacle_of(explanation, "h1").detail, HasSubstr("next try in 10 s"));
    EXPECT_THAT(explanation.summary, HasSubstr("install"));
}

TEST(ExplainTest, AnExcludedHostIsNamedWhileAnotherOneIsThere) {
    Bed bed;
    bed.host("h1");
    const auto id = bed.add("echo");
    const auto handed = bed.dispatch_one();
    bed.host("h2");
    bed.add("echo");
    ASSERT_EQ(bed.dispatch().size(), 1U);
    bed.report(handed, AttemptStatus::crashed);
    EXPECT_TRUE(bed.dispatch().empty());
    const auto explanation = bed.scheduler.explain(id, bed.now);

    EXPECT_EQ(obstacle_of(explanation, "h1").code, "excluded");
    EXPECT_EQ(obstacle_of(explanation, "h2").code, "busy");
}

TEST(ExplainTest, AHostWithRoomIsAvailable) {
    Bed bed;
    bed.host("h1");
    const auto id = bed.add("echo");

    EXPECT_EQ(obstacle_of(bed.scheduler.explain(id, bed.now), "h1").code, "available");
}

TEST(ExplainTest, TasksThatDoNotWaitForAHostSayWhatTheyWaitFor) {
    Bed bed;
    bed.host("h1");
    TaskOptions later;
    later.not_before = bed.wall + 90s;
    const auto scheduled = bed.add("echo", later);
    EXPECT_THAT(bed.scheduler.explain(scheduled, bed.now).summary, HasSubstr("90 s"));

    const auto id = bed.add("echo");
    const auto handed = bed.dispatch_one();
    EXPECT_THAT(bed.scheduler.explain(id, bed.now).summary, HasSubstr("running on h1"));
    bed.report(handed, AttemptStatus::retry, "no luck", 3000);
    EXPECT_THAT(bed.scheduler.explain(id, bed.now).summary, HasSubstr("in 3 s"));
    EXPECT_THAT(bed.scheduler.explain(id, bed.now).hint, HasSubstr("no luck"));
    EXPECT_TRUE(bed.scheduler.cancel(id, bed.now));
    EXPECT_THAT(bed.scheduler.explain(id, bed.now).summary, HasSubstr("being recorded"));
    EXPECT_THAT(bed.scheduler.explain(99, bed.now).summary, HasSubstr("no task"));
}

}  // namespace
}  // namespace distributo::coordinator::core
