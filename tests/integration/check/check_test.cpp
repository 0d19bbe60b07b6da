// Faulty plugins, each caught by the check that is meant for it and by no other.
#include "runtime/check/check.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <ostream>
#include <stdlib.h>

namespace distributo::runtime::check {
namespace {

namespace fs = std::filesystem;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
/// A sanitizer's memory says nothing about the plugin's: lifecycle.memory leaves it out.
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

class Folder {
public:
    Folder() {
        std::string pattern = (fs::temp_directory_path() / "check-test-XXXXXX").string();
        path_ = mkdtemp(pattern.data());
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { fs::remove_all(path_); }
    [[nodiscard]] const fs::path& path() const { return path_; }

private:
    fs::path path_;
};

void write(const fs::path& file, std::string_view text) {
    std::ofstream(file, std::ios::binary) << text;
}

std::string content(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
}

const std::vector<Sample> doubled = {
    {.type = "faulty.double", .payload = R"({"n":21})", .install = {}}};

CheckOptions options(std::vector<Sample> samples) {
    CheckOptions made;
    made.samples = std::move(samples);
    made.program = CHECK_PROGRAM;
    // This machine may be busy; who really hangs is given less, below.
    made.limit = std::chrono::seconds(60);
    return made;
}

Report checked(const fs::path& file, const CheckOptions& how) {
    auto report = check_plugin(file, how);
    EXPECT_TRUE(report) << report.error().message;
    return report ? std::move(*report) : Report{};
}

/// "id: why" of everything that failed, one per line.
std::string failures(const Report& report) {
    std::string text;
    for (const CheckResult& result : report.results)
        if (result.verdict.status == Verdict::Status::failed)
            text += std::string(result.check->id) + ": " + result.verdict.why + "\n";
    return text;
}

void expect_only(const Report& report, std::string_view id, std::string_view why) {
    const std::string text = failures(report);
    EXPECT_EQ(report.count(Verdict::Status::failed), 1U) << text;
    EXPECT_TRUE(text.starts_with(std::string(id) + ": ")) << id << " expected, got\n" << text;
    EXPECT_NE(text.find(why), std::string::npos) << why << " expected, got\n" << text;
    EXPECT_GE(report.exit_code(), 10);
}

struct Fault {
    const char* plugin;
    const char* check;
    const char* why;
    int limit_s = 0;  // for those that hang, or work for a while; 0: that of options()
};
void PrintTo(const Fault& fault, std::ostream* out) {
    *out << fault.plugin;
}

class FaultyPlugin : public testing::TestWithParam<Fault> {};

TEST_P(FaultyPlugin, IsCaughtByTheCheckThatIsMeantForIt) {
    const Fault& fault = GetParam();
    CheckOptions how = options(doubled);
    if (fault.limit_s != 0)
        how.limit = std::chrono::seconds(fault.limit_s);
    const auto report =
        checked(fs::path(FAULTY_PLUGINS) / (std::string(fault.plugin) + ".so"), how);
    expect_only(report, fault.check, fault.why);
}

INSTANTIATE_TEST_SUITE_P(
    Faults,
    FaultyPlugin,
    testing::Values(Fault{"second_export", "elf.exports", "helper"},
                    Fault{"unique", "elf.unique", "shared_by_all"},
                    Fault{"text_relocation", "elf.text_relocations", "changed when it is loaded"},
                    Fault{"executable_stack", "elf.stack", "executable"},
                    Fault{"lazy", "elf.bind_now", "missing symbol"},
                    Fault{"no_relro", "elf.relro", "writable"},
                    Fault{"run_path", "elf.run_path", "/home/somebody/build"},
                    Fault{"needs_library", "elf.needed", "libnope.so"},
                    Fault{"static_tls", "elf.static_tls", "256 bytes"},
                    Fault{"missing_symbol", "load.opens", "not_there"},
                    Fault{"thread_at_load", "load.threads", "1 thread(s)"},
                    Fault{"descriptor_at_load", "load.descriptors", "/dev/null"},
                    Fault{"output_at_load", "load.output", "hello from a constructor"},
                    Fault{"signal_at_load", "load.signals", "SIGUSR1"},
                    Fault{"folder_at_load", "load.process", "current directory"},
                    Fault{"entry_refuses", "tables.entry", "gives no reason"},
                    Fault{"entry_changes", "tables.entry", "answers differently"},
                    Fault{"wild_pointer", "tables.pointers", "summary"},
                    Fault{"not_utf8", "tables.text", "summary"},
                    Fault{"short_table", "tables.contract", "struct_size 24"},
                    Fault{"bad_name", "tables.contract", "Faulty Plugin"},
                    Fault{"bad_version", "tables.contract", "\"one\""},
                    Fault{"same_type_twice", "tables.contract", "twice"},
                    Fault{"must_understand", "tables.contract", "flag bit 30"},
                    Fault{"unknown_service", "tables.contract", "distributo.nobody/1"},
                    Fault{"bad_schema", "tables.schemas", "result_schema"},
                    Fault{"bad_resources", "tables.resources", "cpu"},
                    Fault{"create_fails", "lifecycle.create_destroy", "create fails as asked"},
                    Fault{"setup_fails", "lifecycle.setup", "the model is missing"},
                    Fault{"discover_changes", "lifecycle.discover", "faulty.lost the second time"},
                    Fault{"discover_schema", "lifecycle.discover", "payload_schema of faulty.f"},
                    Fault{"probe_nonsense", "lifecycle.probe", "yes"},
                    Fault{"config_crash", "lifecycle.bad_config", "SIGSEGV"},
                    Fault{"teardown_hangs", "lifecycle.teardown", "did not end", 5},
                    Fault{"one_instance", "lifecycle.two_instances", "there is one already"},
                    Fault{"thread_left", "lifecycle.threads", "1 thread(s)"},
                    Fault{"descriptor_left", "lifecycle.descriptors", "/dev/null"},
                    Fault{"crash", "abuse.survives", "SIGSEGV"},
                    Fault{"exit", "abuse.survives", "exited with code 3"},
                    Fault{"status", "abuse.status", "status 42"},
                    Fault{"pending", "abuse.status", "DTO_TASK_ASYNC"},
                    Fault{"throws", "abuse.exception", "nobody catches me"},
                    Fault{"after_end", "abuse.after_end", "log() after the end"},
                    Fault{"complete_twice", "abuse.complete", "second time"},
                    Fault{"install_fails", "install.runs", "no room for it"},
                    Fault{"install_records_path", "install.runs", "after install"},
                    Fault{"install_locks", "install.killed", "another install is running"},
                    Fault{"install_changed", "install.read_only", "changes the installed files"},
                    Fault{"sample_fails", "execute.samples", "no such luck"},
                    Fault{"bad_result", "execute.samples", "does not match its schema"},
                    Fault{"not_reentrant", "execute.concurrency", "threads end differently"},
                    Fault{"batch_differs", "execute.batch", "in a batch"},
                    Fault{"task_thread", "execute.leftovers", "thread"},
                    Fault{"task_descriptor", "execute.leftovers", "descriptor"},
                    Fault{"cancel_never", "execute.cancel_before", "goes on", 15},
                    Fault{"cancel_once", "execute.cancel_during", "goes on", 15},
                    Fault{"deadline_ignored", "execute.deadline", "past its deadline", 15},
                    Fault{"trusts_memory", "execute.host_failures", "SIGSEGV"},
                    Fault{"loses_result", "execute.host_failures", "its result is lost"},
                    Fault{"limit_crash", "execute.generated", "SIGFPE"},
                    Fault{"accepts_anything", "execute.malformed", "DTO_OK"},
                    Fault{"retries_malformed", "execute.malformed", "DTO_RETRY"},
                    Fault{"reads_too_far", "negotiation.current", "SIGSEGV"},
                    Fault{"wants_newer", "negotiation.oldest", "too old"},
                    Fault{"wants_same_size", "negotiation.future", "another one"},
                    Fault{"no_delete", "unload.unmaps", "stays in memory"}),
    [](const auto& test) { return std::string(test.param.plugin); });

TEST(LeakingPlugin, IsCaughtWhereMemoryTellsSomething) {
    const auto report = checked(fs::path(FAULTY_PLUGINS) / "leak.so", options(doubled));
    if (sanitized)
        EXPECT_EQ(failures(report), "");
    else
        expect_only(report, "lifecycle.memory", "bytes per life");
}

TEST(GoodPlugin, PassesEverything) {
    const auto right = checked(fs::path(FAULTY_PLUGINS) / "none.so", options(doubled));
    EXPECT_EQ(failures(right), "");
    EXPECT_EQ(right.exit_code(), 0);
    EXPECT_NE(right.module.find("\"faulty.double\""), std::string::npos) << right.module;
    // The manifest, discover, the installs, generator and sink are what it has nothing for.
    EXPECT_EQ(right.count(Verdict::Status::skipped), sanitized ? 8U : 7U);

    const auto shipped = checked(
        fs::path(SHIPPED_PLUGINS) / "syllables.so",
        options({{.type = "text.syllables", .payload = R"({"word":"example"})", .install = {}}}));
    EXPECT_EQ(failures(shipped), "");
}

TEST(GoodPlugin, MayEndItsTasksLater) {
    const auto report = checked(fs::path(FAULTY_PLUGINS) / "ends_later.so", options(doubled));
    EXPECT_EQ(failures(report), "");
}

TEST(GoodPlugin, MayDiscoverItsTypes) {
    const auto report = checked(fs::path(FAULTY_PLUGINS) / "discovers.so", options(doubled));
    EXPECT_EQ(failures(report), "");
    EXPECT_EQ(report.count(Verdict::Status::skipped), sanitized ? 7U : 6U);
    EXPECT_NE(report.module.find("\"faulty.double\""), std::string::npos) << report.module;
}

TEST(GoodPlugin, MayWaitForWhatNoSchemaTells) {
    const auto report = checked(fs::path(FAULTY_PLUGINS) / "waits.so", options({}));
    EXPECT_EQ(failures(report), "");
}

TEST(GoodPlugin, NeedsASampleOfItsOwnTypes) {
    CheckOptions how =
        options({{.type = "faulty.duobel", .payload = R"({"n":21})", .install = {}}});
    const auto report = checked(fs::path(FAULTY_PLUGINS) / "none.so", how);
    EXPECT_EQ(failures(report), "");
    EXPECT_NE(report_text(report).find("the first is of faulty.duobel"), std::string::npos);
    how.samples.front().type.clear();
    EXPECT_EQ(
        report_text(checked(fs::path(FAULTY_PLUGINS) / "none.so", how)).find("no sample is of"),
        std::string::npos);
}

TEST(GoodPlugin, MayInstall) {
    const auto report = checked(
        fs::path(TEST_PLUGINS) / "good" / "test_install.so",
        options({{.type = "test.install", .payload = "{}", .install = R"({"value":"x"})"}}));
    EXPECT_EQ(failures(report), "");
}

std::string status_of(const Report& report, std::string_view id) {
    for (const CheckResult& result : report.results)
        if (result.check->id == id)
            return std::string(status_name(result.verdict.status));
    return "missing";
}

TEST(GeneratorAndSink, NeedNoTaskTypes) {
    CheckOptions how = options({});
    how.config = R"({"last":20})";
    const auto report = checked(fs::path(FAULTY_PLUGINS) / "streams.so", how);
    EXPECT_EQ(failures(report), "");
    EXPECT_EQ(status_of(report, "tables.contract"), "ok");
    EXPECT_EQ(status_of(report, "lifecycle.setup"), "skipped");
    EXPECT_EQ(status_of(report, "extension.generator"), "ok");
    EXPECT_EQ(status_of(report, "extension.sink"), "ok");
    EXPECT_NE(
        report.module.find(R"("generator":{"name":"numbers","version":"1.0.0","config_schema":{)"),
        std::string::npos)
        << report.module;
    EXPECT_NE(report.module.find(R"("sink":{"name":"table")"), std::string::npos) << report.module;
}

TEST(GeneratorAndSink, AreNotJudgedByAConfigurationThatNobodyGave) {
    const auto report = checked(fs::path(FAULTY_PLUGINS) / "streams.so", options({}));
    EXPECT_EQ(failures(report), "");
    EXPECT_EQ(status_of(report, "extension.generator"), "skipped");
}

TEST(GeneratorAndSink, AreCaughtWhenTheyLoseTheirPlace) {
    CheckOptions how = options({});
    how.config = R"({"last":20})";
    expect_only(checked(fs::path(FAULTY_PLUGINS) / "remembers.so", how),
                "extension.generator",
                "from the checkpoint after 1 tasks, {\"next\":2}: task 0 is");
    expect_only(checked(fs::path(FAULTY_PLUGINS) / "forgets.so", how),
                "extension.sink",
                "after storing outcome 3 it says on open that it has 2");
    how.config = R"({"lost":20})";
    expect_only(checked(fs::path(FAULTY_PLUGINS) / "streams.so", how),
                "extension.generator",
                "open: config.lost");
}

TEST(FaultyFile, IsCaughtBeforeItIsLoaded) {
    const Folder folder;
    const fs::path good = fs::path(FAULTY_PLUGINS) / "none.so";
    write(folder.path() / "text.so", "this is text\n");
    expect_only(checked(folder.path() / "text.so", options({})), "file.elf", "is text");
    write(folder.path() / "empty.so", "");
    expect_only(checked(folder.path() / "empty.so", options({})), "file.regular", "is empty");
    expect_only(checked(folder.path() / "no.so", options({})), "file.regular", "cannot be read");
    write(folder.path() / "cut.so", content(good).substr(0, 2000));
    expect_only(checked(folder.path() / "cut.so", options({})), "file.elf", "truncated");
}

TEST(FaultyFile, MayNotBeEverybodys) {
    const Folder folder;
    const fs::path plugin = folder.path() / "open.so";
    fs::copy_file(fs::path(FAULTY_PLUGINS) / "none.so", plugin);
    fs::permissions(plugin, fs::perms::all);
    expect_only(checked(plugin, options(doubled)), "file.permissions", "everybody");
}

TEST(Manifest, IsOfThisFileOrTheCheckFails) {
    const Folder folder;
    const fs::path plugin = folder.path() / "mine.so";
    fs::copy_file(fs::path(FAULTY_PLUGINS) / "none.so", plugin);
    const auto report = checked(plugin, options(doubled));
    const std::string manifest = manifest_text(report);
    for (const char* part : {"\"name\":\"faulty\"",
                             "\"payload_schema\":{",
                             "\"samples\":[{",
                             "\"abi\":{\"major\":1,",
                             "-linux-gnu\"",
                             "\"required\":[]"})
        EXPECT_NE(manifest.find(part), std::string::npos) << part << " expected in\n" << manifest;
    EXPECT_NE(manifest.find(report.digest), std::string::npos);

    write(folder.path() / "mine.manifest.json", manifest);
    const auto again = checked(plugin, options(doubled));
    EXPECT_EQ(failures(again), "");
    fs::remove(plugin);
    fs::copy_file(fs::path(FAULTY_PLUGINS) / "static_tls.so", plugin);
    EXPECT_NE(failures(checked(plugin, options(doubled))).find("file.manifest: "),
              std::string::npos);
}

TEST(Catalog, HasIdsThatSayTheirGroupAndNeedsThatComeBefore) {
    std::string seen = " ";
    for (const CheckInfo& check : catalog()) {
        EXPECT_TRUE(check.id.starts_with(std::string(group_name(check.group)) + ".")) << check.id;
        std::string_view rest = check.needs;
        while (!rest.empty()) {
            const std::string_view one = rest.substr(0, rest.find(' '));
            EXPECT_NE(seen.find(" " + std::string(one) + " "), std::string::npos)
                << check.id << " needs " << one;
            rest.remove_prefix(std::min(rest.size(), one.size() + 1));
        }
        seen += std::string(check.id) + " ";
    }
}

TEST(Probe, IsMissing) {
    CheckOptions how = options({});
    how.program = "/nowhere/distributo-check";
    const auto report = check_plugin(fs::path(FAULTY_PLUGINS) / "none.so", how);
    ASSERT_FALSE(report);
    EXPECT_NE(report.error().message.find("/nowhere/distributo-check"), std::string::npos);
}

}  // namespace
}  // namespace distributo::runtime::check
