// Plugins that were compiled when a version of the ABI was released: tests/contract/golden.
#include "base/digest.hpp"
#include "probe.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <tuple>

namespace distributo::runtime {
namespace {

namespace fs = std::filesystem;
using Status = CallResult::Status;
using testing::HasSubstr;

const std::string languages[] = {"c", "cpp", "rs"};
const std::string versions[] = {"1.0", "1.1", "1.2"};

fs::path golden(const std::string& version, const std::string& language) {
    return fs::path(GOLDEN_BINARIES) / version / ("golden_" + language + ".so");
}

TEST(GoldenBinariesTest, AreWhatWasMade) {
    for (const auto& version : versions) {
        std::ifstream file(fs::path(GOLDEN_BINARIES) / version / "made_by.txt");
        std::stringstream made_by;
        made_by << file.rdbuf();
        for (const auto& language : languages) {
            const auto digest = base::sha256_file(golden(version, language));
            ASSERT_TRUE(digest) << digest.error().message;
            EXPECT_THAT(made_by.str(), HasSubstr(*digest + "  golden_" + language + ".so"));
        }
    }
}

#if defined(__x86_64__)

using Binary = std::tuple<Isolation, std::string, std::string>;

class GoldenTest : public testing::TestWithParam<Binary>, public Probe {
protected:
    void SetUp() override {
        const auto& [isolation, version, language] = GetParam();
        auto library = golden(version, language);
        Probe::start(isolation, library.replace_extension().string());
        until_ready();
        name_ = "golden." + language + "." + version;
    }

