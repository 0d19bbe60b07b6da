#include "tests/unit/api/api_fixture.hpp"

namespace distributo::tests {
namespace {

class BatchTest : public ApiTest {
protected:
    Call batch(std::string_view body, const std::string& query = "") {
        return post("/v1/tasks:batch" + query, body);
    }
    Call lines(std::string_view body, std::size_t piece = 0) {
        return call(Method::post,
                    "/v1/tasks:batch",
                    body,
                    {.content_type = "application/x-ndjson",
                     .accept = "application/x-ndjson",
                     .piece = piece});
    }
    std::size_t stored() { return get("/v1/tasks").body().at("items").as_array().size(); }
};

constexpr std::string_view three = R"([{"type":"a"}, {"payload":[1,"]"],"type":"b","id":"mine"},
    {"type":"c","group":"g"} ])";

TEST_F(BatchTest, AnswersWithOneResultPerTaskInOrder) {
    const Call answer = batch(three);

    EXPECT_EQ(answer.status(), 200U);
    const json::value body = answer.body();
    EXPECT_EQ(body.at("accepted").as_int64(), 3);
    EXPECT_EQ(body.at("rejected").as_int64(), 0);
    const json::array& results = body.at("results").as_array();
    ASSERT_EQ(results.size(), 3U);
    const char* const types[] = {"a", "b", "c"};
    for (std::size_t i = 0; i < 3; ++i) {
        const std::string id(results[i].at("id").as_string());
        EXPECT_EQ(get("/v1/tasks/" + id).member("type"), types[i]);
    }
    EXPECT_EQ(results[1].at("id").as_string(), "mine");
}

TEST_F(BatchTest, IsTheSameWhereverItsBodyIsCut) {
    const std::string whole =
        R"([{"type":"a","payload":"é\"]["},{"tpye":"b"}, 5 ,{"type":"d","payload":{"x":[]}}])";
    std::vector<std::string> codes;
    for (std::size_t piece = 1; piece <= whole.size(); ++piece) {
        Headers headers;
        headers.piece = piece;
        const json::value body = call(Method::post, "/v1/tasks:batch", whole, headers).body();
        ASSERT_EQ(body.at("accepted").as_int64(), 2) << piece;
        const json::array& results = body.at("results").as_array();
        ASSERT_EQ(results.size(), 4U) << piece;
        EXPECT_EQ(results[1].at("error").at("code").as_string(), "unknown_member");
        EXPECT_EQ(results[2].at("error").at("code").as_string(), "invalid_member");
    }
}

TEST_F(BatchTest, TakesOneTaskPerLine) {
    const std::string body = "{\"type\":\"a\"}\r\n\n{\"type\":}\n{\"type\":\"b\"}";
    for (std::size_t piece = 1; piece <= body.size(); ++piece) {
        const Call answer = lines(body, piece);
        ASSERT_EQ(answer.status(), 200U);
        EXPECT_EQ(answer.response.content_type, "application/x-ndjson");
        std::vector<json::value> entries;
        std::string_view rest = answer.text();
        while (!rest.empty()) {
            const auto end = rest.find('\n');
            ASSERT_NE(end, std::string_view::npos);
            entries.push_back(json::parse(rest.substr(0, end)));
            rest.remove_prefix(end + 1);
        }
        ASSERT_EQ(entries.size(), 3U) << piece;
        EXPECT_TRUE(entries[0].as_object().contains("id"));
        EXPECT_EQ(entries[1].at("error").at("code").as_string(), "malformed_json");
        EXPECT_TRUE(entries[2].as_object().contains("id"));
    }
}

TEST_F(BatchTest, AnEmptyBatchIsFine) {
    EXPECT_EQ(batch("[]").text(), "{\"accepted\":0,\"rejected\":0,\"results\":[\n\n]}\n");
    EXPECT_EQ(lines("").text(), "");
}

TEST_F(BatchTest, RefusesWhatIsNoList) {
    for (const char* body : {"", "{}", "5", "[{\"type\":\"a\"}", "[{\"type\":\"a\"}]]"}) {
        const Call answer = batch(body);
        EXPECT_EQ(answer.status(), 400U) << body;
        EXPECT_EQ(answer.response.content_type, "application/problem+json");
    }
    EXPECT_EQ(stored(), 0U) << "a list that is cut off stores nothing";
}

