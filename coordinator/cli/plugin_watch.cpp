#include "base/config.hpp"
#include "coordinator/cli/author_task.hpp"
#include "coordinator/cli/child.hpp"
#include "coordinator/cli/plugin_options.hpp"
#include "coordinator/cli/source_watch.hpp"
#include "runtime/check/check.hpp"
#include "runtime/check/probe_process.hpp"
#include "runtime/plugin_cache.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <unistd.h>

namespace distributo::coordinator::cli {
namespace {

namespace fs = std::filesystem;
namespace check = runtime::check;
using base::Errc;

constexpr auto build_limit = std::chrono::minutes(30);
constexpr int deepest_plugin = 3;  // build/plugins/x.so

bool is_own_script(const fs::path& file) {
    return runtime::is_script(file) && runtime::is_plugin_file(file);
}

bool has_script(const fs::path& folder) {
    std::error_code ignored;
    return std::any_of(fs::directory_iterator(folder, ignored), {}, [](const auto& entry) {
        return is_own_script(entry.path());
    });
}

/// For a shell.
std::string quoted(const std::string& text) {
    std::string out = "'";
    for (const char c : text)
        out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
}

base::Result<std::string> build_command(const PluginWatchOptions& options) {
    const fs::path folder = options.folder;
    if (!options.build.empty())
        return options.build;
    if (fs::exists(folder / "CMakeLists.txt")) {
        const fs::path build = program_folder().parent_path();
        const std::string root = fs::exists(build / "CMakeCache.txt")
                                     ? " -DDistributo_ROOT=" + quoted(build.string())
                                     : std::string();
        return "{ test -f build/CMakeCache.txt || cmake -B build" + root +
               " >build.log 2>&1 || { cat build.log; rm build.log; false; }; } && rm -f build.log "
               "&& "
               "cmake --build build";
    }
    if (fs::exists(folder / "Makefile"))
        return "make DISTRIBUTO=" + quoted((program_folder() / "distributo").string());
    if (has_script(folder))
        return ":";
    return base::error(Errc::invalid_argument,
                       options.folder + " has neither CMakeLists.txt nor Makefile nor a script",
                       "say how it is built: --build 'ninja -C out'");
}

/// What the build has made, and the scripts of the folder itself, newest first, without what CMake
/// keeps for itself.
std::vector<fs::path> built_plugins(const fs::path& folder) {
    std::vector<fs::path> found;
    std::error_code ignored;
    for (fs::recursive_directory_iterator at(folder, ignored), end; at != end;
         at.increment(ignored)) {
        const std::string name = at->path().filename().string();
        if (at->is_directory(ignored) &&
            (at.depth() >= deepest_plugin || name == "CMakeFiles" || name.starts_with('.')))
            at.disable_recursion_pending();
        else if ((at->path().extension() == ".so" ||
                  (at.depth() == 0 && is_own_script(at->path()))) &&
                 at->is_regular_file(ignored))
            found.push_back(at->path());
    }
    std::sort(found.begin(), found.end(), [&](const fs::path& a, const fs::path& b) {
        return fs::last_write_time(a, ignored) > fs::last_write_time(b, ignored);
    });
    return found;
}

/// Into place at once: a host that watches the folder never sees half a file.
base::Result<void> install(const fs::path& plugin, const fs::path& folder) {
    std::error_code error;
    fs::create_directories(folder, error);
    const fs::path target = folder / plugin.filename();
    const fs::path partial = folder / ("." + plugin.filename().string() + ".part");
    fs::copy_file(plugin, partial, fs::copy_options::overwrite_existing, error);
    if (!error)
        fs::rename(partial, target, error);
    if (error)
        return base::error(Errc::io, "cannot write " + target.string() + ": " + error.message());
    return {};
}

class Rounds {
public:
    Rounds(const PluginWatchOptions& options, std::string command)
        : options_(options), command_(std::move(command)) {}

    /// Build, check, install, run; stops at the first that fails. The exit code says which.
    int round() {
        const auto begin = std::chrono::steady_clock::now();
        int code = build();
        if (code == base::exit_code::ok)
            for (const fs::path& plugin : built_plugins(options_.folder))
                if (code == base::exit_code::ok)
                    code = after_build(plugin);
        const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::steady_clock::now() - begin);
        if (!interrupted())
            line(code == base::exit_code::ok ? "good" : "FAILED",
                 "after " + std::to_string(took.count()) + " ms");
        return code;
    }

