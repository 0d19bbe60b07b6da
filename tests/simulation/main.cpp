#include "base/log.hpp"
#include "tests/simulation/mutants.hpp"
#include "tests/simulation/runner.hpp"
#include "tests/simulation/shrink.hpp"
#include "tests/simulation/sqlite.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <malloc.h>
#include <string>
#include <vector>

namespace distributo::simulation {
namespace {

constexpr int exit_violation = 1;

struct Options {
    Plan plan;
    std::string profile;
    std::vector<std::uint32_t> without;
    std::string mutant;  ///< name, or "all"; empty: none
    bool shrink = false;
    bool show = false;
};

void print(const Totals& totals) {
    const auto per = [](std::uint64_t of, std::uint64_t count) {
        return count == 0 ? 0.0 : static_cast<double>(of) / static_cast<double>(count);
    };
    const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
    std::printf(
        "%llu histories, %.1f simulated days, %llu events\n"
        "%llu tasks, %.3f executions per task\n"
        "%llu coordinator crashes, %llu host crashes, %llu partitions\n"
        "%llu messages, %llu lost, %llu doubled, %llu broken connections\n",
        number(totals.histories),
        std::chrono::duration<double>(totals.simulated).count() / 86'400,
        number(totals.events),
        number(totals.tasks),
        per(totals.runs, totals.tasks),
        number(totals.coordinator_crashes),
        number(totals.host_crashes),
        number(totals.cuts),
        number(totals.messages.sent),
        number(totals.messages.lost),
        number(totals.messages.doubled),
        number(totals.messages.broken));
}

void print_command(std::uint64_t seed, const Options& options, const std::string& without) {
    std::printf("to see it: distributo-simulation --seed %llu%s%s%s --show\n",
                static_cast<unsigned long long>(seed),
                options.profile.empty() ? "" : " --profile ",
                options.profile.c_str(),
                without.c_str());
}

void make_smaller(const Failure& failure, const Options& options) {
    const auto left_out = shrink(failure.seed, options.plan.profile, failure.violation);
    auto scenario = make_scenario(failure.seed, options.plan.profile);
    leave_out(scenario, left_out);
    std::printf("what is needed for it:\n");
    for (const Step& step : scenario.steps)
        std::printf("  %s\n", describe(step).c_str());
    std::string without;
    for (const auto position : left_out)
        without += (without.empty() ? " --without " : ",") + std::to_string(position);
    print_command(failure.seed, options, without);
}

int show(const Options& options) {
    boost::asio::io_context io(1);
    auto scenario = make_scenario(options.plan.first_seed, options.plan.profile);
    leave_out(scenario, options.without);
    const auto report = History(io, scenario, true).run();
    if (!report.violation) {
        std::printf("nothing was broken\n");
        return 0;
    }
    std::printf("%s: %s\n", report.violation->invariant.c_str(), report.violation->what.c_str());
    return exit_violation;
}

int run_all(const Options& options) {
    const auto result = run(options.plan);
    if (!result.failure) {
        print(result.totals);
        return 0;
    }
    std::printf("seed %llu breaks %s: %s\n",
                static_cast<unsigned long long>(result.failure->seed),
                result.failure->violation.invariant.c_str(),
                result.failure->violation.what.c_str());
    if (options.shrink)
        make_smaller(*result.failure, options);
    else
        print_command(result.failure->seed, options, "");
    return exit_violation;
}

/// One row of a table in Markdown.
void print_row(const Mutant& mutant, const std::string& found_by, const std::string& histories) {
    std::printf("| %-36s | %-82s | %-6s | %9s |\n",
                std::string(mutant.name).c_str(),
                std::string(mutant.breaks).c_str(),
                found_by.c_str(),
                histories.c_str());
    std::fflush(stdout);
}

/// Is it found by an invariant that it was expected to be found by?
bool is_killed(std::size_t number, const Plan& plan) {
    const Mutant& mutant = mutants()[number];
    if (!mutant.fits) {
        print_row(mutant, "-", "its text is gone");
        return false;
    }
    active_mutant = number;
    const auto result = run(plan);
    active_mutant = no_mutant;
    if (!result.failure) {
        print_row(mutant, "-", "survives");
        return false;
    }
    const auto& found_by = result.failure->violation.invariant;
    print_row(mutant, found_by, std::to_string(result.failure->seed - plan.first_seed + 1));
    const auto expected = ", " + std::string(mutant.killed_by) + ",";
    if (expected.find(" " + found_by + ",") != std::string::npos)
        return true;
    std::printf("expected %s: %s\n",
                std::string(mutant.killed_by).c_str(),
                result.failure->violation.what.c_str());
    return false;
}

int kill_mutants(const Options& options) {
    bool all_killed = true;
    bool any = false;
    for (std::size_t i = 0; i < mutants().size(); ++i)
        if (options.mutant == "all" || options.mutant == mutants()[i].name) {
            any = true;
            all_killed &= is_killed(i, options.plan);
        }
    if (!any)
        std::fprintf(stderr,
                     "error: there is no mutant '%s' in this program\n"
                     "hint: distributo-simulation-mutants has some, see its --list-mutants\n",
                     options.mutant.c_str());
    return any && all_killed ? 0 : exit_violation;
}

std::optional<Profile> profile_named(const std::string& name) {
    for (std::size_t i = 0; i < profile_count; ++i)
        if (to_string(static_cast<Profile>(i)) == name)
            return static_cast<Profile>(i);
    return {};
}

int main(int argc, char** argv) {
    CLI::App app(
        "Runs the coordinator through simulated histories of crashes and lost messages,\n"
        "and checks after every event that nothing was lost and nothing happened twice.");
    Options options;
    bool quiet = false;
    bool list = false;
    app.add_option("--histories", options.plan.histories, "how many")->capture_default_str();
    app.add_option("--seed", options.plan.first_seed, "of the first one; the next have the next")
        ->capture_default_str();
    app.add_option("--jobs", options.plan.jobs, "threads")->capture_default_str();
    app.add_option("--profile", options.profile, "one kind of trouble only")
        ->check(CLI::IsMember({"calm", "restarts", "hosts", "network", "disk", "storm"}));
    app.add_flag(
        "--shrink", options.shrink, "leave out of a history that fails what is not needed");
    app.add_flag("--show", options.show, "print every event of the history with this seed");
    app.add_option("--without", options.without, "with --show: leave out these steps")
        ->delimiter(',');
    app.add_option("--mutant", options.mutant, "switch this fault on, or 'all' one by one");
    app.add_flag("--list-mutants", list, "what they break, and which invariants may find them");
    std::string folder;
    app.add_option("--sqlite",
                   folder,
                   "use the store that lasts, in this folder; slower, and not the same twice");
    app.add_flag("--quiet", quiet, "no progress");
    CLI11_PARSE(app, argc, argv);
    // Every boot of a coordinator takes the same large blocks; giving them back costs more than it.
    mallopt(M_MMAP_THRESHOLD, 64 << 20);
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
    options.plan.profile = profile_named(options.profile);
    base::log::configure(
        {.component = "simulation", .level = base::log::Level::error, .file = "/dev/null"});
    if (!folder.empty())
        options.plan.real_store = [&](std::uint64_t seed) {
            return sqlite_in(std::filesystem::path(folder) / std::to_string(seed));
        };
    if (list) {
        for (const Mutant& mutant : mutants())
            print_row(mutant, std::string(mutant.killed_by), "");
        return 0;
    }
    if (!options.mutant.empty())
        return kill_mutants(options);
    if (options.show)
        return show(options);
    if (!quiet)
        options.plan.progress = [](std::uint64_t done) {
            if (done % 6400 == 0)
                std::fprintf(stderr, "\r%llu histories", static_cast<unsigned long long>(done));
        };
    const int exit_code = run_all(options);
    if (!quiet)
        std::fprintf(stderr, "\n");
    return exit_code;
}

}  // namespace
}  // namespace distributo::simulation

int main(int argc, char** argv) {
    return distributo::simulation::main(argc, argv);
}
