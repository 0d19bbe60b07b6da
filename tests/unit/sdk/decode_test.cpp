#include <distributo/detail/decode.hpp>
#include <distributo/detail/encode.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace {

enum class Mode { exact, fast };
BOOST_DESCRIBE_ENUM(Mode, exact, fast)

struct Point {
    double x = 0;
    double y = 0;
};
BOOST_DESCRIBE_STRUCT(Point, (), (x, y))

struct Base {
    std::uint64_t n = 0;
};
BOOST_DESCRIBE_STRUCT(Base, (), (n))

struct Job : Base {
    Mode mode = Mode::exact;
    std::optional<std::string> note;
    std::optional<std::vector<Point>> points;
    std::optional<std::map<std::string, std::int8_t>> weights;
    std::optional<distributo::RawJson> extra;
    std::optional<bool> flag;
};
BOOST_DESCRIBE_STRUCT(Job, (Base), (mode, note, points, weights, extra, flag))

struct Tree {
    std::vector<Tree> children;
};
BOOST_DESCRIBE_STRUCT(Tree, (), (children))

template <class T>
T decode(std::string_view text) {
    return distributo::detail::decode_text<T>(text, "payload");
}

/// What decoding complains about; empty when it does not.
template <class T>
std::string complaint(std::string_view text) {
    try {
        (void)decode<T>(text);
        return {};
    } catch (const distributo::Failure& failure) {
        EXPECT_EQ(failure.status(), DTO_PERMANENT);
        return failure.what();
    }
}

template <class T>
std::string encode(const T& value) {
    return distributo::detail::encode_text(value, "result");
}

TEST(DecodeTest, AllMembersOfAStructAndItsBasesAreRead) {
    const Job job = decode<Job>(
        R"( { "n" : 7 , "mode":"fast", "note":"a\"b", "points":[{"x":1.5,"y":-2e3},{"y":0,"x":1}],
              "weights":{"a":-128,"b":127}, "extra":{"any":[1,{}]}, "flag":true } )");

    EXPECT_EQ(job.n, 7U);
    EXPECT_EQ(job.mode, Mode::fast);
    EXPECT_EQ(job.note, "a\"b");
    ASSERT_EQ(job.points->size(), 2U);
    EXPECT_EQ(job.points->front().y, -2000);
    EXPECT_EQ(job.weights->at("a"), -128);
    EXPECT_EQ(job.extra->text, R"({"any":[1,{}]})");
    EXPECT_TRUE(*job.flag);
}

TEST(DecodeTest, OptionalMembersMayBeAbsentOrNull) {
    const Job job = decode<Job>(R"({"n":0,"mode":"exact","note":null})");

    EXPECT_FALSE(job.note || job.points || job.weights || job.extra || job.flag);
}

TEST(DecodeTest, ComplaintsNameThePlaceWhatWasExpectedAndWhatCame) {
    EXPECT_EQ(complaint<Job>(R"({"n":"7","mode":"fast"})"),
              "payload.n: expected unsigned integer, got string");
    EXPECT_EQ(complaint<Job>(R"({"mode":"fast"})"), "payload.n: missing");
    EXPECT_EQ(complaint<Job>(R"({"n":1,"mode":"warp"})"),
              "payload.mode: \"warp\" is not an allowed value, expected one of exact, fast");
    EXPECT_EQ(complaint<Job>(R"({"n":1,"mode":"fast","points":[{"x":1,"y":1},{"x":1,"y":[]}]})"),
              "payload.points[1].y: expected number, got array");
    EXPECT_EQ(complaint<Job>(R"({"n":1,"mode":"fast","weights":{"a":{}}})"),
              "payload.weights.a: expected integer, got object");
    EXPECT_EQ(complaint<Job>(R"({"n":1,"mode":"fast","flag":0})"),
              "payload.flag: expected boolean, got number");
    EXPECT_EQ(complaint<Job>(R"({"n":1,"n":2,"mode":"fast"})"), "payload.n: given twice");
    EXPECT_EQ(complaint<Job>("[]"), "payload: expected object, got array");
    EXPECT_EQ(complaint<Job>(""), "payload: expected object, got nothing");
    EXPECT_EQ(complaint<Point>(R"({"x":1,"z":2})"),
              "payload.z: unknown member, expected one of x, y");
}

