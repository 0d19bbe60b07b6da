#include <distributo/testing.hpp>

int main() {
    distributo::testing::Plugin plugin(DISTRIBUTO_PLUGIN_FILE);

    const auto answer = plugin.run("@NAME@.run", R"({"text":"stressed","capitals":true})");
    DISTRIBUTO_EXPECT_EQUAL(answer.result, R"({"text":"DESSERTS","length":8})");

    const auto empty = plugin.run("@NAME@.run", R"({"text":""})");
    DISTRIBUTO_EXPECT_EQUAL(empty.status, DTO_PERMANENT);
    DISTRIBUTO_EXPECT_EQUAL(empty.message, "text must not be empty");

    const auto misfit = plugin.run("@NAME@.run", R"({"text":7})");
    DISTRIBUTO_EXPECT_EQUAL(misfit.message, "payload.text: expected string, got number");

    distributo::testing::RunOptions options;
    options.cancel_at_check = 3;
    const auto cancelled = plugin.run("@NAME@.run", R"({"text":"stressed"})", options);
    DISTRIBUTO_EXPECT_EQUAL(cancelled.status, DTO_CANCELLED);

    return distributo::testing::report();
}
