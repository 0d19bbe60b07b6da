#include "tests/support/forwarding_store.hpp"
#include "tests/unit/api/api_fixture.hpp"

#include <boost/asio/post.hpp>

#include <filesystem>

namespace distributo::tests {
namespace {

namespace store = coordinator::store;

/// The memory store with the health and the backups of one on disk.
class DiskStore final : public ForwardingStore {
public:
    DiskStore(std::unique_ptr<Store> inner, store::Health& health)
        : ForwardingStore(std::move(inner)), health_(health) {}
    void commit(store::Transaction transaction, Done<store::Committed> done) override {
        if (health_.disk_full)
            transaction.submits.clear();
        ForwardingStore::commit(std::move(transaction),
                                [full = health_.disk_full, done = std::move(done)](auto answer) {
                                    answer->submits_refused = full;
                                    done(std::move(answer));
                                });
    }
    void backup(const std::string& file, Done<std::uint64_t> done) override {
        files.push_back(file);
        prune({}, {}, [done = std::move(done)](auto) { done(4096); });
    }
    [[nodiscard]] store::Health health() const override { return health_; }

    static inline std::vector<std::string> files;

private:
    store::Health& health_;
};

class ControlTest : public ApiTest {
protected:
    void use_disk() {
        auto inner = store::make_memory_store(
            [this](std::function<void()> work) { boost::asio::post(io_, std::move(work)); });
        restart({}, std::make_unique<DiskStore>(std::move(inner), health_));
    }
    store::Health health_{.durable = true, .bytes = 1000, .free = 5000};
};

TEST_F(ControlTest, AHeldTaskWaitsWithItsReasonUntilItIsReleased) {
    const std::string id = submit(R"({"type":"run"})");
    const Call held = post("/v1/tasks/" + id + "/hold", R"({"reason":"disk is hot"})");
    FakeHost& host = join("box", {{"run", ""}});

    EXPECT_EQ(held.member("state"), "held");
    EXPECT_EQ(held.member("hold_reason"), "disk is hot");
    EXPECT_TRUE(host.assigned.empty());
    EXPECT_EQ(post("/v1/tasks/" + id + "/release").status(), 200U);
    EXPECT_EQ(host.assigned.size(), 1U);
    const auto controls = get("/v1/tasks/" + id + "/attempts").body().at("controls");
    EXPECT_EQ(controls.at(0).at("action").as_string(), "hold");
    EXPECT_EQ(controls.at(0).at("reason").as_string(), "disk is hot");
    EXPECT_EQ(controls.at(1).at("action").as_string(), "release");
}

TEST_F(ControlTest, AReasonMayBeLeftOutButNotBeAnything) {
    const std::string id = submit(R"({"type":"run"})");
    EXPECT_EQ(post("/v1/tasks/" + id + "/hold").member("hold_reason"), "held by hand");
    EXPECT_EQ(post("/v1/tasks/" + id + "/hold", "{}").member("hold_reason"), "held by hand");
    EXPECT_EQ(post("/v1/tasks/" + id + "/hold", R"({"why":"x"})").member("code"), "invalid_member");
    EXPECT_EQ(post("/v1/tasks/" + id + "/hold", R"({"reason":1})").member("code"),
              "invalid_member");
    EXPECT_EQ(post("/v1/tasks/" + id + "/hold", "[").member("code"), "malformed_json");
}

TEST_F(ControlTest, OnlyWhatWaitsCanBeHeld) {
    FakeHost& host = join("box", {{"run", ""}});
    const std::string id = submit(R"({"type":"run"})");
    EXPECT_EQ(post("/v1/tasks/" + id + "/hold").status(), 409U);
    EXPECT_EQ(post("/v1/tasks/" + id + "/release").status(), 409U);
    finish(host, "1");
    EXPECT_EQ(post("/v1/tasks/" + id + "/hold").status(), 409U);
    EXPECT_EQ(post("/v1/tasks/nobody/hold").status(), 404U);
    EXPECT_EQ(post("/v1/tasks/nobody/release").status(), 404U);
}

TEST_F(ControlTest, AQuarantinedHostCanBeReleased) {
    FakeHost& host = join("box", {{"run", ""}});
    EXPECT_EQ(post("/v1/hosts/box/release").status(), 409U);
    EXPECT_EQ(post("/v1/hosts/nobody/release").member("code"), "host_not_found");
    for (int i = 0; i < 5; ++i)
        submit(R"({"type":"run","max_attempts":1})");
    while (!host.assigned.empty())
        fail(host, wire::AttemptStatus::crashed, "SIGSEGV");
    const json::value before = get("/v1/hosts/box").body();
    ASSERT_EQ(before.at("state").as_string(), "quarantined");
    EXPECT_FALSE(before.at("quarantine").at("reason").as_string().empty());
    EXPECT_GT(before.at("quarantine").at("left_s").to_number<double>(), 0);

    const Call released = post("/v1/hosts/box/release");
    EXPECT_EQ(released.status(), 200U);
    EXPECT_EQ(released.member("state"), "ready");
    EXPECT_FALSE(released.body().as_object().contains("quarantine"));
}

TEST_F(ControlTest, AFullDiskIsSaidEverywhere) {
    use_disk();
    EXPECT_EQ(get("/readyz").body().at("store").at("free_bytes").as_int64(), 5000);
    EXPECT_TRUE(get("/readyz").body().at("store").at("durable").as_bool());
    health_.disk_full = true;
    const Call refused = post("/v1/tasks", R"({"type":"t"})");
    const Call original = post("/addTask", R"({"projectName":"p","options":{"taskType":"t"}})");

    EXPECT_EQ(refused.status(), 507U);
    EXPECT_EQ(refused.member("code"), "disk_full");
    EXPECT_EQ(refused.header("Retry-After"), "10");
    EXPECT_EQ(original.status(), 507U);
    EXPECT_EQ(get("/readyz").status(), 503U);
    EXPECT_EQ(get("/readyz").member("code"), "disk_full");
    EXPECT_EQ(get("/healthz").status(), 200U);
    EXPECT_TRUE(get("/v1/status").body().at("store").at("disk_full").as_bool());
    health_.disk_full = false;
    EXPECT_EQ(post("/v1/tasks", R"({"type":"t"})").status(), 201U) << "it recovers by itself";
}

TEST_F(ControlTest, AFullQueueSaysWhenToComeBack) {
    coordinator::core::Settings settings;
    settings.max_tasks = 1;
    restart(settings, 1000);
    submit(R"({"type":"t"})");
    const Call refused = post("/v1/tasks", R"({"type":"t"})");
    const Call original = post("/addTask", R"({"projectName":"p","options":{"taskType":"t"}})");

    EXPECT_EQ(refused.status(), 429U);
    EXPECT_EQ(refused.member("code"), "queue_full");
    EXPECT_EQ(refused.header("Retry-After"), "60") << "nothing ends";
    EXPECT_EQ(original.header("Retry-After"), "60");
}

TEST_F(ControlTest, ABackupGoesWhereTheCoordinatorKeepsThem) {
    EXPECT_EQ(post("/v1/backups").status(), 409U);
    EXPECT_EQ(post("/v1/backups").member("code"), "not_durable");
    use_disk();
    const Call made = post("/v1/backups");
    const Call other = post("/v1/backups");

    EXPECT_EQ(made.status(), 201U) << made.text();
    EXPECT_EQ(made.body().at("bytes").as_int64(), 4096);
    EXPECT_EQ(made.member("file"), DiskStore::files.at(0));
    EXPECT_TRUE(made.member("file").starts_with(backups_.string() + "/backup-2026-05-04T"));
    EXPECT_NE(made.member("file"), other.member("file"));
    EXPECT_EQ(std::filesystem::status(backups_).permissions(), std::filesystem::perms::owner_all);
}

}  // namespace
}  // namespace distributo::tests
