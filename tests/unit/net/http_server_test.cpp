#include "net/http_server.hpp"

#include "test_server.hpp"
#include "tests/support/raw_client.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace distributo::net {
namespace {

using tests::RawClient;
using tests::RawResponse;

TEST(HttpServerTest, AnswersAndKeepsTheConnection) {
    TestServer server;
    RawClient client(server.port);

    client.send(server.post("/v1/tasks", "{\"a\":1}"));
    const auto first = client.response();
    client.send(server.get("/second"));
    const auto second = client.response();

    EXPECT_EQ(first.status, 200);
    EXPECT_EQ(first.body, "POST /v1/tasks {\"a\":1}");
    EXPECT_TRUE(first.has("Content-Type: text/plain"));
    EXPECT_TRUE(first.has("\r\nDate: "));
    EXPECT_EQ(second.body, "GET /second ");
}

TEST(HttpServerTest, DecodesTargetsAndHeaders) {
    TestServer server;
    server.handler.on_done = [](const RequestHead& head, const std::string&, Respond& respond) {
        std::string text = head.target + '|' + head.path;
        for (const auto& [name, value] : head.query)
            text += '|' + name + '=' + value;
        text += '|' + std::string(head.header("x-some")) + '|' + *head.parameter("a b");
        text += head.parameter("nope") ? "|?" : "|none";
        text += head.peer.starts_with("127.0.0.1:") ? "|peer" : "|?";
        respond(TestHandler::text(text));
    };
    RawClient client(server.port);

    client.send("GET /a%2Fb%20c?x=%c3%bc&a+b=1%2B1&flag&=v& HTTP/1.1\r\n" + server.host_line() +
                "X-SOME:  two words \r\n\r\n");

    EXPECT_EQ(
        client.response().body,
        "/a%2Fb%20c?x=%c3%bc&a+b=1%2B1&flag&=v&|/a/b c|x=ü|a b=1+1|flag=|=v|two words|1+1|none"
        "|peer");
}

TEST(HttpServerTest, ReusedRequestHeadsRememberNothing) {
    TestServer server;
    server.handler.on_done = [](const RequestHead& head, const std::string&, Respond& respond) {
        respond(TestHandler::text(std::to_string(head.headers.size()) + ' ' +
                                  std::to_string(head.query.size()) + ' ' +
                                  (head.has_body ? "body" : "none")));
    };
    RawClient client(server.port);

    client.send("POST /?a=1&b=2 HTTP/1.1\r\n" + server.host_line() +
                "Content-Type: application/json\r\nContent-Length: 1\r\nX: y\r\n\r\n1");
    EXPECT_EQ(client.response().body, "4 2 body");
    client.send(server.get("/"));
    EXPECT_EQ(client.response().body, "1 0 none");
}

TEST(HttpServerTest, HeadHasHeadersOnly) {
    TestServer server;
    RawClient client(server.port);

    client.send("HEAD /x HTTP/1.1\r\n" + server.host_line() + "\r\n" + server.get("/y"));

    const auto head = client.response(true);
    EXPECT_TRUE(head.has("Content-Length: 8"));  // of "HEAD /x "
    EXPECT_EQ(client.response().body, "GET /y ");
}

TEST(HttpServerTest, NoContentHasNoLength) {
    TestServer server;
    server.handler.on_done = [](const RequestHead&, const std::string&, Respond& respond) {
        respond({.status = 204, .content_type = "", .body = "", .headers = {{"X-Left", "1"}}});
    };
    RawClient client(server.port);

    client.send(server.get("/"));

    const auto response = client.response();
    EXPECT_EQ(response.status, 204);
    EXPECT_FALSE(response.has("Content-Length"));
    EXPECT_TRUE(response.has("X-Left: 1\r\n"));
}

TEST(HttpServerTest, LineBreaksInHeadersDoNotSplitTheResponse) {
    TestServer server;
    server.handler.on_done = [](const RequestHead&, const std::string&, Respond& respond) {
        respond({.status = 200,
                 .content_type = "text/plain\r\nX-Evil: 1",
                 .body = "",
                 .headers = {{"Location", "/a\r\n\r\nHTTP/1.1 200 OK"}}});
    };
    RawClient client(server.port);

    client.send(server.get("/"));

    const auto response = client.response();
    EXPECT_FALSE(response.has("\r\nX-Evil"));
    EXPECT_TRUE(response.has("Location: /aHTTP/1.1 200 OK\r\n"));
}

TEST(HttpServerTest, EveryCutOfTheInputGivesTheSameRequests) {
    TestServer server;
    const std::string input = server.post("/one", "{\"n\":1}") + "POST /two HTTP/1.1\r\n" +
                              server.host_line() +
                              "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                              "3\r\n[1,\r\n4;x=\"y\"\r\n2,3]\r\n0\r\n\r\n" +
                              server.get("/three");
    const std::vector<std::string> expected = {
        "POST /one {\"n\":1}", "POST /two [1,2,3]", "GET /three "};

    for (std::size_t cut = 1; cut < input.size(); ++cut) {
        RawClient client(server.port);
        client.send(input.substr(0, cut));
        server.look_at_sockets();
        client.send(input.substr(cut));
        for (const auto& body : expected)
            ASSERT_EQ(client.response().body, body) << "cut at " << cut;
    }
}

TEST(HttpServerTest, SingleBytesAreEnough) {
    TestServer server;
    RawClient client(server.port);
    const std::string input = server.post("/one", "{\"n\":1}") + "POST /two HTTP/1.1\r\n" +
                              server.host_line() +
                              "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                              "1\r\n[\r\n2\r\n1]\r\n0\r\n\r\n";

    for (const char byte : input)
        client.send({&byte, 1});

    EXPECT_EQ(client.response().body, "POST /one {\"n\":1}");
    EXPECT_EQ(client.response().body, "POST /two [1]");
}

TEST(HttpServerTest, ResponsesKeepTheOrderOfRequests) {
    TestServer server;
    std::vector<Respond> waiting;
    server.handler.on_done = [&](const RequestHead&, const std::string&, Respond& respond) {
        waiting.push_back(respond);
    };
    RawClient client(server.port);
    client.send(server.get("/0") + server.get("/1") + server.get("/2") + server.get("/3"));
    ASSERT_TRUE(server.eventually([&] { return waiting.size() == 4; }));

    for (const std::size_t i : {2U, 0U, 3U, 1U})
        server.on_loop([&] { waiting[i](TestHandler::text("answer " + std::to_string(i))); });

    for (int i = 0; i < 4; ++i)
        EXPECT_EQ(client.response().body, "answer " + std::to_string(i));
    server.on_loop([&] { waiting.clear(); });
}

TEST(HttpServerTest, OneTurnForAllRequestsOfARead) {
    TestServer server;
    RawClient client(server.port);

    client.send(server.get("/0") + server.get("/1") + server.get("/2"));
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(client.response().status, 200);

    const std::vector<std::string> expected = {
        "head /0", "end /0", "head /1", "end /1", "head /2", "end /2"};
    EXPECT_EQ(server.on_loop([&] { return server.handler.log; }), expected);
    EXPECT_EQ(server.on_loop([&] { return server.handler.turns; }), 1);
}

TEST(HttpServerTest, AnswersGivenAtTheEndOfTheTurnAreSent) {
    TestServer server;
    std::vector<Respond> waiting;
    server.handler.on_done = [&](const RequestHead&, const std::string&, Respond& respond) {
        waiting.push_back(respond);
    };
    server.handler.on_turn_end = [&] {
        for (auto& respond : std::exchange(waiting, {}))
            respond(TestHandler::text("committed"));
    };
    RawClient client(server.port);

    client.send(server.get("/0") + server.get("/1"));

    EXPECT_EQ(client.response().body, "committed");
    EXPECT_EQ(client.response().body, "committed");
}

TEST(HttpServerTest, SecondAndLateAnswersAreDropped) {
    TestServer server;
    std::vector<Respond> kept;
    server.handler.on_done = [&](const RequestHead&, const std::string&, Respond& respond) {
        kept.push_back(respond);
        if (kept.size() == 1) {
            respond(TestHandler::text("first"));
            respond(TestHandler::text("second"));
        }
    };
    {
        RawClient client(server.port);
        client.send(server.get("/"));
        EXPECT_EQ(client.response().body, "first");
        server.on_loop([&] { kept[0](TestHandler::text("again")); });
        client.send(server.get("/next"));
        ASSERT_TRUE(server.eventually([&] { return kept.size() == 2; }));
        server.on_loop([&] { kept[0](TestHandler::text("and again")); });
        server.on_loop([&] { kept[1](TestHandler::text("next")); });
        EXPECT_EQ(client.response().body, "next");
        client.send(server.get("/abandoned"));
        ASSERT_TRUE(server.eventually([&] { return kept.size() == 3; }));
        client.reset();
    }
    ASSERT_TRUE(server.eventually([&] { return server.server->connection_count() == 0; }));
    server.on_loop([&] {
        kept[2](TestHandler::text("too late"));
        EXPECT_EQ(server.handler.open_exchanges, 0);
        server.server.reset();
        kept[2](TestHandler::text("much too late"));
        kept.clear();
    });
}

TEST(HttpServerTest, AnEarlyAnswerEndsTheConnection) {
    TestServer server;
    server.handler.on_piece = [](std::string_view, Respond& respond) {
        respond(TestHandler::text("enough", 422));
    };
    RawClient client(server.port);

    client.send("POST / HTTP/1.1\r\n" + server.host_line() +
                "Content-Type: application/json\r\nContent-Length: 1000000\r\n\r\n[1,");

    const auto response = client.response();
    EXPECT_EQ(response.status, 422);
    EXPECT_EQ(response.body, "enough");
    EXPECT_TRUE(response.has("Connection: close"));
    // What is still under way is taken and thrown away: a reset could cost the peer the response.
    for (int i = 0; i < 5; ++i) {
        EXPECT_TRUE(client.send(std::string(100'000, ' ')));
        server.look_at_sockets();
    }
    client.finish_sending();
    EXPECT_TRUE(client.ends());
    EXPECT_EQ(server.on_loop([&] { return server.handler.log.back(); }), "head /");
}

TEST(HttpServerTest, AnEarlyAnswerToACompleteRequestKeepsTheConnection) {
    TestServer server;
    server.handler.on_head = [](const RequestHead&, Respond& respond) {
        respond(TestHandler::text("already"));
    };
    RawClient client(server.port);

    client.send(server.post("/", "[]") + server.get("/next"));

    const auto first = client.response();
    EXPECT_EQ(first.body, "already");
    EXPECT_FALSE(first.has("Connection: close"));
    EXPECT_EQ(client.response().body, "already");
}

TEST(HttpServerTest, ContinueIsSentWhenTheBodyIsWanted) {
    TestServer server;
    RawClient client(server.port);

    client.send("POST / HTTP/1.1\r\n" + server.host_line() +
                "Content-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n"
                "\r\n");
    EXPECT_EQ(client.response().status, 100);
    client.send("{}");
    EXPECT_EQ(client.response().body, "POST / {}");
}

TEST(HttpServerTest, ContinueWaitsForEarlierAnswers) {
    TestServer server;
    std::vector<Respond> waiting;
    server.handler.on_done = [&](const RequestHead&, const std::string&, Respond& respond) {
        waiting.push_back(respond);
    };
    RawClient client(server.port);
    client.send(server.get("/") + "POST / HTTP/1.1\r\n" + server.host_line() +
                "Content-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n"
                "\r\n");
    ASSERT_TRUE(server.eventually([&] { return waiting.size() == 1; }));

    server.on_loop([&] { waiting[0](TestHandler::text("first")); });

    EXPECT_EQ(client.response().body, "first");
    EXPECT_EQ(client.response().status, 100);
    client.send("{}");
    ASSERT_TRUE(server.eventually([&] { return waiting.size() == 2; }));
    server.on_loop([&] { waiting[1](TestHandler::text("second")); });
    EXPECT_EQ(client.response().body, "second");
    server.on_loop([&] { waiting.clear(); });
}

TEST(HttpServerTest, NoContinueForARefusedBodyOrOneThatIsHere) {
    TestServer server;
    const std::string head = "POST / HTTP/1.1\r\n" + server.host_line() +
                             "Content-Type: application/json\r\nExpect: 100-continue\r\n";
    RawClient refused(server.port);
    refused.send(head + "Content-Length: 99999999\r\n\r\n");
    EXPECT_EQ(refused.response().status, 413);
    RawClient eager(server.port);
    eager.send(head + "Content-Length: 2\r\n\r\n{}");
    EXPECT_EQ(eager.response().status, 200);
}

TEST(HttpServerTest, ClosesWhenAsked) {
    TestServer server;
    RawClient client(server.port);

    client.send("GET / HTTP/1.1\r\n" + server.host_line() + "Connection: close\r\n\r\n" +
                server.get("/ignored"));

    EXPECT_TRUE(client.response().has("Connection: close"));
    EXPECT_TRUE(client.ends());
    EXPECT_EQ(server.on_loop([&] { return server.handler.log.size(); }), 2U);
}

TEST(HttpServerTest, Http10ClosesUnlessAskedToStay) {
    TestServer server;
    RawClient brief(server.port);
    brief.send("GET / HTTP/1.0\r\n" + server.host_line() + "\r\n");
    EXPECT_TRUE(brief.response().has("Connection: close"));
    EXPECT_TRUE(brief.ends());

    RawClient staying(server.port);
    staying.send("GET / HTTP/1.0\r\n" + server.host_line() + "Connection: keep-alive\r\n\r\n");
    EXPECT_TRUE(staying.response().has("Connection: keep-alive"));
    staying.send(server.get("/more"));
    EXPECT_EQ(staying.response().body, "GET /more ");
}

TEST(HttpServerTest, HalfClosedClientsGetTheirAnswers) {
    TestServer server;
    std::vector<Respond> waiting;
    server.handler.on_done = [&](const RequestHead&, const std::string&, Respond& respond) {
        waiting.push_back(respond);
    };
    RawClient client(server.port);
    client.send(server.get("/"));
    client.finish_sending();
    ASSERT_TRUE(server.eventually([&] { return waiting.size() == 1; }));

    server.on_loop([&] { waiting[0](TestHandler::text("late but there")); });

    EXPECT_EQ(client.response().body, "late but there");
    EXPECT_TRUE(client.ends());
    server.on_loop([&] { waiting.clear(); });
}

TEST(HttpServerTest, ACutRequestIsRefusedAndForgotten) {
    TestServer server;
    RawClient client(server.port);

    client.send("POST / HTTP/1.1\r\n" + server.host_line() +
                "Content-Type: application/json\r\nContent-Length: 10\r\n\r\n12345");
    client.finish_sending();

    EXPECT_EQ(client.response().status, 400);
    ASSERT_TRUE(server.eventually([&] { return server.handler.open_exchanges == 0; }));
    EXPECT_EQ(server.on_loop([&] { return server.handler.log.back(); }), "head /");
}

TEST(HttpServerTest, AChunkedBodyAboveTheLimitIsCutOff) {
    ListenerOptions options;
    options.limits.body_bytes = 100;
    TestServer server(options);
    RawClient client(server.port);
    client.send("POST / HTTP/1.1\r\n" + server.host_line() +
                "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                "60\r\n" +
                std::string(0x60, ' ') + "\r\n5\r\n12345\r\n0\r\n\r\n");

    EXPECT_EQ(client.response().status, 413);
    EXPECT_EQ(server.on_loop([&] { return server.handler.log.size(); }), 1U);
    RawClient exact(server.port);
    exact.send(server.post("/", std::string(100, ' ')));
    EXPECT_EQ(exact.response().status, 200);
}

TEST(HttpServerTest, ManySmallChunksAreNoAttack) {
    TestServer server;
    RawClient client(server.port);
    std::string input = "POST / HTTP/1.1\r\n" + server.host_line() +
                        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i < 20'000; ++i)
        input += "1\r\n \r\n";
    input += "0\r\n\r\n";

    client.send(input);

    EXPECT_EQ(client.response().body.size(), std::string("POST / ").size() + 20'000);
}

TEST(HttpServerTest, PaddingSpreadOverManyChunksIsRefused) {
    TestServer server;
    RawClient client(server.port);
    client.send("POST / HTTP/1.1\r\n" + server.host_line() +
                "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string chunk = "1;" + std::string(4000, 'x') + "\r\n \r\n";
    for (int i = 0; i < 100; ++i)
        client.send(chunk);
    client.send("0\r\n\r\n");

    EXPECT_EQ(client.response().status, 400);
}

}  // namespace
}  // namespace distributo::net
