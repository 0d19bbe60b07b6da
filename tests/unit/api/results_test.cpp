#include "tests/unit/api/api_fixture.hpp"

namespace distributo::tests {
namespace {

class ResultsTest : public ApiTest {
protected:
    /// Runs one task of each name to its end, in this order.
    void complete(const std::vector<std::string>& ids, const std::string& extra = "") {
        if (hosts_.empty())
            join("h", {{"echo", ""}, {"other", ""}});
        for (const std::string& id : ids) {
            submit(R"({"type":"echo","id":")" + id + "\"" + extra + "}");
            finish(hosts_.front(), "{\"of\":\n\"" + id + "\"}");
        }
    }
    static std::string ids(const json::value& page) {
        std::string text;
        for (const auto& item : page.at("items").as_array())
            text += std::string(item.at("id").as_string()) + ' ';
        return text;
    }
};

TEST_F(ResultsTest, ComeInTheOrderOfRecordingPageByPage) {
    complete({"a", "b", "c", "d", "e"});
    json::value page = get("/v1/results?limit=2").body();
    EXPECT_EQ(ids(page), "a b ");
    EXPECT_EQ(page.at("newest").as_int64(), 5);
    page =
        get("/v1/results?limit=2&cursor=" + std::string(page.at("next_cursor").as_string())).body();
    EXPECT_EQ(ids(page), "c d ");
    page =
        get("/v1/results?limit=2&cursor=" + std::string(page.at("next_cursor").as_string())).body();
    EXPECT_EQ(ids(page), "e ");
    page =
        get("/v1/results?limit=2&cursor=" + std::string(page.at("next_cursor").as_string())).body();
    EXPECT_EQ(ids(page), "");
    EXPECT_EQ(page.at("next_cursor").as_string(), "5");
}

TEST_F(ResultsTest, TellWhatBecameOfATask) {
    complete({"a"}, R"(,"group":"g")");
    submit(R"({"type":"other","id":"b"})");
    fail(hosts_.front(), wire::AttemptStatus::permanent, "no such file");

    const json::value page = get("/v1/results").body();
    const json::value& good = page.at("items").at(0);
    EXPECT_EQ(good.at("seq").as_int64(), 1);
    EXPECT_EQ(good.at("state").as_string(), "completed");
    EXPECT_EQ(json::serialize(good.at("result")), R"({"of":"a"})");
    EXPECT_EQ(good.at("host").as_string(), "h");
    EXPECT_EQ(good.at("attempt").as_int64(), 1);
    EXPECT_EQ(good.at("group").as_string(), "g");
    EXPECT_EQ(good.at("finished").as_string(), "2026-05-04T00:00:00.123Z");
    EXPECT_FALSE(good.as_object().contains("payload"));
    const json::value& bad = page.at("items").at(1);
    EXPECT_EQ(bad.at("state").as_string(), "failed");
    EXPECT_EQ(bad.at("reason").as_string(), "permanent");
    EXPECT_EQ(bad.at("error").as_string(), "no such file");
    EXPECT_FALSE(bad.as_object().contains("result"));
}

TEST_F(ResultsTest, FieldsChooseHowMuchIsShown) {
    complete({"a"});
    const auto item = [&](const std::string& fields) {
        return get("/v1/results?fields=" + fields).body().at("items").at(0).as_object();
    };

    EXPECT_FALSE(item("brief").contains("result"));
    EXPECT_TRUE(item("result").contains("result"));
    EXPECT_TRUE(item("full").contains("payload"));
    EXPECT_TRUE(item("full").contains("times"));
    EXPECT_EQ(get("/v1/results?fields=all").status(), 400U);
}

TEST_F(ResultsTest, FiltersChooseByTypeGroupAndId) {
    join("h", {{"echo", ""}, {"other", ""}});
    std::vector<std::string> made;
    for (const char* body : {R"({"type":"echo","group":"g"})",
                             R"({"type":"other"})",
                             R"({"type":"echo"})",
                             R"({"type":"other","group":"g"})"}) {
        made.push_back(submit(body));
        finish(hosts_.front(), "1");
    }

    EXPECT_EQ(ids(get("/v1/results?type=other").body()), made[1] + ' ' + made[3] + ' ');
    EXPECT_EQ(ids(get("/v1/results?group=g").body()), made[0] + ' ' + made[3] + ' ');
    EXPECT_EQ(ids(get("/v1/results?from_id=" + made[1] + "&to_id=" + made[2]).body()),
              made[1] + ' ' + made[2] + ' ');
    EXPECT_EQ(get("/v1/results?from_id=mine").status(), 400U);
}

TEST_F(ResultsTest, WaitHoldsTheAnswerUntilThereIsOne) {
    join("h", {{"echo", ""}, {"other", ""}});
    const auto waiting = begin(Method::get, "/v1/results?wait=30s");
    EXPECT_FALSE(waiting->answered);
    complete({"a"});
    ASSERT_TRUE(waiting->answered);
    EXPECT_EQ(ids(waiting->body()), "a ");

    const auto late = begin(Method::get, "/v1/results?wait=1s&cursor=1");
    advance(std::chrono::seconds(2));
    ASSERT_TRUE(late->answered);
    EXPECT_EQ(ids(late->body()), "");
}

TEST_F(ResultsTest, AsLinesEachResultIsOneLine) {
    complete({"a", "b"});
    const Call answer = call(Method::get, "/v1/results", {}, {.accept = "application/x-ndjson"});

    EXPECT_EQ(answer.response.content_type, "application/x-ndjson");
    EXPECT_EQ(answer.header("Next-Cursor"), "2");
    std::size_t lines = 0;
    std::string_view rest = answer.text();
    for (; !rest.empty(); ++lines) {
        const auto end = rest.find('\n');
        ASSERT_NE(end, std::string_view::npos);
        EXPECT_EQ(json::parse(rest.substr(0, end)).at("seq").as_int64(),
                  static_cast<std::int64_t>(lines) + 1);
        rest.remove_prefix(end + 1);
    }
    EXPECT_EQ(lines, 2U);
}

TEST_F(ResultsTest, AGapIsToldInsteadOfSkipped) {
    restart(settings_, 3);
    complete({"a", "b", "c", "d", "e"});
    const Call gone = get("/v1/results?cursor=0");

    EXPECT_EQ(gone.status(), 410U);
    EXPECT_EQ(gone.member("code"), "results_dropped");
    EXPECT_EQ(gone.member("oldest"), "3");
    EXPECT_EQ(ids(get("/v1/results?cursor=" + gone.member("next_cursor")).body()), "c d e ");
    EXPECT_EQ(ids(get("/v1/results").body()), "c d e ") << "who never read has missed nothing";
}

TEST_F(ResultsTest, RefusesWrongParameters) {
    for (const char* query : {"limit=0",
                              "limit=1001",
                              "limit=x",
                              "limit=",
                              "cursor=abc",
                              "wait=x",
                              "wait=-1s",
                              "to_id=%20"}) {
        const Call answer = get(std::string("/v1/results?") + query);
        EXPECT_EQ(answer.status(), 400U) << query;
        EXPECT_EQ(answer.member("code"), "invalid_parameter") << query;
    }
}

}  // namespace
}  // namespace distributo::tests
