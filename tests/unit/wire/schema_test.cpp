#include "wire/schema.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace distributo::wire {
namespace {

/// "pointer: message; …", or "" when the document fits.
std::string check(std::string_view schema, std::string_view document, std::size_t limit = 16) {
    const auto compiled = Schema::compile(schema);
    if (!compiled)
        return "schema error: " + compiled.error().message;
    std::string all;
    for (const auto& [pointer, message] : compiled->check(document, limit))
        all += (all.empty() ? "" : "; ") + pointer + ": " + message;
    return all;
}

struct Keyword {
    const char* schema;
    const char* document;
    const char* expected;
};

void expect_all(std::initializer_list<Keyword> table) {
    for (const auto& [schema, document, expected] : table)
        EXPECT_EQ(check(schema, document), expected) << schema << " on " << document;
}

TEST(SchemaTest, Types) {
    expect_all({
        {"true", "1", ""},
        {"{}", "[1]", ""},
        {"false", "1", ": is not allowed here"},
        {R"({"type":"integer"})", "3", ""},
        {R"({"type":"integer"})", "3.0", ""},
        {R"({"type":"integer"})", "3e2", ""},
        {R"({"type":"integer"})", "350e-1", ""},
        {R"({"type":"integer"})", "3.5", ": expected integer, got number"},
        {R"({"type":"integer"})", R"("3")", ": expected integer, got string"},
        {R"({"type":"number"})", "3", ""},
        {R"({"type":"number"})", "1e999", ""},
        {R"({"type":"number"})", "null", ": expected number, got null"},
        {R"({"type":"string"})", "true", ": expected string, got boolean"},
        {R"({"type":"array"})", "{}", ": expected array, got object"},
        {R"({"type":["string","null"]})", "null", ""},
        {R"({"type":["string","null"]})", "[]", ": expected null or string, got array"},
        {R"({"type":["integer","number"]})", "0.5", ""},
    });
}

TEST(SchemaTest, EnumAndConst) {
    expect_all({
        {R"({"enum":["a","b"]})", R"("a")", ""},
        {R"({"enum":["a","b"]})", R"("\u0061")", ""},
        {R"({"enum":["a","b"]})", R"("c")", R"(: expected one of "a", "b", got "c")"},
        {R"({"enum":[1,{"x":[1.0],"y":2}]})", R"({"y":2,"x":[1]})", ""},
        {R"({"enum":[1,{"x":[1.0],"y":2}]})", "1.0", ""},
        {R"({"enum":[1]})", "true", ": expected 1, got true"},
        {R"({"const":{"a":1}})", R"({"a":1,"b":2})", R"(: expected {"a":1}, got {"a":1,"b":2})"},
        {R"({"const":18446744073709551617})",
         "18446744073709551616",
         ": expected 18446744073709551617, got 18446744073709551616"},
        {R"({"enum":[1,2],"const":2})", "1", ": expected 2, got 1"},
    });
}

TEST(SchemaTest, Numbers) {
    expect_all({
        {R"({"minimum":0})", "0", ""},
        {R"({"minimum":0})", "-0.0001", ": expected at least 0, got -0.0001"},
        {R"({"maximum":10.5})", "10.5", ""},
        {R"({"maximum":10.5})", "1e2", ": expected at most 10.5, got 1e2"},
        {R"({"exclusiveMinimum":0})", "0", ": expected more than 0, got 0"},
        {R"({"exclusiveMaximum":1e2})", "100", ": expected less than 100, got 100"},
        {R"({"minimum":-5})", "-6", ": expected at least -5, got -6"},
        {R"({"minimum":-5})", "-4", ""},
        {R"({"maximum":9223372036854775807})",
         "9223372036854775808",
         ": expected at most 9223372036854775807, got 9223372036854775808"},
        {R"({"maximum":0.00001})", "0.1", ": expected at most 0.00001, got 0.1"},
        {R"({"multipleOf":0.01})", "0.07", ""},
        {R"({"multipleOf":0.01})", "0.075", ": expected a multiple of 0.01, got 0.075"},
        {R"({"multipleOf":3})", "9e300", ""},
        {R"({"multipleOf":3})", "10", ": expected a multiple of 3, got 10"},
        {R"({"multipleOf":10})", "15", ": expected a multiple of 10, got 15"},
        {R"({"minimum":5})", R"("1")", ""},
    });
}

TEST(SchemaTest, Strings) {
    expect_all({
        {R"({"minLength":2,"maxLength":3})", R"("é漢")", ""},
        {R"({"minLength":2})", R"("\ud83d\ude00")", ": expected at least 2 characters, got 1"},
        {R"({"maxLength":3})", R"("abcd")", ": expected at most 3 characters, got 4"},
        {R"({"pattern":"^[a-z]+$"})", R"("abc")", ""},
        {R"({"pattern":"^[a-z]+$"})", R"("aBc")", R"(: expected a match of ^[a-z]+$, got "aBc")"},
        {R"({"pattern":"b"})", R"("abc")", ""},
    });
}

TEST(SchemaTest, Arrays) {
    expect_all({
        {R"({"items":{"type":"integer"}})", "[1,2]", ""},
        {R"({"items":{"type":"integer"}})",
         R"([1,"2",3.5])",
         "/1: expected integer, got string; /2: expected integer, got number"},
        {R"({"prefixItems":[{"type":"string"}],"items":false})", R"(["a"])", ""},
        {R"({"prefixItems":[{"type":"string"}],"items":false})",
         R"(["a",1])",
         "/1: is not allowed here"},
        {R"({"minItems":1})", "[]", ": expected at least 1 items, got 0"},
        {R"({"maxItems":1})", "[1,2]", ": expected at most 1 items, got 2"},
        {R"({"uniqueItems":true})", "[1,2,[1]]", ""},
        {R"({"uniqueItems":true})",
         R"([{"a":1,"b":2},{"b":2.0,"a":1}])",
         "/1: stands in the list twice"},
    });
}

TEST(SchemaTest, Objects) {
    constexpr auto schema = R"({"type":"object","properties":{"n":{"type":"integer"},
        "text":{"type":"string"}},"required":["n","text"],"additionalProperties":false})";
    expect_all({
        {schema, R"({"n":1,"text":"x"})", ""},
        {schema, R"({"\u006e":1,"text":"x"})", ""},
        {schema,
         R"({"n":"ten"})",
         "/n: expected integer, got string; /text: is required, but missing"},
        {schema,
         R"({"n":1,"text":"x","txet":2})",
         R"(/txet: is not a known member; did you mean "text"?)"},
        {schema, R"({"n":1,"text":"x","a/b~":2})", "/a~1b~0: is not a known member"},
        {R"({"additionalProperties":{"type":"integer"}})",
         R"({"a":1,"b":"x"})",
         "/b: expected integer, got string"},
        {R"({"minProperties":1,"maxProperties":2})", "{}", ": expected at least 1 members, got 0"},
        {R"({"maxProperties":1})", R"({"a":1,"b":2})", ": expected at most 1 members, got 2"},
        {R"({"properties":{"a":{"properties":{"b":{"items":{"type":"null"}}}}}})",
         R"({"a":{"b":[null,0]}})",
         "/a/b/1: expected null, got integer"},
    });
}

