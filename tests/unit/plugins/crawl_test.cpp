// The built plugin against a web server and folders of the test.
#include "files.hpp"
#include "http_server.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace {

using distributo::testing::Outcome;
using distributo::testing::Plugin;

const std::string html = "Content-Type: text/html; charset=utf-8\r\n";

/// A small site, by path; what is absent is answered with 404.
std::string site(const HttpServer::Request& request) {
    const std::string path = request.line.substr(4, request.line.rfind(' ') - 4);
    if (path == "/") {
        return HttpServer::answer(
            200,
            "<title>Start</title><a href=a><a href='a#x'><a href=/b><a href=/>"
            "<a href=http://other.example/>",
            html);
    }
    if (path == "/a") {
        return HttpServer::answer(200, "<base href=/deep/><a href=c><a href=/>", html);
    }
    if (path == "/moved") {
        return HttpServer::answer(301, "", "Location: /b\r\n");
    }
    if (path == "/away") {
        return HttpServer::answer(302, "", "Location: http://other.example/b\r\n");
    }
    if (path == "/busy") {
        return HttpServer::answer(429, "", "Retry-After: 7\r\n");
    }
    if (path == "/broken") {
        return HttpServer::answer(500);
    }
    if (path == "/text") {
        return HttpServer::answer(200, "<a href=no>", "Content-Type: text/plain\r\n");
    }
    if (path == "/many") {
        std::string links;
        for (int i = 0; i < 1100; ++i) {
            links += "<a href=p" + std::to_string(i) + ">";
        }
        return HttpServer::answer(200, links, html);
    }
    return HttpServer::answer(404, "<a href=no>", html);
}

class CrawlPageTest : public testing::Test {
protected:
    Outcome visit(const std::string& path, const std::string& more = "") {
        return plugin_.run("crawl.page", R"({"url":")" + server_.url(path) + "\"" + more + "}");
    }

    /// The paths of the follow-ups, as far as they are on this server.
    std::vector<std::string> followed(const Outcome& outcome) {
        std::vector<std::string> paths;
        for (const auto& task : outcome.emitted) {
            const std::string start = R"({"url":")" + server_.url("");
            EXPECT_EQ(task.type, "crawl.page");
            EXPECT_EQ(task.payload.find(start), 0U) << task.payload;
            paths.push_back(task.payload.substr(
                start.size(), task.payload.find('"', start.size()) - start.size()));
        }
        return paths;
    }

    Plugin plugin_{DISTRIBUTO_PLUGIN_FILE};
    HttpServer server_{&site};
};

using Paths = std::vector<std::string>;

TEST_F(CrawlPageTest, LinksOfTheSameServerBecomeFollowUps) {
    const Outcome outcome = visit("/");
    ASSERT_TRUE(outcome.ok()) << outcome.message;
    EXPECT_EQ(outcome.result,
              R"({"url":")" + server_.url("/") +
                  R"(","depth":0,"status":200,"bytes":95,"cut":false,"title":"Start",)"
                  R"("links":2,"followed":2})");
    EXPECT_EQ(followed(outcome), (Paths{"/a", "/b"}));
    const auto& task = outcome.emitted.front();
    EXPECT_EQ(task.payload,
              R"({"url":")" + server_.url("/a") + R"(","crawl":"crawl","start":")" +
                  server_.url("/") + R"(","depth":1})");
    EXPECT_EQ(task.dedupe_key, "crawl.page crawl " + server_.url("/a"));
    EXPECT_EQ(task.group, "crawl");
    EXPECT_EQ(task.priority, -1);
}

TEST_F(CrawlPageTest, TheStartIsNotVisitedAgain) {
    EXPECT_EQ(followed(visit("/a", R"(,"depth":1,"start":")" + server_.url("/") + "\"")),
              Paths{"/deep/c"});
    EXPECT_EQ(followed(visit("/a")), (Paths{"/deep/c", "/"})) << "here / is not the start";
}

