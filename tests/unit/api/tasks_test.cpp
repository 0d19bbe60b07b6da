#include "tests/unit/api/api_fixture.hpp"

namespace distributo::tests {
namespace {

class TasksTest : public ApiTest {
protected:
    static std::string ids(const json::value& page) {
        std::string text;
        for (const auto& item : page.at("items").as_array())
            text += std::string(item.at("id").as_string()) + ' ';
        return text;
    }
    std::string listed(const std::string& query) { return ids(get("/v1/tasks?" + query).body()); }
};

TEST_F(TasksTest, ListsTheNewestFirstPageByPage) {
    for (const char* id : {"a", "b", "c", "d", "e"})
        submit(R"({"type":"t","id":")" + std::string(id) + "\"}");

    json::value page = get("/v1/tasks?limit=2").body();
    EXPECT_EQ(ids(page), "e d ");
    page =
        get("/v1/tasks?limit=2&cursor=" + std::string(page.at("next_cursor").as_string())).body();
    EXPECT_EQ(ids(page), "c b ");
    page =
        get("/v1/tasks?limit=2&cursor=" + std::string(page.at("next_cursor").as_string())).body();
    EXPECT_EQ(ids(page), "a ");
    EXPECT_FALSE(page.as_object().contains("next_cursor"));
    EXPECT_FALSE(get("/v1/tasks?limit=5").body().as_object().contains("next_cursor"));
}

TEST_F(TasksTest, FiltersByStateTypeGroupAndHost) {
    submit(R"({"type":"run","id":"done"})");
    FakeHost& host = join("box", {{"run", ""}});
    finish(host, "1");
    submit(R"({"type":"run","id":"busy","group":"g"})");
    submit(R"({"type":"wait","id":"waiting","group":"g"})");
    submit(R"({"type":"wait","id":"later","delay":"1h"})");

    EXPECT_EQ(listed("state=completed"), "done ");
    EXPECT_EQ(listed("state=running"), "busy ");
    EXPECT_EQ(listed("state=pending,scheduled"), "later waiting ");
    EXPECT_EQ(listed("type=wait"), "later waiting ");
    EXPECT_EQ(listed("group=g"), "waiting busy ");
    EXPECT_EQ(listed("host=box"), "busy done ");
    EXPECT_EQ(listed("state=failed"), "");
    EXPECT_EQ(get("/v1/tasks?state=ready").member("code"), "invalid_parameter");
    EXPECT_EQ(get("/v1/tasks?cursor=!").member("code"), "invalid_parameter");
}

TEST_F(TasksTest, FiltersByLabelAndTimeAmongLiveAndEnded) {
    submit(R"({"type":"t","id":"old","labels":{"team":"red:1"}})");
    post("/v1/tasks/old/cancel");
    advance(std::chrono::hours(2));
    submit(R"({"type":"t","id":"new","labels":{"team":"red:1"}})");
    submit(R"({"type":"t","id":"blue","labels":{"team":"blue"}})");

    EXPECT_EQ(listed("label=team:red:1"), "new old ");
    EXPECT_EQ(listed("label=team:green"), "");
    EXPECT_EQ(listed("created_from=-1h"), "blue new ");
    EXPECT_EQ(listed("created_before=-1h"), "old ");
    EXPECT_EQ(listed("created_from=2026-05-04T00:00:00Z&created_before=2026-05-04T01:00:00Z"),
              "old ");
    EXPECT_EQ(get("/v1/tasks?label=team").member("code"), "invalid_parameter");
    EXPECT_EQ(get("/v1/tasks?created_from=yesterday").member("code"), "invalid_parameter");
    EXPECT_EQ(get("/v1/tasks?created_from=1h").member("code"), "invalid_parameter");
}

TEST_F(TasksTest, AListIsBriefUnlessMoreIsAskedFor) {
    submit(R"({"type":"t","payload":{"big":1}})");
    EXPECT_FALSE(get("/v1/tasks").body().at("items").at(0).as_object().contains("payload"));
    EXPECT_TRUE(
        get("/v1/tasks?fields=full").body().at("items").at(0).as_object().contains("payload"));
}

TEST_F(TasksTest, ATaskShowsWhereItIs) {
    const std::string id = submit(R"({"type":"run","payload":5})");
    EXPECT_EQ(get("/v1/tasks/" + id).member("state"), "pending");

    FakeHost& host = join("box", {{"run", ""}});
    engine_->host_phase(host.index, {host.assigned.front().token, wire::Phase::execute});
    engine_->host_progress(host.index, {host.assigned.front().token, 0.5, "half"});
    run();
    json::value task = get("/v1/tasks/" + id).body();
    EXPECT_EQ(task.at("state").as_string(), "running");
    EXPECT_EQ(task.at("phase").as_string(), "execute");
    EXPECT_EQ(task.at("host").as_string(), "box");
    EXPECT_EQ(task.at("attempts").as_int64(), 1);
    EXPECT_EQ(task.at("progress").as_double(), 0.5);
    EXPECT_EQ(task.at("progress_text").as_string(), "half");

    finish(host, "[1]");
    task = get("/v1/tasks/" + id).body();
    EXPECT_EQ(task.at("state").as_string(), "completed");
    EXPECT_EQ(task.at("attempts").as_int64(), 1);
    EXPECT_EQ(task.at("seq").as_int64(), 1);
    EXPECT_EQ(json::serialize(task.at("result")), "[1]");
    EXPECT_TRUE(task.as_object().contains("times"));
}

TEST_F(TasksTest, WaitAnswersAtTheEnd) {
    FakeHost& host = join("box", {{"run", ""}});
    const std::string id = submit(R"({"type":"run"})");
    const auto task = begin(Method::get, "/v1/tasks/" + id + "?wait=30s");
    const auto result = begin(Method::get, "/v1/tasks/" + id + "/result?wait=30s");
    EXPECT_FALSE(task->answered || result->answered);
    finish(host, "7");

    ASSERT_TRUE(task->answered && result->answered);
    EXPECT_EQ(task->member("state"), "completed");
    EXPECT_EQ(result->text(), "7");
}

TEST_F(TasksTest, AnUnknownTaskIs404Everywhere) {
    for (const char* rest : {"", "/attempts", "/result", "/logs", "/explain", "?wait=1s"}) {
        const Call answer = get("/v1/tasks/nobody" + std::string(rest));
        EXPECT_EQ(answer.status(), 404U) << rest;
        EXPECT_EQ(answer.member("code"), "task_not_found") << rest;
    }
    EXPECT_EQ(post("/v1/tasks/nobody/cancel").status(), 404U);
    EXPECT_EQ(post("/v1/tasks/nobody/retry").status(), 404U);
}

TEST_F(TasksTest, AResultIsThereOnlyAfterSuccess) {
    FakeHost& host = join("box", {{"run", ""}});
    const std::string id = submit(R"({"type":"run"})");
    const Call early = get("/v1/tasks/" + id + "/result");
    EXPECT_EQ(early.status(), 409U);
    EXPECT_EQ(early.member("code"), "not_ended");
    EXPECT_EQ(early.member("state"), "running");

    fail(host, wire::AttemptStatus::permanent, "broken");
    const Call late = get("/v1/tasks/" + id + "/result");
    EXPECT_EQ(late.status(), 404U);
    EXPECT_EQ(late.member("code"), "no_result");
    EXPECT_NE(late.member("detail").find("broken"), std::string::npos);
}

TEST_F(TasksTest, AttemptsAreListedWithTheOneThatRuns) {
    FakeHost& host = join("box", {{"run", ""}});
    const std::string id = submit(R"({"type":"run"})");
    fail(host, wire::AttemptStatus::retry, "first try");
    EXPECT_EQ(get("/v1/tasks/" + id).member("state"), "retrying");
    EXPECT_EQ(post("/v1/tasks/" + id + "/retry").status(), 200U);

    const json::value attempts = get("/v1/tasks/" + id + "/attempts").body().at("items");
    ASSERT_EQ(attempts.as_array().size(), 2U);
    EXPECT_EQ(attempts.at(0).at("number").as_int64(), 1);
    EXPECT_EQ(attempts.at(0).at("status").as_string(), "retry");
    EXPECT_EQ(attempts.at(0).at("message").as_string(), "first try");
    EXPECT_EQ(attempts.at(1).at("number").as_int64(), 2);
    EXPECT_EQ(attempts.at(1).at("status").as_string(), "running");

    finish(host, "1");
    EXPECT_EQ(get("/v1/tasks/" + id + "/attempts").body().at("items").as_array().size(), 2U);
}

TEST_F(TasksTest, AttemptsSayWhatTheyCountAsAndWhichGenerationTheyBelongTo) {
    FakeHost& host = join("box", {{"run", ""}});
    const std::string id = submit(R"({"type":"run","max_attempts":1})");
    fail(host, wire::AttemptStatus::retry, "first try");
    EXPECT_EQ(post("/v1/tasks/" + id + "/retry").status(), 200U);
    finish(host, "1");

    const json::value body = get("/v1/tasks/" + id + "/attempts").body();
    EXPECT_EQ(body.at("items").at(0).at("generation").as_int64(), 1);
    EXPECT_EQ(body.at("items").at(1).at("generation").as_int64(), 2);
    EXPECT_EQ(body.at("controls").at(0).at("action").as_string(), "retry");
    EXPECT_EQ(body.at("controls").at(0).at("after_attempt").as_int64(), 1);
    EXPECT_EQ(get("/v1/tasks/" + id).body().at("generation").as_int64(), 2);
}

TEST_F(TasksTest, LogsNameAttemptAndStreamOnEachLine) {
    FakeHost& host = join("box", {{"run", ""}});
    const std::string id = submit(R"({"type":"run"})");
    engine_->host_log(host.index, {host.assigned.front().token, "stdout", "one\ntwo\n"});
    engine_->host_log(host.index, {host.assigned.front().token, "plugin", "three"});
    run();

    const Call text = get("/v1/tasks/" + id + "/logs");
    EXPECT_EQ(text.response.content_type, "text/plain; charset=utf-8");
    EXPECT_EQ(text.text(), "1 stdout | one\n1 stdout | two\n1 plugin | three\n");
    const json::value items = get("/v1/tasks/" + id + "/logs?format=json").body().at("items");
    EXPECT_EQ(items.at(0).at("stream").as_string(), "stdout");
    EXPECT_EQ(items.at(0).at("attempt").as_int64(), 1);
}

TEST_F(TasksTest, ExplainSaysWhyHostByHost) {
    join("box", {{"run", ""}});
    const std::string id = submit(R"({"type":"other"})");
    const json::value answer = get("/v1/tasks/" + id + "/explain").body();

    EXPECT_EQ(answer.at("id").as_string(), id);
    EXPECT_FALSE(answer.at("summary").as_string().empty());
    EXPECT_EQ(answer.at("hosts").at(0).at("name").as_string(), "box");
    EXPECT_EQ(answer.at("hosts").at(0).at("code").as_string(), "no_capability");
}

TEST_F(TasksTest, CancelAndRetryAnswerWithTheTask) {
    const std::string id = submit(R"({"type":"t"})");
    EXPECT_EQ(post("/v1/tasks/" + id + "/cancel").member("state"), "cancelled");
    EXPECT_EQ(post("/v1/tasks/" + id + "/retry").member("state"), "pending");
    EXPECT_EQ(post("/v1/tasks/" + id + "/cancel", "{}").member("state"), "cancelled");
}

TEST_F(TasksTest, ATaskThatNeverRanSaysWhenItEnded) {
    const std::string id = submit(R"({"type":"t"})");
    advance(std::chrono::seconds(7));
    const Call cancelled = post("/v1/tasks/" + id + "/cancel");

    EXPECT_EQ(cancelled.member("finished"), "2026-05-04T00:00:07.123Z");
    EXPECT_EQ(cancelled.body().at("attempts").as_int64(), 0);
}

TEST_F(TasksTest, AttemptsBeforeACancelAreCounted) {
    FakeHost& host = join("box", {{"run", ""}});
    const std::string id = submit(R"({"type":"run"})");
    fail(host, wire::AttemptStatus::retry, "first try");

    EXPECT_EQ(post("/v1/tasks/" + id + "/cancel").body().at("attempts").as_int64(), 1);
}

TEST_F(TasksTest, WhatHasEndedOtherwiseCannotBeCancelled) {
    FakeHost& host = join("box", {{"run", ""}});
    const std::string id = submit(R"({"type":"run"})");
    finish(host, "1");
    const Call answer = post("/v1/tasks/" + id + "/cancel");

    EXPECT_EQ(answer.status(), 409U);
    EXPECT_EQ(answer.member("code"), "wrong_state");
}

}  // namespace
}  // namespace distributo::tests