TEST(DecodeTest, IntegersAreCheckedAgainstTheirRange) {
    EXPECT_EQ(decode<std::uint64_t>("18446744073709551615"),
              std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(decode<std::int64_t>("-9223372036854775808"),
              std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(decode<int>("3.0"), 3);
    EXPECT_EQ(decode<unsigned>("2e2"), 200U);
    EXPECT_EQ(complaint<std::uint8_t>("256"),
              "payload: expected unsigned integer from 0 to 255, got 256");
    EXPECT_EQ(complaint<std::uint8_t>("-1"),
              "payload: expected unsigned integer from 0 to 255, got -1");
    EXPECT_NE(complaint<int>("1.5"), "");
    EXPECT_NE(complaint<std::uint64_t>("18446744073709551616"), "");
    EXPECT_NE(complaint<std::int64_t>("1e400"), "");
}

TEST(DecodeTest, StringsMayHoldEveryCharacter) {
    EXPECT_EQ(decode<std::string>(R"("\"\\\/\b\f\n\r\t")"), "\"\\/\b\f\n\r\t");
    EXPECT_EQ(decode<std::string>(R"("\u0041\u00e9\u20ac\ud83d\ude42")"), "Aé€🙂");
    EXPECT_EQ(decode<std::string>(R"("a\u0000b")"), std::string("a\0b", 3));
    EXPECT_EQ(decode<std::string>("\"é\""), "é");
}

TEST(DecodeTest, WhatIsNotJsonIsRefused) {
    for (const std::string_view text : {"{",
                                        "{\"n\"",
                                        "{\"n\":",
                                        "{\"n\":1",
                                        "{\"n\":1,}",
                                        "{n:1}",
                                        "{\"n\":01}",
                                        "{\"n\":1.}",
                                        "{\"n\":1e}",
                                        "{\"n\":-}",
                                        "{\"n\":+1}",
                                        "{\"n\":1} x",
                                        "{\"n\":tru}",
                                        "{\"n\" 1}",
                                        "nul",
                                        "{\"n\":NaN}",
                                        "{'n':1}"}) {
        EXPECT_NE(complaint<Base>(text), "") << text;
    }
    for (const std::string_view text : {"\"",
                                        "\"\\",
                                        "\"\\x\"",
                                        "\"\\u12\"",
                                        "\"\\u12g4\"",
                                        "\"\\ud800\"",
                                        "\"\\ud800\\u0041\"",
                                        "\"\\udc00\"",
                                        "\"a\nb\"",
                                        "\"\\n\nb\"",
                                        "\"a"}) {
        EXPECT_NE(complaint<std::string>(text), "") << text;
        EXPECT_NE(complaint<distributo::RawJson>(text), "") << text;
    }
    for (const std::string_view text :
         {"[1,", "[1 2]", "[", "{\"a\":}", "{\"a\" 1}", "]", "{1:2}"}) {
        EXPECT_NE(complaint<distributo::RawJson>(text), "") << text;
    }
}

TEST(DecodeTest, NestingHasALimit) {
    const std::string open(100000, '[');
    EXPECT_EQ(complaint<distributo::RawJson>(open), "payload: nested too deeply");

    std::string tree;
    for (int i = 0; i < 100000; ++i) {
        tree += R"({"children":[)";
    }
    EXPECT_NE(complaint<Tree>(tree).find("nested too deeply"), std::string::npos);
}

TEST(EncodeTest, ValuesComeBackAsTheyWere) {
    const std::string text =
        R"({"n":7,"mode":"fast","note":"a\"\u0001\n€","points":[{"x":0.1,"y":-2e+300}],)"
        R"("weights":{"a":-128},"extra":{"any":[1,{}]},"flag":true})";

    EXPECT_EQ(encode(decode<Job>(text)), text);
}

TEST(EncodeTest, AbsentMembersAreLeftOut) {
    EXPECT_EQ(encode(Job{}), R"({"n":0,"mode":"exact"})");
    EXPECT_EQ(encode(std::optional<int>{}), "null");
    EXPECT_EQ(encode(Tree{}), R"({"children":[]})");
    EXPECT_EQ(encode(std::map<std::string, int>{}), "{}");
    EXPECT_EQ(encode("text"), "\"text\"");
}

TEST(EncodeTest, WhatJsonCannotExpressIsRefusedWithThePlace) {
    try {
        (void)encode(std::vector<Point>{{0, 0}, {0, std::nan("")}});
        FAIL();
    } catch (const distributo::Failure& failure) {
        EXPECT_STREQ(failure.what(), "result[1].y: not a finite number, which JSON cannot express");
    }
    EXPECT_THROW((void)encode(static_cast<Mode>(9)), distributo::Failure);
}

}  // namespace