TEST_F(CrawlPageTest, ARedirectIsAPageThatLeadsToAnother) {
    const Outcome moved = visit("/moved", R"(,"crawl":"mine","max_depth":3)");
    EXPECT_EQ(followed(moved), Paths{"/b"});
    EXPECT_EQ(moved.emitted.front().group, "mine");
    EXPECT_NE(moved.result.find(R"("status":301)"), std::string::npos) << moved.result;
    EXPECT_NE(moved.result.find(R"("location":")" + server_.url("/b")), std::string::npos);
    const Outcome away = visit("/away");
    EXPECT_EQ(followed(away), Paths{});
    EXPECT_NE(away.result.find(R"("location":"http://other.example/b")"), std::string::npos);
}

TEST_F(CrawlPageTest, DepthEndsTheCrawl) {
    EXPECT_EQ(followed(visit("/", R"(,"max_depth":1)")), (Paths{"/a", "/b"}));
    EXPECT_EQ(followed(visit("/", R"(,"max_depth":1,"depth":1)")), Paths{});
    EXPECT_EQ(followed(visit("/", R"(,"max_depth":0)")), Paths{});
}

TEST_F(CrawlPageTest, PagesAreDividedAmongLinks) {
    EXPECT_EQ(followed(visit("/", R"(,"max_pages":1)")), Paths{});
    EXPECT_EQ(followed(visit("/", R"(,"max_pages":2)")), Paths{"/a"});
    const Outcome outcome = visit("/", R"(,"max_pages":6)");
    ASSERT_EQ(outcome.emitted.size(), 2U);
    EXPECT_NE(outcome.emitted[0].payload.find(R"("max_pages":3,)"), std::string::npos);
    EXPECT_NE(outcome.emitted[1].payload.find(R"("max_pages":2,)"), std::string::npos);
}

TEST_F(CrawlPageTest, MoreLinksThanACallMayEmitAreLeftOut) {
    const Outcome outcome = visit("/many");
    EXPECT_EQ(outcome.emitted.size(), 1000U);
    EXPECT_NE(outcome.result.find(R"("links":1100,"followed":1000)"), std::string::npos);
    ASSERT_EQ(outcome.logs.size(), 1U);
    EXPECT_NE(outcome.logs[0].find("more links"), std::string::npos);
}

TEST_F(CrawlPageTest, WhatIsNoPageHasNoLinks) {
    EXPECT_EQ(followed(visit("/text")), Paths{});
    const Outcome missing = visit("/nowhere");
    ASSERT_TRUE(missing.ok()) << missing.message;
    EXPECT_NE(missing.result.find(R"("status":404)"), std::string::npos) << missing.result;
    EXPECT_EQ(followed(missing), Paths{});
}

TEST_F(CrawlPageTest, ABusyServerIsAskedLater) {
    const Outcome busy = visit("/busy");
    EXPECT_EQ(busy.status, DTO_RETRY);
    EXPECT_EQ(busy.retry_after_ms, 7000);
    EXPECT_EQ(busy.message, server_.url("/busy") + ": the server answered 429");
    EXPECT_EQ(visit("/broken").status, DTO_RETRY);
}

TEST_F(CrawlPageTest, ALongPageIsCut) {
    const Outcome outcome = visit("/", R"(,"max_bytes":29)");
    ASSERT_TRUE(outcome.ok()) << outcome.message;
    EXPECT_NE(outcome.result.find(R"("bytes":29,"cut":true,"title":"Start")"), std::string::npos)
        << outcome.result;
    EXPECT_EQ(followed(outcome), Paths{});
}

TEST_F(CrawlPageTest, WhatCannotBeFetchedSaysWhy) {
    const Outcome other = plugin_.run("crawl.page", R"({"url":"ftp://127.0.0.1/"})");
    EXPECT_EQ(other.status, DTO_PERMANENT);
    EXPECT_NE(other.message.find("payload.url: expected an http or https URL"), std::string::npos);
    EXPECT_EQ(visit("/", R"(,"crawl":"a b")").status, DTO_PERMANENT);
    EXPECT_EQ(visit("/", R"(,"max_bytes":100000000)").status, DTO_PERMANENT);
    const Outcome nobody = plugin_.run("crawl.page", R"({"url":"http://127.0.0.1:1/"})");
    EXPECT_EQ(nobody.status, DTO_RETRY);
    EXPECT_NE(nobody.message.find("http://127.0.0.1:1/: Failed to connect"), std::string::npos)
        << nobody.message;
}

TEST_F(CrawlPageTest, ACancelEndsTheWait) {
    distributo::testing::RunOptions options;
    options.cancel_at_check = 1;
    const Outcome outcome = plugin_.run(
        "crawl.page", R"({"url":")" + server_.url("/") + R"(","delay_ms":3600000})", options);
    EXPECT_EQ(outcome.status, DTO_CANCELLED);
    EXPECT_TRUE(server_.requests().empty());
}

TEST_F(CrawlPageTest, TheServerLearnsWhoAsks) {
    plugin_.setup(R"({"user_agent":"me/1"})");
    ASSERT_TRUE(visit("/").ok());
    EXPECT_EQ(server_.requests().at(0).headers.at("user-agent"), "me/1");
}

class CrawlFolderTest : public testing::Test {
protected:
    Outcome visit(const std::string& path, const std::string& more = "") {
        return plugin_.run("crawl.folder", R"({"path":")" + path + "\"" + more + "}");
    }

    Plugin plugin_{DISTRIBUTO_PLUGIN_FILE};
    Files files_;
};

TEST_F(CrawlFolderTest, AFolderIsCountedAndItsFoldersFollow) {
    const std::string top = files_.path("top");
    std::filesystem::create_directories(top + "/b");
    std::filesystem::create_directories(top + "/a/below");
    files_.write("top/file", "12345");
    files_.write("top/other", "6789");
    std::filesystem::create_symlink("/", top + "/link");
    const Outcome outcome = visit(top + "/./", R"(,"crawl":"disk")");
    ASSERT_TRUE(outcome.ok()) << outcome.message;
    EXPECT_EQ(outcome.result,
              R"({"path":")" + top +
                  R"(","depth":0,"files":2,"bytes":9,"folders":2,"others":1,"followed":2})");
    ASSERT_EQ(outcome.emitted.size(), 2U);
    EXPECT_EQ(outcome.emitted[0].payload,
              R"({"path":")" + top + R"(/a","crawl":"disk","depth":1})");
    EXPECT_EQ(outcome.emitted[1].dedupe_key, "crawl.folder disk " + top + "/b");
    EXPECT_EQ(outcome.emitted[1].group, "disk");
    EXPECT_EQ(outcome.emitted[1].priority, -1);
    EXPECT_TRUE(visit(top, R"(,"max_depth":2,"depth":2)").emitted.empty());
}

TEST_F(CrawlFolderTest, TheRestOfALargeFolderIsATaskOfItsOwn) {
    for (int i = 0; i < 1500; ++i) {
        std::filesystem::create_directory(files_.path("d" + std::to_string(10000 + i)));
    }
    const std::string top = std::filesystem::path(files_.path("x")).parent_path();
    const Outcome first = visit(top);
    ASSERT_EQ(first.emitted.size(), 1000U);
    const std::string rest = first.emitted.back().payload;
    EXPECT_EQ(rest, R"({"path":")" + top + R"(","crawl":"crawl","depth":0,"after":"d10998"})");
    EXPECT_NE(first.emitted.back().dedupe_key, first.emitted.front().dedupe_key);
    const Outcome second = plugin_.run("crawl.folder", rest);
    EXPECT_EQ(second.emitted.size(), 501U);
    EXPECT_NE(second.emitted.front().payload.find("/d10999\""), std::string::npos);
    EXPECT_EQ(second.emitted.front().payload.find("after"), std::string::npos);
    EXPECT_NE(second.result.find(R"("folders":0,"others":0,"followed":501)"), std::string::npos)
        << second.result;
}

TEST_F(CrawlFolderTest, NamesThatAreNoTextAreLeftOut) {
    std::filesystem::create_directory(files_.path("\xff"));
    const Outcome outcome = visit(std::filesystem::path(files_.path("x")).parent_path());
    ASSERT_TRUE(outcome.ok()) << outcome.message;
    EXPECT_TRUE(outcome.emitted.empty());
    EXPECT_EQ(outcome.logs.size(), 1U);
    EXPECT_NE(outcome.result.find(R"("folders":1)"), std::string::npos);
}

TEST_F(CrawlFolderTest, WhatIsNoFolderSaysWhy) {
    EXPECT_EQ(visit("relative").status, DTO_PERMANENT);
    const Outcome missing = visit("/nowhere/at/all");
    EXPECT_EQ(missing.status, DTO_RETRY_ELSEWHERE);
    EXPECT_EQ(missing.message, "cannot list /nowhere/at/all: No such file or directory");
}

}  // namespace
