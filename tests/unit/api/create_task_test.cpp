#include "tests/support/random_json.hpp"
#include "tests/unit/api/api_fixture.hpp"

namespace distributo::tests {
namespace {

class CreateTaskTest : public ApiTest {
protected:
    json::value create(std::string_view body) { return get("/v1/tasks/" + submit(body)).body(); }
    Call refused(std::string_view body) { return post("/v1/tasks", body); }
};

TEST_F(CreateTaskTest, AnswersWithLocationAndState) {
    const Call answer = post("/v1/tasks", R"({"type":"echo","payload":{"n":1},"id":"a b"})");

    EXPECT_EQ(answer.status(), 201U);
    EXPECT_EQ(answer.header("Location"), "/v1/tasks/a%20b");
    EXPECT_EQ(answer.member("id"), "a b");
    EXPECT_EQ(answer.member("state"), "pending");
    EXPECT_EQ(answer.member("type"), "echo");
    EXPECT_EQ(get("/v1/tasks/a%20b").member("id"), "a b");
}

TEST_F(CreateTaskTest, KeepsEveryMember) {
    const json::value task = create(R"({"priority":-5,"env":{"A":"1"},"args":["x"],
        "install":{"pip":["a"]},"max_attempts":7,"timeout":"90s","deadline":"1h",
        "not_before":"2026-05-04T02:00:00+01:00",
        "requires":{"labels":{"gpu":"yes"},"isolation":"process","sandbox":["seccomp","landlock"]},
        "labels":{"team":"\u00e9"},"group":"g","project":"p","payload":[1],"type":"echo"})");

    EXPECT_EQ(task.at("priority").as_int64(), -5);
    EXPECT_EQ(task.at("env").at("A").as_string(), "1");
    EXPECT_EQ(task.at("args").at(0).as_string(), "x");
    EXPECT_EQ(json::serialize(task.at("install")), R"({"pip":["a"]})");
    EXPECT_EQ(task.at("max_attempts").as_int64(), 7);
    EXPECT_EQ(task.at("timeout").as_string(), "90s");
    EXPECT_EQ(task.at("deadline").as_string(), "2026-05-04T01:00:00.123Z");
    EXPECT_EQ(task.at("not_before").as_string(), "2026-05-04T01:00:00.000Z");
    EXPECT_EQ(json::serialize(task.at("requires")),
              R"({"labels":{"gpu":"yes"},"isolation":"process","sandbox":["landlock","seccomp"]})");
    EXPECT_EQ(task.at("labels").at("team").as_string(), "é");
    EXPECT_EQ(task.at("group").as_string(), "g");
    EXPECT_EQ(task.at("project").as_string(), "p");
    EXPECT_EQ(task.at("state").as_string(), "scheduled");
}

TEST_F(CreateTaskTest, DelayIsCountedFromNow) {
    const std::string id = submit(R"({"type":"echo","delay":"10s"})");
    EXPECT_EQ(get("/v1/tasks/" + id).member("state"), "scheduled");
    EXPECT_EQ(get("/v1/tasks/" + id).member("not_before"), "2026-05-04T00:00:10.123Z");

    advance(std::chrono::seconds(11));
    EXPECT_EQ(get("/v1/tasks/" + id).member("state"), "pending");
}

TEST_F(CreateTaskTest, AnIdenticalRepeatIs200AndOtherContent409) {
    const std::string body = R"({"type":"echo","id":"x","payload":{"n":1}})";
    EXPECT_EQ(post("/v1/tasks", body).status(), 201U);
    const Call repeat = post("/v1/tasks", body);
    const Call other = post("/v1/tasks", R"({"type":"echo","id":"x","payload":{"n":2}})");

    EXPECT_EQ(repeat.status(), 200U);
    EXPECT_TRUE(repeat.body().at("repeated").as_bool());
    EXPECT_EQ(repeat.member("id"), "x");
    EXPECT_EQ(repeat.header("Location"), "/v1/tasks/x");
    EXPECT_EQ(other.status(), 409U);
    EXPECT_EQ(other.member("code"), "id_taken");
}

TEST_F(CreateTaskTest, WhileATaskWithTheUniqueKeyLivesAnotherOneIsARepeat) {
    const Call first =
        post("/v1/tasks", R"({"type":"echo","id":"mine","unique_key":"user/42","payload":1})");
    const Call again = post("/v1/tasks", R"({"type":"other","unique_key":"user/42"})");
    const Call batch = post("/v1/tasks:batch", R"([{"type":"echo","unique_key":"user/42"},
        {"type":"echo","unique_key":"user/43"}])");

