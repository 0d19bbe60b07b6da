#include "tests/unit/api/api_fixture.hpp"

namespace distributo::tests {
namespace {

class IdempotencyTest : public ApiTest {
protected:
    Call send(const std::string& target,
              std::string_view body,
              const std::string& key,
              std::size_t piece = 0) {
        return call(Method::post, target, body, {.piece = piece, .idempotency_key = key});
    }
    std::size_t count() { return get("/v1/tasks").body().at("items").as_array().size(); }
};

TEST_F(IdempotencyTest, TheSameRequestAgainIsAnsweredWithTheSameTask) {
    const Call first = send("/v1/tasks", R"({"type":"t"})", "k");
    const Call again = send("/v1/tasks", R"({"type":"t"})", "k");
    const Call other = send("/v1/tasks", R"({"type":"t"})", "l");

    EXPECT_EQ(first.status(), 201U);
    EXPECT_EQ(first.header("Idempotency-Replayed"), "");
    EXPECT_EQ(again.status(), 200U);
    EXPECT_EQ(again.member("id"), first.member("id"));
    EXPECT_EQ(again.header("Idempotency-Replayed"), "true");
    EXPECT_EQ(other.status(), 201U);
    EXPECT_EQ(count(), 2U);
}

TEST_F(IdempotencyTest, AKeyOfAnotherRequestIsRefused) {
    send("/v1/tasks", R"({"type":"t"})", "k");
    for (const auto& [target, body] : {std::pair("/v1/tasks", R"({"type":"t","payload":1})"),
                                       std::pair("/v1/tasks?wait=1ms", R"({"type":"t"})"),
                                       std::pair("/v1/tasks:batch", R"([{"type":"t"}])")}) {
        const Call answer = send(target, body, "k");
        EXPECT_EQ(answer.status(), 422U) << target;
        EXPECT_EQ(answer.member("code"), "idempotency_key_reused") << target;
    }
    const Call original =
        send("/addTask", R"({"projectName":"p","options":{"taskType":"t"}})", "k");
    EXPECT_EQ(original.status(), 422U);
    EXPECT_NE(original.member("error"), "");
    EXPECT_EQ(count(), 1U);
}

TEST_F(IdempotencyTest, ABatchIsTheSameHoweverItArrives) {
    const std::string body = R"([{"type":"t"},{"nonsense":1},{"type":"t","id":"x"}])";
    const Call first = send("/v1/tasks:batch", body, "k");
    const Call again = send("/v1/tasks:batch", body, "k", 3);
    const Call shorter = send("/v1/tasks:batch", body.substr(0, 13) + "]", "k");

    EXPECT_EQ(first.header("Idempotency-Replayed"), "");
    EXPECT_EQ(again.header("Idempotency-Replayed"), "true");
    for (const std::size_t i : {0, 2}) {
        EXPECT_EQ(again.body().at("results").at(i).at("id"),
                  first.body().at("results").at(i).at("id"));
        EXPECT_TRUE(again.body().at("results").at(i).at("repeated").as_bool());
    }
    EXPECT_EQ(again.body().at("rejected").as_int64(), 1);
    EXPECT_EQ(shorter.status(), 422U);
    EXPECT_EQ(count(), 2U);
}

TEST_F(IdempotencyTest, TheRoutesOfTheOriginalKnowItToo) {
    const std::string one = R"({"projectName":"p","options":{"taskType":"t"}})";
    const Call first = send("/addTask", one, "k");
    const Call again = send("/addTask", one, "k");
    const Call many = send("/addTasks", '[' + one + ',' + one + ']', "l");
    const Call many_again = send("/addTasks", '[' + one + ',' + one + ']', "l", 5);

    EXPECT_EQ(again.text(), first.text());
    EXPECT_EQ(again.header("Idempotency-Replayed"), "true");
    EXPECT_EQ(many_again.text(), many.text());
    EXPECT_EQ(many_again.header("Idempotency-Replayed"), "true");
    EXPECT_EQ(count(), 3U);
}

TEST_F(IdempotencyTest, AKeyCountsForADay) {
    const std::string body = R"({"type":"t"})";
    send("/v1/tasks", body, "k");
    advance(std::chrono::hours(23));
    EXPECT_EQ(send("/v1/tasks", body, "k").status(), 200U);
    advance(std::chrono::hours(1));
    EXPECT_EQ(send("/v1/tasks", body, "k").status(), 201U);
}

TEST_F(IdempotencyTest, AKeyHasALimit) {
    const std::string one = R"({"projectName":"p","options":{"taskType":"t"}})";
    EXPECT_EQ(send("/v1/tasks", R"({"type":"t"})", std::string(255, 'k')).status(), 201U);
    const std::string longer(256, 'k');
    EXPECT_EQ(send("/v1/tasks", R"({"type":"t"})", longer).member("code"), "invalid_header");
    EXPECT_EQ(send("/v1/tasks:batch", "[]", longer).member("code"), "invalid_header");
    EXPECT_EQ(send("/addTask", one, longer).status(), 400U);
    EXPECT_EQ(send("/addTasks", "[]", longer).status(), 400U);
}

}  // namespace
}  // namespace distributo::tests
