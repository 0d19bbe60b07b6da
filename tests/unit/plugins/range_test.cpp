#include <distributo/testing.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using distributo::testing::Generator;
using distributo::testing::stream_fault;

std::vector<std::string> payloads(const std::string& config) {
    Generator generator(DISTRIBUTO_PLUGIN_FILE);
    if (const auto opened = generator.open(config); !opened.ok()) {
        return {opened.message};
    }
    std::vector<std::string> payloads;
    for (const auto& task : generator.run().emitted) {
        payloads.push_back(task.payload);
    }
    return payloads;
}

std::string sweep(const std::string& parameters, const std::string& more = {}) {
    return R"({"type":"t","parameters":)" + parameters + more + "}";
}

TEST(RangeTest, GivesEveryCombinationTheLastParameterFastest) {
    EXPECT_EQ(
        payloads(sweep(R"({"a":["x",2],"b":{"from":1,"to":2}})")),
        (std::vector<std::string>{
            R"({"a":"x","b":1})", R"({"a":"x","b":2})", R"({"a":2,"b":1})", R"({"a":2,"b":2})"}));
}

TEST(RangeTest, DecimalStepsAreExact) {
    EXPECT_EQ(
        payloads(sweep(R"({"a":{"from":-0.1,"to":0.2,"step":0.1}})")),
        (std::vector<std::string>{R"({"a":-0.1})", R"({"a":0})", R"({"a":0.1})", R"({"a":0.2})"}));
    EXPECT_EQ(payloads(sweep(R"({"a":{"from":3,"to":0,"step":-1.5}})")),
              (std::vector<std::string>{R"({"a":3})", R"({"a":1.5})", R"({"a":0})"}));
}

TEST(RangeTest, APayloadIsMadeFromATemplate) {
    EXPECT_EQ(
        payloads(sweep(R"({"a":["x"],"b":[7]})", R"(,"payload":{"f":"{a}-{b}","n":"{b:number}"})")),
        std::vector<std::string>{R"({"f":"x-7","n":7})"});
}

TEST(RangeTest, ATrillionCombinationsCostNothingUntilAskedFor) {
    const std::string million = R"({"from":1,"to":1000000})";
    Generator generator(DISTRIBUTO_PLUGIN_FILE);
    ASSERT_TRUE(generator
                    .open(sweep(R"({"a":)" + million + R"(,"b":)" + million + "}"),
                          R"({"next":999999999999})")
                    .ok());
    const auto last = generator.next(10);
    EXPECT_EQ(last.status, DTO_END);
    ASSERT_EQ(last.emitted.size(), 1U);
    EXPECT_EQ(last.emitted[0].payload, R"({"a":1000000,"b":1000000})");
}

TEST(RangeTest, TheStreamIsTheSameWithAnyRoomAndFromAnyCheckpoint) {
    EXPECT_EQ(stream_fault(DISTRIBUTO_PLUGIN_FILE,
                           sweep(R"({"a":[1,2,3],"b":{"from":0,"to":1,"step":0.01}})")),
              "");
}

TEST(RangeTest, SaysWhichParameterIsWrong) {
    EXPECT_EQ(payloads(sweep(R"({"a":[]})")),
              std::vector<std::string>{
                  "config.parameters.a: the list is empty, so there is no combination at all"});
    EXPECT_EQ(payloads(sweep(R"({"a":{"from":1,"to":2,"step":-1}})")),
              std::vector<std::string>{"config.parameters.a: step never leads from 1 to 2"});
    EXPECT_EQ(
        payloads(sweep(R"({"a":{"from":1e3,"to":2}})")),
        std::vector<std::string>{"config.parameters.a.from: expected a decimal number without "
                                 "exponent, got 1e3"});
    EXPECT_EQ(payloads(sweep("{}")),
              std::vector<std::string>{"config.parameters: expected at least one"});
}

}  // namespace
