#include "base/version.hpp"
#include "tests/support/forwarding_store.hpp"
#include "tests/unit/api/api_fixture.hpp"

#include <boost/asio/post.hpp>

namespace distributo::tests {
namespace {

class ViewsTest : public ApiTest {};

namespace store = coordinator::store;

/// A store whose disk is full from the first commit on.
class BrokenStore final : public ForwardingStore {
public:
    explicit BrokenStore(boost::asio::io_context& io)
        : ForwardingStore(store::make_memory_store([&io](std::function<void()> function) {
              boost::asio::post(io, std::move(function));
          })),
          io_(io) {}
    void commit(store::Transaction, Done<store::Committed> done) override { fail(done); }
    void list(store::ListQuery, Done<store::ListPage> done) override { fail(done); }
    void results(store::ResultsQuery, Done<store::ResultsPage> done) override { fail(done); }

private:
    template <typename T>
    void fail(const Done<T>& done) {
        boost::asio::post(io_, [done] { done(base::error(base::Errc::io, "disk full")); });
    }
    boost::asio::io_context& io_;
};

TEST_F(ViewsTest, StatusCountsWhatThereIs) {
    submit(R"({"type":"a","payload":[1]})");
    submit(R"({"type":"b","delay":"1h"})");
    join("h", {{"a", ""}});
    advance(std::chrono::seconds(5));
    const json::value status = get("/v1/status").body();

    EXPECT_EQ(status.at("version").as_string(), base::version);
    EXPECT_EQ(status.at("coordinator_id").as_string().size(), 32U);
    EXPECT_TRUE(status.at("healthy").as_bool());
    EXPECT_EQ(status.at("uptime_s").as_int64(), 5);
    EXPECT_EQ(status.at("ports").at("hosts").as_int64(), 4000);
    EXPECT_EQ(status.at("hosts").as_int64(), 1);
    EXPECT_EQ(status.at("tasks").at("running").as_int64(), 1);
    EXPECT_EQ(status.at("tasks").at("scheduled").as_int64(), 1);
    EXPECT_EQ(status.at("tasks").at("completed").as_int64(), 0);
}

/// One plugin version as a host reports it.
wire::PluginHealth plugin(std::string_view name, wire::PluginState state, std::uint64_t tasks) {
    wire::PluginHealth health;
    health.plugin = name;
    health.version = "1.0.0";
    health.digest = "ab";
    health.file = std::string(name) + ".so";
    health.isolation = "task";
    health.state = state;
    health.figures.tasks = tasks;
    for (std::uint64_t i = 0; i < tasks; ++i)
        health.figures.execute.add(i % 100 == 99 ? 5 : 3);
    return health;
}

TEST_F(ViewsTest, PluginsAreAddedUpOverHosts) {
    using wire::PluginState;
    auto well = plugin("render", PluginState::active, 90);
    well.figures.measured_tasks = 10;
    well.figures.grown_bytes = 1024;
    auto ill = plugin("render", PluginState::quarantined, 10);
    ill.figures.crashes = 3;
    ill.figures.recycles = {0, 2, 0, 0};
    ill.reason = "crashed 3 times in 60 s";
    ill.retry_ms = 60'000;
    engine_->host_health(join("one", {}).index, {.plugins = {well}});
    engine_->host_health(join("two", {}).index, {.plugins = {ill}});
    advance(std::chrono::seconds(20));
    const json::value items = get("/v1/plugins").body().at("items");

    ASSERT_EQ(items.as_array().size(), 1U);
    const json::value& render = items.at(0);
    EXPECT_EQ(render.at("plugin").as_string(), "render");
    EXPECT_EQ(render.at("digest").as_string(), "ab");
    EXPECT_EQ(render.at("state").as_string(), "active");
    EXPECT_EQ(render.at("tasks").as_int64(), 100);
    EXPECT_EQ(render.at("crashes").as_int64(), 3);
    EXPECT_EQ(render.at("recycles").at("memory").as_int64(), 2);
    EXPECT_EQ(render.at("phases").at("execute").at("count").as_int64(), 100);
    EXPECT_EQ(render.at("phases").at("execute").at("p50_us").as_int64(), 3);
    EXPECT_FALSE(render.at("phases").as_object().contains("install"));
    EXPECT_EQ(render.at("growth_per_task").at("bytes").to_number<double>(), 102.4);
    ASSERT_EQ(render.at("hosts").as_array().size(), 2U);
    EXPECT_EQ(render.at("hosts").at(0).at("host").as_string(), "one");
    EXPECT_FALSE(render.at("hosts").at(0).as_object().contains("reason"));
    const json::value& second = render.at("hosts").at(1);
    EXPECT_EQ(second.at("state").as_string(), "quarantined");
    EXPECT_EQ(second.at("reason").as_string(), "crashed 3 times in 60 s");
    EXPECT_EQ(second.at("retry_s").to_number<double>(), 40.0);
    EXPECT_EQ(second.at("isolation").as_string(), "task");
}

TEST_F(ViewsTest, AHostWithoutHealthShowsItsPluginsAllTheSame) {
    join("box", {{"a", ""}});
    const json::value items = get("/v1/plugins").body().at("items");

    ASSERT_EQ(items.as_array().size(), 1U);
    EXPECT_EQ(items.at(0).at("plugin").as_string(), "plugin_of_a");
    EXPECT_EQ(items.at(0).at("types").at(0).as_string(), "a");
    EXPECT_EQ(items.at(0).at("tasks").as_int64(), 0);
}

TEST_F(ViewsTest, PluginsGoWithTheirHost) {
    const auto index = join("box", {{"a", ""}}).index;
    engine_->host_health(index, {.plugins = {plugin("a", wire::PluginState::active, 1)}});
    engine_->host_gone(index, true);
    run();

    EXPECT_TRUE(get("/v1/plugins").body().at("items").as_array().empty());
}

TEST_F(ViewsTest, AQuarantinedPluginIsShownWithItsHost) {
    const auto index = join("box", {}).index;
    wire::Capabilities offer;
    offer.sequence = 2;
    offer.refused.push_back({.file = "a.so",
                             .reason = "crashed 3 times in 60 s",
                             .quarantined = true,
                             .retry_ms = 60'000,
                             .plugin = "a",
                             .version = "1.0.0",
                             .digest = "ab",
                             .types = {"t"}});
    offer.refused.push_back({.file = "b.so", .reason = "not a library"});
    engine_->host_capabilities(index, std::move(offer));
    advance(std::chrono::seconds(15));
    const json::value refused = get("/v1/hosts/box").body().at("refused");

    EXPECT_EQ(refused.at(0).at("state").as_string(), "quarantined");
    EXPECT_EQ(refused.at(0).at("retry_s").to_number<double>(), 45.0);
    EXPECT_EQ(refused.at(0).at("types").at(0).as_string(), "t");
    EXPECT_EQ(refused.at(1).at("state").as_string(), "refused");
    EXPECT_FALSE(refused.at(1).as_object().contains("retry_s"));
}

TEST_F(ViewsTest, HostsShowWhatTheyOffer) {
    join("box", {{"a", R"({"type":"object"})"}, {"b", ""}});
    const json::value host = get("/v1/hosts").body().at("items").at(0);

    EXPECT_EQ(host.at("name").as_string(), "box");
    EXPECT_EQ(host.at("state").as_string(), "ready");
    EXPECT_EQ(host.at("version").as_string(), "1.2.3");
    EXPECT_EQ(host.at("slots").as_int64(), 4);
    EXPECT_EQ(host.at("address").as_string(), "127.0.0.1:4711");
    EXPECT_EQ(host.at("types").as_array().size(), 2U);
    EXPECT_EQ(host.at("types").at(0).at("plugin").as_string(), "plugin_of_a");
    EXPECT_EQ(get("/v1/hosts/box").body().at("id"), host.at("id"));
    EXPECT_EQ(get("/v1/hosts/" + std::string(host.at("id").as_string())).status(), 200U);
    EXPECT_EQ(get("/v1/hosts/other").member("code"), "host_not_found");
}

TEST_F(ViewsTest, TypesShowDemandAndSchema) {
    join("box", {{"a", R"({"type":"object"})"}});
    submit(R"({"type":"lonely"})");

    const json::value offered = get("/v1/types/a").body();
    EXPECT_EQ(offered.at("hosts").as_int64(), 1);
    EXPECT_EQ(json::serialize(offered.at("payload_schema")), R"({"type":"object"})");
    const json::value lonely = get("/v1/types/lonely").body();
    EXPECT_EQ(lonely.at("pending").as_int64(), 1);
    EXPECT_EQ(lonely.at("hosts").as_int64(), 0);
    EXPECT_EQ(get("/v1/types").body().at("items").as_array().size(), 2U);
    EXPECT_EQ(get("/v1/types/none").member("code"), "type_not_found");
}

TEST_F(ViewsTest, HealthAndReadinessAreOk) {
    EXPECT_EQ(get("/healthz").text(), "{\"status\":\"ok\"}\n");
    EXPECT_EQ(get("/readyz").member("status"), "ok");
}

TEST_F(ViewsTest, AStoreThatFailedIsSaidEverywhere) {
    restart(settings_, std::make_unique<BrokenStore>(io_));
    const std::string legacy = R"({"projectName":"p","options":{"taskType":"t"}})";
    for (const auto& [target, body] :
         {std::pair<std::string, std::string>("/v1/tasks", R"({"type":"a"})"),
          {"/v1/tasks:batch", R"([{"type":"a"}])"},
          {"/addTask", legacy},
          {"/addTasks", "[" + legacy + "]"}}) {
        const Call refused = post(target, body);
        EXPECT_EQ(refused.status(), 503U) << target;
        EXPECT_EQ(refused.header("Retry-After"), "1") << target;
    }
    EXPECT_EQ(get("/readyz").status(), 503U);
    EXPECT_EQ(get("/readyz").member("code"), "store_failed");
    EXPECT_EQ(get("/healthz").status(), 200U);
    EXPECT_FALSE(get("/v1/status").body().at("healthy").as_bool());
    EXPECT_EQ(get("/v1/tasks").status(), 503U);
    EXPECT_EQ(get("/v1/results").status(), 503U);
}

}  // namespace
}  // namespace distributo::tests
