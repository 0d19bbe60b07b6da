#include "wire/token.hpp"

#include "wire/messages.hpp"
#include "wire/task_state.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace distributo::wire {
namespace {

TEST(TokenTest, TextAndBack) {
    const Token tokens[] = {{0, 0, 0},
                            {.term = 1, .slot = 3, .counter = 5},
                            {.term = std::numeric_limits<std::uint32_t>::max(),
                             .slot = std::numeric_limits<std::uint32_t>::max(),
                             .counter = std::numeric_limits<std::uint64_t>::max()}};
    for (const Token& token : tokens) {
        std::string text;
        append_token(text, token);
        EXPECT_EQ(parse_token(text), token) << text;
    }
}

TEST(TokenTest, TextIsTermCounterSlot) {
    std::string text = ">";

    append_token(text, {.term = 1, .slot = 3, .counter = 5});

    EXPECT_EQ(text, ">1-5-3");
}

TEST(TokenTest, OtherTextsAreNoTokens) {
    for (const char* const text : {"",
                                   "1",
                                   "1-2",
                                   "1-2-",
                                   "1-2-3-4",
                                   "-1-2-3",
                                   "1--2-3",
                                   "+1-2-3",
                                   " 1-2-3",
                                   "1-2-3 ",
                                   "01-2-3",
                                   "1-02-3",
                                   "1-2-03",
                                   "a-2-3",
                                   "1-2-0x3",
                                   "4294967296-1-1",
                                   "1-1-4294967296",
                                   "1-18446744073709551616-1"})
        EXPECT_EQ(parse_token(text), std::nullopt) << text;
}

TEST(TaskStateTest, NamesAndBack) {
    for (int i = 0; i <= static_cast<int>(TaskState::expired); ++i) {
        const auto state = static_cast<TaskState>(i);
        EXPECT_EQ(parse_task_state(to_string(state)), state);
    }
    for (const Phase phase : {Phase::assigned, Phase::setup, Phase::install, Phase::execute})
        EXPECT_EQ(parse_phase(to_string(phase)), phase);
    EXPECT_EQ(parse_task_state("done"), std::nullopt);
    EXPECT_EQ(parse_phase(""), std::nullopt);
}

TEST(TaskStateTest, NamesAreThoseOfTheApi) {
    EXPECT_EQ(to_string(TaskState::scheduled), "scheduled");
    EXPECT_EQ(to_string(TaskState::cancelling), "cancelling");
    EXPECT_EQ(to_string(TaskState::expired), "expired");
    EXPECT_EQ(to_string(Phase::execute), "execute");
    EXPECT_EQ(to_string(FailReason::none), "none");
    EXPECT_EQ(to_string(FailReason::attempts_exhausted), "attempts_exhausted");
    EXPECT_EQ(to_string(FailReason::lost), "lost");
    EXPECT_EQ(to_string(AttemptStatus::ok), "ok");
    EXPECT_EQ(to_string(AttemptStatus::retry_elsewhere), "retry_elsewhere");
    EXPECT_EQ(to_string(AttemptStatus::interrupted), "interrupted");
}

}  // namespace
}  // namespace distributo::wire
