#include "wire/json.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace distributo::wire::json {
namespace {

TEST(JsonWriterTest, PlacesCommas) {
    std::string out;
    Writer writer(out);

    writer.begin_object().member("a", 1).key("b").begin_array().number(std::int64_t{-2}).null();
    writer.begin_object().end_object().end_array().member("c", true).key("d").begin_array();
    writer.end_array().member_raw("e", "[1, 2]").end_object();

    EXPECT_EQ(out, R"({"a":1,"b":[-2,null,{}],"c":true,"d":[],"e":[1, 2]})");
}

TEST(JsonWriterTest, EscapesWhatJsonDemands) {
    std::string out;

    append_string(out, std::string("\"\\\n\r\t\x01\x1f\0/é😀", 15));

    EXPECT_EQ(out, R"("\"\\\n\r\t\u0001\u001f\u0000/é😀")");
}

TEST(JsonWriterTest, InvalidUtf8BecomesTheReplacementCharacter) {
    std::string out;

    append_string(out, "a\xFFz\xC3(\xED\xA0\x80");

    EXPECT_EQ(out, "\"a\uFFFDz\uFFFD(\uFFFD\uFFFD\uFFFD\"");
    EXPECT_TRUE(parse(out));
}

TEST(JsonWriterTest, AnyBytesBecomeAValidString) {
    std::string bytes;
    for (int i = 0; i < 256; ++i)
        bytes += static_cast<char>(i);
    std::string out;
    Writer writer(out);

    writer.begin_object().escaped_key(bytes).string(bytes).end_object();

    EXPECT_TRUE(parse(out)) << out;
}

TEST(JsonWriterTest, NumbersAreShortestAndNeverInfinite) {
    std::string out;
    Writer writer(out);

    writer.begin_array().number(0.1).number(1e300).number(-0.0);
    writer.number(std::numeric_limits<double>::infinity());
    writer.number(std::numeric_limits<double>::quiet_NaN());
    writer.number(std::numeric_limits<std::uint64_t>::max());
    writer.number(std::numeric_limits<std::int64_t>::min()).end_array();

    EXPECT_EQ(out, "[0.1,1e+300,-0,null,null,18446744073709551615,-9223372036854775808]");
}

}  // namespace
}  // namespace distributo::wire::json
