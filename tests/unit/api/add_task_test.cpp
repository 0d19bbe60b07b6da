#include "tests/unit/api/api_fixture.hpp"

namespace distributo::tests {
namespace {

constexpr std::string_view missing_project = R"({"error":"Missing projectName in request body."})";
constexpr std::string_view missing_type = R"({"error":"Missing taskType in options."})";

/// One row of the table of the original's routes.
struct Row {
    const char* target;
    std::string_view body;
    unsigned status;
    std::string_view answer;
};

class AddTaskTest : public ApiTest {
protected:
    void expect(const Row& row) {
        const Call answer = post(row.target, row.body);
        EXPECT_EQ(answer.status(), row.status) << row.body;
        EXPECT_EQ(answer.text(), std::string(row.answer) + '\n') << row.body;
        EXPECT_EQ(answer.response.content_type, "application/json");
    }
    json::value task(const std::string& id) { return get("/v1/tasks/" + id).body(); }
};

TEST_F(AddTaskTest, AnswersWordForWord) {
    const Row rows[] = {
        {"/addTask",
         R"({"projectName":"p","options":{"taskType":"t","taskId":"x"}})",
         200,
         R"({"message":"Task added successfully.","taskId":"x"})"},
        {"/addTask",
         R"({"options":{"taskId":"y","taskType":"t"},"projectName":"p"})",
         200,
         R"({"message":"Task added successfully.","taskId":"y"})"},
        {"/addTask", "", 400, missing_project},
        {"/addTask", "  \n", 400, missing_project},
        {"/addTask", "{}", 400, missing_project},
        {"/addTask", "[]", 400, missing_project},
        {"/addTask", "null", 400, missing_project},
        {"/addTask", R"("text")", 400, missing_project},
        {"/addTask", R"({"options":{"taskType":"t"}})", 400, missing_project},
        {"/addTask", R"({"projectName":"","options":{"taskType":"t"}})", 400, missing_project},
        {"/addTask", R"({"projectName":null,"options":{"taskType":"t"}})", 400, missing_project},
        {"/addTask", R"({"projectName":"p"})", 400, missing_type},
        {"/addTask", R"({"projectName":"p","options":{}})", 400, missing_type},
        {"/addTask", R"({"projectName":"p","options":"t"})", 400, missing_type},
        {"/addTask", R"({"projectName":"p","options":{"taskType":""}})", 400, missing_type},
        {"/addTask", R"({"projectName":"p","options":{"taskType":0}})", 400, missing_type},
        {"/addTask", R"({"projectName":"p","options":{"taskType":false}})", 400, missing_type},
        {"/addTasks",
         R"([{"projectName":"p","options":{"taskType":"t","taskId":"m1"}}])",
         200,
         R"({"addedTasks":["m1"],"failedTasks":[]})"},
        {"/addTasks", "[]", 200, R"({"addedTasks":[],"failedTasks":[]})"},
        {"/addTasks", "{}", 400, R"({"error":"Request body must be an array of tasks."})"},
        {"/addTasks", "", 400, R"({"error":"Request body must be an array of tasks."})"},
        {"/addTasks", "null", 400, R"({"error":"Request body must be an array of tasks."})"},
    };
    for (const Row& row : rows)
        expect(row);
}

TEST_F(AddTaskTest, GeneratesAnIdWhenNoneIsGiven) {
    const Call answer = post("/addTask", R"({"projectName":"p","options":{"taskType":"t"}})");

    EXPECT_EQ(answer.status(), 200U);
    const std::string id = answer.member("taskId");
    ASSERT_FALSE(id.empty());
    EXPECT_EQ(task(id).at("project").as_string(), "p");
    EXPECT_EQ(task(id).at("group").as_string(), "p");
    EXPECT_EQ(task(id).at("type").as_string(), "t");
}

TEST_F(AddTaskTest, KeepsEveryDocumentedOption) {
    const Call answer = post("/addTask",
                             R"({"projectName":"p","options":{"taskType":"t","type":"folder",
        "args":["a",1],"env":{"K":"v","N":2},"timeout":1500,"workingDirectory":"/tmp",
        "additionalOptions":{"deep":[1.0,2]},"unknown":true}})");

