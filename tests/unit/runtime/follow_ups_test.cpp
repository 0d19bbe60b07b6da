#include "runtime/follow_ups.hpp"

#include "runtime/abi_text.hpp"
#include "wire/limits.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace distributo::runtime {
namespace {

using testing::HasSubstr;

dto_task_spec spec(const std::string& type, const std::string& payload = "{}") {
    dto_task_spec made{};
    made.struct_size = sizeof made;
    made.type = abi_text(type);
    made.payload_json = abi_text(payload);
    return made;
}

TEST(FollowUpsTest, BecomeOneArray) {
    FollowUps tasks;
    const std::string a = "a", b = "b", one = "1";
    EXPECT_TRUE(tasks.add(spec(a)));
    auto full = spec(b, one);
    const std::string install = R"(["x"])", key = "k\"ey", group = "g", needed = R"({"labels":{}})";
    full.install_json = abi_text(install);
    full.dedupe_key = abi_text(key);
    full.group = abi_text(group);
    full.requires_json = abi_text(needed);
    full.priority = -3;
    full.max_attempts = 2;
    full.timeout_ms = 1500;
    EXPECT_TRUE(tasks.add(full));

    EXPECT_EQ(tasks.take(),
              R"([{"type":"a","payload":{}},{"type":"b","payload":1,"install":["x"],)"
              R"("dedupe_key":"k\"ey","group":"g","requires":{"labels":{}},"priority":-3,)"
              R"("max_attempts":2,"timeout_ms":1500}])");
    EXPECT_EQ(tasks.take(), "");
}

TEST(FollowUpsTest, AnOlderStructHasFewerMembers) {
    FollowUps tasks;
    const std::string type = "a", payload = "7";
    auto old = spec(type, payload);
    old.struct_size = offsetof(dto_task_spec, install_json);
    old.priority = 5;
    EXPECT_TRUE(tasks.add(old));
    EXPECT_EQ(tasks.take(), R"([{"type":"a","payload":7}])");
}

TEST(FollowUpsTest, WhatIsNoTaskIsRefusedWithTheReason) {
    FollowUps tasks;
    const std::string deep =
        std::string(wire::limits::json_depth, '[') + std::string(wire::limits::json_depth, ']');
    const std::tuple<std::string, std::string, std::string> cases[] = {
        {"", "{}", "it has no type"},
        {std::string(400, 'a'), "{}", "type has more than "},
        {"a\nb", "{}", "type contains control characters"},
        {"a", "{", "payload is not JSON"},
        {"a", "1,2", "payload is not JSON"},
        {"a", deep, "nested too deep"}};
    for (const auto& [type, payload, why] : cases) {
        const auto added = tasks.add(spec(type, payload));
        ASSERT_FALSE(added) << payload;
        EXPECT_THAT(added.error().message, HasSubstr(why));
    }
    EXPECT_EQ(tasks.take(), "");
}

TEST(FollowUpsTest, AreBoundedInNumberAndBytes) {
    FollowUps tasks;
    const std::string type = "a", payload = "{}";
    for (std::size_t i = 0; i < wire::limits::emitted_count; ++i)
        ASSERT_TRUE(tasks.add(spec(type, payload)));
    EXPECT_THAT(tasks.add(spec(type, payload)).error().message, HasSubstr("1024 at most"));
    tasks.clear();

    const std::string large = '"' + std::string(wire::limits::emitted_bytes / 2, 'x') + '"';
    ASSERT_TRUE(tasks.add(spec(type, large)));
    EXPECT_THAT(tasks.add(spec(type, large)).error().message, HasSubstr("bytes at most"));
    EXPECT_LE(tasks.take().size(), wire::limits::emitted_bytes);
}

}  // namespace
}  // namespace distributo::runtime
