#include "runtime/check/samples.hpp"

#include "runtime/check/probe_verdict.hpp"

#include <gtest/gtest.h>

namespace distributo::runtime::check {
namespace {

TEST(Samples, AreOneTaskOrSeveral) {
    const auto one = parse_samples(R"({"type":"a.b","payload":{"x":[1]},"priority":3})");
    ASSERT_TRUE(one) << one.error().message;
    ASSERT_EQ(one->size(), 1U);
    EXPECT_EQ(one->front().type, "a.b");
    EXPECT_EQ(one->front().payload, R"({"x":[1]})");
    EXPECT_EQ(one->front().install, "");

    const auto several = parse_samples(R"([{"type":"a"},{"payload":7,"install":{"v":1}}])");
    ASSERT_TRUE(several) << several.error().message;
    ASSERT_EQ(several->size(), 2U);
    EXPECT_EQ(several->at(0).payload, "{}");
    EXPECT_EQ(several->at(1).type, "");
    EXPECT_EQ(several->at(1).install, R"({"v":1})");
}

TEST(Samples, ComeBackFromTheirText) {
    const auto read = parse_samples(
        samples_text({{.type = "a", .payload = "[1,2]", .install = R"({"b":null})"}}));
    ASSERT_TRUE(read);
    ASSERT_EQ(read->size(), 1U);
    EXPECT_EQ(read->front().payload, "[1,2]");
    EXPECT_EQ(read->front().install, R"({"b":null})");
}

TEST(Samples, ThatAreNoTasksAreRefusedWithAReason) {
    for (const char* text : {"", "7", R"({"type":7})", R"([{"type":"a"},"b"])", R"({"type":"a")"})
        EXPECT_FALSE(parse_samples(text)) << text;
    const auto missing = read_samples("/nowhere/sample.json");
    ASSERT_FALSE(missing);
    EXPECT_NE(missing.error().message.find("/nowhere/sample.json"), std::string::npos);
}

TEST(Verdict, ComesBackFromItsText) {
    const auto read = parse_verdict(verdict_text(Verdict::failed("a \"why\"\n", "a hint")));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->status, Verdict::Status::failed);
    EXPECT_EQ(read->why, "a \"why\"\n");
    EXPECT_EQ(read->hint, "a hint");
}

TEST(Verdict, IsNothingElse) {
    for (const char* text : {"", "{}", R"({"status":"fine"})", R"({"status":"ok")", "[]"})
        EXPECT_FALSE(parse_verdict(text)) << text;
}

}  // namespace
}  // namespace distributo::runtime::check
