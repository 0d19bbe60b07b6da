#include "runtime/frame.hpp"

#include "runtime/frame_messages.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace distributo::runtime {
namespace {

void feed(FrameBuffer& buffer, std::string_view bytes) {
    const auto space = buffer.space();
    ASSERT_GE(space.size, bytes.size());
    std::copy(bytes.begin(), bytes.end(), space.data);
    buffer.filled(bytes.size());
}

TEST(FrameTest, SurvivesArrivingByteByByte) {
    std::string bytes;
    write_log(bytes, 7, "stdout", "first");
    write_log(bytes, 8, "stderr", "second");
    FrameBuffer buffer;
    std::vector<std::string> texts;

    for (const char byte : bytes) {
        feed(buffer, {&byte, 1});
        Frame frame;
        while (buffer.next(frame)) {
            const auto stream = frame.text();
            texts.push_back(std::to_string(frame.header.id) + std::string(stream) +
                            std::string(frame.text()));
        }
    }

    EXPECT_EQ(texts, (std::vector<std::string>{"7stdoutfirst", "8stderrsecond"}));
}

TEST(FrameTest, ALengthBeyondTheLimitIsCorrupt) {
    FrameHeader header{
        .size = 0xFFFF'FFFF, .kind = FrameKind::log, .status = 0, .type = 0, .id = 0};
    FrameBuffer buffer;
    feed(buffer, {reinterpret_cast<const char*>(&header), sizeof header});

    Frame frame;
    EXPECT_FALSE(buffer.next(frame));
    EXPECT_TRUE(buffer.corrupt());
}

TEST(FrameTest, ReadingBeyondTheBodyIsNoticed) {
    Frame frame;
    const std::uint32_t size = 100;
    frame.body = {reinterpret_cast<const char*>(&size), sizeof size};

    EXPECT_EQ(frame.text(), "");
    EXPECT_TRUE(frame.bad);
    EXPECT_EQ(frame.number(), 0);
}

TEST(FrameTest, ACallArrivesAsItWasSent) {
    std::string bytes;
    write_execute(bytes,
                  (CallId{3} << 32U) | 5,
                  9,
                  {.call = 1,
                   .type = "t",
                   .task_id = "id",
                   .attempt = 4,
                   .payload = "{}",
                   .content_key = "key",
                   .install_dir = "/dir",
                   .timeout = base::Duration(77)});
    FrameBuffer buffer;
    feed(buffer, bytes);
    Frame frame;
    ASSERT_TRUE(buffer.next(frame));

    const auto work = read_work(frame);

    ASSERT_TRUE(work);
    EXPECT_EQ(work->id, (CallId{3} << 32U) | 5);
    EXPECT_EQ(work->type, 9U);
    EXPECT_EQ(work->attempt, 4U);
    EXPECT_EQ(work->kind, WorkKind::execute);
    EXPECT_EQ(work->timeout, base::Duration(77));
    EXPECT_EQ(work->task_id + work->body + work->content_key + work->directory, "id{}key/dir");
}

TEST(FrameTest, ARunnerCannotClaimToHaveCrashed) {
    CallResult result;
    result.status = CallResult::Status::crashed;
    std::string bytes;
    write_result(bytes, result);
    FrameBuffer buffer;
    feed(buffer, bytes);
    Frame frame;
    ASSERT_TRUE(buffer.next(frame));

    EXPECT_FALSE(read_result(frame));
}

}  // namespace
}  // namespace distributo::runtime
