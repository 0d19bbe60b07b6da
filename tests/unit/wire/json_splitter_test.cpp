#include "tests/support/random_json.hpp"
#include "wire/json.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace distributo::wire::json {
namespace {

using Mode = Splitter::Mode;
constexpr std::size_t roomy = 1 << 20;

struct Split {
    std::vector<std::string> items;
    std::string error;
};

/// Feeds the pieces one by one and ends the stream.
Split split(Mode mode, const std::vector<std::string>& pieces, std::size_t max_item = roomy) {
    Splitter splitter(mode, max_item);
    Split result;
    const auto keep = [&](std::string_view item) {
        result.items.emplace_back(item);
        return true;
    };
    for (const std::string& piece : pieces) {
        if (const auto fed = splitter.feed(piece, keep); !fed) {
            result.error = fed.error().message;
            return result;
        }
    }
    if (const auto finished = splitter.finish(keep); !finished)
        result.error = finished.error().message;
    return result;
}

TEST(JsonSplitterTest, HandsOutTheElementsOfAnArrayWhereverItIsCut) {
    const std::string text = R"( [ {"a":"],}\"\\"} ,[1,[2]],"x,\\\"",-1.5 , null ,{} ] )";
    const std::vector<std::string> whole = split(Mode::array, {text}).items;
    ASSERT_EQ(whole.size(), 6U);
    EXPECT_EQ(whole[0], R"({"a":"],}\"\\"} )");
    EXPECT_EQ(whole[2], R"("x,\\\"")");

    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        const Split two = split(Mode::array, {text.substr(0, cut), text.substr(cut)});
        EXPECT_EQ(two.items, whole) << cut;
        EXPECT_EQ(two.error, "") << cut;
    }
}

TEST(JsonSplitterTest, HandsOutLinesWhereverTheyAreCut) {
    const std::string text = "{\"a\":1}\r\n\n  \n[1]\n\"x\"";
    const std::vector<std::string> expected{"{\"a\":1}\r", "[1]", "\"x\""};

    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        const Split two = split(Mode::lines, {text.substr(0, cut), text.substr(cut)});
        EXPECT_EQ(two.items, expected) << cut;
    }
}

TEST(JsonSplitterTest, FindsRandomElementsInPiecesOfRandomSize) {
    tests::RandomJson random(7);
    for (int round = 0; round < 300; ++round) {
        std::vector<std::string> values;
        std::string text = "[";
        for (std::uint32_t i = random.below(6); i > 0; --i) {
            values.push_back(random.value());
            text += (values.size() == 1 ? "" : ",") + values.back();
        }
        text += "]";
        std::vector<std::string> pieces;
        for (std::size_t at = 0; at < text.size(); at += pieces.back().size())
            pieces.push_back(text.substr(at, 1 + random.below(9)));

        const Split result = split(Mode::array, pieces);

        EXPECT_EQ(result.error, "") << text;
        EXPECT_EQ(result.items, values) << text;
    }
}

TEST(JsonSplitterTest, RefusesWhatIsNoArray) {
    const std::pair<const char*, const char*> cases[] = {
        {"", "expected '[' at offset 0"},
        {" {}", "expected '[' at offset 1"},
        {"[", "expected ']' at offset 1"},
        {"[1", "expected ']' at offset 2"},
        {"[1,", "expected ']' at offset 3"},
        {"[1,]", "expected a value at offset 3"},
        {"[,1]", "expected a value at offset 1"},
        {"[1,,2]", "expected a value at offset 3"},
        {"[1}", "expected ',' or ']' at offset 2"},
        {"[}", "expected a value at offset 1"},
        {"[] 1", "expected nothing behind the array at offset 3"},
        {"[1],", "expected nothing behind the array at offset 3"},
    };
    for (const auto& [text, error] : cases) {
        EXPECT_EQ(split(Mode::array, {text}).error, error) << text;
        std::vector<std::string> bytes;
        for (const char* p = text; *p != '\0'; ++p)
            bytes.emplace_back(1, *p);
        EXPECT_EQ(split(Mode::array, bytes).error, error) << text << " byte by byte";
    }
}

TEST(JsonSplitterTest, AnEmptyArrayHasNoElements) {
    EXPECT_TRUE(split(Mode::array, {" [ ] "}).items.empty());
    EXPECT_EQ(split(Mode::array, {" [ ] "}).error, "");
    EXPECT_TRUE(split(Mode::lines, {"\n \n"}).items.empty());
}

TEST(JsonSplitterTest, ItemsAreLimited) {
    EXPECT_EQ(split(Mode::array, {"[1,12345]"}, 4).error, "item 1 is longer than 4 bytes");
    EXPECT_EQ(split(Mode::array, {"[123", "45"}, 4).error, "item 0 is longer than 4 bytes");
    EXPECT_EQ(split(Mode::lines, {"12345\n"}, 4).error, "item 0 is longer than 4 bytes");
    EXPECT_EQ(split(Mode::lines, {"12", "3", "45"}, 4).error, "item 0 is longer than 4 bytes");
    EXPECT_EQ(split(Mode::array, {"[12", "34,", "1234]"}, 4).error, "");
}

TEST(JsonSplitterTest, AStopEndsTheStream) {
    for (const Mode mode : {Mode::array, Mode::lines}) {
        Splitter splitter(mode, roomy);
        int items = 0;
        const auto stop = [&](std::string_view) { return ++items < 2; };

        EXPECT_TRUE(splitter.feed(mode == Mode::array ? "[1,2,3" : "1\n2\n3\n", stop));
        EXPECT_TRUE(splitter.feed("}}", stop));
        EXPECT_TRUE(splitter.finish(stop));

        EXPECT_EQ(items, 2);
    }
}

}  // namespace
}  // namespace distributo::wire::json
