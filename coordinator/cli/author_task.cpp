#include "coordinator/cli/author_task.hpp"

#include "base/digest.hpp"
#include "coordinator/cli/payload.hpp"
#include "coordinator/cli/temporary_folder.hpp"
#include "runtime/plugin_cache.hpp"
#include "runtime/runner.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <iterator>

namespace distributo::coordinator::cli {
namespace {

namespace fs = std::filesystem;
using base::Errc;
using runtime::CallResult;
using runtime::check::Sample;

constexpr runtime::CallId install_call = 1;
constexpr runtime::CallId first_execute = 2;
constexpr auto interrupt_interval = std::chrono::milliseconds(50);

std::string milliseconds(std::int64_t elapsed_us) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f ms", static_cast<double>(elapsed_us) / 1000.0);
    return text;
}

/// Walks one runner through the phases of a task.
class Walk final : public runtime::RunnerEvents {
public:
    Walk(const AuthorRun& run, const fs::path& folder, fs::path library)
        : run_(run), folder_(folder), started_(base::SystemClock().now()), interrupt_(io_) {
        for (const char* name : {"data", "work", "staging"})
            fs::create_directories(folder_ / name);
        runtime::RunnerOptions options;
        options.own_process = true;
        options.library = std::move(library);
        options.data_dir = folder_ / "data";
        options.work_root = folder_ / "work";
        options.runner_program = runtime::default_runner_program();
        options.host_id = "author";
        options.config = run.config;
        // As on a host, but that what one tries a plugin on lies here.
        options.sandbox.readable = {fs::current_path()};
        options.sandbox.writable = {folder_ / "staging"};
        runner_ = runtime::make_runner(
            io_,
            run.in_process ? runtime::Isolation::inproc : runtime::Isolation::process,
            std::move(options),
            *this);
        watch_interrupt();
    }

    AuthorResult go() {
        io_.run();
        runner_.reset();
        return std::move(result_);
    }

    void on_ready(const runtime::ModuleInfo& module) override {
        say("setup    " + module.name + " " + module.version + ", " +
            milliseconds(std::chrono::duration_cast<std::chrono::microseconds>(
                             base::SystemClock().now() - started_)
                             .count()));
        if (!choose_type(module)) {
            end();
            return;
        }
        if (type_.needs_install || !run_.task.install.empty())
            install();
        else
            execute();
        runner_->flush();
    }

    void on_results(std::vector<CallResult> results) override {
        for (CallResult& result : results)
            if (result.call == install_call)
                on_installed(result);
            else
                on_executed(result);
        runner_->flush();
    }

    void on_log(runtime::CallId, std::string_view stream, std::string_view text) override {
        std::fprintf(stderr,
                     "%-8.*s %.*s\n",
                     static_cast<int>(stream.size()),
                     stream.data(),
                     static_cast<int>(text.size()),
                     text.data());
    }

    void on_progress(runtime::CallId, double fraction, std::string_view text) override {
        char line[16];
        std::snprintf(line, sizeof line, fraction < 0 ? "..." : "%3.0f %%", fraction * 100);
        say("progress " + std::string(line) + (text.empty() ? "" : " ") + std::string(text));
    }

    void on_gone(bool expected, const std::string& why) override {
        if (!expected && result_.message.empty())
            result_.message = why;
        interrupt_.cancel();
        gone_ = true;
    }

private:
    void say(const std::string& line) const {
        if (!run_.quiet)
            std::fprintf(stderr, "%s\n", line.c_str());
    }

    void end() {
        runner_->stop();
        runner_->flush();
    }

    void watch_interrupt() {
        interrupt_.expires_after(interrupt_interval);
        interrupt_.async_wait([this](boost::system::error_code error) {
            if (error || gone_)
                return;
            if (interrupted() && !told_) {
                told_ = true;
                runner_->cancel(next_call_);
                end();
            }
            watch_interrupt();
        });
    }

    bool choose_type(const runtime::ModuleInfo& module) {
        std::string offered;
        for (const runtime::TypeInfo& type : module.types) {
            offered += (offered.empty() ? "" : ", ") + type.name;
            if (type.name == run_.task.type || (run_.task.type.empty() && module.types.size() == 1))
                type_ = type;
        }
        if (!type_.name.empty())
            return true;
        result_.message =
            run_.task.type.empty()
                ? "the plugin has several task types (" + offered + "): name one"
                : "the plugin has no task type " + run_.task.type + ", but " + offered;
        return false;
    }

    void install() {
        runtime::InstallCall call;
        call.call = next_call_ = install_call;
        call.type = type_.name;
        call.content_key = key();
        call.spec = run_.task.install.empty() ? "{}" : run_.task.install;
        call.staging_dir = (folder_ / "staging").string();
        call.timeout = std::chrono::milliseconds(type_.install_timeout_ms);
        runner_->install(std::move(call));
    }

