#include "tests/unit/api/api_fixture.hpp"

#include <gmock/gmock.h>

namespace distributo::tests {
namespace {

using ::testing::HasSubstr;

class VersionsTest : public ApiTest {
protected:
    json::value task(const std::string& id) { return get("/v1/tasks/" + id).body(); }
};

TEST_F(VersionsTest, ATaskShowsItsTypeAndItsRange) {
    const std::string id = submit(R"({"type":"render@^1.2","priority":1})");

    EXPECT_EQ(task(id).at("type").as_string(), "render");
    EXPECT_EQ(task(id).at("version_range").as_string(), "^1.2");
    EXPECT_EQ(task(id).at("priority").as_int64(), 1);
    EXPECT_EQ(task(submit(R"({"type":"render"})")).as_object().if_contains("version_range"),
              nullptr);
    EXPECT_EQ(get("/v1/tasks?type=render").body().at("items").as_array().size(), 2U);
}

TEST_F(VersionsTest, EveryWayToSubmitTakesARange) {
    auto& host = join("one", {{"render@1.0.0", ""}, {"render@2.0.0", ""}});
    submit(R"({"type":"render@^1"})");
    EXPECT_EQ(
        post("/v1/tasks:batch", R"([{"type":"render@1.0.0"},{"type":"render@>=1 <2"}])").status(),
        200U);
    EXPECT_EQ(
        post("/addTask", R"({"projectName":"p","options":{"taskType":"render@1.x"}})").status(),
        200U);
    EXPECT_EQ(
        post("/addTasks", R"([{"projectName":"p","options":{"taskType":"render@~1"}}])").status(),
        200U);
    run();

    std::vector<std::string> ranges;
    for (const auto& one : host.assigned) {
        EXPECT_EQ(one.type, "render");
        ranges.push_back(one.version);
    }
    EXPECT_THAT(ranges, testing::UnorderedElementsAre("^1", "1.0.0", ">=1 <2", "1.x", "~1"));
}

TEST_F(VersionsTest, ARangeThatCannotBeReadIsRefusedWithItsPlace) {
    for (const auto& [type, fault] :
         {std::pair("render@", "got nothing at column 1"),
          std::pair("render@latest", "expected a number, x or *, got \"l\" at column 1"),
          std::pair("render@1@2", "got \"@\" at column 2")}) {
        const Call answer = post("/v1/tasks", R"({"type":")" + std::string(type) + R"("})");
        EXPECT_EQ(answer.status(), 400U) << type;
        EXPECT_EQ(answer.member("code"), "invalid_member");
        EXPECT_THAT(answer.member("detail"), HasSubstr(fault));
        EXPECT_THAT(answer.member("detail"), HasSubstr("behind \"render@\""));
        EXPECT_THAT(answer.member("hint"), HasSubstr("^1.2"));
    }
    EXPECT_EQ(post("/v1/tasks", R"({"type":"@1"})").status(), 400U) << "there is no name";
    const Call original =
        post("/addTask", R"({"projectName":"p","options":{"taskType":"render@x.1"}})");
    EXPECT_EQ(original.status(), 400U);
    EXPECT_THAT(original.member("error"), HasSubstr("column 3"));
}

TEST_F(VersionsTest, ThePayloadIsCheckedAgainstTheHighestVersionInTheRange) {
    join("one",
         {{"render@1.0.0", R"({"const":1})"},
          {"render@1.1.0", R"({"const":11})"},
          {"render@2.0.0", R"({"const":2})"}});
    const auto status = [&](const std::string& type, int payload) {
        return post("/v1/tasks",
                    R"({"type":")" + type + R"(","payload":)" + std::to_string(payload) + "}")
            .status();
    };

    EXPECT_EQ(status("render", 2), 201U);
    EXPECT_EQ(status("render", 11), 422U);
    EXPECT_EQ(status("render@^1", 11), 201U);
    EXPECT_EQ(status("render@^1", 2), 422U);
    EXPECT_EQ(status("render@1.0.0", 1), 201U);
    EXPECT_EQ(status("render@^3", 7), 201U) << "nobody knows yet what it looks like";
}

TEST_F(VersionsTest, AnIdStandsForOneRange) {
    EXPECT_EQ(post("/v1/tasks", R"({"type":"render@^1","id":"x"})").status(), 201U);
    EXPECT_EQ(post("/v1/tasks", R"({"type":"render@^1","id":"x"})").status(), 200U);
    EXPECT_EQ(post("/v1/tasks", R"({"type":"render@^2","id":"x"})").status(), 409U);
    EXPECT_EQ(post("/v1/tasks", R"({"type":"render","id":"x"})").status(), 409U);
    const Call batch = post("/v1/tasks:batch",
                            R"([{"type":"r@1.x","id":"y"},{"type":"r@1.x","id":"y"},
                                {"type":"r","id":"y"}])");
    EXPECT_THAT(batch.text(), HasSubstr("repeated"));
    EXPECT_THAT(batch.text(), HasSubstr("id_taken"));
}

TEST_F(VersionsTest, TheVersionThatRanATaskIsShown) {
    auto& host = join("one", {{"render@1.0.0", ""}});
    const std::string id = submit(R"({"type":"render"})");
    run();
    EXPECT_EQ(task(id).at("version").as_string(), "1.0.0");
    EXPECT_EQ(
        get("/v1/tasks/" + id + "/attempts").body().at("items").at(0).at("version").as_string(),
        "1.0.0");

    host.runs = "1.0.1";
    finish(host, "1");
    EXPECT_EQ(task(id).at("version").as_string(), "1.0.1");
    const json::value attempts = get("/v1/tasks/" + id + "/attempts").body();
    EXPECT_EQ(attempts.at("items").at(0).at("version").as_string(), "1.0.1");
    const json::value results = get("/v1/results").body();
    EXPECT_EQ(results.at("items").at(0).at("version").as_string(), "1.0.1");
}

TEST_F(VersionsTest, ATypeShowsItsVersions) {
    join("one", {{"render@1.0.0", ""}, {"render@2.0.0", ""}});
    join("two", {{"render@2.0.0", ""}});

    const json::value type = get("/v1/types/render").body();

    EXPECT_EQ(type.at("hosts").as_int64(), 2);
    EXPECT_EQ(type.at("version").as_string(), "2.0.0");
    EXPECT_EQ(json::serialize(type.at("versions")),
              R"([{"version":"2.0.0","hosts":2},{"version":"1.0.0","hosts":1}])");
    EXPECT_EQ(get("/v1/hosts/one").body().at("types").as_array().size(), 2U);
}

TEST_F(VersionsTest, ExplainSaysWhichVersionsThereAre) {
    join("one", {{"render@1.1.0", ""}});
    const std::string id = submit(R"({"type":"render@^1.2"})");

    const json::value why = get("/v1/tasks/" + id + "/explain").body();

    EXPECT_EQ(why.at("hosts").at(0).at("code").as_string(), "version");
    EXPECT_EQ(why.at("hosts").at(0).at("detail").as_string(),
              "has render 1.1.0, the task wants ^1.2");
}

TEST_F(VersionsTest, AHostShowsWhatItIsInTroubleWith) {
    FakeHost& host = join("one", {{"render@1.0.0", ""}});
    EXPECT_FALSE(get("/v1/hosts/one").body().as_object().contains("trouble"));

    engine_->host_health(host.index, {.trouble = "the disk is full"});

    EXPECT_EQ(get("/v1/hosts/one").body().at("trouble").as_string(), "the disk is full");
}

}  // namespace
}  // namespace distributo::tests
