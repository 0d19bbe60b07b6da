#include "files.hpp"
#include "outcomes.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

using distributo::testing::Sink;
using outcomes::range;

class CommandTest : public testing::Test {
protected:
    /// A shell script, as the only argument of sh.
    [[nodiscard]] std::string config(const std::string& script,
                                     const std::string& more = "") const {
        return R"({"fields":[],"argv":["sh",")" + files_.write("run.sh", script) + "\"]" + more +
               "}";
    }
    Files files_;
    Sink sink_{DISTRIBUTO_PLUGIN_FILE};
};

TEST_F(CommandTest, AProgramReadsEachOutcomeAsALine) {
    {
        Sink sink(DISTRIBUTO_PLUGIN_FILE);
        ASSERT_TRUE(sink.open(config("cat >" + files_.path("out"))).ok());
        EXPECT_TRUE(sink.write(range(1, 3)).ok());
        EXPECT_TRUE(sink.write(range(4, 4)).ok());
    }  // the program has its end of input
    EXPECT_EQ(files_.read("out"),
              "{\"sequence\":1}\n{\"sequence\":2}\n{\"sequence\":3}\n{\"sequence\":4}\n");
}

TEST_F(CommandTest, WhatItAcknowledgesIsStored) {
    ASSERT_TRUE(sink_
                    .open(config("while read l; do n=${l##*:}; echo ${n%\\}}; done",
                                 R"(,"acknowledge":true)"))
                    .ok());
    EXPECT_TRUE(sink_.write(range(1, 500)).ok());
}

TEST_F(CommandTest, AProgramThatDiesIsSaidAndStartedAgain) {
    ASSERT_TRUE(sink_
                    .open(config("echo x >>" + files_.path("starts") + "; exit 3",
                                 R"(,"acknowledge":true)"))
                    .ok());
    for (int i = 0; i < 2; ++i) {
        const auto failed = sink_.write(range(1, 2));
        EXPECT_EQ(failed.status, DTO_RETRY);
        EXPECT_EQ(failed.message, "the program ended with code 3");
    }
    EXPECT_EQ(files_.read("starts"), "x\nx\n");
}

TEST_F(CommandTest, AProgramThatDoesNotReadIsNotWaitedForForEver) {
    ASSERT_TRUE(sink_.open(config("exec sleep 1000", R"(,"timeout_ms":50)")).ok());
    const auto failed = sink_.write(range(1, 20'000));
    EXPECT_EQ(failed.status, DTO_RETRY);
    EXPECT_EQ(failed.message, "the program did not read in time");
}

TEST_F(CommandTest, AProgramThatTalksMuchDoesNotBlockEitherSide) {
    ASSERT_TRUE(
        sink_
            .open(config(
                "while read l; do for i in 1 2 3 4 5 6 7 8 9; do echo \"$l $i\"; done; done"))
            .ok());
    EXPECT_TRUE(sink_.write(range(1, 10'000)).ok());
}

TEST_F(CommandTest, AProgramThatIsNotThereIsNamed) {
    ASSERT_TRUE(sink_.open(R"({"argv":["/no/such/program"]})").ok());
    const auto failed = sink_.write(range(1, 1));
    EXPECT_EQ(failed.status, DTO_PERMANENT);
    EXPECT_EQ(failed.message, "cannot start /no/such/program: No such file or directory");
}

}  // namespace
