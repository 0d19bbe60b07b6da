#include "tests/unit/wire/recorder.hpp"
#include "wire/limits.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace distributo::wire {
namespace {

struct Case {
    std::string message;
    std::string error;
};

std::string item(const std::string& members) {
    return R"({"op":"assign","tasks":[{"token":"1-2-3","id":"i","type":"t","payload":1},{)" +
           members + "}]}";
}

std::string result(const std::string& members) {
    return R"({"op":"result","results":[{"token":"1-2-3",)" + members + "}]}";
}

TEST(MalformedMessageTest, TheEnvelopeIsChecked) {
    const Case cases[] = {
        {"", "message: expected an object at offset 0"},
        {"[]", "message: expected an object at offset 0"},
        {"{}", "message.op: is missing"},
        {R"({"op":1})", "message.op: expected a plain string"},
        {R"({"op":"drain")", "drain.op: expected ',' or '}' at offset 13"},
        {R"({"op":"drain"}x)", "expected nothing behind the message at offset 14"},
        {R"({"op":"drain","op":"drain"})", "drain.op: stands twice"},
        {R"({"op":"nonsense",})", "nonsense.op: expected a member name in quotes at offset 17"},
        {R"({"op":"assign"})", "assign.tasks: is missing"},
        {R"({"op":"assign","tasks":{}})", "assign.tasks: expected an array at offset 23"},
        {R"({"op":"assign","tasks":[1]})", "assign.tasks[0]: expected an object at offset 24"},
        {R"({"op":"assign","tasks":[],"tasks":[]})", "assign.tasks: stands twice"},
        {R"({"op":"ack","recorded":["x"]})", "ack.recorded[0]: expected a token, got \"x\""},
        {R"({"op":"error"})", "error.message: is missing"},
        {R"({"op":"unsupported"})", "unsupported.unknown: is missing"},
    };
    for (const auto& [message, error] : cases) {
        Recorder recorder;
        const auto decoded = recorder.from_coordinator(message);
        ASSERT_FALSE(decoded) << message;
        EXPECT_EQ(decoded.error().message, error) << message;
        EXPECT_TRUE(recorder.calls.empty()) << message;
    }
}

TEST(MalformedMessageTest, AssignedTasksAreChecked) {
    const std::string good = R"("token":"1-2-3","id":"i","type":"t","payload":1)";
    const Case cases[] = {
        {R"("id":"i","type":"t","payload":1)", ".token: is missing"},
        {R"("token":"1-2-3","type":"t","payload":1)", ".id: is missing"},
        {R"("token":"1-2-3","id":"i","payload":1)", ".type: is missing"},
        {R"("token":"1-2-3","id":"i","type":"t")", ".payload: is missing"},
        {R"("token":"1-2")", R"(.token: expected a token, got "1-2")"},
        {R"("token":7)", ".token: expected a token, got 7"},
        {R"("id":5)", ".id: expected a string, got 5"},
        {R"("id":"")", ".id: expected a string that is not empty"},
        {R"("id":")" + std::string(129, 'x') + '"', ".id: longer than 128 bytes"},
        {R"("type":")" + std::string(129, 'x') + '"', ".type: longer than 128 bytes"},
        {R"("type":"t","type":"t")", ".type: stands twice"},
        {R"("payload":)", ".payload: expected a value at offset 85"},
        {good + R"(,"attempt":-1)", ".attempt: expected an integer from 0 to 4294967295, got -1"},
        {good + R"(,"attempt":1.0)", ".attempt: expected an integer from 0 to 4294967295, got 1.0"},
        {good + R"(,"timeout_ms":3153600000001)",
         ".timeout_ms: expected an integer from 0 to 3153600000000, got 3153600000001"},
        {good + R"(,"deadline_ms":"1s")",
         R"(.deadline_ms: expected an integer from 0 to 3153600000000, got "1s")"},
        {good + R"(,"alone":1)", ".alone: expected true or false, got 1"},
        {good + R"(,"payload":2)", ".payload: stands twice"},
        {good + R"(,"version":"")", ".version: expected a string that is not empty"},
        {good + R"(,"version":")" + std::string(129, '1') + '"', ".version: longer than 128 bytes"},
    };
    for (const auto& [members, error] : cases) {
        Recorder recorder;
        const auto decoded = recorder.from_coordinator(item(members));
        ASSERT_FALSE(decoded) << members;
        EXPECT_EQ(decoded.error().message, "assign.tasks[1]" + error) << members;
        EXPECT_EQ(recorder.calls.size(), 1U) << members;
    }
}

TEST(MalformedMessageTest, ResultsAreChecked) {
    const Case cases[] = {
        {R"("result":1)", ".status: is missing"},
        {R"("status":"ok")", ".result: is missing"},
        {R"("status":"fine","result":1)",
         R"(.status: expected one of ok, retry, retry_elsewhere, permanent, cancelled, timeout, )"
         R"(crashed, install_failed, interrupted, got "fine")"},
        {R"("status":"retry","message":1)", ".message: expected a string, got 1"},
        {R"("status":"ok","result":1,"us":[1,2,3])", ".us: expected four integers"},
        {R"("status":"ok","result":1,"us":[1,2,3,4,5])", ".us: expected four integers"},
        {R"("status":"ok","result":1,"us":[1,2,3,"4"])",
         ".us: expected an integer from 0 to 18446744073709551615, got \"4\""},
        {R"("status":"retry","retry_after_ms":-5)",
         ".retry_after_ms: expected an integer from 0 to 3153600000000, got -5"},
        {R"("status":"ok","result":")" + std::string(limits::inline_result, 'x') + '"',
         ".result: longer than 1048576 bytes"},
        {R"("status":"retry","detail":")" + std::string(limits::inline_result, 'x') + '"',
         ".detail: longer than 1048576 bytes"},
    };
    for (const auto& [members, error] : cases) {
        Recorder recorder;
        const auto decoded = recorder.from_host(result(members));
        ASSERT_FALSE(decoded) << members.substr(0, 80);
        EXPECT_EQ(decoded.error().message, "result.results[0]" + error) << members.substr(0, 80);
    }
}

