#include "bed.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace distributo::coordinator::core {
namespace {

std::vector<std::string> ids_of(const std::vector<Assigned>& handed) {
    std::vector<std::string> ids;
    for (const auto& one : handed)
        ids.push_back(one.id);
    return ids;
}

TaskOptions with_priority(std::int32_t priority) {
    TaskOptions options;
    options.priority = priority;
    return options;
}

TEST(DispatchTest, TasksOfAQueueGoOutInOrderOfSubmission) {
    Bed bed;
    bed.add_many("echo", 5);
    bed.host("h1", 5);

    EXPECT_EQ(ids_of(bed.dispatch()), (std::vector<std::string>{"a1", "a2", "a3", "a4", "a5"}));
}

TEST(DispatchTest, HigherPriorityGoesFirstWithinAQueue) {
    Bed bed;
    bed.add("echo", with_priority(-5));
    bed.add("echo");
    bed.add("echo", with_priority(7));
    bed.add("echo", with_priority(7));
    bed.add("echo", with_priority(2'000'000'000));
    bed.host("h1", 5);

    EXPECT_EQ(ids_of(bed.dispatch()), (std::vector<std::string>{"a5", "a3", "a4", "a2", "a1"}));
}

TEST(DispatchTest, HigherPriorityGoesFirstBetweenQueues) {
    Bed bed;
    const auto host = bed.join(Bed::hello("h1", 8));
    bed.offer(host, {{"echo", 8}, {"shell", 8}});
    bed.add("echo");
    bed.add("shell", with_priority(-1));
    bed.add("shell", with_priority(1));
    bed.add("echo", with_priority(-2));

    EXPECT_EQ(ids_of(bed.dispatch()), (std::vector<std::string>{"a3", "a1", "a2", "a4"}));
}

TEST(DispatchTest, SomethingUrgentOvertakesAQueueThatAlreadyWaits) {
    Bed bed;
    const auto host = bed.join(Bed::hello("h1"));
    bed.offer(host, {{"echo", 1}, {"shell", 1}});
    bed.add_many("echo", 3);
    bed.add_many("shell", 3);
    auto running = bed.dispatch_one();
    bed.add("shell", with_priority(1));
    bed.report(running);

    EXPECT_EQ(bed.dispatch_one().id, "a7");
}

TEST(DispatchTest, QueuesOfEqualPriorityAlternateWhenRoomComesSlotBySlot) {
    Bed bed;
    const auto host = bed.join(Bed::hello("h1"));
    bed.offer(host, {{"echo", 1}, {"shell", 1}, {"hash", 1}});
    bed.add_many("echo", 10);
    bed.add_many("shell", 10);
    bed.add_many("hash", 10);
    std::map<std::string, int> done;
    for (int i = 0; i < 12; ++i) {
        const auto handed = bed.dispatch_one();
        ++done[handed.type];
        bed.report(handed);
    }

    EXPECT_EQ(done["echo"], 4);
    EXPECT_EQ(done["shell"], 4);
    EXPECT_EQ(done["hash"], 4);
}

TEST(DispatchTest, ALargeBacklogTakesNoMoreThanItsShare) {
    Bed bed;
    const auto host = bed.join(Bed::hello("h1", 4));
    bed.offer(host, {{"echo", 4096}, {"shell", 4096}});
    bed.add_many("echo", 5000);
    bed.add_many("shell", 5000);

    int echo = 0;
    const auto handed = bed.dispatch();
    for (const auto& one : handed)
        echo += one.type == "echo" ? 1 : 0;
    EXPECT_EQ(handed.size(), 4096U);
    EXPECT_NEAR(echo, 2048, 64);
}

TEST(DispatchTest, SlowTypesShareTheSlotsFromTheStart) {
    Bed bed;
    const auto host = bed.join(Bed::hello("h1", 8));
    bed.offer(host, {{"echo", 8}, {"shell", 8}});
    bed.add_many("echo", 20);
    bed.add_many("shell", 20);

    int echo = 0;
    for (const auto& one : bed.dispatch())
        echo += one.type == "echo" ? 1 : 0;
    EXPECT_EQ(echo, 4);
}

TEST(DispatchTest, TypesThatNobodyServesDelayNobody) {
    Bed bed;
    for (int i = 0; i < 1000; ++i)
        bed.add("nobody" + std::to_string(i), with_priority(100));
    bed.host("h1", 2);
    bed.add_many("echo", 2);

    EXPECT_EQ(bed.dispatch().size(), 2U);
    EXPECT_EQ(bed.counts().pending, 1000U);
}

TEST(DispatchTest, ATypeIsServedAsSoonAsItIsOffered) {
    Bed bed;
    const auto host = bed.join(Bed::hello("h1"));
    bed.add("echo");
    EXPECT_TRUE(bed.dispatch().empty());
    bed.offer(host, {{"echo", 1}});

    EXPECT_EQ(bed.dispatch().size(), 1U);
}

TEST(DispatchTest, ATypeThatWasWithdrawnIsNotHandedOut) {
    Bed bed;
    const auto host = bed.host("h1", 5);
    bed.offer(host, {});
    bed.add("echo");
    EXPECT_TRUE(bed.dispatch().empty());

    bed.offer(host, {{"echo", 5}});
    EXPECT_EQ(bed.dispatch().size(), 1U);
}

TEST(DispatchTest, AnOlderOfferIsIgnored) {
    Bed bed;
    const auto host = bed.host("h1");
    wire::Capabilities old;
    old.sequence = bed.sequence - 1;
    bed.scheduler.host_capabilities(host, old, bed.now);
    bed.add("echo");

    EXPECT_EQ(bed.dispatch().size(), 1U);
}

TEST(DispatchTest, ATypeThatIsOfferedTwiceCountsOnce) {
    Bed bed;
    const auto host = bed.join(Bed::hello("h1"));
    bed.offer(host, {{"echo", 2}, {"echo", 7}});
    bed.add_many("echo", 9);

    EXPECT_EQ(bed.dispatch().size(), 2U);
    bed.offer(host, {});
    EXPECT_TRUE(bed.dispatch().empty());
}

TEST(DispatchTest, AnyCreditFillsTheHostExactly) {
    for (const std::uint32_t credit : {1U, 2U, 3U, 5U, 7U, 100U, 999U, 4095U, 4096U}) {
        Bed bed;
        bed.host("h1", credit);
        bed.add_many("echo", 5000);
        EXPECT_EQ(bed.dispatch().size(), credit);
    }
}

TEST(DispatchTest, NoHostGetsMoreThanTheLargestCredit) {
    Bed bed;
    bed.host("h1", 1'000'000);
    bed.add_many("echo", 5000);

    EXPECT_EQ(bed.dispatch().size(), 4096U);
}

TEST(DispatchTest, SharesOfDifferentTypesAddUp) {
    Bed bed;
    const auto host = bed.join(Bed::hello("h1", 4));
    bed.offer(host, {{"slow", 4}, {"fast", 100}});
    bed.add_many("slow", 2);
    ASSERT_EQ(bed.dispatch().size(), 2U);
    bed.add_many("fast", 500);

    EXPECT_EQ(bed.dispatch().size(), 50U);
}

TEST(DispatchTest, CreditMayChangeWhileTasksAreInFlight) {
    Bed bed;
    const auto host = bed.host("h1", 2);
    bed.add_many("echo", 20);
    auto handed = bed.dispatch();
    ASSERT_EQ(handed.size(), 2U);
    bed.scheduler.host_credit(host, {"echo", 10}, bed.now);
    const auto more = bed.dispatch();
    EXPECT_EQ(more.size(), 8U);

    bed.scheduler.host_credit(host, {"echo", 3}, bed.now);
    handed.insert(handed.end(), more.begin(), more.end());
    for (int i = 0; i < 7; ++i)
        bed.report(handed[static_cast<std::size_t>(i)]);
    EXPECT_TRUE(bed.dispatch().empty()) << "three are still there";
    bed.report(handed[7]);
    EXPECT_EQ(bed.dispatch().size(), 1U);
}

TEST(DispatchTest, CreditZeroMeansNoMoreForNow) {
    Bed bed;
    const auto host = bed.host("h1", 2);
    bed.add_many("echo", 5);
    bed.scheduler.host_credit(host, {"echo", 0}, bed.now);
    EXPECT_TRUE(bed.dispatch().empty());
    bed.scheduler.host_credit(host, {"nobody", 4}, bed.now);

    bed.scheduler.host_credit(host, {"echo", 2}, bed.now);
    EXPECT_EQ(bed.dispatch().size(), 2U);
}

TEST(DispatchTest, AHostWhoseConnectionIsBackedUpGetsNothing) {
    Bed bed;
    const auto host = bed.host("h1", 2);
    bed.scheduler.host_backed_up(host, true, bed.now);
    bed.add_many("echo", 2);
    EXPECT_TRUE(bed.dispatch().empty());

    bed.scheduler.host_backed_up(host, false, bed.now);
    EXPECT_EQ(bed.dispatch().size(), 2U);
}

TEST(DispatchTest, ADrainingHostGetsNothing) {
    Bed bed;
    const auto host = bed.host("h1", 2);
    bed.add("echo");
    const auto running = bed.dispatch_one();
    bed.scheduler.host_draining(host, bed.now);
    bed.add("echo");
    EXPECT_TRUE(bed.dispatch().empty());
    bed.report(running);
    EXPECT_TRUE(bed.dispatch().empty());
    EXPECT_EQ(bed.scheduler.hosts(bed.now).front().state, HostView::State::draining);

    bed.offer(host, {{"echo", 2}});
    EXPECT_TRUE(bed.dispatch().empty()) << "a new offer does not end the drain";
}

TEST(DispatchTest, IdleHostsShareFewTasksEvenly) {
    Bed bed;
    for (int i = 0; i < 4; ++i)
        bed.host("h" + std::to_string(i), 8);
    bed.add_many("echo", 8);

    const auto shares = per_host(bed.dispatch());
    ASSERT_EQ(shares.size(), 4U);
    for (const auto& [host, count] : shares)
        EXPECT_EQ(count, 2);
}

TEST(DispatchTest, PrefetchIsSpreadEvenlyToo) {
    Bed bed;
    for (int i = 0; i < 4; ++i) {
        const auto host = bed.join(Bed::hello("h" + std::to_string(i), 2));
        bed.offer(host, {{"echo", 4096}});
    }
    bed.add_many("echo", 4000);

    const auto shares = per_host(bed.dispatch());
    ASSERT_EQ(shares.size(), 4U);
    for (const auto& [host, count] : shares)
        EXPECT_NEAR(count, 1000, 40);
}

TEST(DispatchTest, FreeSlotsComeBeforePrefetch) {
    Bed bed;
    const auto fast = bed.join(Bed::hello("fast", 2));
    bed.offer(fast, {{"echo", 4096}});
    const auto slow = bed.join(Bed::hello("slow", 2));
    bed.offer(slow, {{"echo", 3}});
    bed.add_many("echo", 4);

    const auto shares = per_host(bed.dispatch());
    EXPECT_EQ(shares.at(fast), 2);
    EXPECT_EQ(shares.at(slow), 2);
}

TEST(DispatchTest, SingleTasksRotateOverIdleHosts) {
    Bed bed;
    for (int i = 0; i < 3; ++i)
        bed.host("h" + std::to_string(i));
    std::map<HostIndex, int> shares;
    for (int i = 0; i < 30; ++i) {
        bed.add("echo");
        const auto handed = bed.dispatch_one();
        ++shares[handed.host];
        bed.report(handed);
    }

    ASSERT_EQ(shares.size(), 3U);
    for (const auto& [host, count] : shares)
        EXPECT_EQ(count, 10);
}

TEST(DispatchTest, AThousandHostsAreAllUsed) {
    Bed bed;
    for (int i = 0; i < 1000; ++i)
        bed.host("h" + std::to_string(i), 2);
    bed.add_many("echo", 1000);
    const auto shares = per_host(bed.dispatch());
    EXPECT_EQ(shares.size(), 1000U);
    bed.add_many("echo", 5000);

    EXPECT_EQ(bed.dispatch().size(), 1000U);
    EXPECT_TRUE(bed.dispatch().empty());
}

TEST(DispatchTest, AWarmHostIsPreferred) {
    Bed bed;
    TaskOptions options;
    options.install = base::Bytes::copy(R"({"model":"large"})");
    const auto warm = bed.host("warm", 4);
    bed.add("echo", options);
    const auto first = bed.dispatch_one();
    EXPECT_EQ(first.install, R"({"model":"large"})");
    bed.report(first);
    for (int i = 0; i < 20; ++i)
        bed.host("cold" + std::to_string(i), 4);

    for (int i = 0; i < 4; ++i) {
        bed.add("echo", options);
        EXPECT_EQ(bed.dispatch_one().host, warm);
    }
    bed.add("echo", options);
    EXPECT_NE(bed.dispatch_one().host, warm) << "a full host is no use, however warm";
}

TEST(DispatchTest, WarmForOneContentIsNotWarmForAnother) {
    Bed bed;
    const auto warm = bed.host("warm", 8);
    TaskOptions options;
    options.install = base::Bytes::copy("1");
    bed.add("echo", options);
    bed.report(bed.dispatch_one());
    const auto cold = bed.host("cold", 8);
    bed.add_many("echo", 2);
    ASSERT_EQ(per_host(bed.dispatch()).size(), 2U);

    options.install = base::Bytes::copy("2");
    bed.add("echo", options);
    bed.add("echo", options);
    const auto shares = per_host(bed.dispatch());
    EXPECT_EQ(shares.at(warm), 1);
    EXPECT_EQ(shares.at(cold), 1);
}

TEST(DispatchTest, ANewPluginVersionIsCold) {
    Bed bed;
    const auto host = bed.host("was_warm", 4);
    TaskOptions options;
    options.install = base::Bytes::copy("1");
    bed.add("echo", options);
    bed.report(bed.dispatch_one());
    const auto other = bed.host("other", 4);
    wire::Capabilities offer;
    offer.sequence = ++bed.sequence;
    offer.types.push_back(Bed::capability("echo", 4));
    offer.types.back().digest = "new";
    bed.scheduler.host_capabilities(host, offer, bed.now);

    for (int i = 0; i < 4; ++i)
        bed.add("echo", options);
    EXPECT_EQ(per_host(bed.dispatch())[other], 2);
}

TEST(DispatchTest, RequiredLabelsChooseTheHost) {
    Bed bed;
    bed.host("plain", 8);
    bed.host("wrong", 8, {{"gpu", "amd"}});
    const auto right = bed.host("right", 8, {{"gpu", "nvidia"}, {"disk", "fast"}});
    TaskOptions options;
    options.requires_labels = {{"gpu", "nvidia"}};
    bed.add_many("echo", 3, options);
    const auto shares = per_host(bed.dispatch());
    EXPECT_EQ(shares.size(), 1U);
    EXPECT_EQ(shares.at(right), 3);

    options.requires_labels = {{"gpu", "nvidia"}, {"disk", "slow"}};
    bed.add("echo", options);
    EXPECT_TRUE(bed.dispatch().empty());
    const auto late = bed.host("late", 8, {{"gpu", "nvidia"}, {"disk", "slow"}});
    EXPECT_EQ(bed.dispatch_one().host, late);
}

TEST(DispatchTest, AHostMayComeBackWithOtherLabels) {
    Bed bed;
    const auto host = bed.host("h1", 8);
    TaskOptions options;
    options.requires_labels = {{"gpu", "nvidia"}};
    bed.add("echo", options);
    EXPECT_TRUE(bed.dispatch().empty());
    bed.scheduler.host_disconnected(host, bed.now);

    bed.host("h1", 8, {{"gpu", "nvidia"}});
    EXPECT_EQ(bed.dispatch().size(), 1U);
}

TEST(DispatchTest, ManyKindsOfRequirementsAreForgottenWhenTheyAreNotUsed) {
    Bed bed;
    const auto host = bed.host("h1", 4, {{"n", "1"}});
    for (int i = 0; i < 2000; ++i) {
        TaskOptions options;
        options.requires_labels = {{"n", std::to_string(i)}};
        const auto id = bed.add("echo", options);
        if (i % 500 != 1) {
            EXPECT_TRUE(bed.scheduler.cancel(id, bed.now));
        }
        bed.collect();
        bed.commit();
    }
    EXPECT_EQ(bed.dispatch_one().host, host);
    EXPECT_EQ(bed.counts().pending, 3U);

    bed.host("h2", 4, {{"n", "501"}});
    EXPECT_EQ(bed.dispatch().size(), 1U);
}

TEST(DispatchTest, DispatchHandsOutNothingTwice) {
    Bed bed;
    bed.host("h1", 3);
    bed.add_many("echo", 5);
    EXPECT_EQ(bed.dispatch().size(), 3U);

    EXPECT_TRUE(bed.dispatch().empty());
}

}  // namespace
}  // namespace distributo::coordinator::core
