#include "wire/codec.hpp"

#include "tests/support/random_json.hpp"
#include "tests/unit/wire/recorder.hpp"
#include "wire/json.hpp"
#include "wire/limits.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace distributo::wire {
namespace {

using testing::ElementsAre;

constexpr Token token{.term = 1, .slot = 3, .counter = 5};
constexpr Token other{.term = 1, .slot = 4, .counter = 6};

Hello full_hello() {
    Hello hello;
    hello.host_id = "0123456789abcdef0123456789abcdef";
    hello.boot_id = "b1";
    hello.name = "größe \"7\"";
    hello.version = "0.1.0";
    hello.slots = 8;
    hello.labels = {{"gpu", "yes"}, {"zone\n", ""}};
    hello.coordinator_id = "c41d";
    hello.running = {token, Claim(other, {.task = 12, .attempt = 2, .proof = 99})};
    hello.finished = {token};
    return hello;
}

constexpr std::string_view hello_text =
    R"({"op":"hello","protocol":[1,1],"host_id":"0123456789abcdef0123456789abcdef","boot_id":"b1",)"
    R"("name":"größe \"7\"","version":"0.1.0","slots":8,"labels":{"gpu":"yes","zone\n":""},)"
    R"("coordinator":"c41d","running":["1-5-3","1-6-4/12-2-99"],"finished":["1-5-3"]})";

TEST(CodecTest, Hello) {
    EXPECT_EQ(encode(full_hello()), hello_text);

    Recorder recorder;
    ASSERT_TRUE(recorder.from_host(hello_text));

    EXPECT_THAT(recorder.calls, ElementsAre(hello_text));
}

TEST(CodecTest, Capabilities) {
    Capabilities offer;
    offer.sequence = 7;
    offer.types.push_back({.type = "word_count",
                           .plugin = "words",
                           .version = "1.2.0",
                           .digest = "ab",
                           .isolation = "process",
                           .summary = "Counts words",
                           .payload_schema = R"({"type": "object"})",
                           .result_schema = "true",
                           .credit = 12,
                           .needs_install = true,
                           .attributes = R"({"gpu":2})",
                           .sandbox = Layers::of_bits(0b1010)});
    offer.types.push_back({.type = "noop"});
    offer.refused.push_back({.file = "x.so", .reason = "no symbol"});
    constexpr std::string_view text =
        R"({"op":"capabilities","sequence":7,"types":[{"type":"word_count","plugin":"words",)"
        R"("version":"1.2.0","digest":"ab","isolation":"process","summary":"Counts words",)"
        R"("payload_schema":{"type": "object"},"result_schema":true,"credit":12,)"
        R"("needs_install":true,"attributes":{"gpu":2},"sandbox":["landlock","seccomp"]},{"type":"noop","plugin":"","version":"","credit":1}],)"
        R"("refused":[{"file":"x.so","reason":"no symbol"}]})";
    EXPECT_EQ(encode(offer), text);

    Recorder recorder;
    ASSERT_TRUE(recorder.from_host(text));

    EXPECT_THAT(recorder.calls, ElementsAre(text));
    EXPECT_EQ(recorder.capabilities.types[0].payload_schema, R"({"type": "object"})");
}

TEST(CodecTest, ASchemaThatIsNoJsonIsLeftOut) {
    Capabilities offer;
    offer.types.push_back({.type = "t", .payload_schema = "{broken"});
    offer.types.push_back(
        {.type = "u", .result_schema = '"' + std::string(limits::schema_length, 'x') + '"'});

    EXPECT_EQ(encode(offer),
              R"({"op":"capabilities","sequence":0,"types":[)"
              R"({"type":"t","plugin":"","version":"","credit":1},)"
              R"({"type":"u","plugin":"","version":"","credit":1}],"refused":[]})");
}

