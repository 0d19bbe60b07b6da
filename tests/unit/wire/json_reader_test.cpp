#include "wire/json.hpp"

#include <gtest/gtest.h>

#include <string>

namespace distributo::wire::json {
namespace {

std::string nested(std::size_t levels) {
    return std::string(levels, '[') + std::string(levels, ']');
}

TEST(JsonReaderTest, AcceptsEveryValidDocument) {
    const std::string valid[] = {"null",
                                 "true",
                                 "false",
                                 "0",
                                 "-0",
                                 "1",
                                 "-1",
                                 "10",
                                 "1.5",
                                 "-0.0",
                                 "1e5",
                                 "1E+5",
                                 "1e-5",
                                 "0e0",
                                 "1e309",
                                 "123456789012345678901234567890",
                                 R"("")",
                                 R"("a")",
                                 R"("\"\\\/\b\f\n\r\t")",
                                 R"("\u0000\u00e9\uABCD")",
                                 R"("\ud83d\ude00")",
                                 "\"é漢😀\"",
                                 "\"\x7f\"",
                                 "[]",
                                 "[ ]",
                                 "[1]",
                                 "[1,2]",
                                 "[[],{}]",
                                 "{}",
                                 "{ }",
                                 R"({"":1})",
                                 R"({"a":1,"b":[true,null]})",
                                 R"({"a":1,"a":2})",
                                 " \t\r\n1 \t\r\n",
                                 R"( { "a" : [ 1 , 2 ] , "b" : "x" } )",
                                 "\"a string of more than sixteen bytes\"",
                                 "\"fifteen bytes..\"",
                                 "\"sixteen bytes...\"",
                                 "\"\xC2\x80\xDF\xBF\"",
                                 "\"\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF\"",
                                 "\"\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\"",
                                 nested(64)};
    for (const std::string& text : valid)
        EXPECT_TRUE(parse(text)) << text;
}

void expect_invalid(std::initializer_list<std::string> texts) {
    for (const std::string& text : texts)
        EXPECT_FALSE(parse(text)) << text;
}

TEST(JsonReaderTest, RefusesEveryInvalidScalar) {
    expect_invalid({"",
                    " ",
                    "nul",
                    "nulll",
                    "True",
                    "tru",
                    "NaN",
                    "Infinity",
                    "-",
                    "+1",
                    "01",
                    "-01",
                    "1.",
                    ".5",
                    "1e",
                    "1e+",
                    "1.e5",
                    "0x10",
                    "1 2",
                    "--1",
                    R"(")",
                    R"("a)",
                    R"("\")",
                    R"("\x")",
                    R"("\u12")",
                    R"("\u12G4")",
                    R"("\ud800")",
                    R"("\ud800x")",
                    R"("\ud800\n")",
                    R"("\ud800\u0041")",
                    R"("\udc00")",
                    R"("\ud800\ud800")",
                    "\"a\nb\"",
                    "\"a\tb\"",
                    std::string("\"a\0b\"", 5),
                    "'a'"});
}

