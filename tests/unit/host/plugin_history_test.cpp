#include "host/plugin_history.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace distributo::host {
namespace {

using testing::ElementsAre;

std::string digest(char c) {
    return std::string(64, c);
}

std::string before(const PluginHistory& history, const std::string& file, char c) {
    const auto* found = history.before(file, digest(c));
    return found ? found->version : "none";
}

class PluginHistoryTest : public testing::Test {
protected:
    PluginHistoryTest() {
        history.add("/p/a.so", {digest('1'), "1.0.0"});
        history.add("/p/a.so", {digest('2'), "1.1.0"});
        history.add("/p/b c.so", {digest('3'), "2.0.0"});
    }
    PluginHistory history;
};

TEST_F(PluginHistoryTest, TheVersionBeforeIsTheNewestOther) {
    EXPECT_EQ(before(history, "/p/a.so", '2'), "1.0.0");
    EXPECT_EQ(before(history, "/p/a.so", '9'), "1.1.0") << "one that was never on offer";
    EXPECT_EQ(before(history, "/p/b c.so", '3'), "none");
    EXPECT_EQ(before(history, "/p/z.so", '3'), "none");
}

TEST_F(PluginHistoryTest, TwoVersionsAreKept) {
    history.add("/p/a.so", {digest('4'), "1.2.0"});

    EXPECT_THAT(history.digests(), ElementsAre(digest('2'), digest('3'), digest('4')));
}

TEST_F(PluginHistoryTest, AVersionThatComesBackIsTheNewest) {
    history.add("/p/a.so", {digest('1'), "1.0.0"});

    EXPECT_EQ(before(history, "/p/a.so", '1'), "1.1.0");
}

TEST_F(PluginHistoryTest, ARejectedVersionIsNotGoneBackTo) {
    history.reject("/p/a.so", digest('2'));
    EXPECT_EQ(before(history, "/p/a.so", '9'), "1.0.0");
    history.reject("/p/a.so", digest('1'));
    history.reject("/p/z.so", digest('1'));

    EXPECT_EQ(before(history, "/p/a.so", '9'), "none");
}

TEST_F(PluginHistoryTest, ItIsTheSameAfterBeingWrittenAndRead) {
    const auto read = PluginHistory::parse(history.text());

    EXPECT_EQ(read.text(), history.text());
    EXPECT_EQ(before(read, "/p/a.so", '2'), "1.0.0");
    EXPECT_EQ(before(read, "/p/b c.so", '9'), "2.0.0");
}

TEST_F(PluginHistoryTest, LinesThatAreNotOfThatFormAreLeftOut) {
    const auto line = digest('5') + " 1.0.0 /p/a.so\n";
    EXPECT_EQ(PluginHistory::parse("nonsense\n\n" + digest('5') + "\nabc 1.0.0 /p/a.so\n" +
                                   digest('5') + " 1.0.0 \n" + line)
                  .text(),
              line);
    EXPECT_EQ(PluginHistory::parse("").text(), "");
    history.add("/p/line\nbreak.so", {digest('6'), "1.0.0"});
    EXPECT_EQ(PluginHistory::parse(history.text()).digests().size(), 3U);
}

TEST_F(PluginHistoryTest, FilesThatAreGoneAreForgotten) {
    history.forget_all_but({"/p/a.so"});
    EXPECT_EQ(before(history, "/p/b c.so", '9'), "none");
    history.forget("/p/a.so");

    EXPECT_EQ(history.text(), "");
}

}  // namespace
}  // namespace distributo::host
