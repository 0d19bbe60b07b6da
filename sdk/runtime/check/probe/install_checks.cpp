#include "base/digest.hpp"
#include "runtime/check/probe/checks.hpp"
#include "runtime/check/probe/process_state.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <optional>
#include <sys/wait.h>
#include <unistd.h>

namespace distributo::runtime::check {
namespace {

namespace fs = std::filesystem;

/// The samples whose types install something.
std::vector<Sample> installing(const Subject& subject, const Instance& instance) {
    std::vector<Sample> all = samples_of(subject, nullptr);
    std::erase_if(all, [&](const Sample& sample) { return !instance.needs_install(sample); });
    return all;
}

/// Names, kinds and content of everything in a folder, as one digest.
std::string tree_digest(const fs::path& folder) {
    std::vector<std::string> lines;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        std::string line = fs::relative(entry.path(), folder).string();
        if (entry.is_symlink())
            line += " -> " + fs::read_symlink(entry.path()).string();
        else if (entry.is_regular_file())
            if (const auto digest = base::sha256_file(entry.path()))
                line += ' ' + *digest;
        lines.push_back(std::move(line));
    }
    std::sort(lines.begin(), lines.end());
    std::string all;
    for (const std::string& line : lines)
        all += line + '\n';
    return base::sha256(all);
}

/// Read-only for whoever is not root; what root changes shows in the digest.
void write_protect(const fs::path& folder) {
    constexpr auto writing =
        fs::perms::owner_write | fs::perms::group_write | fs::perms::others_write;
    std::error_code ignored;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        if (!entry.is_symlink())
            fs::permissions(entry.path(), writing, fs::perm_options::remove, ignored);
    fs::permissions(folder, writing, fs::perm_options::remove, ignored);
}

template <typename Function>
Verdict for_each_install(const ProbeRequest& request, const Function& function) {
    Bench bench(request);
    if (Verdict started = bench.start(); started.status != Verdict::Status::ok)
        return started;
    const auto samples = installing(bench.subject, *bench.instance);
    if (samples.empty())
        return Verdict::skipped("no sample installs anything");
    int number = 0;
    for (const Sample& sample : samples) {
        const fs::path folder = request.folder / ("install-" + std::to_string(++number));
        fs::create_directories(folder);
        bench.instance->use_installed({});
        if (Verdict verdict = function(bench.subject, *bench.instance, sample, folder);
            verdict.status != Verdict::Status::ok)
            return verdict;
    }
    return Verdict::ok(std::to_string(samples.size()) + " install(s)");
}

/// Installs into `folder`, which gets another name then, as a host does it.
std::optional<Verdict> install_into(Instance& instance,
                                    const Sample& sample,
                                    const fs::path& folder) {
    const fs::path staging = folder / "staging";
    fs::create_directories(staging);
    if (const Outcome outcome = instance.install(sample, staging); !outcome.ok())
        return broken("install for " + sample.type, outcome);
    fs::rename(staging, folder / "entry");
    return std::nullopt;
}

Verdict runs(const ProbeRequest& request) {
    return for_each_install(
        request,
        [](const Subject& subject,
           Instance& instance,
           const Sample& sample,
           const fs::path& folder) {
            if (auto failed = install_into(instance, sample, folder))
                return *failed;
            if (subject.module().api.verify)
                if (const Outcome outcome = instance.verify(sample, folder / "entry");
                    !outcome.ok())
                    return broken("verify right after install, for " + sample.type + ",", outcome);
            instance.use_installed(folder / "entry");
            const Outcome outcome = instance.run(sample);
            if (!outcome.ok())
                return Verdict::failed("after install, " + sample.type + " " + describe(outcome),
                                       "record no path of staging_dir: it gets another name");
            return Verdict::ok();
        });
}

/// Installs in a child process that is killed as soon as something was written.
Verdict install_and_die(const ProbeRequest& request, const fs::path& staging) {
    const pid_t child = fork();
    if (child < 0)
        return Verdict::skipped("cannot fork");
    if (child == 0) {
        Subject subject(request);
        if (!subject.load())
            _exit(1);
        Instance instance(subject, Age::ordinary, "host");
        if (!instance.start().ok())
            _exit(1);
        for (const Sample& sample : installing(subject, instance))
            static_cast<void>(instance.install(sample, staging));
        _exit(0);
    }
    int status = 0;
    bool ended = false;
    settles([&] {
        ended = waitpid(child, &status, WNOHANG) == child;
        return ended || !fs::is_empty(staging);
    });
    if (!ended) {
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
    }
    return Verdict::ok();
}

/// The same data folder is used before and after: what was left there must not be in the way.
Verdict killed(const ProbeRequest& request) {
    const fs::path staging = request.folder / "killed";
    fs::create_directories(staging);
    if (Verdict died = install_and_die(request, staging); died.status != Verdict::Status::ok)
        return died;
    std::error_code error;
    fs::remove_all(staging, error);
    if (error)
        return Verdict::failed("the staging folder cannot be removed: " + error.message(),
                               "leave it writable until install has returned");
    return runs(request);
}

Verdict read_only(const ProbeRequest& request) {
    return for_each_install(
        request,
        [](const Subject&, Instance& instance, const Sample& sample, const fs::path& folder) {
            if (auto failed = install_into(instance, sample, folder))
                return *failed;
            const fs::path entry = folder / "entry";
            const std::string before = tree_digest(entry);
            write_protect(entry);
            instance.use_installed(entry);
            const Outcome outcome = instance.run(sample);
            if (tree_digest(entry) != before)
                return Verdict::failed(
                    sample.type + " changes the installed files",
                    "they are shared by all tasks with this content key: write to work_dir()");
            if (!outcome.ok())
                return Verdict::failed(sample.type + " on read-only files " + describe(outcome),
                                       "write to work_dir() instead");
            return Verdict::ok();
        });
}

constexpr ProbeCheck checks[] = {
    {"install.runs", &runs},
    {"install.killed", &killed},
    {"install.read_only", &read_only},
};

}  // namespace

std::span<const ProbeCheck> install_checks() {
    return checks;
}

}  // namespace distributo::runtime::check