    static void line(const char* what, const std::string& text) {
        std::printf("%-8s %s\n", what, text.c_str());
        std::fflush(stdout);
    }

private:
    int build() {
        const auto end =
            check::run_probe("/bin/sh",
                             {"-c", "cd " + quoted(options_.folder) + " && " + command_},
                             build_limit,
                             &interrupted);
        if (!end || !end->clean) {
            if (!interrupted())
                line("build", end ? end->how + "\n" + end->output : end.error().message);
            return base::exit_code::task_failed;
        }
        if (built_plugins(options_.folder).empty()) {
            line("build", "made no plugin (*.so, *.py) in " + options_.folder);
            return base::exit_code::not_found;
        }
        return base::exit_code::ok;
    }

    int after_build(const fs::path& plugin) {
        if (const int code = checked(plugin); code != base::exit_code::ok)
            return code;
        if (!options_.target.empty()) {
            if (const auto done = install(plugin, options_.target); !done) {
                line("install", done.error().message);
                return base::exit_code::internal;
            }
            line("install", (fs::path(options_.target) / plugin.filename()).string());
        }
        return run(plugin);
    }

    int checked(const fs::path& plugin) {
        check::CheckOptions checks;
        checks.program = check::default_check_program();
        checks.stop = &interrupted;
        if (auto samples = check::read_samples(sample_of(plugin)))
            checks.samples = std::move(*samples);
        const auto report = check::check_plugin(plugin, checks);
        if (!report) {
            line("check", report.error().message);
            return base::exit_code::internal;
        }
        if (interrupted())
            return base::exit_code::interrupted;
        line("check",
             plugin.filename().string() + ": " +
                 std::to_string(report->count(check::Verdict::Status::ok)) + " ok, " +
                 std::to_string(report->count(check::Verdict::Status::failed)) + " failed, " +
                 std::to_string(report->count(check::Verdict::Status::skipped)) + " skipped");
        for (const check::CheckResult& result : report->results)
            if (result.verdict.status == check::Verdict::Status::failed)
                line("",
                     std::string(result.check->id) + ": " + result.verdict.why +
                         (result.verdict.hint.empty() ? "" : "\n           hint: ") +
                         result.verdict.hint);
        return report->exit_code();
    }

    /// The sample of the sources when the build folder has none.
    [[nodiscard]] fs::path sample_of(const fs::path& plugin) const {
        const fs::path near = check::find_samples(plugin);
        return near.empty() ? fs::path(options_.folder) / "sample.json" : near;
    }

    int run(const fs::path& plugin) {
        PluginRunOptions how;
        how.file = plugin.string();
        how.task = sample_of(plugin).string();
        if (!fs::exists(how.task)) {
            line("run", "no sample.json, so nothing is run");
            return base::exit_code::ok;
        }
        auto task = read_task(how);
        if (!task) {
            line("run", task.error().message);
            return base::exit_code::usage;
        }
        AuthorRun one;
        one.task = std::move(*task);
        one.file = how.file;
        one.quiet = true;
        const auto result = run_author_task(one);
        const bool good = result && result->status == AuthorResult::Status::completed;
        line("run",
             !result ? result.error().message
             : good ? result->result + "  in " + std::to_string(result->elapsed_us.front()) + " µs"
                    : result->message);
        return good ? base::exit_code::ok : base::exit_code::task_failed;
    }

    const PluginWatchOptions& options_;
    const std::string command_;
};

}  // namespace

CommandResult plugin_watch(const Context&, const PluginWatchOptions& options) {
    std::error_code error;
    if (!fs::is_directory(options.folder, error))
        return base::error(Errc::not_found, "there is no folder " + options.folder);
    auto command = build_command(options);
    if (!command)
        return command.error();
    watch_for_interrupt();
    Rounds rounds(options, std::move(*command));
    if (options.once)
        return rounds.round();
    auto watch = SourceWatch::start(options.folder);
    if (!watch)
        return watch.error();
    rounds.line("watching", options.folder + ", Ctrl-C ends it");
    while (!interrupted()) {
        static_cast<void>(rounds.round());
        std::vector<std::string> changed;
        while (changed.empty() && !interrupted())
            changed = watch->wait();
        std::string names;
        for (const std::string& name : changed)
            names += (names.empty() ? "" : ", ") + name;
        std::puts("");
        if (!interrupted())
            rounds.line("changed", names);
    }
    return base::exit_code::ok;
}

}  // namespace distributo::coordinator::cli
