#include "coordinator/options.hpp"

#include "discovery/discovery.hpp"
#include "runtime/plugin_folders.hpp"

#include <boost/asio/ip/address.hpp>

#include <chrono>
#include <cstdlib>
#include <unistd.h>
#include <utility>

namespace distributo::coordinator {
namespace {

namespace fs = std::filesystem;
using base::Option;
using Kind = Option::Kind;

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

fs::path default_data_dir() {
    if (::geteuid() == 0)
        return "/var/lib/distributo";
    if (const auto state = variable("XDG_STATE_HOME"); !state.empty())
        return fs::path(state) / "distributo";
    if (const auto home = variable("HOME"); !home.empty())
        return fs::path(home) / ".local/state/distributo";
    return {};
}

Option option(
    std::string flag, Kind kind, std::string value, std::string preset, std::string help) {
    Option made;
    made.flag = std::move(flag);
    made.kind = kind;
    made.value_name = std::move(value);
    made.preset = std::move(preset);
    made.help = std::move(help);
    return made;
}

Option port(std::string flag, std::string preset, std::string help) {
    constexpr std::int64_t highest_port = 65'535;
    Option made =
        option(std::move(flag), Kind::integer, "PORT", std::move(preset), std::move(help));
    made.max = highest_port;
    return made;
}

Option number(std::string flag, std::string preset, std::string help) {
    constexpr std::int64_t most = 1'000'000'000;
    Option made = option(std::move(flag), Kind::integer, "N", std::move(preset), std::move(help));
    made.min = 1;
    made.max = most;
    return made;
}

Option choice(Option made, std::vector<std::string> choices) {
    made.choices = std::move(choices);
    return made;
}

base::log::Level log_level(const std::string& name) {
    using base::log::Level;
    if (name == "debug")
        return Level::debug;
    if (name == "warn")
        return Level::warn;
    return name == "error" ? Level::error : Level::info;
}

}  // namespace

bool Options::is_local() const {
    return boost::asio::ip::make_address(address).is_loopback();
}

std::vector<Option> option_list() {
    return {
        port("--port", "4000", "port for hosts; 0: any free one"),
        port("--http-port", "5000", "port for the HTTP API; 0: any free one"),
        option(
            "--listen", Kind::text, "ADDR", "127.0.0.1", "numeric address; 0.0.0.0: all of them"),
        option("--data-dir",
               Kind::text,
               "DIR",
               default_data_dir().string(),
               "tasks and results; on a local disk, for one coordinator"),
        option("--plugin-dir",
               Kind::text_list,
               "DIR",
               "",
               "folder with generators and sinks, watched; may be repeated"),
        option("--memory", Kind::boolean, "", "false", "keep tasks in memory only: no restart"),
        option("--commit-spacing",
               Kind::duration,
               "TIME",
               "1ms",
               "0 to 10ms from one write to the next"),
        option("--keep-completed", Kind::duration, "TIME", "1d", "how long results are kept"),
        option("--keep-failed", Kind::duration, "TIME", "7d", "the same for tasks without one"),
        number("--keep-at-most", "10000000", "ended tasks, the oldest are forgotten first"),
        number("--max-tasks", "1000000", "tasks that may wait or run; more are refused"),
        option("--max-queued-bytes", Kind::size, "SIZE", "1GiB", "their payloads together"),
        option("--service-type", Kind::text, "NAME", "distributo", "DNS-SD name to announce"),
        option("--no-discovery", Kind::boolean, "", "false", "never use multicast"),
        option("--log-file", Kind::text, "FILE", "", "log there, not to standard error"),
        choice(option("--log-format", Kind::text, "FORMAT", "human", "shape of a record"),
               {"human", "json"}),
        choice(option("--log-level", Kind::text, "LEVEL", "info", "least severe to write"),
               {"debug", "info", "warn", "error"}),
    };
}

base::Result<Options> read_options(const base::Config& config) {
    Options options;
    options.address = config.text("--listen");
    boost::system::error_code failed;
    boost::asio::ip::make_address(options.address, failed);
    if (failed)
        return base::error(base::Errc::invalid_argument,
                           "--listen: expected a numeric address, got '" + options.address + "'",
                           "127.0.0.1 for this machine only, 0.0.0.0 for every interface");
    options.host_port = static_cast<std::uint16_t>(config.integer("--port"));
    options.http_port = static_cast<std::uint16_t>(config.integer("--http-port"));
    if (options.host_port != 0 && options.host_port == options.http_port)
        return base::error(base::Errc::invalid_argument,
                           "--port and --http-port are both " + std::to_string(options.host_port),
                           "hosts and HTTP clients need a port each");
    options.data_dir = config.text("--data-dir");
    if (options.data_dir.empty())
        return base::error(base::Errc::invalid_argument,
                           "no data directory: neither XDG_STATE_HOME nor HOME is set",
                           "name one with --data-dir");
    options.memory = config.boolean("--memory");
    constexpr auto longest_spacing = std::chrono::milliseconds(10);
    options.commit_spacing = std::chrono::milliseconds(config.milliseconds("--commit-spacing"));
    if (options.commit_spacing > longest_spacing)
        return base::error(
            base::Errc::invalid_argument,
            "--commit-spacing: expected 0 to 10ms, got " + config.text("--commit-spacing"),
            "every answer to a submit waits for it");
    using std::chrono::milliseconds;
    options.retention = {
        .completed = milliseconds(config.milliseconds("--keep-completed")),
        .unsuccessful = milliseconds(config.milliseconds("--keep-failed")),
        .most_ended = static_cast<std::uint64_t>(config.integer("--keep-at-most"))};
    options.max_tasks = static_cast<std::uint64_t>(config.integer("--max-tasks"));
    options.max_queued_bytes =
        static_cast<std::uint64_t>(base::parse_size(config.text("--max-queued-bytes")).value());
    auto folders = runtime::plugin_folders(config.list("--plugin-dir"), "--plugin-dir");
    if (!folders)
        return folders.error();
    options.plugin_dirs = std::move(*folders);
    if (!config.file().empty()) {
        auto declarations = extensions::read_declarations(config.file());
        if (!declarations)
            return declarations.error();
        options.declarations = std::move(*declarations);
    }
    auto type = discovery::service_type(config.text("--service-type"));
    if (!type)
        return type.error();
    if (!config.boolean("--no-discovery"))
        options.service_type = std::move(*type);
    options.log = {.component = "coordinator",
                   .level = log_level(config.text("--log-level")),
                   .format = config.text("--log-format") == "json" ? base::log::Format::json
                                                                   : base::log::Format::human,
                   .file = config.text("--log-file")};
    return options;
}

}  // namespace distributo::coordinator
