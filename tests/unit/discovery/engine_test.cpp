#include "tests/unit/discovery/lan.hpp"

#include <gtest/gtest.h>

namespace distributo::discovery {
namespace {

using dns::Message;
using dns::Record;
using dns::Type;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::size_t count_answers(const std::vector<Message>& messages, Type type) {
    std::size_t count = 0;
    for (const Message& message : messages)
        if (message.response)
            for (const Record& record : message.answers)
                count += record.type == type ? 1U : 0U;
    return count;
}

Message question(const std::string& name, Type type) {
    Message message;
    message.questions = {{dns::split_name(name), type, false}};
    return message;
}

TEST(DiscoveryTest, ABrowserFindsAnAnnouncedService) {
    Lan lan;
    lan.publish(1, "Lab");
    Resolver& browser = lan.browse(2);

    lan.run_for(seconds(3));

    const auto changes = browser.take_changes();
    ASSERT_EQ(changes.found.size(), 1U);
    EXPECT_EQ(changes.found[0].instance, "Lab");
    EXPECT_EQ(changes.found[0].address.text(), "10.0.0.1");
    EXPECT_EQ(changes.found[0].port, 4001);
    EXPECT_EQ(changes.found[0].txt, std::vector<std::string>{"v=1"});
}

TEST(DiscoveryTest, ABrowserThatComesLaterAsks) {
    Lan lan;
    lan.publish(1, "Lab");
    lan.run_for(seconds(600));
    Resolver& browser = lan.browse(2);

    lan.run_for(seconds(1));

    EXPECT_EQ(browser.take_changes().found.size(), 1U);
}

TEST(DiscoveryTest, ANameIsProbedThreeTimesBeforeItIsAnnouncedTwice) {
    Lan lan;
    Responder& responder = lan.publish(1, "Lab");

    lan.run_for(milliseconds(749));
    EXPECT_FALSE(responder.is_announced());
    lan.run_for(seconds(5));

    EXPECT_TRUE(responder.is_announced());
    const auto probes =
        std::count_if(lan.heard.begin(), lan.heard.end(), [](const Message& message) {
            return !message.response && !message.authorities.empty();
        });
    EXPECT_EQ(probes, 3);
    EXPECT_EQ(count_answers(lan.heard, Type::srv), 2U);
}

TEST(DiscoveryTest, TwoWithOneNameEndWithTwoNames) {
    Lan lan;
    Responder& first = lan.publish(1, "Lab");
    Responder& second = lan.publish(2, "Lab");
    Resolver& browser = lan.browse(3);

    lan.run_for(seconds(20));

    EXPECT_NE(first.instance(), second.instance());
    EXPECT_EQ(std::min(first.instance(), second.instance()), "Lab");
    EXPECT_EQ(std::max(first.instance(), second.instance()), "Lab (2)");
    EXPECT_EQ(browser.take_changes().lost.size(), 0U);
}

TEST(DiscoveryTest, ANewcomerGivesWayToTheOwner) {
    Lan lan;
    Responder& owner = lan.publish(1, "Lab");
    lan.run_for(seconds(10));
    Responder& newcomer = lan.publish(2, "Lab");
    lan.run_for(seconds(10));

    EXPECT_EQ(owner.instance(), "Lab");
    EXPECT_EQ(newcomer.instance(), "Lab (2)");
}

TEST(DiscoveryTest, ALaterClaimSendsTheOwnerBackToProbing) {
    Lan lan;
    Responder& owner = lan.publish(1, "Lab");
    lan.run_for(seconds(10));
    Message claim;
    claim.response = true;
    Record srv;
    srv.name = dns::split_name("Lab._distributo._tcp.local");
    srv.type = Type::srv;
    srv.ttl = 120;
    srv.target = {"other", "local"};
    srv.port = 9;
    claim.answers = {srv};

    lan.inject(claim, 9);

    EXPECT_FALSE(owner.is_announced());
    lan.run_for(seconds(5));
    EXPECT_TRUE(owner.is_announced());
    EXPECT_EQ(owner.instance(), "Lab");  // nobody answered its probes
}

TEST(DiscoveryTest, AGoodbyeEndsAServiceAtOnce) {
    Lan lan;
    Responder& responder = lan.publish(1, "Lab");
    Resolver& browser = lan.browse(2);
    lan.run_for(seconds(5));
    (void)browser.take_changes();

    responder.stop();
    lan.run_for(seconds(2));

    EXPECT_EQ(browser.take_changes().lost, std::vector<std::string>{"Lab"});
}

TEST(DiscoveryTest, ASilentServiceExpiresAfterItsLife) {
    Lan lan;
    lan.publish(1, "Lab");
    Resolver& browser = lan.browse(2);
    lan.run_for(seconds(5));
    (void)browser.take_changes();
    lan.unplug(1);

    lan.run_for(seconds(100));
    EXPECT_TRUE(browser.take_changes().lost.empty());
    lan.run_for(seconds(30));

    EXPECT_EQ(browser.take_changes().lost, std::vector<std::string>{"Lab"});
}

TEST(DiscoveryTest, ALivingServiceIsAskedAgainBeforeItExpires) {
    Lan lan;
    lan.publish(1, "Lab");
    Resolver& browser = lan.browse(2);
    lan.run_for(seconds(5));
    (void)browser.take_changes();

    lan.run_for(seconds(3600 * 3));

    EXPECT_TRUE(browser.take_changes().lost.empty());
}

TEST(DiscoveryTest, OtherServiceTypesAreIgnored) {
    Lan lan;
    lan.publish(1, "Lab");
    Resolver& browser = lan.browse(2, "_ipp._tcp");

    lan.run_for(seconds(10));

    EXPECT_TRUE(browser.take_changes().found.empty());
}

TEST(DiscoveryTest, AKnownAnswerIsNotRepeated) {
    Lan lan;
    lan.publish(1, "Lab");
    lan.run_for(seconds(10));
    Message query = question("_distributo._tcp.local", Type::ptr);
    lan.heard.clear();

    lan.inject(query, 9);
    lan.run_for(milliseconds(200));
    ASSERT_EQ(count_answers(lan.heard, Type::ptr), 1U);
    Record known = lan.heard.back().answers.front();
    lan.run_for(seconds(5));
    lan.heard.clear();
    query.answers = {known};
    lan.inject(query, 9);
    lan.run_for(seconds(1));

    EXPECT_EQ(count_answers(lan.heard, Type::ptr), 0U);
}

TEST(DiscoveryTest, TheSameAnswerLeavesOncePerSecond) {
    Lan lan;
    lan.publish(1, "Lab");
    lan.run_for(seconds(10));
    lan.heard.clear();

    for (int i = 0; i < 50; ++i) {
        lan.inject(question("_distributo._tcp.local", Type::ptr), 9);
        lan.run_for(milliseconds(10));
    }

    EXPECT_LE(count_answers(lan.heard, Type::ptr), 2U);
    EXPECT_GE(count_answers(lan.heard, Type::ptr), 1U);
}

TEST(DiscoveryTest, AMissingTypeIsDenied) {
    Lan lan;
    lan.publish(1, "Lab");
    lan.run_for(seconds(10));
    lan.heard.clear();

    lan.inject(question("distributo-1.local", Type::aaaa), 9);
    lan.run_for(seconds(1));

    ASSERT_EQ(count_answers(lan.heard, Type::nsec), 1U);
}

TEST(DiscoveryTest, AnOldClientIsAnsweredDirectly) {
    Lan lan;
    lan.publish(1, "Lab");
    lan.run_for(seconds(10));
    Message query = question("_distributo._tcp.local", Type::ptr);
    query.id = 77;

    lan.inject(query, 9, 50'000);

    ASSERT_EQ(lan.unicasts.size(), 1U);
    EXPECT_EQ(lan.unicasts[0].id, 77);
    EXPECT_LE(lan.unicasts[0].answers.at(0).ttl, 10U);
    EXPECT_FALSE(lan.unicasts[0].additionals.empty());
}

TEST(DiscoveryTest, ResponsesFromOtherPortsAreIgnored) {
    Lan lan;
    Resolver& browser = lan.browse(2);
    Lan source;
    source.publish(1, "Lab");
    source.run_for(seconds(3));

    for (const Message& message : source.heard)
        if (message.response)
            lan.inject(message, 1, 5354);

    EXPECT_TRUE(browser.take_changes().found.empty());
}

TEST(DiscoveryTest, AMovedServiceIsReportedAgain) {
    Lan lan;
    lan.publish(1, "Lab");
    Resolver& browser = lan.browse(2);
    lan.run_for(seconds(5));
    (void)browser.take_changes();
    lan.unplug(1);
    lan.publish(3, "Lab");  // the same name at another address and port

    lan.run_for(seconds(10));

    const auto changes = browser.take_changes();
    ASSERT_FALSE(changes.found.empty());
    EXPECT_EQ(changes.found.back().port, 4003);
    EXPECT_EQ(changes.found.back().address.text(), "10.0.0.3");
}

}  // namespace
}  // namespace distributo::discovery