TEST(CodecTest, AQuarantinedPluginSaysWhatItWasAndUntilWhen) {
    Capabilities offer;
    offer.refused.push_back({.file = "x.so",
                             .reason = "crashed 3 times in 60 s",
                             .quarantined = true,
                             .retry_ms = 60000,
                             .plugin = "x",
                             .version = "1.2.0",
                             .digest = "ab",
                             .types = {"a", "b"}});
    constexpr std::string_view text =
        R"({"op":"capabilities","sequence":0,"types":[],"refused":[{"file":"x.so",)"
        R"("reason":"crashed 3 times in 60 s","quarantined":true,"retry_ms":60000,"plugin":"x",)"
        R"("version":"1.2.0","digest":"ab","types":["a","b"]}]})";
    EXPECT_EQ(encode(offer), text);

    Recorder recorder;
    ASSERT_TRUE(recorder.from_host(text));

    EXPECT_THAT(recorder.calls, ElementsAre(text));
}

TEST(CodecTest, Health) {
    Health message;
    message.trouble = "the disk is full";
    auto& plugin = message.plugins.emplace_back();
    plugin.plugin = "render";
    plugin.version = "1.2.0";
    plugin.digest = "ab";
    plugin.file = "render.so";
    plugin.isolation = "process";
    plugin.state = PluginState::quarantined;
    plugin.reason = "crashed";
    plugin.retry_ms = 1500;
    auto& figures = plugin.figures;
    figures.processes = 1;
    figures.tasks = 2;
    figures.failures = 3;
    figures.crashes = 4;
    figures.restarts = 5;
    figures.recycles = {6, 7, 8, 9};
    figures.setup.add(3);
    figures.execute.add_to(40, 2);
    figures.execute.add_to(127, 1);
    figures.measured_tasks = 10;
    figures.grown_bytes = 11;
    figures.grown_descriptors = 12;
    figures.grown_threads = 13;
    message.plugins.emplace_back();
    constexpr std::string_view text =
        R"({"op":"health","trouble":"the disk is full","plugins":[{"plugin":"render","version":"1.2.0","digest":"ab",)"
        R"("file":"render.so","isolation":"process","state":"quarantined","reason":"crashed",)"
        R"("retry_ms":1500,"processes":1,"tasks":2,"failures":3,"crashes":4,"restarts":5,)"
        R"("recycles":[6,7,8,9],"setup":[[3,1]],"execute":[[40,2],[127,1]],)"
        R"("growth":[10,11,12,13]},{"state":"active","processes":0,"tasks":0,"failures":0,)"
        R"("crashes":0,"restarts":0,"recycles":[0,0,0,0],"growth":[0,0,0,0]}]})";
    EXPECT_EQ(encode(message), text);

    Recorder recorder;
    ASSERT_TRUE(recorder.from_host(text));

    EXPECT_THAT(recorder.calls, ElementsAre(text));
    EXPECT_EQ(recorder.health.plugins[0].figures.execute.count(), 3U);
}

TEST(CodecTest, HealthIsBounded) {
    Health message;
    message.plugins.resize(limits::health_count + 1);
    for (auto& plugin : message.plugins) {
        plugin.plugin = plugin.version = plugin.digest = std::string(limits::id_length, 'x');
        plugin.reason = std::string(2 * limits::error_length, 'x');
        for (std::size_t i = 0; i < base::Histogram::bucket_count; ++i)
            for (auto* times :
                 {&plugin.figures.setup, &plugin.figures.install, &plugin.figures.execute})
                times->add_to(i, 1'000'000);
    }
    const auto text = encode(message);
    EXPECT_LE(text.size(), limits::max_message);

    Recorder recorder;
    ASSERT_TRUE(recorder.from_host(text));

    EXPECT_EQ(recorder.health.plugins.size(), limits::health_count);
}

