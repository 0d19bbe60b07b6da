#include "base/config.hpp"
#include "base/version.hpp"
#include "coordinator/cli/child.hpp"
#include "coordinator/cli/commands.hpp"
#include "coordinator/cli/temporary_folder.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace distributo::coordinator::cli {

namespace fs = std::filesystem;

namespace {

constexpr auto poll_interval = std::chrono::milliseconds(50);
constexpr auto start_timeout = std::chrono::seconds(10);

/// The ports that the coordinator wrote once it listens; empty until then.
base::Result<std::string> wait_for_ports(Child& coordinator, const fs::path& file) {
    const auto give_up = std::chrono::steady_clock::now() + start_timeout;
    while (coordinator.running() && !interrupted() && std::chrono::steady_clock::now() < give_up) {
        if (std::ifstream in(file); in) {
            std::ostringstream text;
            text << in.rdbuf();
            if (!text.str().empty())
                return text.str();
        }
        std::this_thread::sleep_for(poll_interval);
    }
    return base::error(base::Errc::unavailable, "the coordinator did not start");
}

std::string number_after(const std::string& text, std::string_view name) {
    const auto at = text.find("\"" + std::string(name) + "\":");
    if (at == std::string::npos)
        return {};
    const auto first = text.find_first_of("0123456789", at + name.size() + 3);
    return text.substr(first, text.find_first_not_of("0123456789", first) - first);
}

void print_banner(const std::string& http_port, const std::vector<std::string>& plugin_dirs) {
    std::fprintf(
        stderr,
        "distributo %s · development mode: loopback only, state in memory, gone on exit\n\n"
        "  API          http://127.0.0.1:%s/\n"
        "  submit       distributo submit text.syllables '{\"word\":\"example\"}' --wait\n",
        base::version,
        http_port.c_str());
    for (const std::string& folder : plugin_dirs)
        std::fprintf(stderr,
                     "  plugins      watching %s   (drop a .so or .py in, it is picked up)\n",
                     folder.c_str());
    std::fputc('\n', stderr);
}

/// What both daemons are given: the one runs generators and sinks, the other tasks.
void add_shared(const DevOptions& options,
                const std::vector<std::string>& plugin_dirs,
                std::vector<std::string>& arguments) {
    for (const std::string& folder : plugin_dirs) {
        arguments.push_back("--plugin-dir");
        arguments.push_back(folder);
    }
    if (!options.config.empty()) {
        arguments.push_back("--config");
        arguments.push_back(options.config);
    }
}

std::vector<std::string> coordinator_arguments(const DevOptions& options,
                                               const std::vector<std::string>& plugin_dirs,
                                               const fs::path& data) {
    std::vector<std::string> arguments{"--memory",
                                       "--no-discovery",
                                       "--port",
                                       std::to_string(options.port),
                                       "--http-port",
                                       std::to_string(options.http_port),
                                       "--data-dir",
                                       (data / "coordinator").string()};
    add_shared(options, plugin_dirs, arguments);
    return arguments;
}

std::vector<std::string> host_arguments(const DevOptions& options,
                                        const std::vector<std::string>& plugin_dirs,
                                        const std::string& port,
                                        const fs::path& data) {
    std::vector<std::string> arguments{"--coordinator",
                                       "http://127.0.0.1:" + port,
                                       "--name",
                                       "dev-1",
                                       "--data-dir",
                                       (data / "host").string(),
                                       // What one tries plugins on lies here.
                                       "--readable",
                                       fs::current_path().string()};
    add_shared(options, plugin_dirs, arguments);
    if (options.slots != 0) {
        arguments.push_back("--slots");
        arguments.push_back(std::to_string(options.slots));
    }
    return arguments;
}

}  // namespace

CommandResult dev(const Context&, const DevOptions& options) {
    watch_for_interrupt();
    const TemporaryFolder data("distributo-dev-");
    if (data.path().empty())
        return base::error(base::Errc::io, "cannot make a temporary folder");
    std::vector<std::string> plugin_dirs = options.plugin_dirs;
    if (plugin_dirs.empty())
        plugin_dirs.push_back(fs::weakly_canonical(program_folder() / "../plugins").string());

    auto coordinator = Child::start(program_folder() / "distributo-coordinator",
                                    coordinator_arguments(options, plugin_dirs, data.path()));
    if (!coordinator)
        return coordinator.error();
    auto ports = wait_for_ports(*coordinator, data.path() / "coordinator" / "ports.json");
    if (!ports)
        return coordinator->exit_code() > 0 ? CommandResult(coordinator->exit_code())
                                            : CommandResult(ports.error());
    print_banner(number_after(*ports, "httpPort"), plugin_dirs);

    auto host = Child::start(
        program_folder() / "distributo-host",
        host_arguments(options, plugin_dirs, number_after(*ports, "port"), data.path()));
    if (!host)
        return host.error();
    while (!interrupted() && coordinator->running() && host->running())
        std::this_thread::sleep_for(poll_interval);

    // The host leaves first, so that it can say goodbye.
    host->terminate();
    host->wait();
    coordinator->terminate();
    coordinator->wait();
    if (interrupted())
        return base::exit_code::ok;
    return coordinator->exit_code() != 0 ? coordinator->exit_code() : host->exit_code();
}

}  // namespace distributo::coordinator::cli
