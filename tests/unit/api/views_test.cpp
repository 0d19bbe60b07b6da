#include "base/version.hpp"
#include "tests/unit/api/api_fixture.hpp"

#include <boost/asio/post.hpp>

namespace distributo::tests {
namespace {

class ViewsTest : public ApiTest {};

namespace store = coordinator::store;

/// A store whose disk is full from the first commit on.
class BrokenStore final : public store::Store {
public:
    explicit BrokenStore(boost::asio::io_context& io) : io_(io) {}
    base::Result<store::Recovered> open() override { return store::Recovered{}; }
    void commit(store::Transaction, Done<store::Committed> done) override { fail(done); }
    void find(store::TaskId, Done<std::optional<store::TaskRecord>> done) override { fail(done); }
    void resolve(const std::string&, Done<store::TaskId> done) override { fail(done); }
    void list(store::ListQuery, Done<store::ListPage> done) override { fail(done); }
    void results(store::ResultsQuery, Done<store::ResultsPage> done) override { fail(done); }
    void reopen(store::TaskId, Done<store::TaskRecord> done) override { fail(done); }

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
    EXPECT_EQ(get("/readyz").text(), "{\"status\":\"ok\"}\n");
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