TEST_F(BatchTest, RefusesMoreTasksThanTheLimit) {
    std::string body = "[5";
    for (int i = 0; i < 100'000; ++i)
        body += ",5";
    body += ']';
    const Call answer = batch(body);

    EXPECT_EQ(answer.status(), 413U);
    EXPECT_EQ(answer.member("code"), "too_large");
}

TEST_F(BatchTest, ATooLargePayloadIsRefusedAlone) {
    const std::string big(1024 * 1024, 'x');
    const json::value body =
        batch(R"([{"type":"a","payload":")" + big + R"("},{"type":"a"}])").body();

    EXPECT_EQ(body.at("accepted").as_int64(), 1);
    EXPECT_EQ(body.at("results").at(0).at("error").at("status").as_int64(), 413);
}

TEST_F(BatchTest, RepeatsAndConflictsAreTold) {
    batch(R"([{"type":"a","id":"x","payload":1}])");
    const json::value body = batch(R"([{"type":"a","id":"x","payload":1},{"type":"a"},
        {"type":"a","id":"x","payload":2}])")
                                 .body();

    EXPECT_EQ(json::serialize(body.at("results").at(0)), R"({"id":"x","repeated":true})");
    EXPECT_TRUE(body.at("results").at(1).as_object().contains("id"));
    EXPECT_EQ(body.at("results").at(2).at("error").at("code").as_string(), "id_taken");
    EXPECT_NE(body.at("results").at(2).at("error").at("detail").as_string().find("\"x\""),
              json::string::npos);
    EXPECT_EQ(body.at("accepted").as_int64(), 2);
}

TEST_F(BatchTest, AtomicStoresAllOrNothing) {
    const Call refused = batch(R"([{"type":"a"},{"type":"a","priority":"high"}])", "?atomic=true");
    EXPECT_EQ(refused.status(), 422U);
    EXPECT_EQ(refused.body().at("errors").at(0).at("pointer").as_string(), "/1/priority");
    EXPECT_EQ(stored(), 0U);

    const Call accepted = batch(R"([{"type":"a"},{"type":"a","id":"x"}])", "?atomic=true");
    EXPECT_EQ(accepted.status(), 200U);
    EXPECT_EQ(stored(), 2U);
}

TEST_F(BatchTest, AtomicLooksAtTheIdsThatAreTaken) {
    batch(R"([{"type":"a","id":"x","payload":1}])");
    const Call taken = batch(R"([{"type":"n"},{"type":"a","id":"x","payload":2}])", "?atomic=true");
    EXPECT_EQ(taken.status(), 422U);
    EXPECT_EQ(taken.body().at("errors").at(0).at("pointer").as_string(), "/1/id");

    const Call twins = batch(R"([{"type":"a","id":"t"},{"type":"b","id":"t"}])", "?atomic=true");
    EXPECT_EQ(twins.status(), 422U);
    EXPECT_EQ(stored(), 1U);

    const Call repeat = batch(R"([{"type":"a","id":"x","payload":1}])", "?atomic=true");
    EXPECT_EQ(repeat.status(), 200U);
}

TEST_F(BatchTest, NeighboursWithEqualOptionsKeepThemAndOthersTheirOwn) {
    const json::value body = batch(R"([{"type":"a","group":"g"},{"type":"a","group":"g"},
        {"type":"a"},{"type":"a","group":"h"},{"group":"g","type":"a","priority":3}])")
                                 .body();
    std::string groups;
    for (const auto& entry : body.at("results").as_array()) {
        const json::value task = get("/v1/tasks/" + std::string(entry.at("id").as_string())).body();
        const auto* group = task.as_object().if_contains("group");
        groups += group ? std::string(group->as_string()) : "-";
    }
    EXPECT_EQ(groups, "gg-hg");
}

TEST_F(BatchTest, AFullQueueRefusesTheBatch) {
    settings_.max_tasks = 2;
    restart(settings_, 10);
    const Call answer = batch(three);

    EXPECT_EQ(answer.status(), 429U);
    EXPECT_EQ(answer.header("Retry-After"), "1");
    EXPECT_EQ(answer.member("code"), "queue_full");
}

}  // namespace
}  // namespace distributo::tests
