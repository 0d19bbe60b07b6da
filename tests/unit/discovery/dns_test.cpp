#include "discovery/dns.hpp"

#include <gtest/gtest.h>

#include <random>

namespace distributo::discovery::dns {
namespace {

Record srv_record() {
    Record record;
    record.name = {"Distributo on a.b", "_distributo", "_tcp", "local"};
    record.type = Type::srv;
    record.cache_flush = true;
    record.ttl = 120;
    record.target = {"distributo-1", "local"};
    record.port = 4000;
    return record;
}

Message sample() {
    Message message;
    message.response = true;
    Record ptr;
    ptr.name = {"_distributo", "_tcp", "local"};
    ptr.type = Type::ptr;
    ptr.ttl = 4500;
    ptr.target = srv_record().name;
    Record txt;
    txt.name = srv_record().name;
    txt.type = Type::txt;
    txt.ttl = 4500;
    txt.txt = {"v=1", "id=ab"};
    Record a;
    a.name = {"distributo-1", "local"};
    a.type = Type::a;
    a.ttl = 120;
    a.address.bytes = {10, 0, 0, 7};
    Record aaaa = a;
    aaaa.type = Type::aaaa;
    aaaa.address.is_v6 = true;
    aaaa.address.bytes = {0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    message.questions = {{ptr.name, Type::ptr, true}};
    message.answers = {ptr};
    message.additionals = {srv_record(), txt, a, aaaa};
    return message;
}

TEST(DnsTest, AMessageComesBackAsItWent) {
    const auto decoded = decode(encode(sample()));

    ASSERT_TRUE(decoded) << decoded.error().message;
    ASSERT_EQ(decoded->answers.size(), 1U);
    ASSERT_EQ(decoded->additionals.size(), 4U);
    EXPECT_TRUE(decoded->questions.front().unicast_reply);
    EXPECT_TRUE(decoded->answers[0].same_data(sample().answers[0]));
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_TRUE(decoded->additionals[i].same_data(sample().additionals[i])) << i;
        EXPECT_EQ(decoded->additionals[i].ttl, sample().additionals[i].ttl) << i;
    }
    EXPECT_TRUE(decoded->additionals[0].cache_flush);
    EXPECT_EQ(decoded->additionals[0].name.front(), "Distributo on a.b");
}

TEST(DnsTest, NamesAreCompressed) {
    Message message;
    message.response = true;
    message.answers = {srv_record()};
    const std::size_t one = encode(message).size();
    message.answers.push_back(srv_record());

    // name pointer, type, class, ttl, length, priority, weight, port, target pointer
    EXPECT_EQ(encode(message).size() - one, 2U + 10U + 6U + 2U);
}

TEST(DnsTest, NamesCompareWithoutCase) {
    EXPECT_TRUE(same_name({"Box", "LOCAL"}, {"bOX", "local"}));
    EXPECT_FALSE(same_name({"box"}, {"box", "local"}));
    EXPECT_FALSE(same_name({"a.b"}, {"a", "b"}));
}

TEST(DnsTest, EveryTruncationIsRefusedOrHarmless) {
    const std::string whole = encode(sample());
    for (std::size_t size = 0; size < whole.size(); ++size)
        EXPECT_FALSE(decode(std::string_view(whole).substr(0, size))) << size;
}

TEST(DnsTest, APointerLoopIsRefused) {
    std::string datagram = encode(Message{});
    datagram[5] = 1;  // one question, whose name points at itself
    datagram += std::string("\xC0\x0C\x00\x0C\x00\x01", 6);

    EXPECT_FALSE(decode(datagram));
}

TEST(DnsTest, RecordsOfOtherTypesAreLeftOut) {
    std::string datagram = encode(Message{});
    datagram[7] = 1;
    datagram += std::string("\x01x\x00\x00\x63\x00\x01\x00\x00\x00\x0A\x00\x02hi", 15);

    const auto decoded = decode(datagram);

    ASSERT_TRUE(decoded);
    EXPECT_TRUE(decoded->answers.empty());
}

TEST(DnsTest, MutatedDatagramsNeverReadOutside) {
    std::mt19937 random(7);
    const std::string whole = encode(sample());
    std::size_t accepted = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::string copy = whole;
        for (int i = 0; i < 3; ++i)
            copy[random() % copy.size()] = static_cast<char>(random());
        copy.resize(random() % (copy.size() + 1));
        copy.shrink_to_fit();
        accepted += decode(copy).has_value() ? 1U : 0U;
    }
    EXPECT_LT(accepted, 20'000U);
}

}  // namespace
}  // namespace distributo::discovery::dns
