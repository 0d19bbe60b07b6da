#include "host/plugin_config.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace distributo::host {
namespace {

using runtime::Isolation;
using runtime::MemoryBy;

class PluginConfigTest : public testing::Test {
protected:
    PluginConfigTest() {
        const auto* info = testing::UnitTest::GetInstance()->current_test_info();
        file_ = testing::TempDir() + "plugin_config_" + info->name() + ".toml";
    }
    ~PluginConfigTest() override { std::filesystem::remove(file_); }

    base::Result<PluginConfig> read(const std::string& text) {
        std::ofstream(file_) << text;
        return PluginConfig::read(file_);
    }

    /// "line:column: what | hint"
    std::string refusal(const std::string& text) {
        const auto config = read(text);
        if (config)
            return "accepted";
        const auto& error = config.error();
        return error.message.substr(file_.size() + 1) +
               (error.hint.empty() ? "" : " | " + error.hint);
    }

    std::string file_;
};

TEST_F(PluginConfigTest, EveryKeyArrives) {
    const auto config = read(R"(
[plugin.render]
isolation = "process"
memory = "512MiB"
memory-by = "rss"
network = false
open-files = 64
max_processes = 40
file_size = "8MiB"
readable = ["/srv/scenes"]
writable = ["/dev/dri"]
without = ["seccomp"]
config = { gpu = 1, modes = ["a", "b"] }
)");
    ASSERT_TRUE(config) << config.error().message;
    const auto& settings = config->of("render");

    EXPECT_EQ(settings.isolation, Isolation::process);
    EXPECT_EQ(settings.sandbox.memory, 512U << 20U);
    EXPECT_EQ(settings.sandbox.memory_by, MemoryBy::rss);
    EXPECT_FALSE(settings.sandbox.network);
    EXPECT_EQ(settings.sandbox.open_files, 64U);
    EXPECT_EQ(settings.sandbox.max_processes, 40U);
    EXPECT_EQ(settings.sandbox.file_size, 8U << 20U);
    EXPECT_EQ(settings.sandbox.readable, std::vector<std::string>{"/srv/scenes"});
    EXPECT_EQ(settings.sandbox.writable, std::vector<std::string>{"/dev/dri"});
    EXPECT_TRUE(settings.sandbox.landlock);
    EXPECT_FALSE(settings.sandbox.seccomp);
    std::string config_text = settings.config;
    std::erase_if(config_text, [](char c) { return c == ' ' || c == '\n'; });
    EXPECT_EQ(config_text, R"({"gpu":1,"modes":["a","b"]})");
}

TEST_F(PluginConfigTest, DefaultsHoldForAllAndOneTableOverridesThem) {
    const auto config = read(R"(
[plugin.a]
memory = "1GiB"
[plugin]
memory = "64MiB"
file-size = 1048576
)");
    ASSERT_TRUE(config) << config.error().message;

    EXPECT_EQ(config->of("a").sandbox.memory, 1ULL << 30U);
    EXPECT_EQ(config->of("a").sandbox.file_size, 1ULL << 20U);
    EXPECT_EQ(config->of("b").sandbox.memory, 64ULL << 20U);
    EXPECT_EQ(config->of("b").isolation, std::nullopt);
    EXPECT_EQ(config->of("b").config, "{}");
}

TEST_F(PluginConfigTest, NothingSaidMeansNoLimit) {
    const auto config = read("[host]\nslots = 2\n");
    ASSERT_TRUE(config) << config.error().message;

    EXPECT_FALSE(config->of("any").sandbox.needs_process());
    EXPECT_TRUE(config->of("any").sandbox.landlock);
    EXPECT_TRUE(config->of("any").sandbox.seccomp);
}

TEST_F(PluginConfigTest, ErrorsNamePlaceAndKey) {
    EXPECT_EQ(refusal("[plugin.r]\nmemroy = \"1GiB\"\n"),
              "2:1: unknown key 'memroy' in [plugin.r] | did you mean 'memory'?");
    EXPECT_EQ(refusal("[plugin.r]\nmemory = \"lots\"\n"),
              "2:10: memory: expected a size such as 64KiB, 512MiB or 2GiB, got \"lots\"");
    EXPECT_EQ(refusal("[plugin.r]\nmemory = \"1KiB\"\n"),
              "2:10: memory: expected at least 4MiB, got \"1KiB\" | leave it out for no limit");
    EXPECT_EQ(refusal("[plugin.r]\nmemory_by = \"asx\"\n"),
              "2:13: memory_by: expected one of data, as, rss, got \"asx\" | did you mean 'as'?");
    EXPECT_EQ(refusal("[plugin.r]\nnetwork = \"no\"\n"),
              "2:11: network: expected true or false, got 'no'");
    EXPECT_EQ(refusal("[plugin.r]\nopen-files = 3\n"),
              "2:14: open_files: expected an integer from 32 to 1048576, got \"3\"");
    EXPECT_EQ(refusal("[plugin.r]\nopen-files = 64\nopen_files = 65\n"),
              "3:14: open_files: is there twice, with a hyphen and without");
    EXPECT_EQ(refusal("[plugin.r]\nwritable = [\"tmp\"]\n"),
              "2:12: writable: expected absolute paths, got \"tmp\" | start it with /");
    EXPECT_EQ(refusal("[plugin.r]\nwithout = [\"memory\"]\n"),
              "2:11: without: expected one of landlock, seccomp, got \"memory\"");
    EXPECT_EQ(refusal("[plugin.r]\nconfig = 3\n"), "2:10: config: expected a table, got 3");
    EXPECT_EQ(refusal("[plugin]\nisolation = \"process\"\n"),
              "2:13: isolation: is said for one plugin, or for all in [host] | put it below "
              "[plugin.NAME], where NAME.so is the plugin's file");
}

TEST(ChooseIsolationTest, OwnSettingBeatsTheHostsButNotTheFloor) {
    PluginSettings settings;
    EXPECT_EQ(choose_isolation(settings, Isolation::inproc, Isolation::inproc).isolation,
              Isolation::inproc);
    settings.isolation = Isolation::inproc;
    EXPECT_EQ(choose_isolation(settings, Isolation::process, Isolation::inproc).isolation,
              Isolation::inproc);

    const auto raised = choose_isolation(settings, Isolation::inproc, Isolation::process);
    EXPECT_EQ(raised.isolation, Isolation::process);
    EXPECT_EQ(raised.why, "--min-isolation asks for it");
}

TEST(ChooseIsolationTest, LimitsNeedAProcess) {
    PluginSettings settings{.isolation = Isolation::inproc};
    settings.sandbox.memory = 1U << 30U;

    const auto raised = choose_isolation(settings, Isolation::process, Isolation::inproc);

    EXPECT_EQ(raised.isolation, Isolation::process);
    EXPECT_EQ(raised.why, "its limits need a process of its own");
}

}  // namespace
}  // namespace distributo::host
