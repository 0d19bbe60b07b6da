#include "runtime/open_calls.hpp"

#include <gtest/gtest.h>

#include <array>

namespace distributo::runtime {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

class OpenCallsTest : public testing::Test, public OpenCalls::Owner {
protected:
    void ask_to_end(OpenCalls::Ticket call) override { asked.push_back(call); }
    void on_overdue(OpenCalls::Ticket call) override { overdue.push_back(call); }
    [[nodiscard]] std::span<const CallSlot> slots() const override { return slots_; }

    void execute_since(OpenCalls::Ticket call, base::Duration ago) {
        slots_[0].begin(call, steady_clock::now() - ago);
    }

    boost::asio::io_context io;
    std::array<CallSlot, 2> slots_;
    OpenCalls calls{io, *this};
    std::vector<OpenCalls::Ticket> asked, overdue;
};

TEST_F(OpenCallsTest, ATicketIsNotValidForTheNextCallInItsPlace) {
    CallResult result;
    const auto first = calls.open(11, {}, {});
    ASSERT_TRUE(calls.close(first, result));
    const auto second = calls.open(12, {}, {});

    EXPECT_NE(first, second);
    EXPECT_FALSE(calls.find(first));
    EXPECT_FALSE(calls.close(first, result));
    EXPECT_EQ(calls.find(second), 12U);
    EXPECT_EQ(calls.size(), 1U);
}

TEST_F(OpenCallsTest, ClosingPutsTheCallersNumberIn) {
    CallResult result;
    ASSERT_TRUE(calls.close(calls.open(42, {}, {}), result));

    EXPECT_EQ(result.call, 42U);
}

TEST_F(OpenCallsTest, AQueuedCallDoesNotRunOutOfTime) {
    static_cast<void>(calls.open(1, milliseconds(2), {}));

    io.run_for(milliseconds(20));

    EXPECT_TRUE(asked.empty());
}

TEST_F(OpenCallsTest, ACallThatExecutesTooLongIsAskedThenOverdue) {
    const auto call = calls.open(1, milliseconds(2), milliseconds(3));
    execute_since(call, milliseconds(1));
    while (overdue.empty())
        io.run_one();

    EXPECT_EQ(asked, std::vector{call});
    EXPECT_EQ(overdue, std::vector{call});
    EXPECT_EQ(calls.ending(call), OpenCalls::Ending::timed_out);
    CallResult result;
    result.status = CallResult::Status::cancelled;
    calls.close(call, result);
    EXPECT_EQ(result.status, CallResult::Status::timeout);
    EXPECT_EQ(result.message, "ran longer than its limit of 2 ms");
}

TEST_F(OpenCallsTest, AResultThatArrivesAfterTheLimitStillCounts) {
    const auto call = calls.open(1, milliseconds(1), milliseconds(1000));
    execute_since(call, milliseconds(1));
    while (asked.empty())
        io.run_one();

    CallResult result;
    calls.close(call, result);

    EXPECT_EQ(result.status, CallResult::Status::ok);
}

TEST_F(OpenCallsTest, ACallIsAskedToEndOnce) {
    static_cast<void>(calls.open(5, {}, milliseconds(1000)));
    calls.cancel(5);
    calls.cancel(5);
    calls.cancel(6);

    EXPECT_EQ(asked.size(), 1U);
}

TEST_F(OpenCallsTest, AnsweredCallsAreNotOverdue) {
    const auto call = calls.open(5, {}, milliseconds(1));
    calls.cancel(5);
    CallResult result;
    calls.close(call, result);

    io.run_for(milliseconds(10));

    EXPECT_TRUE(overdue.empty());
}

}  // namespace
}  // namespace distributo::runtime
