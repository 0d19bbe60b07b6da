#include "host/options.hpp"

#include "discovery/discovery.hpp"
#include "host/data_dir.hpp"
#include "net/http_client.hpp"
#include "runtime/plugin_folders.hpp"
#include "wire/limits.hpp"

#include <algorithm>
#include <array>
#include <thread>
#include <unistd.h>

namespace distributo::host {
namespace {

namespace fs = std::filesystem;
using Kind = base::Option::Kind;

std::string host_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0')
        return "host";
    return name.data();
}

/// Files and folders of a flag, made absolute. A path that is missing would silently be no rule.
base::Result<std::vector<std::string>> existing_paths(const base::Config& config,
                                                      const std::string& flag) {
    std::vector<std::string> paths;
    for (const auto& text : config.list(flag)) {
        std::error_code error;
        auto path = fs::absolute(text, error).lexically_normal();
        if (!fs::exists(path, error))
            return base::error(base::Errc::invalid_argument,
                               flag + ": there is no file or folder " + path.string());
        paths.push_back(path.string());
    }
    return paths;
}

base::Result<wire::Labels> labels(const base::Config& config) {
    wire::Labels labels;
    for (const auto& text : config.list("--label")) {
        const auto equals = text.find('=');
        if (equals == std::string::npos || equals == 0)
            return base::error(base::Errc::invalid_argument,
                               "--label: expected key=value, got '" + text + "'",
                               "for example: --label gpu=a100");
        if (equals > wire::limits::label_length ||
            text.size() - equals - 1 > wire::limits::label_length)
            return base::error(base::Errc::invalid_argument,
                               "--label: a key and a value have at most " +
                                   std::to_string(wire::limits::label_length) + " bytes each");
        labels[text.substr(0, equals)] = text.substr(equals + 1);
    }
    if (labels.size() > wire::limits::label_count)
        return base::error(base::Errc::invalid_argument,
                           "--label: at most " + std::to_string(wire::limits::label_count) +
                               " labels, got " + std::to_string(labels.size()));
    return labels;
}

base::Result<void> read_coordinator(const base::Config& config, Options& options) {
    options.coordinator = config.text("--coordinator");
    if (!options.coordinator.empty()) {
        if (auto url = net::parse_url(options.coordinator, default_port); !url)
            return base::error(base::Errc::invalid_argument,
                               "--coordinator: " + url.error().message,
                               "for example: --coordinator http://192.168.1.20:4000");
        return {};
    }
    if (config.boolean("--no-discovery"))
        return base::error(base::Errc::invalid_argument,
                           "--no-discovery leaves no way to find a coordinator",
                           "name one: --coordinator http://127.0.0.1:4000");
    auto type = discovery::service_type(config.text("--service-type"));
    if (!type)
        return type.error();
    options.service_type = std::move(*type);
    options.discovery_timeout =
        std::chrono::milliseconds(config.milliseconds("--discovery-timeout"));
    return {};
}

base::Option option(
    std::string flag, Kind kind, std::string value_name, std::string preset, std::string help) {
    base::Option option;
    option.flag = std::move(flag);
    option.kind = kind;
    option.value_name = std::move(value_name);
    option.preset = std::move(preset);
    option.help = std::move(help);
    return option;
}

base::Option with_range(base::Option option, std::int64_t min, std::int64_t max) {
    option.min = min;
    option.max = max;
    return option;
}

base::Option with_choices(base::Option option, std::vector<std::string> choices) {
    option.choices = std::move(choices);
    return option;
}

/// The value is one of the choices.
runtime::Isolation isolation(const base::Config& config, const char* flag) {
    return runtime::parse_isolation(config.text(flag)).value_or(runtime::Isolation::process);
}

base::log::Level log_level(const std::string& name) {
    if (name == "debug")
        return base::log::Level::debug;
    if (name == "warn")
        return base::log::Level::warn;
    return name == "error" ? base::log::Level::error : base::log::Level::info;
}

}  // namespace