    EXPECT_EQ(first.status(), 201U);
    EXPECT_EQ(first.member("unique_key"), "user/42");
    EXPECT_FALSE(first.body().as_object().contains("repeated"));
    EXPECT_EQ(again.status(), 200U);
    EXPECT_EQ(again.member("id"), "mine");
    EXPECT_EQ(again.header("Location"), "/v1/tasks/mine");
    EXPECT_TRUE(again.body().at("repeated").as_bool());
    EXPECT_EQ(json::serialize(batch.body().at("results").at(0)),
              R"({"id":"mine","repeated":true})");
    EXPECT_FALSE(batch.body().at("results").at(1).as_object().contains("repeated"));

    post("/v1/tasks/mine/cancel");
    EXPECT_EQ(post("/v1/tasks", R"({"type":"echo","unique_key":"user/42"})").status(), 201U);
}

struct Fault {
    const char* body;
    unsigned status;
    const char* code;
    const char* pointer;
};

TEST_F(CreateTaskTest, EveryRefusalNamesThePlace) {
    const Fault faults[] = {
        {"", 400, "malformed_json", nullptr},
        {"{", 400, "malformed_json", nullptr},
        {R"({"type":"a"} x)", 400, "malformed_json", nullptr},
        {"[]", 400, "invalid_member", ""},
        {"{}", 400, "missing_member", "/type"},
        {R"({"type":5})", 400, "invalid_member", "/type"},
        {R"({"type":""})", 400, "invalid_member", "/type"},
        {R"({"type":"a/b"})", 400, "invalid_member", "/type"},
        {R"({"type":"a\u0007"})", 400, "invalid_member", "/type"},
        {R"({"type":"a","type":"b"})", 400, "invalid_member", "/type"},
        {R"({"type":"a","id":""})", 400, "invalid_member", "/id"},
        {R"({"type":"a","id":"a/b"})", 400, "invalid_member", "/id"},
        {R"({"type":"a","id":".."})", 400, "invalid_member", "/id"},
        {R"({"type":"a","id":"a\u0085"})", 400, "invalid_member", "/id"},
        {R"({"type":"a","id":7})", 400, "invalid_member", "/id"},
        {R"({"type":"a","priority":1.5})", 400, "invalid_member", "/priority"},
        {R"({"type":"a","priority":1001})", 400, "invalid_member", "/priority"},
        {R"({"type":"a","max_attempts":0})", 400, "invalid_member", "/max_attempts"},
        {R"({"type":"a","timeout":30})", 400, "invalid_member", "/timeout"},
        {R"({"type":"a","timeout":"0s"})", 400, "invalid_member", "/timeout"},
        {R"({"type":"a","delay":"soon"})", 400, "invalid_member", "/delay"},
        {R"({"type":"a","delay":"1s","not_before":"2026-01-01T00:00:00Z"})",
         400,
         "invalid_member",
         "/not_before"},
        {R"({"type":"a","not_before":"2026-02-30T00:00:00Z"})",
         400,
         "invalid_member",
         "/not_before"},
        {R"({"type":"a","deadline":"tomorrow"})", 400, "invalid_member", "/deadline"},
        {R"({"type":"a","labels":{"k":1}})", 400, "invalid_member", "/labels/k"},
        {R"({"type":"a","requires":{"label":{}}})", 400, "invalid_member", "/requires"},
        {R"({"type":"a","requires":{"labels":[]}})", 400, "invalid_member", "/requires/labels"},
        {R"({"type":"a","requires":{"isolation":"vm"}})",
         400,
         "invalid_member",
         "/requires/isolation"},
        {R"({"type":"a","requires":{"sandbox":"landlock"}})",
         400,
         "invalid_member",
         "/requires/sandbox"},
        {R"({"type":"a","requires":{"sandbox":["landlock","secomp"]}})",
         400,
         "invalid_member",
         "/requires/sandbox/1"},
        {R"({"type":"a","args":["x",1]})", 400, "invalid_member", "/args/1"},
        {R"({"type":"a","env":{"a/b":0}})", 400, "invalid_member", "/env/a~1b"},
        {R"({"type":"a","prioritiy":1})", 400, "unknown_member", "/prioritiy"},
    };
    for (const Fault& fault : faults) {
        const Call answer = refused(fault.body);
        EXPECT_EQ(answer.status(), fault.status) << fault.body;
        EXPECT_EQ(answer.member("code"), fault.code) << fault.body;
        EXPECT_EQ(answer.response.content_type, "application/problem+json");
        if (fault.pointer) {
            EXPECT_EQ(answer.body().at("errors").at(0).at("pointer").as_string(), fault.pointer)
                << fault.body;
        }
    }
    EXPECT_EQ(get("/v1/tasks").body().at("items").as_array().size(), 0U);
}

TEST_F(CreateTaskTest, AnUnknownMemberGetsASuggestion) {
    const Call answer = refused(R"({"type":"a","prioritiy":1})");

    EXPECT_EQ(answer.member("detail"), "a task has no member \"prioritiy\"");
    EXPECT_EQ(answer.member("hint"), "did you mean 'priority'?");
}

