#include "tests/unit/api/api_fixture.hpp"

namespace distributo::tests {
namespace {

class GroupsTest : public ApiTest {
protected:
    std::string state(const std::string& name) { return get("/v1/groups/" + name).member("state"); }
    std::int64_t of(const std::string& name, std::string_view state) {
        return get("/v1/groups/" + name).body().at("tasks").at(state).as_int64();
    }
    json::value count(const std::string& query) {
        const json::value body = get("/v1/tasks?count=true&limit=1&" + query).body();
        return body.as_object().contains("count") ? body.at("count") : body.at("code");
    }
};

TEST_F(GroupsTest, TheStateOfAGroupFollowsItsTasks) {
    submit(R"({"type":"run","id":"a","group":"g"})");
    submit(R"({"type":"run","id":"b","group":"g"})");
    submit(R"({"type":"run","id":"c","group":"g","max_attempts":1})");
    EXPECT_EQ(state("g"), "pending");
    EXPECT_EQ(of("g", "pending"), 3);
    FakeHost& host = join("box", {{"run", ""}});
    EXPECT_EQ(state("g"), "running");
    finish(host, "1");
    post("/v1/tasks/b/cancel");
    EXPECT_EQ(state("g"), "running") << "one is being cancelled";
    EXPECT_EQ(of("g", "cancelling"), 1);
    fail(host, wire::AttemptStatus::cancelled, "");
    EXPECT_EQ(of("g", "cancelled"), 1);
    fail(host, wire::AttemptStatus::permanent, "broken");
    EXPECT_EQ(state("g"), "failed");
    EXPECT_EQ(of("g", "completed"), 1);
    EXPECT_EQ(get("/v1/groups/g").body().at("total").as_int64(), 3);
}

TEST_F(GroupsTest, TheOtherStates) {
    submit(R"({"type":"run","id":"a","group":"g"})");
    post("/v1/tasks/a/hold");
    EXPECT_EQ(state("g"), "held");
    post("/v1/tasks/a/cancel");
    EXPECT_EQ(state("g"), "cancelled");
    FakeHost& host = join("box", {{"run", ""}});
    submit(R"({"type":"run","group":"h"})");
    finish(host, "1");
    EXPECT_EQ(state("h"), "completed");
    submit(R"({"type":"run","group":"h","delay":"1h"})");
    EXPECT_EQ(state("h"), "pending");
    EXPECT_EQ(get("/v1/groups/none").status(), 404U);
    EXPECT_EQ(get("/v1/groups/none").member("code"), "group_not_found");
}

TEST_F(GroupsTest, GroupsAreListedNewestFirstPageByPage) {
    for (const char* name : {"one", "two", "three"})
        submit(R"({"type":"t","group":")" + std::string(name) + "\"}");
    submit(R"({"type":"t","group":"one"})");
    const json::value first = get("/v1/groups?limit=2").body();

    ASSERT_EQ(first.at("items").as_array().size(), 2U);
    EXPECT_EQ(first.at("items").at(0).at("name").as_string(), "one");
    EXPECT_EQ(first.at("items").at(0).at("total").as_int64(), 2);
    EXPECT_EQ(first.at("items").at(1).at("name").as_string(), "three");
    const json::value second =
        get("/v1/groups?limit=2&cursor=" + std::string(first.at("next_cursor").as_string())).body();
    EXPECT_EQ(second.at("items").at(0).at("name").as_string(), "two");
    EXPECT_FALSE(second.as_object().contains("next_cursor"));
    EXPECT_EQ(get("/v1/groups?cursor=!").member("code"), "invalid_parameter");
}

TEST_F(GroupsTest, TasksAreCountedByStateAndTypeOrGroup) {
    FakeHost& host = join("box", {{"run", ""}});
    submit(R"({"type":"run","group":"g"})");
    finish(host, "1");
    submit(R"({"type":"run","group":"g"})");
    submit(R"({"type":"wait","group":"g"})");
    submit(R"({"type":"wait","delay":"1h"})");

    EXPECT_EQ(count(""), 4);
    EXPECT_EQ(count("state=completed"), 1);
    EXPECT_EQ(count("state=running,scheduled"), 2);
    EXPECT_EQ(count("type=wait"), 2);
    EXPECT_EQ(count("type=wait&state=pending"), 1);
    EXPECT_EQ(count("type=none"), 0);
    EXPECT_EQ(count("group=g"), 3);
    EXPECT_EQ(count("group=g&state=completed,pending"), 2);
    EXPECT_EQ(count("group=none"), 0);
    for (const char* query : {"type=run&group=g", "host=box", "label=a:b", "created_from=-1h"})
        EXPECT_EQ(count(query), "invalid_parameter") << query;
    EXPECT_FALSE(get("/v1/tasks").body().as_object().contains("count"));
}

TEST_F(GroupsTest, AGroupIsAskedAsAWhole) {
    FakeHost& host = join("box", {{"run", ""}});
    submit(R"({"type":"run","id":"runs","group":"g"})");
    submit(R"({"type":"wait","id":"waits","group":"g"})");
    submit(R"({"type":"wait","id":"later","group":"g","delay":"1h"})");
    submit(R"({"type":"wait","id":"other","group":"h"})");
    const auto ask = [&](const std::string& what, std::string_view body = {}) {
        const Call answer = post("/v1/groups/g/" + what, body);
        EXPECT_FALSE(answer.body().at("more").as_bool()) << what;
        return answer.body().at("changed").as_int64();
    };

    EXPECT_EQ(ask("hold", R"({"reason":"lunch"})"), 2);
    EXPECT_EQ(get("/v1/tasks/waits").member("hold_reason"), "lunch");
    EXPECT_EQ(of("g", "running"), 1) << "what runs goes on";
    EXPECT_EQ(ask("hold"), 0);
    EXPECT_EQ(ask("release"), 2);
    EXPECT_EQ(ask("cancel"), 3);
    EXPECT_EQ(of("g", "cancelled"), 2);
    fail(host, wire::AttemptStatus::cancelled, "");
    EXPECT_EQ(ask("retry"), 3);
    EXPECT_EQ(of("g", "running"), 1);
    EXPECT_EQ(state("h"), "pending") << "others are left alone";
    EXPECT_EQ(post("/v1/groups/none/cancel").body().at("changed").as_int64(), 0);
    EXPECT_EQ(post("/v1/groups/g/hold", R"({"why":1})").status(), 400U);
}

TEST_F(GroupsTest, ALargeGroupIsAskedInParts) {
    restart({}, 10'000);
    std::string batch;
    for (int i = 0; i < 1500; ++i)
        batch += R"({"type":"wait","group":"g"})"
                 "\n";
    call(Method::post, "/v1/tasks:batch", batch, {.content_type = "application/x-ndjson"});
    for (const char* what : {"cancel", "retry"}) {
        const Call first = post("/v1/groups/g/" + std::string(what));
        EXPECT_EQ(first.body().at("changed").as_int64(), 1000) << what;
        EXPECT_TRUE(first.body().at("more").as_bool()) << what;
        const Call second = post("/v1/groups/g/" + std::string(what));
        EXPECT_EQ(second.body().at("changed").as_int64(), 500) << what;
        EXPECT_FALSE(second.body().at("more").as_bool()) << what;
    }
}

}  // namespace
}  // namespace distributo::tests
