#include <distributo/testing.hpp>

#include <gtest/gtest.h>

#include <string>

namespace {

using distributo::testing::Outcome;
using distributo::testing::Plugin;
using distributo::testing::RunOptions;

class BasicsTest : public testing::Test {
protected:
    Outcome sleep(const std::string& payload, std::uint32_t attempt = 1) {
        RunOptions options;
        options.attempt = attempt;
        return plugin_.run("sleep", payload, options);
    }

    Plugin plugin_{DISTRIBUTO_PLUGIN_FILE};
};

TEST_F(BasicsTest, EchoReturnsThePayloadByteForByte) {
    for (const std::string payload :
         {"null", R"({"b": 1.10, "a":[1E0,-0.0,"\u00e9é"]})", "[ ]", "18446744073709551616"}) {
        EXPECT_EQ(plugin_.run("echo", payload).result, payload);
    }
}

TEST_F(BasicsTest, SleepReportsItsTimeItsAttemptAndItsProgress) {
    const Outcome outcome = sleep(R"({"ms":1})", 2);

    EXPECT_EQ(outcome.result, R"({"ms":1,"attempt":2})");
    EXPECT_EQ(outcome.progress, 1);
    EXPECT_TRUE(sleep(R"({"ms":0})").ok());
}

TEST_F(BasicsTest, SleepEndsWhenItIsCancelled) {
    RunOptions options;
    options.cancel_at_check = 2;

    const Outcome outcome = plugin_.run("sleep", R"({"ms":4000000000})", options);

    EXPECT_EQ(outcome.status, DTO_CANCELLED);
    EXPECT_GT(outcome.progress, 0);
    EXPECT_LT(outcome.progress, 0.001);
}

TEST_F(BasicsTest, SleepFailsAsAsked) {
    EXPECT_EQ(sleep(R"({"ms":0,"fail":"permanent"})").status, DTO_PERMANENT);
    EXPECT_EQ(sleep(R"({"ms":0,"fail":"elsewhere"})").status, DTO_RETRY_ELSEWHERE);
    const Outcome retry = sleep(R"({"ms":0,"fail":"retry","retry_after_ms":70,"message":"full"})");
    EXPECT_EQ(retry.status, DTO_RETRY);
    EXPECT_EQ(retry.retry_after_ms, 70);
    EXPECT_EQ(retry.message, "full");
}

TEST_F(BasicsTest, SleepFailsOnlyTheAttemptsThatWereAskedFor) {
    const std::string payload = R"({"ms":0,"fail":"retry","fail_attempts":2})";

    EXPECT_EQ(sleep(payload, 1).status, DTO_RETRY);
    EXPECT_EQ(sleep(payload, 2).status, DTO_RETRY);
    EXPECT_EQ(sleep(payload, 3).result, R"({"ms":0,"attempt":3})");
}

TEST_F(BasicsTest, SleepRefusesWhatItDoesNotKnow) {
    EXPECT_EQ(sleep(R"({"ms":-1})").status, DTO_PERMANENT);
    EXPECT_EQ(sleep(R"({"ms":0,"fail":"often"})").message,
              "payload.fail: \"often\" is not an allowed value, expected one of retry, elsewhere, "
              "permanent");
}

}  // namespace