TEST_F(CreateTaskTest, LimitsOfSizeHold) {
    const auto named = [](std::size_t size) {
        return std::string(R"({"type":"a","id":")").append(size, 'x') + "\"}";
    };
    EXPECT_EQ(post("/v1/tasks", named(128)).status(), 201U);
    EXPECT_EQ(refused(named(129)).status(), 400U);

    const auto typed = [](std::size_t size) {
        return std::string(R"({"type":")").append(size, 'x') + "\"}";
    };
    EXPECT_EQ(post("/v1/tasks", typed(128)).status(), 201U);
    EXPECT_EQ(refused(typed(129)).status(), 400U);

    const auto paid = [](std::size_t size) {
        return std::string(R"({"type":"a","payload":")").append(size - 2, 'x') + "\"}";
    };
    EXPECT_EQ(post("/v1/tasks", paid(1024 * 1024)).status(), 201U);
    const Call large = refused(paid(1024 * 1024 + 1));
    EXPECT_EQ(large.status(), 413U);
    EXPECT_EQ(large.member("code"), "payload_too_large");
    EXPECT_EQ(refused(paid(4 * 1024 * 1024)).status(), 413U);

    std::string labels;
    for (int i = 0; i < 65; ++i)
        labels.append(i == 0 ? "\"" : ",\"").append(std::to_string(i)).append("\":\"v\"");
    EXPECT_EQ(refused(std::string(R"({"type":"a","labels":{)").append(labels) + "}}").status(),
              400U);
}

TEST_F(CreateTaskTest, APayloadThatBreaksItsSchemaIs422) {
    join("h", {{"word_count", R"({"type":"object","required":["path"],
        "properties":{"path":{"type":"string"},"n":{"type":"integer"}}})"}});
    const Call answer = refused(R"({"type":"word_count","payload":{"path":"x","n":"ten"}})");

    EXPECT_EQ(answer.status(), 422U);
    EXPECT_EQ(answer.member("code"), "schema_mismatch");
    EXPECT_EQ(answer.body().at("errors").at(0).at("pointer").as_string(), "/payload/n");
    EXPECT_EQ(post("/v1/tasks", R"({"type":"word_count","payload":{"path":"x","n":10}})").status(),
              201U);
    EXPECT_EQ(post("/v1/tasks", R"({"type":"unoffered","payload":{"n":"ten"}})").status(), 201U);
}

TEST_F(CreateTaskTest, WithWaitTheAnswerIsTheOutcome) {
    FakeHost& host = join("h", {{"echo", ""}});
    const auto call = begin(Method::post, "/v1/tasks?wait=30s", R"({"type":"echo"})");
    EXPECT_FALSE(call->answered);
    finish(host, R"({"ok":1.0})");

    ASSERT_TRUE(call->answered);
    EXPECT_EQ(call->status(), 201U);
    EXPECT_EQ(call->member("state"), "completed");
    EXPECT_NE(call->text().find(R"("result":{"ok":1.0})"), std::string::npos);
}

TEST_F(CreateTaskTest, WaitEndsWithTheStateThatTheTaskIsIn) {
    const auto call = begin(Method::post, "/v1/tasks?wait=2s", R"({"type":"echo"})");
    advance(std::chrono::seconds(1));
    EXPECT_FALSE(call->answered);
    advance(std::chrono::seconds(2));

    ASSERT_TRUE(call->answered);
    EXPECT_EQ(call->member("state"), "pending");
}

TEST_F(CreateTaskTest, AFullQueueIs429) {
    settings_.max_tasks = 1;
    restart(settings_, 10);
    submit(R"({"type":"a"})");
    const Call answer = refused(R"({"type":"a"})");

    EXPECT_EQ(answer.status(), 429U);
    EXPECT_EQ(answer.header("Retry-After"), "60") << "nothing ends";
    EXPECT_EQ(answer.member("code"), "queue_full");
}

TEST_F(CreateTaskTest, PayloadsAndResultsKeepEveryByte) {
    FakeHost& host = join("h", {{"echo", ""}});
    RandomJson random(20'260'504);
    for (int i = 0; i < 500; ++i) {
        const std::string payload = random.value();
        const std::string result = random.value();
        Headers headers;
        headers.piece = static_cast<std::size_t>(i % 7) + 1;
        const Call created = call(Method::post,
                                  "/v1/tasks",
                                  R"({ "payload" :)" + payload + R"(,"type":"echo"})",
                                  headers);
        ASSERT_EQ(created.status(), 201U) << payload;
        ASSERT_FALSE(host.assigned.empty());
        EXPECT_EQ(host.assigned.front().payload, payload);
        finish(host, result);

        const std::string id = created.member("id");
        EXPECT_EQ(get("/v1/tasks/" + id + "/result").text(), result);
        EXPECT_NE(get("/v1/tasks/" + id).text().find("\"payload\":" + payload), std::string::npos);
    }
}

}  // namespace
}  // namespace distributo::tests