TEST(SchemaTest, Combinations) {
    expect_all({
        {R"({"allOf":[{"minimum":1},{"maximum":2}]})", "3", ": expected at most 2, got 3"},
        {R"({"anyOf":[{"type":"string"},{"minimum":5}]})", "7", ""},
        {R"({"anyOf":[{"type":"string"},{"type":"null"}]})",
         "7",
         ": matches none of 2 alternatives"},
        {R"({"anyOf":[{"type":"null"},{"type":"object","required":["a"]}]})",
         "{}",
         "/a: is required, but missing"},
        {R"({"oneOf":[{"minimum":1},{"minimum":2}]})", "1", ""},
        {R"({"oneOf":[{"minimum":1},{"minimum":2}]})",
         "3",
         ": expected one alternative, matches 2"},
        {R"({"not":{"type":"string"}})", "1", ""},
        {R"({"not":{"type":"string"}})", R"("x")", R"(: must not match the schema under "not")"},
    });
}

TEST(SchemaTest, References) {
    constexpr auto tree = R"({"$ref":"#/$defs/node","$defs":{"node":{"type":"object",
        "properties":{"value":{"type":"integer"},
        "children":{"type":"array","items":{"$ref":"#/$defs/node"}}}}}})";
    expect_all({
        {tree, R"({"value":1,"children":[{"value":2,"children":[]}]})", ""},
        {tree,
         R"({"children":[{"children":[{"value":"x"}]}]})",
         "/children/0/children/0/value: expected integer, got string"},
        {R"({"properties":{"next":{"$ref":"#"},"n":{"type":"null"}}})",
         R"({"next":{"n":1}})",
         "/next/n: expected null, got integer"},
    });
}

