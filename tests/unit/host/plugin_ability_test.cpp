#include "host/plugin_ability.hpp"

#include <gtest/gtest.h>

namespace distributo::host {
namespace {

using runtime::CallResult;

CallResult answer(std::string json, CallResult::Status status = CallResult::Status::ok) {
    CallResult result;
    result.call = AbilityWatch::call;
    result.status = status;
    result.result = std::move(json);
    result.message = "no driver";
    return result;
}

TEST(ReadAbilityTest, SaysWhatThePluginSaid) {
    const auto good = read_ability(answer(R"({"healthy":true,"attributes":{"gpu": 2}})"));
    EXPECT_TRUE(good.healthy);
    EXPECT_EQ(good.attributes, R"({"gpu": 2})");
    EXPECT_EQ(good.why, "");

    const auto bad = read_ability(answer(R"({"healthy":false,"reason":"no camera"})"));
    EXPECT_FALSE(bad.healthy);
    EXPECT_EQ(bad.why, "not healthy: no camera");
}

TEST(ReadAbilityTest, WhatIsNoAnswerIsNotHealthy) {
    for (const std::string json : {"null", "[]", "{}", R"({"healthy":"yes"})"})
        EXPECT_FALSE(read_ability(answer(json)).healthy) << json;
    const auto failed = read_ability(answer("", CallResult::Status::retry));
    EXPECT_FALSE(failed.healthy);
    EXPECT_EQ(failed.why, "its probe failed: no driver");
    EXPECT_EQ(read_ability(answer(R"({"healthy":true,"attributes":7})")).attributes, "");
}

class AbilityWatchTest : public testing::Test {
protected:
    boost::asio::io_context io;
    int asked = 0;
    AbilityWatch watch{io, [this] { ++asked; }};
};

TEST_F(AbilityWatchTest, AsksOneQuestionAtATime) {
    watch.ask();
    watch.ask();
    watch.ask();
    EXPECT_EQ(asked, 1);
    EXPECT_TRUE(watch.take(answer(R"({"healthy":true})")));
    EXPECT_EQ(asked, 2);
    EXPECT_FALSE(watch.take(answer(R"({"healthy":true})")));
    EXPECT_EQ(asked, 2);
}

TEST_F(AbilityWatchTest, TellsWhatIsNew) {
    watch.ask();
    EXPECT_TRUE(watch.take(answer(R"({"healthy":true,"attributes":{"n":1}})")));
    watch.ask();
    EXPECT_TRUE(watch.take(answer(R"({"healthy":true,"attributes":{"n":2}})")));
    watch.ask();
    EXPECT_TRUE(watch.take(answer(R"({"healthy":false})")));
    EXPECT_FALSE(watch.ability().healthy);
}

TEST_F(AbilityWatchTest, ALostProbeSaysNothing) {
    watch.ask();
    EXPECT_FALSE(watch.take(answer("", CallResult::Status::aborted)));
    EXPECT_FALSE(watch.known());
    watch.ask();
    EXPECT_EQ(asked, 2);
}

}  // namespace
}  // namespace distributo::host