std::vector<base::Option> option_list() {
    return {
        option("--coordinator", Kind::text, "URL", "", "coordinator to join; default: find it"),
        option("--service-type", Kind::text, "NAME", "distributo", "DNS-SD name to look for"),
        option("--discovery-timeout", Kind::duration, "TIME", "10s", "give up when none was found"),
        option("--no-discovery", Kind::boolean, "", "false", "never use multicast"),
        option("--plugin-dir", Kind::text_list, "DIR", "", "folder to watch"),
        option("--data-dir", Kind::text, "DIR", default_data_dir().string(), "the host's state"),
        with_range(
            option("--slots", Kind::integer, "N", "0", "tasks at once; 0: one per hardware thread"),
            0,
            65'535),
        option("--name", Kind::text, "NAME", host_name(), "name shown to people"),
        option("--label", Kind::text_list, "KEY=VALUE", "", "for 'requires' of tasks"),
        with_choices(option("--isolation", Kind::text, "MODE", "process", "where plugins run"),
                     isolation_choices()),
        with_choices(
            option(
                "--min-isolation", Kind::text, "MODE", "inproc", "no plugin gets less than this"),
            isolation_choices()),
        option("--plugin-drain-limit",
               Kind::duration,
               "TIME",
               "10m",
               "for the tasks of a replaced plugin"),
        option("--readable", Kind::text_list, "PATH", "", "in a home, but plugins may read it"),
        option("--writable", Kind::text_list, "PATH", "", "plugins may write there"),
        option("--quarantine",
               Kind::duration,
               "TIME",
               "60s",
               "pause of a plugin that crashed on 3 tasks within 60s; doubles each time"),
        option("--exit-when-idle", Kind::boolean, "", "false", "leave after 1 s without a task"),
        option("--log-file", Kind::text, "FILE", "", "log there, not to standard error"),
        with_choices(option("--log-format", Kind::text, "FORMAT", "human", "shape of a record"),
                     {"human", "json"}),
        with_choices(option("--log-level", Kind::text, "LEVEL", "info", "least severe to write"),
                     {"debug", "info", "warn", "error"}),
    };
}

base::Result<Options> read_options(const base::Config& config) {
    Options options;
    if (auto read = read_coordinator(config, options); !read)
        return read.error();
    auto folders = runtime::plugin_folders(config.list("--plugin-dir"), "--plugin-dir");
    if (!folders)
        return folders.error();
    if (folders->empty())
        return base::error(base::Errc::invalid_argument,
                           "no plugin folder was found, so this host could do nothing",
                           "name one: --plugin-dir DIR");
    options.plugin_dirs = std::move(*folders);
    auto own_labels = labels(config);
    if (!own_labels)
        return own_labels.error();
    options.labels = std::move(*own_labels);

    options.data_dir = config.text("--data-dir");
    options.slots = static_cast<std::uint32_t>(config.integer("--slots"));
    if (options.slots == 0)
        options.slots = std::max(1U, std::thread::hardware_concurrency());
    options.name = config.text("--name").substr(0, wire::limits::id_length);
    options.isolation = isolation(config, "--isolation");
    options.min_isolation = isolation(config, "--min-isolation");
    auto readable = existing_paths(config, "--readable");
    if (!readable)
        return readable.error();
    options.readable = std::move(*readable);
    auto writable = existing_paths(config, "--writable");
    if (!writable)
        return writable.error();
    options.writable = std::move(*writable);
    options.quarantine.first = std::chrono::milliseconds(config.milliseconds("--quarantine"));
    if (!config.file().empty()) {
        auto plugins = PluginConfig::read(config.file());
        if (!plugins)
            return plugins.error();
        options.plugins = std::move(*plugins);
    }
    options.runner_program = runtime::default_runner_program();
    options.plugin_drain_limit =
        std::chrono::milliseconds(config.milliseconds("--plugin-drain-limit"));
    options.exit_when_idle = config.boolean("--exit-when-idle");
    options.log = {.component = "host",
                   .level = log_level(config.text("--log-level")),
                   .format = config.text("--log-format") == "json" ? base::log::Format::json
                                                                   : base::log::Format::human,
                   .file = config.text("--log-file")};
    return options;
}

}  // namespace distributo::host