TEST(JsonReaderTest, RefusesEveryInvalidStructureAndEncoding) {
    expect_invalid({"[",
                    "]",
                    "[1",
                    "[1,",
                    "[1,]",
                    "[,1]",
                    "[,]",
                    "[1 2]",
                    "[1}",
                    "{",
                    "}",
                    "{1:2}",
                    R"({"a")",
                    R"({"a":)",
                    R"({"a":1)",
                    R"({"a":1,})",
                    R"({,"a":1})",
                    R"({"a" 1})",
                    R"({"a":1 "b":2})",
                    R"({a:1})",
                    R"({"a":1])",
                    "{]",
                    "[]]",
                    "{}{}",
                    "1,",
                    "// c\n1",
                    "1 // c",
                    "/**/1",
                    "\xEF\xBB\xBF"
                    "1",
                    "\"\x80\"",
                    "\"\xC0\x80\"",
                    "\"\xC1\xBF\"",
                    "\"\xE0\x9F\xBF\"",
                    "\"\xED\xA0\x80\"",
                    "\"\xF0\x8F\xBF\xBF\"",
                    "\"\xF4\x90\x80\x80\"",
                    "\"\xF5\x80\x80\x80\"",
                    "\"\xC3\"",
                    "\"\xE2\x82\"",
                    "\"\xF0\x9F\x98\"",
                    "\"\xC3",
                    "\xFF",
                    "\"\xC3(\"",
                    nested(65),
                    std::string(100'000, '['),
                    R"({"a":)" + nested(64) + "}"});
}

TEST(JsonReaderTest, ValidTextsAreInvalidWhenTheyAreCutAnywhere) {
    const std::string text = R"({"key":[1.5e3,"x\u00e9\ud83d\ude00é😀",{"a":[true,false,null]}]})";

    for (std::size_t size = 0; size < text.size(); ++size)
        EXPECT_FALSE(parse(std::string(text.data(), size))) << text.substr(0, size);
}

TEST(JsonReaderTest, ErrorsNameTheOffset) {
    const auto result = parse(R"({"a":1,"b":tru})");

    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message, "expected a value at offset 11");
}

TEST(JsonReaderTest, SpansAreExactlyTheValue) {
    Reader reader(R"( [ {"a" : 1} , -1.50 , "x\n" ] )");
    Value value;

    ASSERT_TRUE(reader.begin_array());
    ASSERT_TRUE(reader.next_element());
    ASSERT_TRUE(reader.value(value));
    EXPECT_EQ(value.text, R"({"a" : 1})");
    ASSERT_TRUE(reader.next_element());
    ASSERT_TRUE(reader.value(value));
    EXPECT_EQ(value.text, "-1.50");
    ASSERT_TRUE(reader.next_element());
    ASSERT_TRUE(reader.value(value));
    EXPECT_EQ(value.text, R"("x\n")");
    EXPECT_FALSE(reader.next_element());
    EXPECT_TRUE(reader.at_end());
    EXPECT_FALSE(reader.failed());
}

TEST(JsonReaderTest, WalksNestedObjectsByMember) {
    Reader reader(R"({"a":{"b":[1,2],"c":{}},"d":true})");
    std::string seen;
    std::string_view key;
    Value value;

    ASSERT_TRUE(reader.begin_object());
    ASSERT_TRUE(reader.next_member(key));
    EXPECT_EQ(key, "a");
    EXPECT_EQ(reader.peek(), Kind::object);
    ASSERT_TRUE(reader.begin_object());
    while (reader.next_member(key)) {
        ASSERT_TRUE(reader.value(value));
        seen += std::string(key) + "=" + std::string(value.text) + ";";
    }
    ASSERT_TRUE(reader.next_member(key));
    EXPECT_EQ(key, "d");
    ASSERT_TRUE(reader.value(value));
    EXPECT_FALSE(reader.next_member(key));
    EXPECT_TRUE(reader.at_end());
    EXPECT_EQ(seen, "b=[1,2];c={};");
}

TEST(JsonReaderTest, AFailureIsFinal) {
    Reader reader(R"({"a":1 "b":2})");
    std::string_view key;
    Value value;

    ASSERT_TRUE(reader.begin_object());
    ASSERT_TRUE(reader.next_member(key));
    ASSERT_TRUE(reader.value(value));
    EXPECT_FALSE(reader.next_member(key));
    EXPECT_TRUE(reader.failed());
    EXPECT_FALSE(reader.value(value));
    EXPECT_FALSE(reader.begin_array());
    EXPECT_FALSE(reader.at_end());
    EXPECT_EQ(reader.error().message, "expected ',' or '}' at offset 7");
}

TEST(JsonReaderTest, EnteringSomethingElseFails) {
    Reader reader("[1]");

    EXPECT_FALSE(reader.begin_object());
    EXPECT_EQ(reader.error().message, "expected an object at offset 0");
}

TEST(JsonReaderTest, NestingIsCountedFromTheValue) {
    const std::string text = R"({"payload":)" + nested(64) + "}";
    Reader reader(text);
    std::string_view key;
    Value value;

    ASSERT_TRUE(reader.begin_object());
    ASSERT_TRUE(reader.next_member(key));
    EXPECT_TRUE(reader.value(value));
}

TEST(JsonReaderTest, EnteringIsLimitedAsWell) {
    const std::string text(65, '[');
    Reader reader(text);
    std::size_t entered = 0;

    while (reader.begin_array())
        reader.next_element(), ++entered;

    EXPECT_EQ(entered, 64U);
}

TEST(JsonValueTest, StringsAreDecoded) {
    const std::pair<const char*, std::string> cases[] = {
        {R"("")", ""},
        {R"("plain")", "plain"},
        {R"("\"\\\/\b\f\n\r\t")", "\"\\/\b\f\n\r\t"},
        {R"("\u0041\u00e9\u6f22\ud83d\ude00")", "Aé漢😀"},
        {R"("a\u0000b")", std::string("a\0b", 3)},
    };
    for (const auto& [text, expected] : cases)
        EXPECT_EQ(parse(text)->string(), expected) << text;
    EXPECT_EQ(parse("1")->string(), std::nullopt);
    EXPECT_EQ(parse(R"("plain")")->plain_string(), "plain");
    EXPECT_EQ(parse(R"("pl\u0061in")")->plain_string(), std::nullopt);
}

TEST(JsonValueTest, IntegersAreExactOrNothing) {
    EXPECT_EQ(parse("-9223372036854775808")->integer(), std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(parse("9223372036854775808")->integer(), std::nullopt);
    EXPECT_EQ(parse("18446744073709551615")->unsigned_integer(),
              std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(parse("18446744073709551616")->unsigned_integer(), std::nullopt);
    EXPECT_EQ(parse("-1")->unsigned_integer(), std::nullopt);
    EXPECT_EQ(parse("1.0")->integer(), std::nullopt);
    EXPECT_EQ(parse("1e2")->integer(), std::nullopt);
    EXPECT_EQ(parse("\"1\"")->integer(), std::nullopt);
}

TEST(JsonValueTest, NumbersAreFiniteOrNothing) {
    EXPECT_EQ(parse("1.5e3")->number(), 1500.0);
    EXPECT_EQ(parse("123456789.123456789")->number(), 123456789.123456789);
    EXPECT_EQ(parse("1e309")->number(), std::nullopt);
    EXPECT_EQ(parse("-1e309")->number(), std::nullopt);
    EXPECT_EQ(parse(std::string(400, '9'))->number(), std::nullopt);
    EXPECT_EQ(parse("1e99999999999999999999")->number(), std::nullopt);
    EXPECT_EQ(parse("1e-400")->number(), 0.0);
    EXPECT_EQ(parse("1e-99999999999999999999")->number(), 0.0);
    EXPECT_EQ(parse("0." + std::string(400, '0') + "1")->number(), 0.0);
    EXPECT_EQ(parse("0e1101")->number(), 0.0);
    EXPECT_EQ(parse("true")->number(), std::nullopt);
}

TEST(JsonValueTest, BooleansAreRead) {
    EXPECT_EQ(parse("true")->boolean(), true);
    EXPECT_EQ(parse("false")->boolean(), false);
    EXPECT_EQ(parse("null")->boolean(), std::nullopt);
}

}  // namespace
}  // namespace distributo::wire::json
