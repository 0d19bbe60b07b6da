#include <distributo/plugin.hpp>
#include <distributo/testing.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

namespace {

struct Word {
    std::string word;
};
BOOST_DESCRIBE_STRUCT(Word, (), (word))

struct Syllables {
    std::string word;
    std::vector<std::string> syllables;
    std::uint32_t count = 0;
};
BOOST_DESCRIBE_STRUCT(Syllables, (), (word, syllables, count))

class SyllablesTest : public testing::Test {
protected:
    std::string run(const std::string& payload) {
        const auto outcome = plugin_.run("text.syllables", payload);
        return outcome.ok() ? outcome.result : outcome.message;
    }

    Syllables split(const std::string& word) {
        const std::string payload = distributo::detail::encode_text(Word{word}, "payload");
        return distributo::detail::decode_text<Syllables>(run(payload), "result");
    }

    distributo::testing::Plugin plugin_{DISTRIBUTO_PLUGIN_FILE};
};

TEST_F(SyllablesTest, AWordIsSplitWhereTheDictionarySays) {
    EXPECT_EQ(run(R"({"word":"example"})"),
              R"({"word":"example","syllables":["ex","am","ple"],"count":3})");
}

TEST_F(SyllablesTest, CapitalsAreSplitLikeSmallLettersAndKept) {
    EXPECT_EQ(split("EXAMPLE").syllables, (std::vector<std::string>{"EX", "AM", "PLE"}));
}

TEST_F(SyllablesTest, BreaksAfterAnAccentFallBetweenCharacters) {
    EXPECT_EQ(split("éclairement").syllables, (std::vector<std::string>{"éclaire", "ment"}));
}

TEST_F(SyllablesTest, AnEmptyWordHasNoSyllables) {
    EXPECT_EQ(run(R"({"word":""})"), R"({"word":"","syllables":[],"count":0})");
}

TEST_F(SyllablesTest, EveryWordOfADictionaryIsMadeUpOfItsSyllables) {
    std::ifstream words("/usr/share/dict/american-english");
    ASSERT_TRUE(words) << "the package wamerican is missing";
    std::size_t count = 0;
    for (std::string word; std::getline(words, word); ++count) {
        const Syllables answer = split(word);
        std::string joined;
        for (const std::string& piece : answer.syllables) {
            ASSERT_FALSE(piece.empty()) << word;
            joined += piece;
        }
        ASSERT_EQ(joined, word);
        ASSERT_EQ(answer.word, word);
        ASSERT_EQ(answer.count, answer.syllables.size());
    }
    EXPECT_GT(count, 100000U);
}

TEST_F(SyllablesTest, TextOfAnyScriptComesBackUnchanged) {
    for (const std::string word : {"naïve",
                                   "Ångström's",
                                   "日本語",
                                   "🙂🙂🙂",
                                   "a\"b\\c",
                                   "1234567890",
                                   "ex\nam\tple",
                                   "-",
                                   "'"}) {
        std::string joined;
        for (const std::string& piece : split(word).syllables) {
            joined += piece;
        }
        EXPECT_EQ(joined, word);
    }
    EXPECT_EQ(run(R"({"word":"a\u0000b"})"),
              R"({"word":"a\u0000b","syllables":["a\u0000b"],"count":1})");
}

TEST_F(SyllablesTest, LongWordsWorkUpToTheLimit) {
    std::string word;
    for (int i = 0; i < 9000; ++i) {
        word += "example";
    }
    EXPECT_GT(split(word).count, 20000U);
    word.resize(70000, 'x');
    EXPECT_EQ(run("{\"word\":\"" + word + "\"}"), "payload.word: longer than 65536 bytes");
}

TEST_F(SyllablesTest, WhatIsNotUtf8IsRefused) {
    for (const std::string bad : {"\xFF", "\xC3", "\xC0\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80"}) {
        EXPECT_EQ(run("{\"word\":\"ab" + bad + "\"}"), "payload.word: not UTF-8 at byte 2");
    }
}

TEST_F(SyllablesTest, PayloadsThatDoNotFitAreRefusedWithThePlace) {
    const auto outcome = plugin_.run("text.syllables", R"({"word":7})");

    EXPECT_EQ(outcome.status, DTO_PERMANENT);
    EXPECT_EQ(outcome.message, "payload.word: expected string, got number");
    EXPECT_EQ(run("{}"), "payload.word: missing");
}

TEST_F(SyllablesTest, ManyThreadsMayAskAtOnce) {
    ASSERT_TRUE(plugin_.type("text.syllables").flags & DTO_TASK_REENTRANT);
    ASSERT_TRUE(plugin_.setup().ok());
    std::vector<int> right(4);
    std::vector<std::thread> threads;
    for (int& count : right) {
        threads.emplace_back([this, &count] {
            for (int i = 0; i < 1000; ++i) {
                count += split("example").count == 3 ? 1 : 0;
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(right, std::vector<int>(4, 1000));
}

TEST_F(SyllablesTest, AMissingDictionaryFailsSetupAndNamesTheFile) {
    const auto outcome = plugin_.setup(R"({"dictionary":"/nonexistent.dic"})");

    EXPECT_EQ(outcome.status, DTO_RETRY_ELSEWHERE);
    EXPECT_NE(outcome.message.find("/nonexistent.dic"), std::string::npos) << outcome.message;
    EXPECT_NE(outcome.message.find("hyphen-en-us"), std::string::npos) << outcome.message;
}

TEST_F(SyllablesTest, AFileThatIsNoDictionaryFailsSetup) {
    const auto outcome = plugin_.setup(R"({"dictionary":"/etc/passwd"})");

    EXPECT_EQ(outcome.status, DTO_RETRY_ELSEWHERE);
    EXPECT_NE(outcome.message.find("first line"), std::string::npos) << outcome.message;
}

TEST_F(SyllablesTest, TheEnvironmentNamesADictionaryAndTheConfigurationWins) {
    setenv("DISTRIBUTO_SYLLABLES_DICTIONARY", "/nonexistent.dic", 1);
    const auto outcome = plugin_.setup();
    unsetenv("DISTRIBUTO_SYLLABLES_DICTIONARY");
    EXPECT_EQ(outcome.status, DTO_RETRY_ELSEWHERE);

    setenv("DISTRIBUTO_SYLLABLES_DICTIONARY", "/nonexistent.dic", 1);
    EXPECT_TRUE(plugin_.setup(R"({"dictionary":"/usr/share/hyphen/hyph_en_US.dic"})").ok());
    unsetenv("DISTRIBUTO_SYLLABLES_DICTIONARY");
}

}  // namespace