    const json::value added = task(answer.member("taskId"));
    EXPECT_EQ(json::serialize(added.at("args")), R"(["a","1"])");
    EXPECT_EQ(json::serialize(added.at("env")), R"({"K":"v","N":"2"})");
    EXPECT_EQ(added.at("timeout").as_string(), "1500ms");
    EXPECT_EQ(added.at("labels").at("type").as_string(), "folder");
    EXPECT_NE(get("/v1/tasks/" + answer.member("taskId")).text().find(R"({"deep":[1.0,2]})"),
              std::string::npos);
}

TEST_F(AddTaskTest, PayloadWinsOverAdditionalOptionsAndIsEmptyWithoutBoth) {
    const auto payload = [&](std::string_view options) {
        const Call answer =
            post("/addTask",
                 R"({"projectName":"p","options":{"taskType":"t")" + std::string(options) + "}}");
        return json::serialize(task(answer.member("taskId")).at("payload"));
    };

    EXPECT_EQ(payload(R"(,"additionalOptions":{"a":1},"payload":[2])"), "[2]");
    EXPECT_EQ(payload(R"(,"additionalOptions":{"a":1})"), R"({"a":1})");
    EXPECT_EQ(payload(""), "{}");
}

TEST_F(AddTaskTest, RefusesProjectNamesWithPathParts) {
    for (const char* name : {"../../elsewhere", "a/b", "/etc", "..", ".", "a\\\\b", "a\\u0000b"}) {
        const Call answer =
            post("/addTask",
                 R"({"projectName":")" + std::string(name) + R"(","options":{"taskType":"t"}})");
        EXPECT_EQ(answer.status(), 400U) << name;
        EXPECT_NE(answer.member("error").find("is not allowed"), std::string::npos) << name;
    }
}

TEST_F(AddTaskTest, SaysWhatIsWrongWithAnOption) {
    const Row rows[] = {
        {"/addTask",
         R"({"projectName":5,"options":{"taskType":"t"}})",
         400,
         R"({"error":"projectName must be a string."})"},
        {"/addTask",
         R"({"projectName":"p","options":{"taskType":"t","args":{}}})",
         400,
         R"({"error":"args in options must be an array of strings."})"},
        {"/addTask",
         R"({"projectName":"p","options":{"taskType":"t","env":[]}})",
         400,
         R"({"error":"env in options must be an object of strings."})"},
        {"/addTask",
         R"({"projectName":"p","options":{"taskType":"t","timeout":"1s"}})",
         400,
         R"({"error":"timeout in options must be a number of milliseconds."})"},
        {"/addTask",
         R"({"projectName":"p","options":{"taskType":"t","taskId":"a/b"}})",
         400,
         R"({"error":"taskId in options: must not contain '/'."})"},
        {"/addTask",
         R"({"projectName":"p","options":{"taskType":{}}})",
         400,
         R"({"error":"taskType in options must be a string."})"},
    };
    for (const Row& row : rows)
        expect(row);
}

TEST_F(AddTaskTest, MalformedJsonIsNamedAsSuch) {
    for (const char* target : {"/addTask", "/addTasks"}) {
        const Call answer = post(target, R"([{"projectName":"p","options":tru}])");
        EXPECT_EQ(answer.status(), 400U);
        EXPECT_EQ(answer.member("error").rfind("Request body is not valid JSON: ", 0), 0U)
            << answer.text();
    }
}

