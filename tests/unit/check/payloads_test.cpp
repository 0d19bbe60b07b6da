#include "runtime/check/payloads.hpp"

#include "wire/json.hpp"
#include "wire/schema.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace distributo::runtime::check {
namespace {

using testing::Contains;
using testing::Not;

constexpr std::string_view schema =
    R"({"type":"object","properties":{"n":{"type":"integer","minimum":2,"maximum":50},)"
    R"("name":{"type":"string","maxLength":3},"mode":{"enum":["fast","slow"]}},)"
    R"("required":["n"],"additionalProperties":false})";

TEST(Payloads, AreValidOrNotAsTheSchemaSays) {
    const auto made = make_payloads(schema, {});
    ASSERT_TRUE(made) << made.error().message;
    const auto checker = wire::Schema::compile(schema);
    ASSERT_FALSE(made->valid.empty());
    for (const std::string& payload : made->valid)
        EXPECT_TRUE(checker->check(payload).empty()) << payload;
    for (const std::string& payload : made->invalid)
        EXPECT_TRUE(!wire::json::parse(payload) || !checker->check(payload).empty()) << payload;
}

TEST(Payloads, TouchTheLimits) {
    const auto made = make_payloads(schema, R"({"n":7})");
    ASSERT_TRUE(made);
    EXPECT_EQ(made->valid.front(), R"({"n":7})");
    EXPECT_THAT(made->valid, Contains(R"({"n":2})"));
    EXPECT_THAT(made->valid, Contains(R"({"n":50})"));
    EXPECT_THAT(made->valid, Contains(R"({"n":7,"mode":"slow"})"));
    EXPECT_THAT(made->valid, Contains(R"({"n":7,"name":"zzz"})"));
    EXPECT_THAT(made->valid, Not(Contains(R"({"n":1})")));
}

TEST(Payloads, BreakTheSchemaInEachMember) {
    const auto made = make_payloads(schema, R"({"n":7})");
    ASSERT_TRUE(made);
    EXPECT_THAT(made->invalid, Contains("{}"));
    EXPECT_THAT(made->invalid, Contains("null"));
    EXPECT_THAT(made->invalid, Contains(R"({"n":{"unexpected":[]}})"));
    EXPECT_THAT(made->invalid, Contains(R"({"n":7,"name":{"unexpected":[]}})"));
    EXPECT_THAT(made->invalid, Contains(""));
}

TEST(Payloads, UseTheExampleWhereNothingCanBeMadeUp) {
    constexpr std::string_view with_pattern =
        R"({"type":"object","properties":{"id":{"type":"string","pattern":"^[a-f]{4}-[0-9]+$"}},)"
        R"("required":["id"]})";
    const auto without = make_payloads(with_pattern, {});
    ASSERT_TRUE(without);
    EXPECT_TRUE(without->valid.empty());
    const auto with = make_payloads(with_pattern, R"({"id":"abcd-1"})");
    ASSERT_TRUE(with);
    EXPECT_THAT(with->valid, Contains(R"({"id":"abcd-1"})"));
}

TEST(Payloads, EndForASchemaThatContainsItself) {
    const auto made =
        make_payloads(R"({"$ref":"#/$defs/node","$defs":{"node":{"type":"object","properties":)"
                      R"({"left":{"$ref":"#/$defs/node"},"right":{"$ref":"#/$defs/node"}}}}})",
                      {});
    ASSERT_TRUE(made);
    EXPECT_FALSE(made->valid.empty());
}

TEST(Payloads, AreNotMadeFromNonsense) {
    EXPECT_FALSE(make_payloads(R"({"type":"numbre"})", {}));
}

}  // namespace
}  // namespace distributo::runtime::check
