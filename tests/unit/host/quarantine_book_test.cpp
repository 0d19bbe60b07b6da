#include "host/quarantine_book.hpp"

#include <gtest/gtest.h>

namespace distributo::host {
namespace {

using namespace std::chrono_literals;

const std::string bad(64, 'a');
const std::string worse(64, 'b');
constexpr base::WallTime now{1'000'000s};

TEST(QuarantineBookTest, SaysHowMuchIsLeftAfterARestart) {
    QuarantineBook book;
    book.add(bad, "crashed 3 times\nin 60 s", now, 120s);

    const auto again = QuarantineBook::parse(book.text(), now + 50s);

    const auto found = again.find(bad, now + 50s);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->why, "crashed 3 times in 60 s");
    EXPECT_EQ(found->left, 70s);
    EXPECT_EQ(found->pause, 120s);
    EXPECT_FALSE(again.find(worse, now));
}

TEST(QuarantineBookTest, AQuarantineThatIsOverIsRememberedForAnHour) {
    QuarantineBook book;
    book.add(bad, "why", now, 60s);

    EXPECT_EQ(book.find(bad, now + 61s)->left, 0s);
    EXPECT_TRUE(QuarantineBook::parse(book.text(), now + 1h).find(bad, now + 1h));
    EXPECT_FALSE(QuarantineBook::parse(book.text(), now + 2h).find(bad, now + 2h));
}

TEST(QuarantineBookTest, AClockThatWasPutBackDoesNotMakeItLonger) {
    QuarantineBook book;
    book.add(bad, "why", now, 60s);

    EXPECT_EQ(book.find(bad, now - 48h)->left, 60s);
}

TEST(QuarantineBookTest, ForgetsAndKeepsTheRest) {
    QuarantineBook book;
    book.add(bad, "one", now, 60s);
    book.add(worse, "two", now, 60s);

    EXPECT_TRUE(book.forget(bad));
    EXPECT_FALSE(book.forget(bad));
    EXPECT_EQ(QuarantineBook::parse(book.text(), now).find(worse, now)->why, "two");
}

TEST(QuarantineBookTest, LeavesOutWhatIsNoEntry) {
    const auto line = [](const std::string& rest) { return bad + rest; };
    for (const auto& text : {std::string("nonsense"),
                             line(""),
                             line(" 1000000000"),
                             line(" x 60000 why"),
                             line(" 1000000000 -1 why"),
                             line(" 1000000000 99999999999 why")})
        EXPECT_FALSE(QuarantineBook::parse(text, now).find(bad, now)) << text;
}

}  // namespace
}  // namespace distributo::host