TEST(MalformedMessageTest, OtherMessagesFromHostsAreChecked) {
    const std::string hello =
        R"({"op":"hello","protocol":[1,1],"host_id":"h","boot_id":"b","name":"n","slots":1)";
    const Case cases[] = {
        {R"({"op":"hello"})", "hello.protocol: is missing"},
        {R"({"op":"hello","protocol":1})", "hello.protocol: expected an array at offset 25"},
        {R"({"op":"hello","protocol":[1]})", "hello.protocol: expected [lowest, highest]"},
        {R"({"op":"hello","protocol":[1,2,3]})", "hello.protocol: expected [lowest, highest]"},
        {R"({"op":"hello","protocol":[2,1]})",
         "hello.protocol: expected an integer from 2 to 4294967295, got 1"},
        {R"({"op":"hello","slots":0})", "hello.slots: expected an integer from 1 to 65535, got 0"},
        {hello + R"(,"labels":{"a":"1","a":"2"}})", "hello.labels: a: stands twice"},
        {hello + R"(,"labels":{"a":1}})", "hello.labels: expected a string, got 1"},
        {hello + R"(,"labels":{"a":")" + std::string(129, 'x') + R"("}})",
         "hello.labels: a: longer than 128 bytes"},
        {hello + R"(,"running":[5]})", "hello.running[0]: expected a token, got 5"},
        {R"({"op":"capabilities","sequence":1,"types":[{}]})",
         "capabilities.types[0].type: is missing"},
        {R"({"op":"capabilities","sequence":1,"types":[{"type":"t","credit":0}]})",
         "capabilities.types[0].credit: expected an integer from 1 to 4096, got 0"},
        {R"({"op":"credit","types":[{"type":"t","credit":4097}]})",
         "credit.types[0].credit: expected an integer from 0 to 4096, got 4097"},
        {R"({"op":"phase","tasks":[{"token":"1-1-1","phase":"done"}]})",
         R"(phase.tasks[0].phase: expected one of assigned, setup, install, execute, got "done")"},
        {R"({"op":"progress","tasks":[{"token":"1-1-1","fraction":1.5}]})",
         "progress.tasks[0].fraction: expected a number from 0 to 1, got 1.5"},
        {R"({"op":"progress","tasks":[{"token":"1-1-1","fraction":1e999}]})",
         "progress.tasks[0].fraction: expected a number from 0 to 1, got 1e999"},
        {R"({"op":"log","tasks":[{"token":"1-1-1","stream":"x","text":""}]})",
         R"(log.tasks[0].stream: expected one of stdout, stderr, plugin, got "x")"},
        {R"({"op":"health"})", "health.plugins: is missing"},
        {R"({"op":"health","plugins":[{}]})", "health.plugins[0].state: is missing"},
        {R"({"op":"health","plugins":[{"state":"well"}]})",
         "health.plugins[0].state: expected one of active, draining, quarantined, refused, "
         "got \"well\""},
        {R"({"op":"health","plugins":[{"state":"active","recycles":[1,2,3]}]})",
         "health.plugins[0].recycles: expected 4 integers"},
        {R"({"op":"health","plugins":[{"state":"active","growth":[1,2,3,4,5]}]})",
         "health.plugins[0].growth: expected 4 integers"},
        {R"({"op":"health","plugins":[{"state":"active","setup":[[1]]}]})",
         "health.plugins[0].setup: expected 2 integers"},
        {R"({"op":"capabilities","sequence":1,"types":[],"refused":[)"
         R"({"file":"f","reason":"r","types":[""]}]})",
         "capabilities.refused[0].types: expected a string that is not empty"},
        {R"({"op":"bye","reason":1})", "bye.reason: expected a string, got 1"},
    };
    for (const auto& [message, error] : cases) {
        Recorder recorder;
        const auto decoded = recorder.from_host(message);
        ASSERT_FALSE(decoded) << message;
        EXPECT_EQ(decoded.error().message, error) << message;
        EXPECT_TRUE(recorder.calls.empty()) << message;
    }
}

