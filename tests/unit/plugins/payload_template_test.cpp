#include "support/payload_template.hpp"

#include <gtest/gtest.h>

#include <map>

namespace {

using support::Field;
using support::PayloadTemplate;

std::string rendered(const std::string& json, const std::map<std::string, Field>& fields) {
    return PayloadTemplate({json}, "config.payload")
        .render([&](std::string_view name) -> Field {
            const auto known = fields.find(std::string(name));
            if (known == fields.end()) {
                throw distributo::permanent("no " + std::string(name));
            }
            return known->second;
        })
        .text;
}

std::string fault(const std::string& json, const std::map<std::string, Field>& fields) {
    try {
        return rendered(json, fields);
    } catch (const distributo::Failure& failure) {
        return failure.what();
    }
}

TEST(PayloadTemplateTest, PutsTextsIntoStringsAndNowhereElse) {
    EXPECT_EQ(rendered(R"({ "{a}" : "x{a}y",
                           "b": [1, true, "{a}{a}"] })",
                       {{"a", {"q\"\n"}}}),
              R"({"q\"\n":"xq\"\ny","b":[1,true,"q\"\nq\"\n"]})");
}

TEST(PayloadTemplateTest, AWholeStringMayBecomeANumberOrAnyValue) {
    EXPECT_EQ(rendered(R"({"n":"{a:number}","v":"{b:json}"})", {{"a", {"-1.5e3"}}, {"b", {"[1]"}}}),
              R"({"n":-1.5e3,"v":[1]})");
    EXPECT_EQ(fault(R"("{a:number}")", {{"a", {"\"1\""}}}), "a: expected number, got \"1\"");
    EXPECT_NE(fault(R"("{a:json}")", {{"a", {"{"}}}).find("a"), std::string::npos);
}

TEST(PayloadTemplateTest, JsonTextsLoseTheirQuotesInsideOfText) {
    EXPECT_EQ(rendered(R"("<{a}> {b}")", {{"a", {R"("\u00e4\"")", true}}, {"b", {"7", true}}}),
              R"("<\u00e4\"> 7")");
    EXPECT_EQ(rendered(R"("{a:json}")", {{"a", {R"("x")", true}}}), R"("x")");
}

TEST(PayloadTemplateTest, BracesAreDoubled) {
    EXPECT_EQ(rendered(R"("{{{a}}}")", {{"a", {"x"}}}), R"("{x}")");
    EXPECT_EQ(fault(R"({"a":"b}"})", {}),
              "config.payload: a brace has no partner in \"b}\"; write {{ or }} for the character");
    EXPECT_EQ(fault(R"("{b")", {}),
              "config.payload: a brace has no partner in \"{b\"; write {{ or }} for the character");
}

}  // namespace
