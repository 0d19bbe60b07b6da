#include "coordinator/engine/log_book.hpp"

#include <gtest/gtest.h>

#include <string>

namespace distributo::coordinator::engine {
namespace {

class LogBookTest : public testing::Test {
protected:
    static LogBook small() {
        // A line costs its text and the size of its record.
        return LogBook({.head = 2 * line_cost,
                        .tail = 2 * line_cost,
                        .total = 64 * 1024,
                        .bytes_per_second = 1024});
    }
    void write(LogBook& book, std::string_view text, std::uint32_t attempt = 1, TaskId task = 7) {
        book.append(task, attempt, "stdout", text, now_, base::WallTime{});
    }
    static std::string all(const LogBook& book, TaskId task = 7) {
        std::string text;
        for (const auto& line : book.lines(task))
            text += line.text + "|";
        return text;
    }

    static constexpr std::size_t line_cost = sizeof(LogLine) + 8;
    base::TimePoint now_{};
};

TEST_F(LogBookTest, KeepsWhatFits) {
    LogBook book;
    write(book, "one");
    write(book, "two", 2);

    const auto lines = book.lines(7);

    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0].text, "one");
    EXPECT_EQ(lines[0].stream, "stdout");
    EXPECT_EQ(lines[0].attempt, 1U);
    EXPECT_EQ(lines[1].attempt, 2U);
    EXPECT_TRUE(book.lines(8).empty());
}

TEST_F(LogBookTest, LeavesOutTheMiddleAndSaysSo) {
    LogBook book = small();
    for (const char* text :
         {"12345671", "12345672", "12345673", "12345674", "12345675", "12345676"})
        write(book, text);

    EXPECT_EQ(all(book), "12345671|12345672|… 16 bytes left out …|12345675|12345676|");
}

TEST_F(LogBookTest, OfOneLongPieceKeepsTheEnd) {
    LogBook book({.head = 0, .tail = line_cost, .total = 1 << 20U, .bytes_per_second = 1 << 20U});

    write(book, "0123456789abcdef");

    EXPECT_EQ(all(book), "… 8 bytes left out …|89abcdef|");
}

TEST_F(LogBookTest, WhatComesTooFastIsLeftOut) {
    LogBook book({.head = 1 << 20U, .tail = 1 << 20U, .total = 1 << 20U, .bytes_per_second = 10});
    write(book, "12345678");
    write(book, "too much");
    now_ += std::chrono::seconds(1);
    write(book, "later");

    EXPECT_EQ(all(book), "12345678|… 8 bytes left out …|later|");
}

TEST_F(LogBookTest, AttemptsThatWroteLongestAgoGoFirst) {
    LogBook book({.head = 1024, .tail = 1024, .total = 4096, .bytes_per_second = 1 << 20U});
    write(book, "first", 1, 1);
    write(book, "second", 1, 2);
    write(book, "again", 1, 1);
    for (TaskId task = 10; !book.lines(2).empty() && task < 1000; ++task)
        write(book, "other", 1, task);

    EXPECT_TRUE(book.lines(2).empty());
    EXPECT_EQ(all(book, 1), "first|again|");
    EXPECT_LE(book.bytes(), 4096U);
}

TEST_F(LogBookTest, CountsItsMemoryExactly) {
    LogBook book({.head = 1024, .tail = 1024, .total = 1, .bytes_per_second = 100});
    for (TaskId task = 1; task < 100; ++task)
        for (int line = 0; line < 30; ++line)
            write(book, "some text", 1, task);
    const auto with_one = book.bytes();

    LogBook fresh({.head = 1024, .tail = 1024, .total = 1, .bytes_per_second = 100});
    for (int line = 0; line < 30; ++line)
        write(fresh, "some text", 1, 99);

    EXPECT_EQ(with_one, fresh.bytes()) << "only the last attempt is left";
}

}  // namespace
}  // namespace distributo::coordinator::engine
