#include "runtime/check/check.hpp"

#include "base/digest.hpp"
#include "runtime/check/file_checks.hpp"
#include "runtime/check/probe_process.hpp"
#include "runtime/check/probe_verdict.hpp"
#include "runtime/plugin_cache.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <stdlib.h>

namespace distributo::runtime::check {
namespace {

namespace fs = std::filesystem;
using base::Errc;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

/// Removed with all that the probes left in it.
class TemporaryFolder {
public:
    TemporaryFolder() {
        std::string pattern = (fs::temp_directory_path() / "distributo-check-XXXXXX").string();
        if (mkdtemp(pattern.data()))
            path_ = pattern;
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder() {
        if (path_.empty())
            return;
        // Write-protected folders cannot be emptied by anybody but root.
        std::error_code ignored;
        for (fs::recursive_directory_iterator at(path_, ignored), end; at != end;
             at.increment(ignored))
            if (at->is_directory(ignored) && !at->is_symlink(ignored))
                fs::permissions(at->path(), fs::perms::owner_all, fs::perm_options::add, ignored);
        fs::remove_all(path_, ignored);
    }
    [[nodiscard]] const fs::path& path() const noexcept { return path_; }

private:
    fs::path path_;
};

bool write_file(const fs::path& file, std::string_view text) {
    std::ofstream out(file, std::ios::binary);
    out << text;
    out.close();
    return !out.fail();
}

std::string content_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
}

std::string last_line(std::string_view output) {
    const auto end = output.find_last_not_of(" \n");
    if (end == std::string_view::npos)
        return {};
    const auto before = output.find_last_of('\n', end);
    const std::size_t from = before == std::string_view::npos ? 0 : before + 1;
    return std::string(output.substr(from, end + 1 - from));
}

class Run {
public:
    Run(const fs::path& file, const CheckOptions& options) : options_(options) {
        file_.path = file;
        report_.file = file;
        report_.samples = options.samples;
    }

    base::Result<Report> run() {
        if (auto prepared = prepare(); !prepared)
            return prepared.error();
        for (const CheckInfo& check : catalog()) {
            if (options_.stop && options_.stop())
                break;
            const auto begin = base::SystemClock().now();
            CheckResult result{&check, judge(check), {}};
            result.elapsed = base::SystemClock().now() - begin;
            if (options_.on_result)
                options_.on_result(result);
            report_.results.push_back(std::move(result));
        }
        return std::move(report_);
    }

private:
    base::Result<void> prepare() {
        std::error_code error;
        if (!fs::exists(options_.program, error))
            return base::error(Errc::not_found,
                               options_.program.string() + " is missing",
                               "it is installed beside the command distributo");
        if (folder_.path().empty())
            return base::error(Errc::io, "cannot make a temporary folder");
        if (!fs::is_regular_file(file_.path, error))
            return {};  // file.regular says so
        return is_script(file_.path) ? prepare_script() : prepare_library(content_of(file_.path));
    }

    base::Result<void> prepare_library(std::string content) {
        file_.content = std::move(content);
        file_.digest = base::sha256(file_.content);
        file_.image = read_elf(file_.content);
        if (file_.image)
            report_.image = *file_.image;
        report_.digest = file_.digest;
        report_.size = file_.content.size();
        // As a host does it: a build that goes on must not change what is checked.
        copy_ = folder_.path() / file_.path.filename().replace_extension(".so");
        if (!write_file(copy_, file_.content))
            return base::error(Errc::io, "cannot write " + copy_.string());
        std::error_code error;
        fs::permissions(copy_, fs::perms::owner_read | fs::perms::owner_exec, error);
        return {};
    }

    /// The library that runs it under the script's name, and the script beside it.
    base::Result<void> prepare_script() {
        const fs::path library = find_script_library(file_.path);
        if (library.empty())
            return base::error(Errc::not_found,
                               file_.path.string() + " needs " + std::string(script_library),
                               "put it beside the script, or install Distributo's plugins");
        if (auto prepared = prepare_library(content_of(library)); !prepared)
            return prepared.error();
        const std::string script = content_of(file_.path);
        report_.size = script.size();
        report_.digest = file_.digest =
            script_digest(file_.path, base::sha256(script), file_.digest);
        const fs::path place = folder_.path() / file_.path.filename();
        if (!write_file(place, script))
            return base::error(Errc::io, "cannot write " + place.string());
        return {};
    }

