#include "files.hpp"
#include "http_server.hpp"
#include "outcomes.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace {

using distributo::testing::Sink;
using outcomes::range;

/// A sink, and a server that answers what the test wants.
class WebhookTest : public testing::Test {
protected:
    [[nodiscard]] std::string config(const std::string& more = "") const {
        return R"({"fields":[],"url":")" + server_.url("/hook") + "\"" + more + "}";
    }

    int status_ = 200;
    std::string answer_headers_;
    std::vector<HttpServer::Request> requests_;
    HttpServer server_{[this](const HttpServer::Request& request) {
        requests_.push_back(request);
        return "HTTP/1.1 " + std::to_string(status_) + " X\r\n" + answer_headers_ +
               "Content-Length: 2\r\nConnection: close\r\n\r\nno";
    }};
    Sink sink_{DISTRIBUTO_PLUGIN_FILE};
};

TEST_F(WebhookTest, PostsACallAsAnArray) {
    ASSERT_TRUE(sink_.open(config(R"(,"headers":{"X-Key":"k"})")).ok());
    EXPECT_TRUE(sink_.write(range(1, 2)).ok());
    ASSERT_EQ(requests_.size(), 1U);
    EXPECT_EQ(requests_[0].line, "POST /hook HTTP/1.1");
    EXPECT_EQ(requests_[0].body, R"([{"sequence":1},{"sequence":2}])");
    EXPECT_EQ(requests_[0].headers["content-type"], "application/json");
    EXPECT_EQ(requests_[0].headers["x-key"], "k");
    EXPECT_EQ(requests_[0].headers.count("distributo-signature"), 0U);
}

TEST_F(WebhookTest, OneByOneNothingIsSentTwiceAfterAnError) {
    ASSERT_TRUE(sink_.open(config(R"(,"batch":false)")).ok());
    EXPECT_TRUE(sink_.write(range(1, 1)).ok());
    status_ = 503;
    EXPECT_EQ(sink_.write(range(1, 3)).status, DTO_RETRY);
    status_ = 200;
    EXPECT_TRUE(sink_.write(range(1, 3)).ok());
    std::vector<std::string> bodies;
    for (const auto& request : requests_) {
        bodies.push_back(request.body);
    }
    EXPECT_EQ(
        bodies,
        (std::vector<std::string>{
            R"({"sequence":1})", R"({"sequence":2})", R"({"sequence":2})", R"({"sequence":3})"}));
}

TEST_F(WebhookTest, TriesAgainWhenTheServerAsksForThat) {
    status_ = 429;
    answer_headers_ = "Retry-After: 7\r\n";
    ASSERT_TRUE(sink_.open(config()).ok());
    const auto failed = sink_.write(range(1, 1));
    EXPECT_EQ(failed.status, DTO_RETRY);
    EXPECT_EQ(failed.message, "the server answered 429: no");
    EXPECT_EQ(failed.retry_after_ms, 7000);
}

TEST_F(WebhookTest, StopsOrDropsWhenItIsRefused) {
    status_ = 400;
    ASSERT_TRUE(sink_.open(config()).ok());
    EXPECT_EQ(sink_.write(range(1, 1)).status, DTO_PERMANENT);
    ASSERT_TRUE(sink_.open(config(R"(,"on_refused":"drop")")).ok());
    EXPECT_TRUE(sink_.write(range(1, 1)).ok());
    status_ = 302;
    EXPECT_EQ(sink_.write(range(1, 1)).status, DTO_PERMANENT);
}

/// The same as `openssl dgst -sha256 -hmac s` says of "1764144000.[]".
TEST_F(WebhookTest, SignsTimeAndBody) {
    Files files;
    ASSERT_TRUE(
        sink_.open(config(R"(,"secret_file":")" + files.write("secret", "s\n") + "\"")).ok());
    EXPECT_TRUE(sink_.write(range(1, 1)).ok());
    ASSERT_EQ(requests_.size(), 1U);
    const std::string signature = requests_[0].headers["distributo-signature"];
    const auto comma = signature.find(',');
    ASSERT_EQ(signature.substr(0, 2), "t=");
    ASSERT_NE(comma, std::string::npos);
    files.write("signed", signature.substr(2, comma - 2) + '.' + requests_[0].body);
    const std::string command = "openssl dgst -sha256 -hmac s " + files.path("signed") +
                                " | sed 's/.*= //' | tr -d '\\n' >" + files.path("expected");
    ASSERT_EQ(std::system(command.c_str()), 0);
    EXPECT_EQ(signature.substr(comma), ",v1=" + files.read("expected"));
}

TEST_F(WebhookTest, SaysWhatIsWrongWithItsSecret) {
    const auto refused = sink_.open(config(R"(,"secret_env":"NO_SUCH_VARIABLE")"));
    EXPECT_EQ(refused.message, "config.secret_env: there is no variable NO_SUCH_VARIABLE");
    EXPECT_EQ(sink_.open(R"({"url":"ftp://x"})").message,
              "config.url: expected http:// or https://");
}

}  // namespace