TEST(MalformedMessageTest, ListsAreLimited) {
    std::string results = R"({"op":"result","results":[)";
    for (std::size_t i = 0; i <= limits::batch_entries; ++i)
        results += std::string(i == 0 ? "" : ",") + R"({"token":"1-1-1","status":"timeout"})";
    std::string types = R"({"op":"capabilities","sequence":1,"types":[)";
    for (std::size_t i = 0; i <= limits::type_count; ++i)
        types += std::string(i == 0 ? "" : ",") + R"({"type":"t"})";
    std::string labels =
        R"({"op":"hello","protocol":[1,1],"host_id":"h","boot_id":"b","name":"n","slots":1,"labels":{)";
    for (std::size_t i = 0; i <= limits::label_count; ++i)
        labels += std::string(i == 0 ? "" : ",") + '"' + std::to_string(i) + R"(":"")";
    const Case cases[] = {
        {results + "]}", "result.results[256]: more than 256 entries"},
        {types + "]}", "capabilities.types[1024]: more than 1024 entries"},
        {labels + "}}",
         "hello.labels: expected at most 64 names of 1 to 128 bytes with their values"},
        {R"({"op":"x","y":")" + std::string(limits::max_message, 'x') + R"("})",
         "message: longer than 4194304 bytes"},
    };
    for (const auto& [message, error] : cases) {
        Recorder recorder;
        const auto decoded = recorder.from_host(message);
        ASSERT_FALSE(decoded) << error;
        EXPECT_EQ(decoded.error().message, error);
        EXPECT_EQ(decoded.error().code, base::Errc::limit);
    }
}

TEST(MalformedMessageTest, EveryMessageIsMalformedWhenItIsCut) {
    const std::string messages[] = {
        R"({"op":"result","results":[{"token":"1-2-3","status":"ok","result":{"a":[1]},"us":[1,2,3,4]}]})",
        R"({"op":"hello","protocol":[1,1],"host_id":"h","boot_id":"b","name":"n","slots":1,"labels":{"a":"b"},"running":["1-1-1"]})",
        R"({"op":"capabilities","sequence":1,"types":[{"type":"t","payload_schema":{"type":"object"}}]})",
        R"({"op":"health","plugins":[{"state":"active","recycles":[1,2,3,4],"setup":[[1,2]]}]})",
        R"({"op":"bye","reason":"x"})",
    };
    for (const std::string& message : messages) {
        Recorder whole;
        EXPECT_TRUE(whole.from_host(message)) << message;
        for (std::size_t size = 0; size < message.size(); ++size) {
            Recorder recorder;
            EXPECT_FALSE(recorder.from_host(message.substr(0, size))) << message.substr(0, size);
        }
    }
}

}  // namespace
}  // namespace distributo::wire