TEST_F(AddTaskTest, ARepeatIsAddedOnceAndOtherContentIsRefused) {
    const std::string body = R"({"projectName":"p","options":{"taskType":"t","taskId":"x"}})";
    const Call first = post("/addTask", body);
    const Call second = post("/addTask", body);
    const Call other =
        post("/addTask", R"({"projectName":"p","options":{"taskType":"other","taskId":"x"}})");

    EXPECT_EQ(second.status(), 200U);
    EXPECT_EQ(second.text(), first.text());
    EXPECT_EQ(other.status(), 409U);
    EXPECT_EQ(other.text(),
              R"({"error":"Task \"x\" exists already with different content."})"
              "\n");
    EXPECT_EQ(get("/v1/tasks").body().at("items").as_array().size(), 1U);
}

constexpr std::string_view mixed = R"([
    {"projectName":"p","options":{"taskType":"t","taskId":"m1"}},
    {"projectName":"zzz"},
    {"options":{"taskType":"t"}},
    null,
    {"projectName":5,"options":{"taskType":"t"}},
    {"projectName":"p","options":{"taskType":"t","taskId":"m2","args":["]}\""]}}
])";
constexpr std::string_view mixed_answer =
    R"({"addedTasks":["m1","m2"],"failedTasks":[)"
    R"({"projectName":"zzz","error":"Missing taskType in options."},)"
    R"({"projectName":"undefined","error":"Missing projectName."},)"
    R"({"projectName":"undefined","error":"Task entry must be an object."},)"
    R"({"projectName":5,"error":"projectName must be a string."}]})"
    "\n";

TEST_F(AddTaskTest, AddTasksReportsEveryEntryInOrder) {
    const Call answer = post("/addTasks", mixed);

    EXPECT_EQ(answer.status(), 200U);
    EXPECT_EQ(answer.text(), mixed_answer);
}

TEST_F(AddTaskTest, AddTasksIsTheSameWhereverItsBodyIsCut) {
    for (std::size_t piece = 1; piece < mixed.size(); ++piece) {
        Headers headers;
        headers.piece = piece;
        const Call answer = call(Method::post, "/addTasks", mixed, headers);
        ASSERT_EQ(answer.text(), mixed_answer) << piece;
    }
}

TEST_F(AddTaskTest, AConflictWithinAddTasksIsAFailedEntry) {
    const Call answer = post("/addTasks",
                             R"([{"projectName":"p","options":{"taskType":"t","taskId":"x"}},
        {"projectName":"q","options":{"taskType":"t","taskId":"x"}},
        {"projectName":"p","options":{"taskType":"t","taskId":"x"}}])");

    EXPECT_EQ(answer.text(),
              R"({"addedTasks":["x","x"],"failedTasks":[{"projectName":"q",)"
              R"("error":"Task \"x\" exists already with different content."}]})"
              "\n");
}

TEST_F(AddTaskTest, AMalformedEntryAddsNothing) {
    const Call answer = post(
        "/addTasks", R"([{"projectName":"p","options":{"taskType":"t"}},{"projectName":nope}])");

    EXPECT_EQ(answer.status(), 400U);
    EXPECT_EQ(get("/v1/tasks").body().at("items").as_array().size(), 0U);
}

TEST_F(AddTaskTest, PayloadsAreCheckedAgainstTheirSchema) {
    join("h", {{"t", R"({"type":"object","properties":{"n":{"type":"integer"}}})"}});
    const Call answer =
        post("/addTask",
             R"({"projectName":"p","options":{"taskType":"t","additionalOptions":{"n":"ten"}}})");

    EXPECT_EQ(answer.status(), 422U);
    EXPECT_NE(answer.member("error").find("payload does not match the schema of t (/payload/n: "),
              std::string::npos)
        << answer.text();
}

TEST_F(AddTaskTest, AFullQueueIsSaidSo) {
    settings_.max_tasks = 1;
    restart(settings_, 10);
    const std::string body = R"({"projectName":"p","options":{"taskType":"t"}})";
    EXPECT_EQ(post("/addTask", body).status(), 200U);
    const Call second = post("/addTask", body);

    EXPECT_EQ(second.status(), 429U);
    EXPECT_EQ(second.header("Retry-After"), "60") << "nothing ends";
    EXPECT_FALSE(second.member("error").empty());
}

}  // namespace
}  // namespace distributo::tests