    [[nodiscard]] std::string key() const {
        return base::sha256(run_.task.install.empty() ? "{}" : run_.task.install);
    }

    void on_installed(const CallResult& result) {
        if (result.status != CallResult::Status::ok) {
            fail("install", result);
            return;
        }
        say("install  " + milliseconds(result.elapsed_us));
        fs::rename(folder_ / "staging", folder_ / "installed");
        installed_ = true;
        execute();
    }

    void execute() {
        runtime::ExecuteCall call;
        call.call = next_call_ = first_execute + result_.elapsed_us.size();
        call.type = type_.name;
        call.task_id = "run-" + std::to_string(result_.elapsed_us.size() + 1);
        call.payload = run_.task.payload;
        if (installed_) {
            call.content_key = key();
            call.install_dir = (folder_ / "installed").string();
        }
        call.timeout =
            std::chrono::milliseconds(run_.timeout_ms != 0 ? run_.timeout_ms : type_.timeout_ms);
        runner_->execute(std::move(call));
    }

    void on_executed(const CallResult& result) {
        if (result.status != CallResult::Status::ok) {
            fail("execute", result);
            return;
        }
        if (result_.elapsed_us.empty())
            result_.result = result.result;
        else if (result.result != result_.result)
            ++result_.different;
        result_.elapsed_us.push_back(result.elapsed_us);
        if (result_.elapsed_us.size() < run_.repeat) {
            execute();
            return;
        }
        result_.status = AuthorResult::Status::completed;
        say_times();
        end();
    }

    void say_times() {
        auto times = result_.elapsed_us;
        std::sort(times.begin(), times.end());
        if (times.size() == 1)
            say("execute  " + milliseconds(times.front()));
        else
            say("execute  " + std::to_string(times.size()) + " runs, fastest " +
                milliseconds(times.front()) + ", median " + milliseconds(times[times.size() / 2]) +
                ", slowest " + milliseconds(times.back()));
        if (result_.different != 0)
            say("         " + std::to_string(result_.different) +
                " of them had another result than the first");
    }

    void fail(std::string_view phase, const CallResult& result) {
        using Status = CallResult::Status;
        result_.status = result.status == Status::timeout ? AuthorResult::Status::timeout
                                                          : AuthorResult::Status::failed;
        constexpr std::string_view names[] = {"ended well",
                                              "asks to be retried",
                                              "asks to be retried on another host",
                                              "failed for good",
                                              "was cancelled",
                                              "ran past its limit",
                                              "crashed",
                                              "was aborted"};
        result_.crashed = result.status == Status::crashed;
        result_.message = std::string(phase) + " " +
                          std::string(names[static_cast<std::size_t>(result.status)]) +
                          (result.message.empty() ? "" : ": ") + result.message;
        end();
    }

    const AuthorRun& run_;
    const fs::path folder_;
    const base::TimePoint started_;
    boost::asio::io_context io_;
    boost::asio::steady_timer interrupt_;
    std::unique_ptr<runtime::Runner> runner_;
    runtime::TypeInfo type_;
    AuthorResult result_;
    runtime::CallId next_call_ = 0;
    bool installed_ = false;
    bool told_ = false;
    bool gone_ = false;
};

}  // namespace

base::Result<Sample> read_task(const PluginRunOptions& options) {
    Sample task;
    if (options.payload.empty()) {
        fs::path file = options.task;
        if (file.empty())
            file = runtime::check::find_samples(options.file);
        if (file.empty())
            return base::error(Errc::invalid_argument,
                               "there is no task to run",
                               "give --task FILE or --payload JSON, or put sample.json beside the "
                               "plugin");
        auto tasks = file == "-" ? runtime::check::parse_samples(
                                       std::string(std::istreambuf_iterator<char>(std::cin), {}))
                                 : runtime::check::read_samples(file);
        if (!tasks)
            return tasks.error();
        if (!options.type.empty())
            std::erase_if(*tasks, [&](const Sample& one) {
                return !one.type.empty() && one.type != options.type;
            });
        if (tasks->empty())
            return base::error(Errc::invalid_argument, file.string() + " holds no such task");
        task = tasks->front();
    } else {
        auto payload = read_payload(options.payload);
        if (!payload)
            return payload.error();
        task.payload = std::move(*payload);
    }
    if (!options.type.empty())
        task.type = options.type;
    if (!options.install.empty()) {
        auto install = read_payload(options.install);
        if (!install)
            return install.error();
        task.install = std::move(*install);
    }
    return task;
}

base::Result<AuthorResult> run_author_task(const AuthorRun& run) {
    const TemporaryFolder folder("distributo-run-");
    if (folder.path().empty())
        return base::error(Errc::io, "cannot make a temporary folder");
    auto cached = runtime::cache_plugin(run.file, folder.path() / "cache");
    if (!cached)
        return cached.error();
    return Walk(run, folder.path(), cached->library).go();
}

}  // namespace distributo::coordinator::cli
