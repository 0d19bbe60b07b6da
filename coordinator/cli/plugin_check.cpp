#include "base/config.hpp"
#include "coordinator/cli/payload.hpp"
#include "coordinator/cli/plugin_options.hpp"
#include "runtime/check/check.hpp"
#include "runtime/check/probe_process.hpp"
#include "runtime/plugin_cache.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>

namespace distributo::coordinator::cli {
namespace {

namespace fs = std::filesystem;
namespace check = runtime::check;
using base::Errc;
using check::Verdict;

base::Result<std::vector<fs::path>> plugins_in(const std::string& file) {
    std::error_code error;
    if (!fs::exists(file, error))
        return base::error(Errc::not_found, "there is no " + file);
    if (!fs::is_directory(file, error))
        return std::vector<fs::path>{file};
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(file, error))
        if (runtime::is_plugin_file(entry.path()) &&
            entry.path().filename() != runtime::script_library)
            found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    if (found.empty())
        return base::error(Errc::not_found, "there is no plugin (*.so, *.py) in " + file);
    return found;
}

void print_line(const check::CheckResult& result) {
    const Verdict& verdict = result.verdict;
    const char* const mark = verdict.status == Verdict::Status::ok       ? "ok     "
                             : verdict.status == Verdict::Status::failed ? "FAILED "
                                                                         : "skipped";
    std::string line = "  " + std::string(mark) + "  " + std::string(result.check->id);
    line.resize(std::max<std::size_t>(line.size(), 37), ' ');
    line += "  ";
    if (verdict.status == Verdict::Status::ok) {
        line += result.check->title;
        if (!verdict.why.empty())
            line += " (" + verdict.why + ")";
    } else {
        line += verdict.why;
    }
    print(line);
    if (verdict.status == Verdict::Status::failed && !verdict.hint.empty())
        print("           hint: " + verdict.hint);
}

void print_summary(const check::Report& report) {
    print("  " + std::to_string(report.count(Verdict::Status::ok)) + " ok, " +
          std::to_string(report.count(Verdict::Status::failed)) + " failed, " +
          std::to_string(report.count(Verdict::Status::skipped)) + " skipped");
}

base::Result<void> write_manifest(const std::string& file, const check::Report& report) {
    if (report.module.empty())
        return base::error(Errc::conflict, "no manifest: the plugin could not be asked what it is");
    std::ofstream out(file, std::ios::binary);
    out << check::manifest_text(report) << '\n';
    out.close();
    if (!out)
        return base::error(Errc::io, "cannot write " + file);
    return {};
}

/// One plugin; human output comes as it happens.
base::Result<check::Report> check_one(const Context& context,
                                      const PluginCheckOptions& options,
                                      const fs::path& file,
                                      check::CheckOptions checks) {
    const fs::path samples =
        options.task.empty() ? check::find_samples(file) : fs::path(options.task);
    if (!samples.empty()) {
        auto read = check::read_samples(samples);
        if (!read)
            return read.error();
        checks.samples = std::move(*read);
    }
    const bool human = context.mode == OutputMode::human;
    if (human)
        print(file.string() +
              (samples.empty() ? std::string() : " with the samples in " + samples.string()));
    std::string_view group;
    checks.on_result = [&](const check::CheckResult& result) {
        if (!human)
            return;
        if (const auto now = check::group_name(result.check->group); now != group)
            print(group = now);
        print_line(result);
        std::fflush(stdout);
    };
    auto report = check::check_plugin(file, checks);
    if (report && human)
        print_summary(*report);
    return report;
}

}  // namespace

CommandResult plugin_check(const Context& context, const PluginCheckOptions& options) {
    auto files = plugins_in(options.file);
    auto config = read_payload(options.config);
    auto limit = base::parse_duration(options.timeout);
    if (!files || !config || !limit)
        return !files ? files.error() : !config ? config.error() : limit.error();
    if (!options.manifest.empty() && files->size() != 1)
        return base::error(Errc::invalid_argument,
                           "--manifest is for one plugin, not for a folder");
    watch_for_interrupt();
    check::CheckOptions checks;
    checks.config = *config;
    checks.limit = std::chrono::milliseconds(*limit);
    checks.program = check::default_check_program();
    checks.stop = &interrupted;

    int code = base::exit_code::ok;
    std::string all;
    for (const fs::path& file : *files) {
        auto report = check_one(context, options, file, checks);
        if (!report)
            return report.error();
        if (code == base::exit_code::ok)
            code = report->exit_code();
        all += (all.empty() ? "" : ",") + check::report_text(*report);
        if (interrupted())
            return base::exit_code::interrupted;
        if (options.manifest.empty() || !report->ok())
            continue;
        if (auto written = write_manifest(options.manifest, *report); !written)
            return written.error();
        if (context.mode == OutputMode::human)
            print("  manifest: " + options.manifest);
    }
    if (context.mode == OutputMode::json)
        print("{\"plugins\":[" + all + "]}");
    return code;
}

}  // namespace distributo::coordinator::cli
