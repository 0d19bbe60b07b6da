#include <distributo/testing.hpp>

using distributo::testing::Generator;
using distributo::testing::Plugin;
using distributo::testing::stream_fault;

int main() {
    Generator numbers(DISTRIBUTO_PLUGIN_FILE);
    DISTRIBUTO_EXPECT(numbers.open(R"({"last":5,"step":2})").ok());

    const auto two = numbers.next(2);  // room for two tasks
    DISTRIBUTO_EXPECT_EQUAL(two.status, DTO_OK);
    DISTRIBUTO_EXPECT_EQUAL(two.emitted.size(), 2U);
    DISTRIBUTO_EXPECT_EQUAL(two.emitted.at(1).type, "@NAME@.square");
    DISTRIBUTO_EXPECT_EQUAL(two.emitted.at(1).payload, R"({"n":3})");
    DISTRIBUTO_EXPECT_EQUAL(numbers.checkpoint(), R"({"next":5})");

    DISTRIBUTO_EXPECT(numbers.reopen().ok());  // as after a restart
    const auto rest = numbers.run();
    DISTRIBUTO_EXPECT_EQUAL(rest.status, DTO_END);
    DISTRIBUTO_EXPECT_EQUAL(rest.emitted.size(), 1U);

    // The same tasks with any room, and from any checkpoint.
    DISTRIBUTO_EXPECT_EQUAL(stream_fault(DISTRIBUTO_PLUGIN_FILE, R"({"last":100})"), "");

    const auto misfit = numbers.open(R"({"last":"three"})");
    DISTRIBUTO_EXPECT_EQUAL(misfit.message, "config.last: expected unsigned integer, got string");

    DISTRIBUTO_EXPECT_EQUAL(numbers.open(R"({"last":5,"step":0})").status, DTO_PERMANENT);

    Plugin tasks(DISTRIBUTO_PLUGIN_FILE);
    DISTRIBUTO_EXPECT_EQUAL(tasks.run("@NAME@.square", R"({"n":12})").result, R"({"square":144})");

    return distributo::testing::report();
}
