#include "base/version.hpp"
#include "tests/unit/api/api_fixture.hpp"

#include <regex>

namespace distributo::tests {
namespace {

class RoutesTest : public ApiTest {};

TEST_F(RoutesTest, AnUnknownRouteNamesTheNearest) {
    const Call answer = get("/v1/task/a1/result");

    EXPECT_EQ(answer.status(), 404U);
    EXPECT_EQ(answer.response.content_type, "application/problem+json");
    const json::value problem = answer.body();
    EXPECT_EQ(problem.at("type").as_string(), "urn:distributo:problem:no_such_route");
    EXPECT_EQ(problem.at("title").as_string(), "No such route");
    EXPECT_EQ(problem.at("status").as_int64(), 404);
    EXPECT_EQ(problem.at("code").as_string(), "no_such_route");
    EXPECT_EQ(problem.at("detail").as_string(), "nothing is served at /v1/task/a1/result");
    EXPECT_EQ(problem.at("hint").as_string(), "did you mean /v1/tasks/a1/result?");
}

TEST_F(RoutesTest, SegmentsAreNeverEmptyAndNeverMore) {
    for (const char* path : {"/v1/tasks/",
                             "/v1/tasks//result",
                             "/v1/tasks/a/b/c",
                             "/v1/tasks/a/result/",
                             "//v1/tasks",
                             "/v1",
                             "/quite/elsewhere"})
        EXPECT_EQ(get(path).status(), 404U) << path;
}

TEST_F(RoutesTest, AWrongMethodNamesTheRightOnes) {
    const Call tasks = call(Method::put, "/v1/tasks", "{}");
    EXPECT_EQ(tasks.status(), 405U);
    EXPECT_EQ(tasks.header("Allow"), "POST, GET");

    EXPECT_EQ(get("/v1/tasks/a1/cancel").header("Allow"), "POST");
    EXPECT_EQ(get("/addTask").status(), 405U);
    EXPECT_EQ(get("/addTask").header("Allow"), "POST");
    EXPECT_EQ(call(Method::delete_, "/healthz").status(), 405U);
}

TEST_F(RoutesTest, HeadIsServedLikeGet) {
    EXPECT_EQ(call(Method::head, "/v1/status").status(), 200U);
    EXPECT_EQ(call(Method::head, "/v1/tasks/none").status(), 404U);
}

TEST_F(RoutesTest, AnUnknownParameterIsRefusedWithASuggestion) {
    const Call answer = get("/v1/tasks?stat=failed");

    EXPECT_EQ(answer.status(), 400U);
    EXPECT_EQ(answer.member("code"), "unknown_parameter");
    EXPECT_EQ(answer.member("hint"), "did you mean 'state'?");
    EXPECT_EQ(get("/healthz?x=1").status(), 400U);
    EXPECT_EQ(get("/healthz?=1").status(), 400U);
}

TEST_F(RoutesTest, AWebSocketIsSentToTheHostPort) {
    const net::Response response = api_->on_upgrade(make_head(Method::get, "/v1/host", {}));

    EXPECT_EQ(response.status, 421U);
    EXPECT_EQ(response.content_type, "application/problem+json");
    EXPECT_NE(response.body.find("4000"), std::string::npos);
}

TEST_F(RoutesTest, TheFirstPageSaysWhatThisIs) {
    const Call page = call(Method::get, "/", {}, {.accept = "text/html,*/*"});
    EXPECT_EQ(page.response.content_type, "text/html; charset=utf-8");
    EXPECT_NE(page.text().find("Distributo"), std::string::npos);
    EXPECT_EQ(page.text().find("<script"), std::string::npos);
    EXPECT_NE(page.header("Content-Security-Policy"), "");

    const Call text = get("/");
    EXPECT_EQ(text.response.content_type, "text/plain; charset=utf-8");
    EXPECT_NE(text.text().find("/v1/tasks"), std::string::npos);
}

TEST_F(RoutesTest, TheSpecificationIsServedInBothForms) {
    const json::value spec = get("/openapi.json").body();
    EXPECT_EQ(spec.at("openapi").as_string(), "3.1.0");
    EXPECT_EQ(spec.at("info").at("version").as_string(), base::version);
    EXPECT_TRUE(spec.at("paths").as_object().contains("/v1/tasks/{id}/explain"));

    const Call yaml = get("/openapi.yaml");
    EXPECT_EQ(yaml.response.content_type, "application/yaml");
    EXPECT_EQ(yaml.text().rfind("openapi: 3.1.0\n", 0), 0U);
}

TEST_F(RoutesTest, EverythingThatIsSpecifiedIsServedAndTheOtherWayRound) {
    std::size_t specified = 0;
    const json::value spec = get("/openapi.json").body();
    for (const auto& [path, item] : spec.at("paths").as_object())
        for (const auto& [name, operation] : item.as_object()) {
            if (name == "parameters")
                continue;
            ++specified;
            const Method method = name == "post" ? Method::post : Method::get;
            const std::string target =
                std::regex_replace(std::string(path), std::regex(R"(\{\w+\})"), "x");
            const auto call = begin(method, target);
            ASSERT_TRUE(call->answered) << target;
            EXPECT_NE(call->status(), 405U) << target;
            const bool problem = call->response.content_type == "application/problem+json";
            EXPECT_TRUE(!problem || call->member("code") != "no_such_route") << target;
        }
    EXPECT_EQ(specified, 51U) << "the length of the routing table";
}

}  // namespace
}  // namespace distributo::tests
