#include "coordinator/core/extension.hpp"
#include "tests/unit/api/api_fixture.hpp"
#include "tests/unit/api/fake_extensions.hpp"

namespace distributo::tests {
namespace {

using coordinator::extensions::State;
using Kind = coordinator::extensions::ExtensionKind;

constexpr auto words_schema =
    R"({"type":"object","properties":{"files":{"type":"array"}},"required":["files"],)"
    R"("additionalProperties":false})";

class ExtensionsTest : public ApiTest {
protected:
    ExtensionsTest() : fake_(io_) {
        fake_.files = {
            {.file = "/p/lines.so",
             .name = "demo.lines",
             .version = "1.0.0",
             .generator = "lines",
             .sink = "",
             .generator_schema = words_schema,
             .sink_schema = "",
             .tasks = false,
             .refused = ""},
            {.file = "/p/bad.so",
             .name = "",
             .version = "",
             .generator = "",
             .sink = "",
             .generator_schema = "",
             .sink_schema = "",
             .tasks = false,
             .refused = "its ABI is 9.0, this program has 1.2"},
        };
        extensions_ = &fake_;
        restart({}, 1000);
    }

    Call remove(const std::string& target) { return call(Method::delete_, target); }
    Call make(std::string_view body) { return post("/v1/generators", body); }
    static std::string code(const Call& call) { return call.member("code"); }
    /// Pointer and detail of the first fault.
    static std::string fault(const Call& call) {
        const auto first = call.body().at("errors").at(0);
        return std::string(first.at("pointer").as_string()) + ": " +
               std::string(first.at("detail").as_string());
    }

