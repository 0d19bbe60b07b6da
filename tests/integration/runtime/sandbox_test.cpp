// A runner under its policy. What it may do is asked of the kernel by a plugin that tries it.
#include "probe.hpp"
#include "runtime/sandbox_landlock.hpp"

#include <csignal>

namespace distributo::runtime {
namespace {

using Status = CallResult::Status;
using testing::HasSubstr;
using wire::Layer;

class SandboxTest : public testing::Test, public Probe {
protected:
    void start(const SandboxPolicy& policy = {}) {
        auto with = options("misbehave/test_misbehave");
        with.sandbox = policy;
        Probe::start(Isolation::process, std::move(with));
        until_ready();
    }
    /// The JSON that the plugin reports about one deed.
    std::string attempt(const std::string& deed, const std::string& path = {}) {
        const auto& done =
            run("test.misbehave", R"({"deed":")" + deed + R"(","path":")" + path + R"("})");
        EXPECT_EQ(done.status, Status::ok) << done.message;
        return done.result;
    }
    pid_t start_daemon() {
        const std::string report = attempt("daemon");
        const auto at = report.find(R"("number":)");
        return at == std::string::npos ? 0 : std::stoi(report.substr(at + 9));
    }
    void until_gone(pid_t process) {
        until([&] { return kill(process, 0) != 0; });
    }
    [[nodiscard]] bool active(Layer layer) const { return module.sandbox.active.has(layer); }
    [[nodiscard]] bool told_missing(Layer layer) const {
        for (const auto& missing : module.sandbox.missing)
            if (missing.layer == layer)
                return !missing.why.empty();
        return false;
    }
};

TEST_F(SandboxTest, EveryLayerIsInForceOrToldToBeMissing) {
    start();

    EXPECT_TRUE(active(Layer::no_new_privs));
    for (const auto layer : {Layer::landlock, Layer::signal_scope, Layer::seccomp, Layer::cgroup})
        EXPECT_NE(active(layer), told_missing(layer)) << wire::to_string(layer);
    EXPECT_EQ(active(Layer::landlock), landlock_version() > 0);
    EXPECT_FALSE(active(Layer::memory));
    EXPECT_FALSE(active(Layer::no_network));
}

TEST_F(SandboxTest, WritesItsOwnDirectoriesOnly) {
    start();
    ASSERT_TRUE(active(Layer::landlock)) << "the rest needs Landlock";
    const std::string file = (folder.path() / "outside").string();

    EXPECT_THAT(attempt("write_outside", file), HasSubstr("EACCES"));
    EXPECT_THAT(attempt("write_outside", (folder.path() / "data" / "own").string()),
                HasSubstr(R"("error":"")"));
    EXPECT_FALSE(std::filesystem::exists(file));
}

TEST_F(SandboxTest, TheOperatorOpensWhatHeWants) {
    SandboxPolicy policy;
    policy.writable = {folder.path()};
    start(policy);

    EXPECT_THAT(attempt("write_outside", (folder.path() / "outside").string()),
                HasSubstr(R"("error":"")"));
}

TEST_F(SandboxTest, LayersThatAreSwitchedOffAreNotAnnounced) {
    SandboxPolicy policy;
    policy.landlock = policy.seccomp = false;
    start(policy);

    EXPECT_FALSE(active(Layer::landlock));
    EXPECT_FALSE(active(Layer::signal_scope));
    EXPECT_FALSE(active(Layer::seccomp));
    EXPECT_FALSE(told_missing(Layer::landlock)) << "nobody wanted it";
    EXPECT_THAT(attempt("write_outside", (folder.path() / "outside").string()),
                HasSubstr(R"("error":"")"));
    EXPECT_THAT(attempt("forge_mark"), HasSubstr(R"("error":"")"));
}

TEST_F(SandboxTest, WithoutNetworkNothingIsReached) {
    SandboxPolicy policy;
    policy.network = false;
    start(policy);

    EXPECT_TRUE(active(Layer::no_network));
    EXPECT_THAT(attempt("connect"), testing::AnyOf(HasSubstr("ENETUNREACH"), HasSubstr("EACCES")));
}

TEST_F(SandboxTest, ResidentMemoryIsWatchedFromOutside) {
    SandboxPolicy policy;
    policy.plugin = "p";
    policy.memory = 64U << 20U;
    policy.memory_by = MemoryBy::rss;
    start(policy);
    EXPECT_TRUE(active(Layer::memory));

    const auto& done = run("test.misbehave", R"({"deed":"take_memory","path":""})");

    EXPECT_EQ(done.status, Status::crashed);
    EXPECT_THAT(done.message, HasSubstr("killed because it used"));
    EXPECT_THAT(done.message, HasSubstr("memory is limited to 64 MiB, see memory in [plugin.p]"));
}

TEST_F(SandboxTest, ADaemonEndsWithItsRunner) {
    start();
    const pid_t daemon = start_daemon();
    ASSERT_EQ(kill(daemon, 0), 0);

    runner->stop();
    until([&] { return is_gone; });

    until_gone(daemon);
}

TEST_F(SandboxTest, ADaemonEndsWithARunnerThatIsDestroyed) {
    start();
    const pid_t daemon = start_daemon();
    ASSERT_EQ(kill(daemon, 0), 0);

    runner.reset();

    until_gone(daemon);
}

}  // namespace
}  // namespace distributo::runtime
