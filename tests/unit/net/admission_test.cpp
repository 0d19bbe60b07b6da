// Raw requests that another parser, or a browser, might take differently than we do.

#include "test_server.hpp"
#include "tests/support/raw_client.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace distributo::net {
namespace {

using tests::RawClient;
using tests::RawResponse;

/// "$" stands for the server's port, "~" for a correct Host line.
struct Probe {
    const char* name;
    std::string request;
    int status;
    bool accepted = false;  ///< the handler gets the whole request
};

std::string filled(std::string text, const TestServer& server) {
    for (std::size_t at = 0; (at = text.find_first_of("$~", at)) != std::string::npos;)
        text.replace(at, 1, text[at] == '$' ? std::to_string(server.port) : server.host_line());
    return text;
}

bool accepted(const TestHandler& handler) {
    return std::any_of(handler.log.begin(), handler.log.end(), [](const std::string& line) {
        return line.starts_with("end ") || line.starts_with("upgrade ");
    });
}

class AdmissionTest : public testing::TestWithParam<Probe> {};

TEST_P(AdmissionTest, AnswersAsTheTableSays) {
    const Probe& probe = GetParam();
    TestServer server;
    RawClient client(server.port);

    client.send(filled(probe.request, server));
    const RawResponse response = client.response();

    EXPECT_EQ(response.status, probe.status) << response.head << response.body;
    EXPECT_TRUE(response.has("X-Content-Type-Options: nosniff"));
    EXPECT_FALSE(response.has("Access-Control"));
    EXPECT_EQ(server.on_loop([&] { return accepted(server.handler); }), probe.accepted);
    if (probe.accepted)
        return;
    EXPECT_TRUE(response.has("Content-Type: application/problem+json"));
    EXPECT_NE(response.body.find("\"detail\":\""), std::string::npos) << response.body;
    EXPECT_NE(response.body.find("\"hint\":\""), std::string::npos) << response.body;
    EXPECT_TRUE(response.has("Connection: close"));
    EXPECT_TRUE(client.ends());
}

std::string name_of(const testing::TestParamInfo<Probe>& info) {
    return info.param.name;
}

std::string get(const std::string& lines) {
    return "GET / HTTP/1.1\r\n" + lines + "\r\n";
}
std::string post(const std::string& lines, const std::string& body = "{}") {
    return "POST / HTTP/1.1\r\n~" + lines + "\r\n" + body;
}
const std::string json = "Content-Type: application/json\r\n";
const std::string chunked = json + "Transfer-Encoding: chunked\r\n";

const std::vector<Probe> hosts = {
    {"Localhost", get("Host: localhost:$\r\n"), 200, true},
    {"AnyCase", get("HOST: LocalHost:$\r\n"), 200, true},
    {"Loopback4", get("Host: 127.0.0.1:$\r\n"), 200, true},
    {"Loopback6", get("Host: [::1]:$\r\n"), 200, true},
    {"Loopback6Long", get("Host: [0:0:0:0:0:0:0:1]:$\r\n"), 200, true},
    {"NoPort", get("Host: localhost\r\n"), 421},
    {"OtherPort", get("Host: localhost:1\r\n"), 421},
    {"EmptyPort", get("Host: localhost:\r\n"), 421},
    {"PortAndMore", get("Host: localhost:$x\r\n"), 421},
    {"OtherName", get("Host: evil.test:$\r\n"), 421},
    {"NameWithOursInside", get("Host: localhost.evil.test:$\r\n"), 421},
    {"OtherAddress", get("Host: 192.0.2.1:$\r\n"), 421},
    {"UserBeforeName", get("Host: evil@localhost:$\r\n"), 421},
    {"OpenBracket", get("Host: [::1:$\r\n"), 421},
    {"Empty", get("Host:\r\n"), 421},
    {"Missing", get(""), 400},
    {"Missing10", "GET / HTTP/1.0\r\n\r\n", 400},
    {"Twice", get("~~"), 400}};
INSTANTIATE_TEST_SUITE_P(Host, AdmissionTest, testing::ValuesIn(hosts), name_of);

const std::vector<Probe> browsers = {
    {"OwnOrigin", get("~Origin: http://localhost:$\r\n"), 200, true},
    {"OwnOriginByAddress", get("~Origin: http://127.0.0.1:$\r\n"), 200, true},
    {"OtherOrigin", get("~Origin: http://evil.test:$\r\n"), 403},
    {"OriginOfOtherPort", get("~Origin: http://localhost:1\r\n"), 403},
    {"OriginOfOtherScheme", get("~Origin: https://localhost:$\r\n"), 403},
    {"NullOrigin", get("~Origin: null\r\n"), 403},
    {"EmptyOrigin", get("~Origin:\r\n"), 403},
    {"TwoOrigins", get("~Origin: http://localhost:$\r\nOrigin: http://evil.test\r\n"), 400},
    {"SameOriginFetch", get("~Sec-Fetch-Site: same-origin\r\n"), 200, true},
    {"TypedAddress", get("~Sec-Fetch-Site: none\r\n"), 200, true},
    {"CrossSite", get("~Sec-Fetch-Site: cross-site\r\n"), 403},
    {"SameSite", get("~Sec-Fetch-Site: same-site\r\n"), 403},
    {"Preflight",
     "OPTIONS / HTTP/1.1\r\n~Origin: http://evil.test\r\n"
     "Access-Control-Request-Method: POST\r\n\r\n",
     403},
    {"FormPost", post("Content-Type: text/plain\r\nContent-Length: 2\r\n"), 415},
    {"UrlEncodedForm",
     post("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 2\r\n"),
     415},
    {"MultipartForm",
     post("Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 2\r\n"),
     415},
    {"NoType", post("Content-Length: 2\r\n"), 415},
    {"TwoTypes", post(json + "Content-Type: text/plain\r\nContent-Length: 2\r\n"), 400},
    {"TypeThatOnlyBeginsRight",
     post("Content-Type: application/jsonx\r\nContent-Length: 2\r\n"),
     415},
    {"Json", post(json + "Content-Length: 2\r\n"), 200, true},
    {"JsonWithCharset",
     post("Content-Type: Application/JSON ; charset=utf-8\r\nContent-Length: 2\r\n"),
     200,
     true},
    {"Lines", post("Content-Type: application/x-ndjson\r\nContent-Length: 2\r\n"), 200, true},
    {"Bytes", post("Content-Type: application/octet-stream\r\nContent-Length: 2\r\n"), 200, true},
    {"EmptyBodyNeedsNoType", post("Content-Length: 0\r\n", ""), 200, true},
    {"NoBodyNeedsNoType", post("", ""), 200, true}};
INSTANTIATE_TEST_SUITE_P(Browser, AdmissionTest, testing::ValuesIn(browsers), name_of);

const std::vector<Probe> framings = {
    {"Chunked", post(chunked, "2\r\n{}\r\n0\r\n\r\n"), 200, true},
    {"ChunkedInAnyCase",
     post(json + "Transfer-Encoding: Chunked\r\n", "2\r\n{}\r\n0\r\n\r\n"),
     200,
     true},
    {"Gzip", post(json + "Transfer-Encoding: gzip\r\n"), 400},
    {"AlmostChunked", post(json + "Transfer-Encoding: xchunked\r\n"), 400},
    {"ChunkedThenIdentity", post(json + "Transfer-Encoding: chunked, identity\r\n"), 400},
    {"GzipThenChunked", post(json + "Transfer-Encoding: gzip, chunked\r\n"), 400},
    {"TwoEncodings", post(chunked + "Transfer-Encoding: chunked\r\n"), 400},
    {"ChunkedIn10", "POST / HTTP/1.0\r\n~" + chunked + "\r\n2\r\n{}\r\n0\r\n\r\n", 400},
    {"LengthAndChunked", post("Content-Length: 2\r\n" + chunked), 400},
    {"ChunkedAndLength", post(chunked + "Content-Length: 2\r\n"), 400},
    {"SameLengthTwice", post(json + "Content-Length: 2\r\nContent-Length: 2\r\n"), 400},
    {"TwoLengths", post(json + "Content-Length: 2\r\nContent-Length: 3\r\n"), 400},
    {"ListOfLengths", post(json + "Content-Length: 2, 2\r\n"), 400},
    {"LengthWithSign", post(json + "Content-Length: +2\r\n"), 400},
    {"NegativeLength", post(json + "Content-Length: -1\r\n"), 400},
    {"EmptyLength", post(json + "Content-Length:\r\n"), 400},
    {"HexLength", post(json + "Content-Length: 0x2\r\n"), 400},
    {"Length2To63", post(json + "Content-Length: 9223372036854775808\r\n"), 413},
    {"Length2To64", post(json + "Content-Length: 18446744073709551616\r\n"), 400},
    {"LengthAboveLimit", post(json + "Content-Length: 16777217\r\n", ""), 413},
    {"Chunk2To64", post(chunked, "10000000000000000\r\n"), 400},
    {"ChunkAboveLimit", post(chunked, "1000001\r\n"), 413},
    {"ChunkSizeNoHex", post(chunked, "x\r\n"), 400},
    {"ChunkSizeNegative", post(chunked, "-2\r\n{}\r\n"), 400},
    {"ChunkSizeWith0x", post(chunked, "0x2\r\n{}\r\n0\r\n\r\n"), 400},
    {"ChunkLongerThanItsSize", post(chunked, "1\r\n{}\r\n0\r\n\r\n"), 400},
    {"ShortTrailer", post(chunked, "2\r\n{}\r\n0\r\nX: y\r\n\r\n"), 400},
    {"LongTrailers",
     post(chunked, "2\r\n{}\r\n0\r\nX: " + std::string(9 * 1024, 'y') + "\r\n\r\n"),
     400},
    {"ShortChunkExtension", post(chunked, "2;a=b\r\n{}\r\n0\r\n\r\n"), 200, true},
    {"LongChunkExtension",
     post(chunked, "2;a=" + std::string(900 * 1024, 'b') + "\r\n{}\r\n0\r\n\r\n"),
     400}};
INSTANTIATE_TEST_SUITE_P(Framing, AdmissionTest, testing::ValuesIn(framings), name_of);

const std::vector<Probe> syntaxes = {
    {"ObsoleteFolding", get("~X: a\r\n b\r\n"), 400},
    {"FoldingBehindAnEmptyLine", get("~X:\r\n b\r\n"), 400},
    {"FoldingWithTabs", get("~X: a\r\n\tb\r\n"), 400},
    {"FoldedHost", get("Host: localhost:\r\n $\r\n"), 400},
    {"BareLineFeeds", "GET / HTTP/1.1\nHost: localhost:$\n\n\r\n\r\n", 400},
    {"BareCarriageReturn", get("~X: a\rb\r\n"), 400},
    {"SpaceBeforeColon", get("~X : a\r\n"), 400},
    {"SpaceBeforeName", "GET / HTTP/1.1\r\n Host: localhost:$\r\n\r\n", 400},
    {"NoName", get("~: a\r\n"), 400},
    {"Nul", get(std::string("~X: a\0b\r\n", 9)), 400},
    {"AbsoluteForm", "GET http://localhost:$/ HTTP/1.1\r\n~\r\n", 400},
    {"AsteriskForm", "OPTIONS * HTTP/1.1\r\n~\r\n", 400},
    {"Fragment", "GET /a#b HTTP/1.1\r\n~\r\n", 400},
    {"BadEscape", "GET /%zz HTTP/1.1\r\n~\r\n", 400},
    {"CutEscape", "GET /%4 HTTP/1.1\r\n~\r\n", 400},
    {"EscapedNul", "GET /a%00b HTTP/1.1\r\n~\r\n", 400},
    {"BadEscapeInQuery", "GET /?a=%x HTTP/1.1\r\n~\r\n", 400},
    {"Connect", "CONNECT localhost:$ HTTP/1.1\r\n~\r\n", 405},
    {"Trace", "TRACE / HTTP/1.1\r\n~\r\n", 405},
    {"UnknownMethod", "BREW / HTTP/1.1\r\n~\r\n", 405},
    {"LowerCaseMethod", "get / HTTP/1.1\r\n~\r\n", 405},
    {"Version12", "GET / HTTP/1.2\r\n~\r\n", 400},
    {"Version2", "GET / HTTP/2.0\r\n~\r\n", 400},
    {"Version09", "GET /\r\n\r\n", 400},
    {"EmptyLineFirst", "\r\nGET / HTTP/1.1\r\n~\r\n", 400},
    {"HeadTooLong", get("~X: " + std::string(17 * 1024, 'x') + "\r\n"), 431},
    {"HeadThatNeverEnds", "GET / HTTP/1.1\r\n~X: " + std::string(40 * 1024, 'x'), 431},
    {"TargetTooLong", "GET /" + std::string(17 * 1024, 'x') + " HTTP/1.1\r\n~\r\n", 431},
    {"UnknownExpectation", post(json + "Expect: tea\r\nContent-Length: 2\r\n"), 417},
    {"Http2Preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
    {"TlsHello", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11), 400},
    {"UpgradeToHttp2IsIgnored", get("~Connection: Upgrade\r\nUpgrade: h2c\r\n"), 200, true}};
INSTANTIATE_TEST_SUITE_P(Syntax, AdmissionTest, testing::ValuesIn(syntaxes), name_of);

const std::string websocket =
    "GET /v1/host HTTP/1.1\r\n~Connection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

const std::vector<Probe> upgrades = {
    {"ForeignOrigin", websocket + "Origin: http://evil.test\r\n\r\n", 403},
    {"OwnOrigin", websocket + "Origin: http://localhost:$\r\n\r\n", 403},
    {"OtherVersion",
     "GET / HTTP/1.1\r\n~Connection: Upgrade\r\nUpgrade: websocket\r\n"
     "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
     426},
    {"NoKey",
     "GET / HTTP/1.1\r\n~Connection: Upgrade\r\nUpgrade: websocket\r\n"
     "Sec-WebSocket-Version: 13\r\n\r\n",
     400},
    {"Post", "POST" + websocket.substr(3) + "\r\n", 400},
    {"WithBody", websocket + json + "Content-Length: 2\r\n\r\n{}", 400}};
INSTANTIATE_TEST_SUITE_P(Upgrade, AdmissionTest, testing::ValuesIn(upgrades), name_of);

TEST(AdmissionNamesTest, ConfiguredNamesAreAccepted) {
    ListenerOptions options;
    options.host_names = {"Build-Box.local", "192.0.2.7"};
    TestServer server(options);
    const std::string port = std::to_string(server.port);

    for (const std::string name : {"build-box.LOCAL", "192.0.2.7"}) {
        RawClient client(server.port);
        client.send("GET / HTTP/1.1\r\nHost: " + name + ":" + port + "\r\nOrigin: http://" + name +
                    ":" + port + "\r\n\r\n");
        EXPECT_EQ(client.response().status, 200) << name;
    }
    RawClient client(server.port);
    client.send("GET / HTTP/1.1\r\nHost: build-box:" + port + "\r\n\r\n");
    EXPECT_EQ(client.response().status, 421);
}

TEST(AdmissionNamesTest, AServerOnEveryAddressKnowsTheOneThatWasUsed) {
    ListenerOptions options;
    options.address = "0.0.0.0";
    TestServer server(options);
    const std::string port = std::to_string(server.port);

    RawClient ours(server.port);
    ours.send("GET / HTTP/1.1\r\nHost: 127.0.0.1:" + port + "\r\n\r\n");
    EXPECT_EQ(ours.response().status, 200);
    RawClient unspecified(server.port);
    unspecified.send("GET / HTTP/1.1\r\nHost: 0.0.0.0:" + port + "\r\n\r\n");
    EXPECT_EQ(unspecified.response().status, 421);
}

TEST(AdmissionHintTest, NamesTheMistake) {
    TestServer server;
    RawClient tls(server.port);
    tls.send("\x16\x03\x01");
    EXPECT_NE(tls.response().body.find("http:// instead of https://"), std::string::npos);
    RawClient http2(server.port);
    http2.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    EXPECT_NE(http2.response().body.find("HTTP/2"), std::string::npos);
    RawClient form(server.port);
    form.send("POST / HTTP/1.1\r\n" + server.host_line() + "Content-Length: 1\r\n\r\nx");
    EXPECT_NE(form.response().body.find("-H 'Content-Type: application/json'"), std::string::npos);
}

}  // namespace
}  // namespace distributo::net