TEST(CodecTest, Welcome) {
    Welcome welcome;
    welcome.term = 9;
    welcome.coordinator_id = "c1";
    welcome.durable = true;
    welcome.verdicts = {{token, Verdict::keep}, {other, Verdict::cancel}};
    constexpr std::string_view text =
        R"({"op":"welcome","protocol":1,"term":9,"coordinator":"c1","lease_ms":30000,)"
        R"("heartbeat_ms":5000,"reconnect_window_ms":1000,"durable":true,"verdicts":[)"
        R"({"token":"1-5-3","verdict":"keep"},{"token":"1-6-4","verdict":"cancel"}]})";
    EXPECT_EQ(encode(welcome), text);

    Recorder recorder;
    ASSERT_TRUE(recorder.from_coordinator(text));

    EXPECT_THAT(recorder.calls, ElementsAre(text));
}

TEST(CodecTest, Assign) {
    AssignBatch batch;
    batch.add({.token = token, .id = "bz8", .type = "t", .attempt = 1, .payload = R"({"n": 1.0})"});
    batch.add({.token = other,
               .id = "my \"id\"",
               .type = "u",
               .attempt = 3,
               .payload = "null",
               .install = R"(["pkg"])",
               .timeout_ms = 1500,
               .deadline_ms = 60000,
               .alone = true,
               .version = ">=1.2 <2"});
    const std::string text = batch.take();
    EXPECT_EQ(text,
              R"({"op":"assign","tasks":[{"token":"1-5-3","id":"bz8","type":"t","attempt":1,)"
              R"("payload":{"n": 1.0}},{"token":"1-6-4","id":"my \"id\"","type":"u","attempt":3,)"
              R"("payload":null,"install":["pkg"],"timeout_ms":1500,"deadline_ms":60000,)"
              R"("alone":true,"version":">=1.2 <2"}]})");
    EXPECT_TRUE(batch.empty());

    Recorder recorder;
    ASSERT_TRUE(recorder.from_coordinator(text));

    EXPECT_EQ(recorder.assigns.take(), text);
    EXPECT_THAT(recorder.calls, ElementsAre(R"(assign {"n": 1.0})", "assign null"));
}

TEST(CodecTest, Result) {
    ResultBatch batch;
    batch.add({.token = token,
               .status = AttemptStatus::ok,
               .result = R"({ "x" : 1e2 })",
               .emitted = R"([{"type": "t"}])",
               .times = {.wait_us = 1, .setup_us = 0, .install_us = 20, .execute_us = 300}});
    batch.add({.token = other,
               .status = AttemptStatus::retry,
               .message = "no \"luck\"",
               .detail = R"({"at":3})",
               .retry_after_ms = 250});
    batch.add({.token = token,
               .status = AttemptStatus::crashed,
               .message = "signal 11",
               .version = "1.2.0-rc.1"});
    const std::string text = batch.take();
    EXPECT_EQ(
        text,
        R"({"op":"result","results":[{"token":"1-5-3","status":"ok","result":{ "x" : 1e2 },)"
        R"("emitted":[{"type": "t"}],"us":[1,0,20,300]},{"token":"1-6-4","status":"retry","message":"no \"luck\"",)"
        R"("detail":{"at":3},"retry_after_ms":250,"us":[0,0,0,0]},)"
        R"({"token":"1-5-3","status":"crashed","message":"signal 11","us":[0,0,0,0],)"
        R"("version":"1.2.0-rc.1"}]})");

    Recorder recorder;
    ASSERT_TRUE(recorder.from_host(text));

    EXPECT_EQ(recorder.results.take(), text);
}

TEST(CodecTest, EveryStatusSurvives) {
    for (int i = 0; i <= static_cast<int>(AttemptStatus::interrupted); ++i) {
        ResultBatch batch;
        batch.add({.token = token, .status = static_cast<AttemptStatus>(i)});
        const std::string text = batch.take();
        Recorder recorder;
        ASSERT_TRUE(recorder.from_host(text)) << text;
        EXPECT_EQ(recorder.results.take(), text);
    }
}

