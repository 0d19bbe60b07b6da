#include "host/plugin_config.hpp"

#include "base/config_file.hpp"

#include <algorithm>
#include <cctype>
#include <limits>
#include <utility>

namespace distributo::host {
namespace {

using Kind = base::Option::Kind;
using Values = std::vector<std::string>;

/// The runner itself needs some, and the plugin's libraries are opened one by one.
constexpr std::int64_t fewest_open_files = 32;
constexpr std::int64_t most_open_files = 1 << 20U;  // what kernels allow by default (fs.nr_open)
constexpr std::int64_t most_processes = 1 << 22U;   // the kernel's PID_MAX_LIMIT
constexpr std::int64_t most_slots = 65'535;         // as --slots
/// With less even a plugin that does nothing does not load.
constexpr std::uint64_t least_memory = 4ULL << 20U;

/// One key: how it is written, and where its value goes. Values have been checked against `kind`.
struct Key {
    base::Option option;
    void (*take)(const Values&, PluginSettings&);
    bool for_all = true;  ///< may stand in [plugin] itself
};

base::Option option(std::string flag, Kind kind, Values choices = {}) {
    base::Option option;
    option.flag = std::move(flag);
    option.kind = kind;
    option.choices = std::move(choices);
    return option;
}

base::Option number(std::string flag, std::int64_t min, std::int64_t max) {
    auto made = option(std::move(flag), Kind::integer);
    made.min = min;
    made.max = max;
    return made;
}

std::uint64_t size_of(const Values& values) {
    const auto size = base::parse_size(values.front());
    return size ? static_cast<std::uint64_t>(*size) : 0;
}

std::uint32_t number_of(const Values& values) {
    return static_cast<std::uint32_t>(std::stoul(values.front()));
}

void take_memory_by(const Values& values, PluginSettings& settings) {
    settings.sandbox.memory_by = values.front() == "as"    ? runtime::MemoryBy::as
                                 : values.front() == "rss" ? runtime::MemoryBy::rss
                                                           : runtime::MemoryBy::data;
}

void take_without(const Values& values, PluginSettings& settings) {
    const auto is_off = [&](const char* layer) {
        return std::find(values.begin(), values.end(), layer) != values.end();
    };
    settings.sandbox.landlock = !is_off("landlock");
    settings.sandbox.seccomp = !is_off("seccomp");
}

std::vector<Key> keys() {
    using S = PluginSettings;
    return {
        {option("--isolation", Kind::text, isolation_choices()),
         [](const Values& v, S& s) { s.isolation = runtime::parse_isolation(v.front()); },
         false},
        {option("--config", Kind::table),
         [](const Values& v, S& s) { s.config = v.front(); },
         false},
        {option("--memory", Kind::size),
         [](const Values& v, S& s) { s.sandbox.memory = size_of(v); }},
        {option("--memory-by", Kind::text, {"data", "as", "rss"}), take_memory_by},
        {option("--network", Kind::boolean),
         [](const Values& v, S& s) { s.sandbox.network = v.front() == "true"; }},
        {number("--open-files", fewest_open_files, most_open_files),
         [](const Values& v, S& s) { s.sandbox.open_files = number_of(v); }},
        {number("--max-processes", 1, most_processes),
         [](const Values& v, S& s) { s.sandbox.max_processes = number_of(v); }},
        {option("--file-size", Kind::size),
         [](const Values& v, S& s) { s.sandbox.file_size = size_of(v); }},
        {option("--readable", Kind::text_list),
         [](const Values& v, S& s) { s.sandbox.readable = v; }},
        {option("--writable", Kind::text_list),
         [](const Values& v, S& s) { s.sandbox.writable = v; }},
        {number("--processes", 0, most_slots),
         [](const Values& v, S& s) { s.processes = number_of(v); }},
        {number("--recycle-after", 0, std::numeric_limits<std::int64_t>::max()),
         [](const Values& v, S& s) { s.recycle.tasks = std::stoull(v.front()); }},
        {option("--recycle-memory", Kind::size),
         [](const Values& v, S& s) { s.recycle.memory = size_of(v); }},
        {number("--recycle-descriptors", 0, most_open_files),
         [](const Values& v, S& s) { s.recycle.descriptors = number_of(v); }},
        {number("--recycle-threads", 0, most_processes),
         [](const Values& v, S& s) { s.recycle.threads = number_of(v); }},
        {option("--without", Kind::text_list, {"landlock", "seccomp"}), take_without},
    };
}

/// What the kinds of values alone do not rule out.
base::Result<void> check(const base::FileValue& value) {
    const auto wrong = [&](const std::string& what, const std::string& hint) {
        return base::error(base::Errc::invalid_argument, value.place + ": " + what, hint);
    };
    if (value.flag == "--memory" && size_of(value.values) < least_memory)
        return wrong("expected at least 4MiB, got \"" + value.values.front() + "\"",
                     "leave it out for no limit");
    if (value.flag == "--file-size" && size_of(value.values) == 0)
        return wrong("expected more than 0", "leave it out for no limit");
    if (value.flag == "--readable" || value.flag == "--writable")
        for (const auto& path : value.values)
            if (path.empty() || path.front() != '/')
                return wrong("expected absolute paths, got \"" + path + "\"", "start it with /");
    return {};
}

base::Result<void> take(const base::FileTable& table,
                        const std::vector<Key>& keys,
                        PluginSettings& settings) {
    for (const auto& value : table.values) {
        if (auto good = check(value); !good)
            return good;
        const auto key = std::find_if(keys.begin(), keys.end(), [&](const Key& one) {
            return one.option.flag == value.flag;
        });
        if (table.name.empty() && !key->for_all)
            return base::error(base::Errc::invalid_argument,
                               value.place + ": is said for one plugin, or for all in [host]",
                               "put it below [plugin.NAME], where NAME.so is the plugin's file");
        key->take(value.values, settings);
    }
    return {};
}

}  // namespace

std::vector<std::string> isolation_choices() {
    std::vector<std::string> names;
    for (const auto& known : runtime::isolation_names)
        names.emplace_back(known.name);
    return names;
}

IsolationChoice choose_isolation(const PluginSettings& settings,
                                 runtime::Isolation preset,
                                 runtime::Isolation floor) {
    IsolationChoice choice{.isolation = settings.isolation.value_or(preset)};
    if (choice.isolation < floor)
        choice = {floor, "--min-isolation asks for it"};
    if (choice.isolation < runtime::Isolation::process && settings.sandbox.needs_process())
        choice = {runtime::Isolation::process, "its limits need a process of its own"};
    return choice;
}

runtime::SandboxPolicy sandbox_of(const PluginSettings& settings,
                                  const runtime::SandboxPolicy& common,
                                  const std::filesystem::path& file) {
    auto policy = settings.sandbox;
    policy.plugin = file.stem().string();
    policy.readable.insert(policy.readable.end(), common.readable.begin(), common.readable.end());
    policy.readable.push_back(file.parent_path().string());
    policy.writable.insert(policy.writable.end(), common.writable.begin(), common.writable.end());
    return policy;
}

base::Result<PluginConfig> PluginConfig::read(const std::string& file) {
    PluginConfig config;
    const auto known = keys();
    std::vector<base::Option> options;
    for (const auto& key : known)
        options.push_back(key.option);
    const auto tables = base::read_config_tables(file, "plugin", options);
    if (!tables)
        return tables.error();
    for (const auto& table : *tables) {
        // The table without a name comes first: the others start from what it says.
        PluginSettings settings = config.defaults_;
        if (auto taken = take(table, known, settings); !taken)
            return taken.error();
        if (table.name.empty())
            config.defaults_ = std::move(settings);
        else
            config.plugins_[table.name] = std::move(settings);
    }
    return config;
}

const PluginSettings& PluginConfig::of(const std::string& stem) const {
    const auto found = plugins_.find(stem);
    return found == plugins_.end() ? defaults_ : found->second;
}

}  // namespace distributo::host