TEST(SchemaTest, RingsOfReferencesEnd) {
    EXPECT_EQ(check(R"({"$ref":"#"})", "1"), ": takes too much work to check against the schema");
    EXPECT_EQ(check(R"({"anyOf":[{"$ref":"#"},{"$ref":"#"}]})", "1"),
              ": takes too much work to check against the schema");
}

TEST(SchemaTest, ExponentialSchemasEnd) {
    std::string schema = R"({"$defs":{"l0":{"type":"string"})";
    for (int i = 1; i < 40; ++i) {
        const std::string below = R"({"$ref":"#/$defs/l)" + std::to_string(i - 1) + R"("})";
        schema += R"(,"l)" + std::to_string(i) + R"(":{"anyOf":[)" + below + "," + below + "]}";
    }
    schema += R"(},"$ref":"#/$defs/l39"})";

    EXPECT_EQ(check(schema, "1"), ": takes too much work to check against the schema");
}

TEST(SchemaTest, ViolationsAreLimited) {
    EXPECT_EQ(check(R"({"items":{"type":"null"}})", "[1,2,3,4]", 2),
              "/0: expected null, got integer; /1: expected null, got integer");
}

TEST(SchemaTest, InvalidDocumentsAreViolations) {
    EXPECT_EQ(check("true", "[1,"), ": expected a value at offset 3");
}

TEST(SchemaTest, WhatIsNotCheckedIsListed) {
    const auto schema = Schema::compile(
        R"json({"title":"t","format":"date","if":{},"properties":{"a":{"patternProperties":{}},
            "b":{"pattern":"(?=x)"},"c":{"if":true}}})json");

    ASSERT_TRUE(schema);
    EXPECT_THAT(schema->unchecked(), testing::ElementsAre("if", "pattern", "patternProperties"));
}

TEST(SchemaTest, WrongSchemasAreRefusedWithTheirPlace) {
    const std::pair<const char*, const char*> cases[] = {
        {"{", "schema: expected a member name in quotes at offset 1"},
        {"1", "schema: expected an object or boolean"},
        {R"({"type":"text"})", R"(schema at /type: expected the name of a type, got "text")"},
        {R"({"properties":{"a":{"minimum":"1"}}})",
         "schema at /properties/a/minimum: expected a number"},
        {R"({"minLength":-1})", "schema at /minLength: expected an integer that is not negative"},
        {R"({"required":"a"})", "schema at /required: expected an array"},
        {R"({"required":[1]})", "schema at /required/0: expected a string"},
        {R"({"items":5})", "schema at /items: expected an object or boolean"},
        {R"({"anyOf":[]})", "schema at /anyOf: expected at least one schema"},
        {R"({"multipleOf":0})", "schema at /multipleOf: expected a number above zero"},
        {R"({"$ref":"#/$defs/none"})",
         R"(schema at /$ref: expected "#/$defs/…" of this schema, got "#/$defs/none")"},
        {R"({"$ref":"http://x/y"})",
         R"(schema at /$ref: expected "#/$defs/…" of this schema, got "http://x/y")"},
        {R"({"pattern":"("})",
         "schema at /pattern: pattern: a group without its end at character 1"},
        {R"({"uniqueItems":1})", "schema at /uniqueItems: expected true or false"},
    };
    for (const auto& [text, error] : cases) {
        const auto schema = Schema::compile(text);
        ASSERT_FALSE(schema) << text;
        EXPECT_EQ(schema.error().message, error) << text;
    }
}

}  // namespace
}  // namespace distributo::wire