TEST(CodecTest, SmallMessagesFromHosts) {
    const Credit credit{"t", 4096};
    const Credit of_version{"t", 2, "1.2.0"};
    const PhaseItem phase{token, Phase::install};
    const ProgressItem progress{token, 0.25, "frame \"3\""};
    const ProgressItem unknown_progress{token, -1, ""};
    const LogItem log{token, "stdout", "line\n\ttwo\n"};
    const std::pair<std::string, std::string_view> cases[] = {
        {encode_credit({&credit, 1}), R"({"op":"credit","types":[{"type":"t","credit":4096}]})"},
        {encode_credit({&of_version, 1}),
         R"({"op":"credit","types":[{"type":"t","version":"1.2.0","credit":2}]})"},
        {encode_phases({&phase, 1}),
         R"({"op":"phase","tasks":[{"token":"1-5-3","phase":"install"}]})"},
        {encode_progress({&progress, 1}),
         R"({"op":"progress","tasks":[{"token":"1-5-3","fraction":0.25,"text":"frame \"3\""}]})"},
        {encode_progress({&unknown_progress, 1}),
         R"({"op":"progress","tasks":[{"token":"1-5-3"}]})"},
        {encode_log({&log, 1}),
         R"({"op":"log","tasks":[{"token":"1-5-3","stream":"stdout","text":"line\n\ttwo\n"}]})"},
        {encode_heartbeat(), R"({"op":"heartbeat"})"},
        {encode_draining(), R"({"op":"draining"})"},
        {encode_bye("stopped"), R"({"op":"bye","reason":"stopped"})"},
        {encode_bye(""), R"({"op":"bye"})"},
        {encode_unsupported("frob"), R"({"op":"unsupported","unknown":"frob"})"},
        {encode_error({base::Errc::limit, "too big", "split it"}),
         R"({"op":"error","code":"limit","message":"too big","hint":"split it"})"},
    };
    for (const auto& [made, expected] : cases) {
        EXPECT_EQ(made, expected);
        Recorder recorder;
        ASSERT_TRUE(recorder.from_host(made)) << made;
        EXPECT_THAT(recorder.calls, ElementsAre(expected));
    }
}

TEST(CodecTest, SmallMessagesFromTheCoordinator) {
    const CancelItem cancel{token, "by request"};
    const std::pair<std::string, std::string_view> cases[] = {
        {encode_drain(), R"({"op":"drain"})"},
        {encode_cancel({&cancel, 1}),
         R"({"op":"cancel","tasks":[{"token":"1-5-3","reason":"by request"}]})"},
        {encode_unsupported("frob"), R"({"op":"unsupported","unknown":"frob"})"},
        {encode_error({base::Errc::conflict, "no", ""}),
         R"({"op":"error","code":"conflict","message":"no"})"},
    };
    for (const auto& [made, expected] : cases) {
        EXPECT_EQ(made, expected);
        Recorder recorder;
        ASSERT_TRUE(recorder.from_coordinator(made)) << made;
        EXPECT_THAT(recorder.calls, ElementsAre(expected));
    }
}

TEST(CodecTest, Ack) {
    const AckItem items[] = {{token, false}, {other, true}, {other, false}};
    const std::string text = encode_ack(items);
    EXPECT_EQ(text, R"({"op":"ack","recorded":["1-5-3","1-6-4"],"stale":["1-6-4"]})");

    Recorder recorder;
    ASSERT_TRUE(recorder.from_coordinator(text));

    EXPECT_EQ(encode_ack(recorder.acks), text);
}

TEST(CodecTest, MembersMayComeInAnyOrderAndUnknownOnesAreSkipped) {
    Recorder recorder;

    ASSERT_TRUE(recorder.from_host(
        R"( {"new":{"a":[1]},"results":[{"us":[1,2,3,4],"x":null,"result":[ 1 ],"status":"ok",)"
        R"("token":"1-5-3"}],"more":[],"op":"result"} )"));

    EXPECT_EQ(recorder.results.take(),
              R"({"op":"result","results":[{"token":"1-5-3","status":"ok","result":[ 1 ],)"
              R"("us":[1,2,3,4]}]})");
}

