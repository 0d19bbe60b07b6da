#include "wire/pattern.hpp"

#include <gtest/gtest.h>

#include <string>

namespace distributo::wire {
namespace {

constexpr std::uint64_t plenty = 1'000'000;

/// Y or N, "?" when the work ran out, or the error.
std::string search(std::string_view expression,
                   std::string_view text,
                   std::uint64_t work = plenty) {
    const auto pattern = Pattern::compile(expression);
    if (!pattern)
        return pattern.error().message;
    const auto found = pattern->search(text, work);
    return !found ? "?" : *found ? "Y" : "N";
}

TEST(PatternTest, MatchesLikeEcmaScript) {
    struct Case {
        const char* expression;
        const char* yes;
        const char* no;
    };
    const Case cases[] = {
        {"abc", "xabcx", "abx"},
        {"^abc$", "abc", "xabc"},
        {"^a|b$", "ac", "ca"},
        {"^(a|b)$", "b", "ab"},
        {"^(?:ab)+$", "abab", "aba"},
        {"^(?<name>ab)?c$", "abc", "bc"},
        {"^a*$", "", "b"},
        {"^a+?$", "aa", ""},
        {"^a{2}$", "aa", "aaa"},
        {"^a{2,}$", "aaaa", "a"},
        {"^a{1,3}$", "aaa", "aaaa"},
        {"^a{0}$", "", "a"},
        {"^(a*)*$", "aaa", "b"},
        {"^(a|b*){2,5}c$", "abbac", "d"},
        {"^.$", "é", "\n"},
        {"^[a-cx]$", "b", "d"},
        {"^[^a-c]$", "d", "b"},
        {"^[-a]$", "-", "b"},
        {"^[a-]$", "-", "b"},
        {R"(^[\]\\]$)", "]", "["},
        {R"(^[\d_]+$)", "1_2", "a"},
        {R"(^\w+\s\W$)", "ab1 -", "ab1 a"},
        {R"(^\D\S$)", "ab", "1b"},
        {R"(^\x41\u0042\u{1F600}\t\cJ$)", "AB😀\t\n", "AB"},
        {R"(\bcat\b)", "a cat.", "concat"},
        {R"(\Bcat)", "concat", "a cat"},
        {R"(^\.\*\/$)", ".*/", "a*/"},
        {"^[漢字]{2}$", "字漢", "漢"},
        {"[^]", "x", ""},
        {"x[]|y", "y", "x"},
        {R"(^\d{4}-\d{2}-\d{2}$)", "2026-11-24", "26-11-24"},
    };
    for (const auto& [expression, yes, no] : cases) {
        EXPECT_EQ(search(expression, yes), "Y") << expression << " on " << yes;
        EXPECT_EQ(search(expression, no), "N") << expression << " on " << no;
    }
}

TEST(PatternTest, RefusesWhatIsNoExpression) {
    for (const char* const expression : {"(",
                                         ")",
                                         "a)",
                                         "[a",
                                         "*",
                                         "a**",
                                         "a{2,1}",
                                         "a{",
                                         "a{x}",
                                         "\\",
                                         "\\q",
                                         "[b-a]",
                                         R"(\x4)",
                                         R"(\u{110000})",
                                         "{",
                                         "}",
                                         "]",
                                         "+a",
                                         "a|*"}) {
        const auto pattern = Pattern::compile(expression);
        ASSERT_FALSE(pattern) << expression;
        EXPECT_EQ(pattern.error().code, base::Errc::invalid_argument) << expression;
    }
}

TEST(PatternTest, SaysWhatItDoesNotOffer) {
    for (const char* const expression :
         {"(?=a)", "(?!a)", "(?<=a)", R"((a)\1)", R"(\p{L})", "a{3000}", "((a{100}){100}){100}"}) {
        const auto pattern = Pattern::compile(expression);
        ASSERT_FALSE(pattern) << expression;
        EXPECT_EQ(pattern.error().code, base::Errc::unavailable) << expression;
    }
    EXPECT_FALSE(Pattern::compile(std::string(5000, '(') + std::string(5000, ')')));
}

TEST(PatternTest, WorkGrowsWithTheTextOnly) {
    const std::string text(10'000, 'a');

    EXPECT_EQ(search("^(a+)+$", text + "b"), "N");
    EXPECT_EQ(search("(a|a)*(a|a)*b", text), "N");
    EXPECT_EQ(search("x", text, 100), "?");
}

}  // namespace
}  // namespace distributo::wire