    /// The first of the needed checks that failed, or was itself not possible.
    [[nodiscard]] std::string_view obstacle(const CheckInfo& check) const {
        std::string_view rest = check.needs;
        while (!rest.empty()) {
            const std::string_view one = rest.substr(0, rest.find(' '));
            if (obstacles_.contains(one))
                return one;
            rest.remove_prefix(std::min(rest.size(), one.size() + 1));
        }
        return {};
    }

    Verdict judge(const CheckInfo& check) {
        Verdict verdict;
        if (const auto needed = obstacle(check); !needed.empty()) {
            obstacles_.insert(check.id);
            return Verdict::skipped("needs " + std::string(needed));
        }
        if (check.id == "elf.needed")
            verdict = list_needed();
        else
            verdict = check.runs_code ? probe(check.id) : check_file(check.id, file_);
        if (verdict.status == Verdict::Status::failed ||
            (verdict.status == Verdict::Status::skipped && check.id == offers_tasks))
            obstacles_.insert(check.id);
        if (check.id == "tables.contract" && verdict.status == Verdict::Status::ok)
            ask_module();
        return verdict;
    }

    Verdict list_needed() {
        const fs::path loader = loader_program();
        if (loader.empty())
            return Verdict::skipped("the loader of this system is not known");
        const auto end =
            run_probe(loader, {"--list", copy_.string()}, options_.limit, options_.stop);
        if (!end)
            return Verdict::skipped(end.error().message);
        return judge_listing(end->output, end->clean, end->how);
    }

    base::Result<ProbeEnd> start(std::string_view id) {
        const fs::path folder = folder_.path() / std::string(id);
        std::error_code error;
        fs::create_directories(folder, error);
        write_file(folder / samples_file, samples_text(options_.samples));
        write_file(folder / config_file, options_.config);
        return run_probe(options_.program,
                         {std::string(id),
                          copy_.string(),
                          folder.string(),
                          std::to_string(duration_cast<milliseconds>(options_.limit).count())},
                         options_.limit,
                         options_.stop);
    }

    Verdict probe(std::string_view id) {
        const auto end = start(id);
        if (!end)
            return Verdict::failed(end.error().message, end.error().hint);
        if (end->late)
            return Verdict::failed(
                "did not end within " +
                    std::to_string(duration_cast<milliseconds>(options_.limit).count()) + " ms",
                "look with gdb where it waits, or give more time with --timeout");
        if (auto verdict = parse_verdict(end->answer); verdict && end->clean)
            return *verdict;
        Verdict verdict = Verdict::failed("its process " + end->how);
        if (const std::string line = last_line(end->output); !line.empty())
            verdict.why += ", its last words: " + line;
        verdict.hint = "distributo plugin run " + report_.file.string() + " --gdb";
        return verdict;
    }

    void ask_module() {
        const auto end = start(describe_id);
        if (end && end->clean)
            report_.module = end->answer;
    }

    const CheckOptions& options_;
    TemporaryFolder folder_;
    fs::path copy_;
    PluginFile file_;
    Report report_;
    std::set<std::string_view> obstacles_;
};

}  // namespace

std::size_t Report::count(Verdict::Status status) const {
    return static_cast<std::size_t>(
        std::count_if(results.begin(), results.end(), [status](const CheckResult& result) {
            return result.verdict.status == status;
        }));
}

int Report::exit_code() const {
    for (const CheckResult& result : results)
        if (result.verdict.status == Verdict::Status::failed)
            return check::exit_code(result.check->group);
    return 0;
}

base::Result<Report> check_plugin(const fs::path& file, const CheckOptions& options) {
    return Run(file, options).run();
}

}  // namespace distributo::runtime::check