TEST(CodecTest, UnknownMessagesAreReportedByName) {
    Recorder recorder;

    ASSERT_TRUE(recorder.from_host(R"({"op":"frobnicate","x":[1,{"y":2}]})"));
    ASSERT_TRUE(recorder.from_coordinator(R"({"op":"hello"})"));

    EXPECT_THAT(recorder.calls, ElementsAre("unknown frobnicate", "unknown hello"));
}

TEST(CodecTest, AnErrorOfTheReceiverEndsTheMessage) {
    Recorder recorder;
    recorder.fail_after = 1;

    const auto result = recorder.from_host(
        R"({"op":"phase","tasks":[{"token":"1-1-1","phase":"setup"},)"
        R"({"token":"1-2-2","phase":"setup"},{"token":"1-3-3","phase":"setup"}]})");

    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message, "enough");
    EXPECT_EQ(recorder.calls.size(), 1U);
}

TEST(CodecTest, PayloadsAndResultsCrossByteForByte) {
    distributo::tests::RandomJson random(11);
    for (int round = 0; round < 500; ++round) {
        const std::string payload = random.value(6);
        const std::string install = random.value(6);
        AssignBatch assigns;
        ResultBatch results;
        assigns.add(
            {.token = token, .id = "i", .type = "t", .payload = payload, .install = install});
        results.add({.token = token, .status = AttemptStatus::ok, .result = payload});
        results.add({.token = token, .status = AttemptStatus::retry, .detail = install});
        const std::string assign_text = assigns.take();
        const std::string result_text = results.take();
        Recorder recorder;

        ASSERT_TRUE(recorder.from_coordinator(assign_text)) << assign_text;
        ASSERT_TRUE(recorder.from_host(result_text)) << result_text;

        EXPECT_EQ(recorder.calls[0], "assign " + payload);
        EXPECT_EQ(recorder.calls[1], "result " + payload);
        EXPECT_EQ(recorder.assigns.take(), assign_text);
        EXPECT_EQ(recorder.results.take(), result_text);
    }
}

TEST(CodecTest, BatchesAreFullByCountAndByBytes) {
    const AssignItem small{.token = token, .id = "i", .type = "t", .payload = "1"};
    AssignBatch batch;
    for (std::size_t i = 0; i < limits::batch_entries; ++i) {
        EXPECT_FALSE(batch.full());
        batch.add(small);
    }
    EXPECT_TRUE(batch.full());
    Recorder recorder;
    EXPECT_TRUE(recorder.from_coordinator(batch.take()));
    EXPECT_EQ(recorder.calls.size(), limits::batch_entries);
    EXPECT_FALSE(batch.full());

    const std::string large = '"' + std::string(limits::batch_bytes, 'x') + '"';
    batch.add({.token = token, .id = "i", .type = "t", .payload = large});
    EXPECT_TRUE(batch.full());
}

TEST(CodecTest, LongErrorTextsAreCutBetweenCharacters) {
    std::string message(limits::error_length - 1, 'x');
    message += "é";
    ResultBatch batch;
    batch.add({.token = token, .status = AttemptStatus::retry, .message = message});

    Recorder recorder;
    ASSERT_TRUE(recorder.from_host(batch.take()));

    EXPECT_THAT(recorder.results.take(),
                testing::HasSubstr('"' + std::string(limits::error_length - 1, 'x') + '"'));
}

TEST(CodecTest, AForeignHostMaySendLongErrorTexts) {
    const std::string text = R"({"op":"result","results":[{"token":"1-5-3","status":"retry",)"
                             R"("message":")" +
                             std::string(limits::error_length + 1, 'x') + R"("}]})";

    Recorder recorder;
    ASSERT_TRUE(recorder.from_host(text));

    EXPECT_THAT(recorder.results.take(),
                testing::HasSubstr('"' + std::string(limits::error_length, 'x') + '"'));
}

}  // namespace
}  // namespace distributo::wire