    [[nodiscard]] std::string type(const std::string& kind) const { return name_ + "." + kind; }
    [[nodiscard]] const std::string& language() const { return std::get<2>(GetParam()); }

private:
    std::string name_;
};

/// The one in Rust has nothing to install.
class GoldenInstallTest : public GoldenTest {};

std::string name_of(const testing::TestParamInfo<Binary>& info) {
    const auto& [isolation, version, language] = info.param;
    std::string name = language + "_" + version + "_" + std::string(to_string(isolation));
    std::replace(name.begin(), name.end(), '.', '_');
    return name;
}

const auto modes = testing::Values(Isolation::process, Isolation::inproc);
INSTANTIATE_TEST_SUITE_P(Binaries,
                         GoldenTest,
                         testing::Combine(modes,
                                          testing::ValuesIn(versions),
                                          testing::ValuesIn(languages)),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Binaries,
                         GoldenInstallTest,
                         testing::Combine(modes,
                                          testing::ValuesIn(versions),
                                          testing::Values("c", "cpp")),
                         name_of);

/// Since 1.1: a type that takes up to five tasks at once, and answers how many came.
class GoldenBatchTest : public GoldenTest {};
INSTANTIATE_TEST_SUITE_P(Binaries,
                         GoldenBatchTest,
                         testing::Combine(modes,
                                          testing::Values("1.1"),
                                          testing::ValuesIn(languages)),
                         name_of);

/// What the one in Rust does not use.
class GoldenServicesTest : public GoldenTest {};
INSTANTIATE_TEST_SUITE_P(Binaries,
                         GoldenServicesTest,
                         testing::Combine(modes,
                                          testing::Values("1.1"),
                                          testing::Values("c", "cpp")),
                         name_of);

/// Since 1.2: types that are named after setup, in Rust all of them.
class GoldenDiscoverTest : public GoldenTest {};
INSTANTIATE_TEST_SUITE_P(Binaries,
                         GoldenDiscoverTest,
                         testing::Combine(modes, testing::Values("1.2"), testing::Values("c")),
                         name_of);

TEST_P(GoldenTest, AnswersAndReports) {
    const std::string payload =
        R"({"n":7,"mode":"fast","note":"é","list":[1.5,-2],"flags":{"a":true}})";
    const auto call = execute(type("echo"), payload);

    EXPECT_EQ(result(call).result, payload) << results[call].message;
    EXPECT_THAT(logged(call, "plugin"), HasSubstr("golden." + language() + " echoes"));
    ASSERT_EQ(progress.size(), 1U);
    EXPECT_EQ(progress[0].text, "half");
}

TEST_P(GoldenTest, FailsInTheWayThatItSays) {
    const auto& retry = run(type("retry"));
    EXPECT_EQ(retry.status, Status::retry);
    EXPECT_EQ(retry.message, "not yet");
    EXPECT_EQ(retry.retry_after_ms, 700);

    const auto& permanent = run(type("permanent"));
    EXPECT_EQ(permanent.status, Status::permanent);
    EXPECT_EQ(permanent.message, "never");

    if (language() == "c") {  // ends in a status that no host knows
        EXPECT_EQ(run(type("unknown")).status, Status::retry);
    }
}

TEST_P(GoldenTest, EndsWhenItIsCancelled) {
    const auto call = execute(type("endless"));
    runner->flush();
    runner->cancel(call);

    EXPECT_EQ(result(call).status, Status::cancelled);
}

TEST_P(GoldenTest, RunsManyTasks) {
    for (int i = 0; i < 500; ++i)
        execute(type("echo"),
                R"({"n":)" + std::to_string(i) + R"(,"mode":"exact","list":[],"flags":{}})");
    runner->flush();
    until([this] { return results.size() == 500; });

    for (const auto& [call, result] : results)
        EXPECT_EQ(result.status, Status::ok) << result.message;
}

TEST_P(GoldenInstallTest, UsesWhatItInstalled) {
    const auto staging = folder.path() / "staging";
    fs::create_directories(staging);
    runner->install({.call = 1000,
                     .type = type("installed"),
                     .content_key = "abc",
                     .spec = R"({"value":"v1"})",
                     .staging_dir = staging.string(),
                     .attempt = 1,
                     .timeout = {}});
    ASSERT_EQ(result(1000).status, Status::ok) << results[1000].message;
    runner->execute({.call = 1001,
                     .type = type("installed"),
                     .task_id = "t",
                     .attempt = 1,
                     .payload = "{}",
                     .content_key = "abc",
                     .install_dir = staging.string(),
                     .timeout = {}});

    EXPECT_EQ(result(1001).result, R"({"value":"v1"})") << results[1001].message;
}

TEST_P(GoldenBatchTest, OneBadTaskOfABatchFailsAlone) {
    for (int i = 1; i <= 12; ++i)
        execute(type("batch"), i == 7 ? R"({"n":"bad"})" : "{}");
    runner->flush();
    until([this] { return results.size() == 12; });

    for (const auto& [call, result] : results) {
        if (call == 7) {
            EXPECT_EQ(result.status, Status::permanent);
            EXPECT_EQ(result.message, "a bad one");
        } else {
            EXPECT_THAT(result.result, testing::MatchesRegex("[1-5]")) << result.message;
        }
    }
}

TEST_P(GoldenDiscoverTest, RunsWhatItDiscovered) {
    EXPECT_EQ(run(type("found")).result, '"' + type("found") + '"') << results[last_call].message;
    EXPECT_EQ(run(type("made")).result, '"' + type("made") + '"') << results[last_call].message;
}

TEST_P(GoldenServicesTest, EndsTasksFromAThreadOfItsOwn) {
    for (int i = 0; i < 100; ++i)
        execute(type("later"));
    runner->flush();
    until([this] { return results.size() == 100; });

    for (const auto& [call, result] : results)
        EXPECT_EQ(result.result, "\"later\"") << result.message;
}

TEST_P(GoldenServicesTest, UsesEveryService) {
    EXPECT_EQ(run(type("services")).result,
              R"({"cache":"works","emit":"works","artifacts":"works"})")
        << results[last_call].message;
    EXPECT_THAT(results[last_call].emitted, HasSubstr(type("echo")));
}

#else

TEST(GoldenTest, IsRefusedOnAnotherMachine) {
    const Folder folder;
    for (const auto& version : versions)
        for (const auto& language : languages) {
            const auto copy = cache_plugin(golden(version, language), folder.path() / "cache");
            ASSERT_FALSE(copy);
            EXPECT_THAT(copy.error().message, HasSubstr("is for x86-64, this host is "));
        }
}

#endif

}  // namespace
}  // namespace distributo::runtime
