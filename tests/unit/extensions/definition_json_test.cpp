#include "coordinator/extensions/definition_json.hpp"

#include <gtest/gtest.h>

#include <array>

namespace distributo::tests {
namespace {

using namespace coordinator::extensions;

constexpr auto generator = ExtensionKind::generator;
constexpr auto sink = ExtensionKind::sink;

std::string fault_of(ExtensionKind kind, std::string_view json) {
    const auto read = read_definition(kind, json);
    if (read)
        return "none";
    const auto& fault = read.error();
    return fault.pointer + " | " + fault.message + (fault.hint.empty() ? "" : " | " + fault.hint);
}

TEST(DefinitionJson, LittleIsNeeded) {
    const auto read = read_definition(generator, R"({"plugin":"lines"})");
    ASSERT_TRUE(read);
    EXPECT_EQ(read->kind, generator);
    EXPECT_EQ(read->name, "");
    EXPECT_EQ(read->plugin, "lines");
    EXPECT_EQ(read->config, "{}");
    EXPECT_EQ(read->directory, "");
    EXPECT_EQ(read->timeout, std::chrono::seconds(60));
    EXPECT_EQ(read->low_water, 5'000U);
    EXPECT_EQ(read->high_water, 10'000U);
}

TEST(DefinitionJson, EveryMemberOfAGeneratorIsReadAndWritten) {
    const std::string text =
        R"({"name":"words","plugin":"lines","config":{"files":["w.txt"]},"directory":"/data",)"
        R"("timeout":"1500ms","memory":536870912,"low_water":10,"high_water":20,)"
        R"("max_tasks":1000,"max_rate":2.5,"group":"night"})";
    const auto read = read_definition(generator, text);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->config, R"({"files":["w.txt"]})");
    EXPECT_EQ(read->timeout, std::chrono::milliseconds(1500));
    EXPECT_EQ(read->memory, 512U << 20U);
    EXPECT_EQ(read->max_tasks, 1000U);
    EXPECT_EQ(read->max_rate, 2.5);
    EXPECT_EQ(read->group, "night");
    EXPECT_EQ(definition_text(*read), text);
}

TEST(DefinitionJson, EveryMemberOfASinkIsReadAndWritten) {
    const std::string text =
        R"({"name":"out","plugin":"jsonl","config":{},"timeout":"1m","memory":0,)"
        R"("types":["a","b.*"],"groups":["g"],"generators":["words"],)"
        R"("states":["completed","failed"],"start":"newest"})";
    const auto read = read_definition(sink, text);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->kind, sink);
    EXPECT_EQ(read->filter.types, (std::vector<std::string>{"a", "b.*"}));
    EXPECT_EQ(read->filter.states, (std::vector<std::string>{"completed", "failed"}));
    EXPECT_TRUE(read->from_newest);
    EXPECT_EQ(definition_text(*read), text);
}

TEST(DefinitionJson, MemoryMayBeASize) {
    EXPECT_EQ(read_definition(sink, R"({"plugin":"p","memory":"64KiB"})")->memory, 65'536U);
    EXPECT_EQ(fault_of(sink, R"({"plugin":"p","memory":"much"})"),
              "/memory | expected bytes or a size such as \"512MiB\", got \"much\"");
    EXPECT_EQ(fault_of(sink, R"({"plugin":"p","memory":-1})"),
              "/memory | expected integer from 0 to 9007199254740991, got -1");
}

TEST(DefinitionJson, AMarkThatIsAloneTakesTheOtherWithIt) {
    const auto low = read_definition(generator, R"({"plugin":"p","low_water":20000})");
    EXPECT_EQ(low->high_water, 40'000U);
    const auto high = read_definition(generator, R"({"plugin":"p","high_water":7})");
    EXPECT_EQ(high->low_water, 3U);
    const auto one = read_definition(generator, R"({"plugin":"p","high_water":1})");
    EXPECT_EQ(one->low_water, 1U);
    EXPECT_EQ(fault_of(generator, R"({"plugin":"p","low_water":3,"high_water":2})"),
              "/low_water | expected at most high_water, 2, got 3");
}

TEST(DefinitionJson, WhatIsUnknownGetsTheNearestName) {
    EXPECT_EQ(fault_of(generator, R"({"plugin":"p","lowwater":1})"),
              "/lowwater | a generator has no such member | did you mean 'low_water'?");
    EXPECT_EQ(fault_of(sink, R"({"plugin":"p","high_water":1})"),
              "/high_water | a sink has no such member | known: name, plugin, config, directory, "
              "timeout, memory, types, groups, generators, states, start");
    EXPECT_EQ(fault_of(generator, R"({"plugin":"p","types":[]})").substr(0, 8), "/types |");
    EXPECT_EQ(fault_of(sink, R"({"plugin":"p","states":["failed","completet"]})"),
              "/states/1 | expected one of completed, failed, cancelled, expired, got "
              "\"completet\" | did you mean 'completed'?");
    EXPECT_EQ(fault_of(sink, R"({"plugin":"p","start":"now"})"),
              "/start | expected one of oldest, newest, got \"now\"");
}

TEST(DefinitionJson, EveryRefusalNamesThePlace) {
    const std::array<std::array<std::string_view, 2>, 15> cases{{
        {R"({})", "/plugin | required, but not there"},
        {R"({"plugin":""})", "/plugin | expected 1 to 128 bytes, got 0"},
        {R"({"plugin":1})", "/plugin | expected string, got number"},
        {R"({"plugin":"p","plugin":"p"})", "/plugin | the member stands there twice"},
        {R"({"plugin":"p","name":"Words"})", "/name | expected up to 64 of a-z"},
        {R"({"plugin":"p","name":".words"})", "/name | expected up to 64 of a-z"},
        {R"({"plugin":"p","config":"{}"})", "/config | expected object, got string"},
        {R"({"plugin":"p","directory":"data"})", "/directory | expected an absolute path"},
        {R"({"plugin":"p","timeout":"0s"})", "/timeout | expected a duration such as \"30s\""},
        {R"({"plugin":"p","timeout":30})", "/timeout | expected a duration such as \"30s\""},
        {R"({"plugin":"p","low_water":0})", "/low_water | expected integer from 1 to 10000000"},
        {R"({"plugin":"p","max_rate":-1})", "/max_rate | expected tasks per second from 0"},
        {R"({"plugin":"p","max_rate":"1"})", "/max_rate | expected tasks per second, got string"},
        {R"([])", " | expected object, got array"},
        {R"({"plugin":"p")", " | "},
    }};
    for (const auto& [json, expected] : cases)
        EXPECT_EQ(fault_of(generator, json).substr(0, expected.size()), expected) << json;
    EXPECT_EQ(fault_of(sink, R"({"plugin":"p","types":["a",2]})"),
              "/types/1 | expected string, got number");
    EXPECT_EQ(read_definition(generator, "{").error().kind, DefinitionFault::Kind::malformed);
}

TEST(DefinitionJson, AFaultIsAnErrorForPeople) {
    const auto error =
        to_error(read_definition(sink, R"({"plugin":"p","states":["faild"]})").error());
    EXPECT_EQ(error.code, base::Errc::invalid_argument);
    EXPECT_EQ(error.message,
              "states.0: expected one of completed, failed, cancelled, expired, got \"faild\"");
    EXPECT_EQ(error.hint, "did you mean 'failed'?");
}

TEST(ExtensionName, IsShortAndPlain) {
    for (const char* const name : {"a", "0", "words", "a.b_c-d", "9-to-5"})
        EXPECT_TRUE(is_extension_name(name)) << name;
    EXPECT_TRUE(is_extension_name(std::string(64, 'x')));
    EXPECT_FALSE(is_extension_name(std::string(65, 'x')));
    for (const char* const name : {"", "A", "-a", "..", "a b", "a/b", "ä"})
        EXPECT_FALSE(is_extension_name(name)) << name;
}

}  // namespace
}  // namespace distributo::tests