    FakeExtensions fake_;
};

TEST_F(ExtensionsTest, AGeneratorIsMadeAndShown) {
    const Call made = make(R"({"plugin":"lines","config":{"files":["w"]},"directory":"/tmp",)"
                           R"("max_rate":2.5,"memory":"1MiB"})");
    ASSERT_EQ(made.status(), 201U) << made.text();
    EXPECT_EQ(made.header("Location"), "/v1/generators/lines");
    EXPECT_EQ(made.member("name"), "lines");
    EXPECT_EQ(made.member("state"), "starting");
    const auto shown = get("/v1/generators/lines").body();
    EXPECT_EQ(shown, made.body());
    EXPECT_EQ(json::serialize(shown.at("config")), R"({"files":["w"]})");
    EXPECT_EQ(shown.at("memory").as_int64(), 1 << 20);
    EXPECT_EQ(shown.at("directory").as_string(), "/tmp");
    EXPECT_EQ(get("/v1/generators").body().at("items").at(0), shown);
    EXPECT_EQ(get("/v1/sinks").body().at("items").as_array().size(), 0U);
}

TEST_F(ExtensionsTest, ANameThatIsLeftOutIsTheNextFreeOne) {
    for (const char* const name : {"lines", "lines-2", "lines-3"})
        EXPECT_EQ(make(R"({"plugin":"lines","config":{"files":[]}})").member("name"), name);
    const Call taken = make(R"({"name":"lines","plugin":"lines","config":{"files":[]}})");
    EXPECT_EQ(taken.status(), 409U);
    EXPECT_EQ(code(taken), "name_taken");
    const Call odd = make(R"({"plugin":"My Plugin"})");
    EXPECT_EQ(odd.status(), 400U);
    EXPECT_EQ(code(odd), "missing_member");
}

TEST_F(ExtensionsTest, AConfigurationIsCheckedAgainstTheSchema) {
    const Call wrong = make(R"({"plugin":"lines","config":{"files":"w"}})");
    EXPECT_EQ(wrong.status(), 422U);
    EXPECT_EQ(code(wrong), "schema_mismatch");
    EXPECT_EQ(fault(wrong), "/config/files: expected array, got string");
    EXPECT_EQ(get("/v1/generators").body().at("items").as_array().size(), 0U);
}

TEST_F(ExtensionsTest, FaultsOfADefinitionNameTheMember) {
    const Call unknown = make(R"({"plugin":"lines","hihg_water":1})");
    EXPECT_EQ(unknown.status(), 400U);
    EXPECT_EQ(code(unknown), "unknown_member");
    EXPECT_EQ(unknown.member("hint"), "did you mean 'high_water'?");
    EXPECT_EQ(fault(unknown), "/hihg_water: a generator has no such member");
    const Call missing = make("{}");
    EXPECT_EQ(code(missing), "missing_member");
    EXPECT_EQ(fault(missing), "/plugin: required, but not there");
    const Call invalid = post("/v1/sinks", R"({"plugin":"jsonl","states":["done"]})");
    EXPECT_EQ(code(invalid), "invalid_member");
    EXPECT_EQ(invalid.member("detail"),
              "states.0: expected one of completed, failed, cancelled, expired, got \"done\"");
    EXPECT_EQ(code(make("[")), "malformed_json");
    const Call folder = make(R"({"plugin":"lines","directory":"/no/such"})");
    EXPECT_EQ(fault(folder),
              "/directory: there is no folder /no/such on the coordinator's machine");
}

TEST_F(ExtensionsTest, APluginThatIsNotThereIsNamed) {
    fake_.refuse = base::error(base::Errc::not_found, "no plugin \"line\"; there are: lines");
    const Call none = make(R"({"plugin":"line"})");
    EXPECT_EQ(none.status(), 422U);
    EXPECT_EQ(code(none), "unknown_plugin");
    EXPECT_EQ(none.member("detail"), "no plugin \"line\"; there are: lines");
    EXPECT_EQ(none.member("hint"), "did you mean 'lines'?");
    fake_.refuse = base::error(base::Errc::invalid_argument, "config: files: no such file");
    EXPECT_EQ(code(make(R"({"plugin":"other"})")), "invalid_definition");
}

TEST_F(ExtensionsTest, WhatIsAskedIsDone) {
    make(R"({"name":"w","plugin":"lines","config":{"files":[]}})");
    post("/v1/sinks", R"({"name":"out","plugin":"jsonl"})");
    EXPECT_EQ(post("/v1/generators/w/pause").member("state"), "paused");
    EXPECT_EQ(post("/v1/generators/w/resume").member("state"), "running");
    EXPECT_EQ(post("/v1/generators/w/run").status(), 200U);
    EXPECT_EQ(fake_.asked, "run");
    EXPECT_EQ(post("/v1/sinks/out/pause").member("state"), "paused");
    EXPECT_EQ(get("/v1/sinks/out").member("state"), "paused");
    EXPECT_EQ(get("/v1/generators/w").member("state"), "running") << "the sink was meant";
    EXPECT_EQ(post("/v1/sinks/out/resume").status(), 200U);
    EXPECT_EQ(post("/v1/sinks/out/run").status(), 200U);
    EXPECT_EQ(remove("/v1/sinks/out").status(), 200U);
    EXPECT_EQ(remove("/v1/generators/w").status(), 200U);
    EXPECT_TRUE(fake_.all.empty());
}

TEST_F(ExtensionsTest, ThoseThatAreNotThereAreNotFound) {
    make(R"({"name":"words","plugin":"lines","config":{"files":[]}})");
    const Call none = get("/v1/generators/word");
    EXPECT_EQ(none.status(), 404U);
    EXPECT_EQ(code(none), "generator_not_found");
    EXPECT_EQ(none.member("hint"), "did you mean 'words'?");
    EXPECT_EQ(code(post("/v1/sinks/words/pause")), "sink_not_found");
    EXPECT_EQ(code(remove("/v1/sinks/words")), "sink_not_found");
    EXPECT_EQ(code(post("/v1/sinks/words/reset")), "sink_not_found");
    EXPECT_EQ(get("/v1/sinks/other").member("hint"), "GET /v1/sinks lists them");
}

TEST_F(ExtensionsTest, RefusalsAreConflicts) {
    make(R"({"name":"w","plugin":"lines","config":{"files":[]}})");
    fake_.refuse = base::error(base::Errc::conflict, "it runs", "pause it first");
    const Call refused = post("/v1/generators/w/reset");
    EXPECT_EQ(refused.status(), 409U);
    EXPECT_EQ(code(refused), "wrong_state");
    EXPECT_EQ(refused.member("hint"), "pause it first");
}

TEST_F(ExtensionsTest, ACheckpointIsTextOrBase64) {
    make(R"({"name":"w","plugin":"lines","config":{"files":[]}})");
    const std::string reset = "/v1/generators/w/reset";
    const Call text = post(reset, R"({"checkpoint":"{\"next\":7}"})");
    EXPECT_EQ(text.member("checkpoint"), R"({"next":7})");
    EXPECT_FALSE(text.body().as_object().contains("checkpoint_encoding"));
    const Call bytes = post(reset, R"({"checkpoint":"AP8=","checkpoint_encoding":"base64"})");
    EXPECT_EQ(fake_.of(Kind::generator, "w").cursor.checkpoint, std::string("\0\xFF", 2));
    EXPECT_EQ(bytes.member("checkpoint"), "AP8=");
    EXPECT_EQ(bytes.member("checkpoint_encoding"), "base64");
    fake_.of(Kind::generator, "w").cursor.checkpoint = "a\xFF";
    EXPECT_EQ(get("/v1/generators/w").member("checkpoint"), "Yf8=") << "no UTF-8";
    EXPECT_EQ(post(reset).member("checkpoint"), "") << "the beginning";

    EXPECT_EQ(fault(post(reset, R"({"checkpoint":"!","checkpoint_encoding":"base64"})")),
              "/checkpoint: is not base64");
    EXPECT_EQ(fault(post(reset, R"({"checkpoint_encoding":"hex"})")),
              "/checkpoint_encoding: expected \"base64\", or leave it out");
    EXPECT_EQ(fault(post(reset, R"({"sequence":1})")),
              "/sequence: the members known here: checkpoint, checkpoint_encoding");
}

TEST_F(ExtensionsTest, ASinkIsSetBackToASequence) {
    post("/v1/sinks", R"({"name":"out","plugin":"jsonl"})");
    const Call reset = post("/v1/sinks/out/reset", R"({"sequence":42})");
    EXPECT_EQ(reset.body().at("sequence").as_int64(), 42);
    EXPECT_EQ(post("/v1/sinks/out/reset").body().at("sequence").as_int64(), 0);
    EXPECT_EQ(post("/v1/sinks/out/reset", R"({"sequence":-1})").status(), 400U);
    EXPECT_EQ(fault(post("/v1/sinks/out/reset", R"({"checkpoint":""})")),
              "/checkpoint: the members known here: sequence");
}

TEST_F(ExtensionsTest, WhyItDoesNotRunIsShown) {
    make(R"({"name":"w","plugin":"lines","config":{"files":[]}})");
    auto& status = fake_.of(Kind::generator, "w");
    status.state = State::retrying;
    status.reason = "w.txt: no such file";
    status.plugin_file = "/p/lines.so";
    status.version = "1.0.0";
    status.last_error = "w.txt: no such file";
    status.last_error_at = clock_.wall();
    status.last_success_at = clock_.wall();
    status.next_call_in = std::chrono::milliseconds(1500);
    status.cursor.tasks = 12;
    status.load.waiting = 3;
    const auto shown = get("/v1/generators/w").body();
    EXPECT_EQ(shown.at("state").as_string(), "retrying");
    EXPECT_EQ(shown.at("reason").as_string(), "w.txt: no such file");
    EXPECT_EQ(shown.at("last_error_at").as_string(), "2026-05-04T00:00:00.123Z");
    EXPECT_EQ(shown.at("next_call_s").as_double(), 1.5);
    EXPECT_EQ(shown.at("emitted").as_int64(), 12);
    EXPECT_EQ(shown.at("waiting").as_int64(), 3);
}

TEST_F(ExtensionsTest, PluginFilesSayWhatTheyOfferOrWhyNot) {
    const auto items = get("/v1/extensions").body().at("items");
    EXPECT_EQ(items.at(0).at("generator").as_string(), "lines");
    EXPECT_TRUE(items.at(0).at("generator_schema").is_object());
    EXPECT_EQ(items.at(1).at("refused").as_string(), "its ABI is 9.0, this program has 1.2");
}

TEST_F(ExtensionsTest, TheStatusCountsThem) {
    EXPECT_FALSE(get("/v1/status").body().as_object().contains("sinks"));
    post("/v1/sinks", R"({"name":"a","plugin":"jsonl"})");
    post("/v1/sinks", R"({"name":"b","plugin":"jsonl"})");
    fake_.of(Kind::sink, "a").lag = 7;
    post("/v1/sinks/b/pause");
    const auto body = get("/v1/status").body();
    EXPECT_EQ(json::serialize(body.at("sinks").at("states")), R"({"paused":1,"starting":1})");
    EXPECT_EQ(body.at("sinks").at("largest_lag").as_int64(), 7);
    EXPECT_FALSE(body.as_object().contains("generators"));
}

TEST_F(ExtensionsTest, WithoutThemTheirRoutesSaySo) {
    extensions_ = nullptr;
    restart({}, 1000);
    for (const char* const target : {"/v1/generators", "/v1/sinks/x", "/v1/extensions"}) {
        EXPECT_EQ(get(target).status(), 503U);
        EXPECT_EQ(code(get(target)), "no_extensions");
    }
}

TEST_F(ExtensionsTest, TasksNameTheirGenerator) {
    coordinator::core::ExtensionNumber number = 0;
    engine_->keep_extension({.name = "words"}, [&](auto kept) { number = *kept; });
    run();
    coordinator::engine::Feed feed;
    feed.tasks = R"([{"type":"run","dedupe_key":"k"}])";
    feed.cursor.extension = number;
    engine_->feed(std::move(feed), [](auto fed) { EXPECT_EQ(fed->created, 1U); });
    run();
    submit(R"({"type":"run","id":"mine"})");
    const auto found = get("/v1/tasks?generator=words").body().at("items");
    ASSERT_EQ(found.as_array().size(), 1U);
    EXPECT_EQ(found.at(0).at("generator").as_string(), "words");
    EXPECT_FALSE(get("/v1/tasks/mine").body().as_object().contains("generator"));
    EXPECT_EQ(get("/v1/tasks?generator=other").body().at("items").as_array().size(), 0U);
    EXPECT_EQ(code(get("/v1/tasks?generator=words&count=true")), "invalid_parameter");

    FakeHost& host = join("box", {{"run", ""}});
    finish(host, "1");
    finish(host, "2");
    const auto results = get("/v1/results?generator=words").body().at("items");
    ASSERT_EQ(results.as_array().size(), 1U);
    EXPECT_EQ(results.at(0).at("generator").as_string(), "words");
    EXPECT_EQ(get("/v1/results").body().at("items").as_array().size(), 2U);
}

}  // namespace
}  // namespace distributo::tests
