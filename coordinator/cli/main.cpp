#include "base/config.hpp"
#include "base/log.hpp"
#include "coordinator/cli/commands.hpp"
#include "coordinator/cli/extension_command.hpp"
#include "coordinator/cli/plugin_command.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <functional>

using namespace distributo;
using namespace distributo::coordinator::cli;

namespace {

/// What the parsed command line says to do.
using Action = std::function<CommandResult()>;

void add_submit(CLI::App& app, Context& context, SubmitOptions& o, Action& action) {
    auto* c = app.add_subcommand("submit", "submit one task, or one per line of a file");
    c->add_option("type", o.type, "task type; TYPE@RANGE for certain versions of it")
        ->option_text("TYPE");
    c->add_option("payload", o.payload, "JSON, @FILE, or - for standard input")
        ->option_text("PAYLOAD");
    c->add_option("--set", o.sets, "member of the payload; {line} is the line")
        ->option_text("KEY=VALUE");
    c->add_option("--each-line", o.each_line, "one task per line of FILE")->option_text("FILE");
    c->add_option("--file", o.file, "NDJSON: a task per line; with TYPE, a payload")
        ->option_text("FILE");
    c->add_option("--id", o.id, "id of your own; a repeat is recognised")->option_text("ID");
    c->add_option(
         "--unique-key", o.unique_key, "one task with it at a time; a repeat is recognised")
        ->option_text("KEY");
    c->add_option("--group", o.group, "group that the tasks are counted under")
        ->option_text("NAME");
    c->add_option("--priority", o.priority, "higher first")->option_text("N");
    c->add_option("--delay", o.delay, "not before this has passed")->option_text("10s");
    c->add_option("--deadline", o.deadline, "expires after this")->option_text("1h");
    c->add_option("--task-timeout", o.task_timeout, "limit of the execute phase")
        ->option_text("30s");
    c->add_option("--max-attempts", o.max_attempts, "budget for handler errors")->option_text("N");
    c->add_option("--label", o.labels, "label, repeatable")->option_text("KEY=VALUE");
    c->add_flag("--wait", o.wait, "wait for the outcome");
    c->add_option("--output", o.output, "write outcomes here, one JSON per line")
        ->option_text("FILE");
    c->add_option("--timeout", o.timeout, "stop waiting after this")->option_text("60s");
    c->footer("example: distributo submit text.syllables '{\"word\":\"example\"}' --wait");
    c->callback([&] { action = [&] { return submit(context, o); }; });
}

void add_task(CLI::App& app,
              Context& context,
              TaskListOptions& list,
              std::string& id,
              std::vector<std::string>& ids,
              Action& action) {
    auto* task = app.add_subcommand("task", "look at tasks and act on them");
    task->require_subcommand(1);

    auto* c = task->add_subcommand("list", "newest first");
    c->add_option("--state", list.states, "pending, running, failed, …")->delimiter(',');
    c->add_option("--type", list.type, "task type");
    c->add_option("--group", list.group, "group");
    c->add_option("--host", list.host, "name of the host of the last attempt");
    c->add_option("--label", list.label, "label that they have")->option_text("KEY=VALUE");
    c->add_option("--since", list.since, "submitted then or later; 1h: an hour ago")
        ->option_text("TIME");
    c->add_option("--until", list.until, "submitted earlier; 1h: an hour ago")->option_text("TIME");
    c->add_option("--limit", list.limit, "at most so many")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    c->add_option("--cursor", list.cursor, "continue a list");
    c->callback([&] { action = [&] { return task_list(context, list); }; });

    const auto one = [&](const char* name, const char* help, auto command) {
        auto* sub = task->add_subcommand(name, help);
        sub->add_option("id", id, "task id")->required();
        sub->callback([&context, &id, &action, command] {
            action = [&context, &id, command] { return command(context, id); };
        });
    };
    one("show", "everything about one task", &task_show);
    one("logs", "what its attempts printed and logged", &task_logs);
    one("explain", "why it is not running, host by host", &task_explain);

    const auto many = [&](const char* name, const char* help, auto command) {
        auto* sub = task->add_subcommand(name, help);
        sub->add_option("id", ids, "task ids")->required();
        sub->callback([&context, &ids, &action, command] {
            action = [&context, &ids, command] { return command(context, ids); };
        });
    };
    auto* hold = task->add_subcommand("hold", "park tasks that wait");
    hold->add_option("id", ids, "task ids")->required();
    hold->add_option("--reason", id, "why; shown with the task")->option_text("TEXT");
    hold->callback([&] { action = [&] { return task_hold(context, ids, id); }; });
    many("release", "end the waiting of held, retrying or scheduled tasks", &task_release);
    many("cancel", "end tasks, running ones through their host", &task_cancel);
    many("retry", "try ended tasks again; waiting ones now", &task_retry);
}

void add_host(CLI::App& app, Context& context, std::vector<std::string>& names, Action& action) {
    auto* host = app.add_subcommand("host", "look at hosts and act on them");
    host->require_subcommand(1);
    host->add_subcommand("list", "hosts, what they do and what they offer")->callback([&] {
        action = [&] { return host_list(context); };
    });
    auto* c = host->add_subcommand("release", "end the quarantine of hosts that broke tasks");
    c->add_option("name", names, "names or ids of hosts")->required();
    c->callback([&] { action = [&] { return host_release(context, names); }; });
}

void add_group(
    CLI::App& app, Context& context, std::uint32_t& limit, GroupOptions& o, Action& action) {
    auto* group = app.add_subcommand("group", "look at groups of tasks and act on them");
    group->require_subcommand(1);
    auto* c = group->add_subcommand("list", "those with the newest tasks first");
    c->add_option("--limit", limit, "at most so many")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    c->callback([&] { action = [&] { return group_list(context, limit); }; });
    c = group->add_subcommand("show", "how many of its tasks are in which state");
    c->add_option("name", o.name, "the group")->required();
    c->add_flag("--wait", o.wait, "wait until all its tasks have ended");
    c->add_option("--timeout", o.timeout, "stop waiting after this")->option_text("60s");
    c->callback([&] { action = [&] { return group_show(context, o); }; });
    for (const auto& [what, help] : {std::pair("cancel", "end all its tasks"),
                                     std::pair("hold", "park all its tasks that wait"),
                                     std::pair("release", "release all its held tasks"),
                                     std::pair("retry", "try all again that failed")}) {
        c = group->add_subcommand(what, help);
        c->add_option("name", o.name, "the group")->required();
        if (std::string_view(what) == "hold")
            c->add_option("--reason", o.reason, "why; shown with the tasks")->option_text("TEXT");
        c->callback([&, verb = std::string(what)] {
            action = [&, verb] { return group_ask(context, o.name, verb, o.reason); };
        });
    }
}

void add_admin(CLI::App& app, Context& context, BackupOptions& o, Action& action) {
    auto* admin = app.add_subcommand("admin", "look after the coordinator");
    admin->require_subcommand(1);
    auto* c = admin->add_subcommand("backup", "a consistent copy of all tasks and results");
    c->add_option("file", o.file, "where to put it")->required()->option_text("FILE");
    c->add_flag("--force", o.force, "replace an existing file");
    c->callback([&] { action = [&] { return admin_backup(context, o); }; });
}

void add_others(
    CLI::App& app, Context& context, DevOptions& o, PluginArguments& authors, Action& action) {
    auto* c = app.add_subcommand("dev", "a coordinator and a host in this terminal");
    c->add_option("--plugin-dir", o.plugin_dirs, "folder to watch, repeatable")->option_text("DIR");
    c->add_option("--port", o.port, "for hosts")->capture_default_str();
    c->add_option("--http-port", o.http_port, "for the API")->capture_default_str();
    c->add_option("--slots", o.slots, "tasks at once; default: hardware threads");
    c->add_option("--config", o.config, "for both: [plugin.NAME], [[generator]], [[sink]]")
        ->option_text("FILE");
    c->callback([&] { action = [&] { return dev(context, o); }; });

    app.add_subcommand("status", "counts of tasks and hosts")->callback([&] {
        action = [&] { return status(context); };
    });
    app.add_subcommand("version", "versions of program, ABI and protocol")->callback([&] {
        action = [&] { return version(context); };
    });

    auto* plugin = app.add_subcommand("plugin", "write, check and try plugins, see how they do");
    plugin->require_subcommand(1);
    plugin->add_subcommand("list", "plugin versions on all hosts, and how they do")->callback([&] {
        action = [&] { return plugin_list(context); };
    });
    add_plugin_commands(*plugin, context, authors, action);
}

/// The names of a command's subcommands and options, for suggestions.
std::vector<std::string> names_of(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::App* sub : app.get_subcommands({}))
        names.push_back(sub->get_name());
    for (const CLI::Option* option : app.get_options())
        for (const std::string& name : option->get_lnames())
            names.push_back("--" + name);
    return names;
}

/// The first word that is neither an option nor a command, where a command has to stand; empty when
/// there is none.
std::string unknown_command(const CLI::App& app, int argc, char** argv) {
    const CLI::App* here = &app;
    for (int i = 1; i < argc; ++i) {
        const std::string word(argv[i]);
        if (word.starts_with('-')) {
            const CLI::Option* option = app.get_option_no_throw(word);
            if (option && option->get_items_expected_max() > 0)
                ++i;  // its value
            continue;
        }
        const auto commands = here->get_subcommands({});
        if (commands.empty())
            return {};
        const auto next = std::find_if(commands.begin(), commands.end(), [&](const CLI::App* one) {
            return one->get_name() == word;
        });
        if (next == commands.end())
            return word;
        here = *next;
    }
    return {};
}

/// CLI11's complaint as an error of ours, with the nearest name as a hint.
base::Error usage_error(const CLI::App& app,
                        const CLI::ParseError& failure,
                        int argc,
                        char** argv) {
    const CLI::App* deepest = &app;
    for (auto used = deepest->get_subcommands(); !used.empty(); used = deepest->get_subcommands())
        deepest = used.front();
    base::Error error{base::Errc::invalid_argument, failure.what(), {}};
    if (const std::string word = unknown_command(app, argc, argv); !word.empty())
        error.message = "unknown command '" + word + "'";
    std::vector<std::string> names = names_of(*deepest);
    for (const std::string& name : names_of(app))
        names.push_back(name);
    for (int i = 1; i < argc && error.hint.empty(); ++i) {
        const std::string word(argv[i]);
        if (error.message.find(word) == std::string::npos)
            continue;
        if (const auto near = base::nearest(word, names); !near.empty() && near != word)
            error.hint = "did you mean '" + near + "'?";
    }
    if (error.hint.empty())
        error.hint = "distributo " + (deepest == &app ? std::string() : deepest->get_name() + " ") +
                     "--help";
    return error;
}

}  // namespace

int main(int argc, char** argv) {
    Context context;
    SubmitOptions submit_options;
    TaskListOptions list_options;
    DevOptions dev_options;
    BackupOptions backup_options;
    GroupOptions group_options;
    std::uint32_t group_limit = 50;
    std::string id;
    PluginArguments authors;
    ExtensionArguments generators;
    ExtensionArguments sinks;
    std::vector<std::string> ids;
    bool json = false;
    bool quiet = false;
    Action action;

    CLI::App app("Distributo: hands tasks to hosts that load native plugins");
    app.name("distributo");
    app.require_subcommand(1);
    app.fallthrough();
    app.add_option("--coordinator", context.coordinator, "where it is; also DISTRIBUTO_COORDINATOR")
        ->option_text("URL");
    app.add_flag("--json", json, "print one JSON document");
    app.add_flag("-q,--quiet", quiet, "print only ids or the bare result");
    app.add_flag("-v,--verbose", context.verbose, "say which coordinator is used");
    app.footer("example: distributo dev");
    add_submit(app, context, submit_options, action);
    add_task(app, context, list_options, id, ids, action);
    add_host(app, context, ids, action);
    add_group(app, context, group_limit, group_options, action);
    add_extension_commands(app, context, Extension::generator, generators, action);
    add_extension_commands(app, context, Extension::sink, sinks, action);
    add_admin(app, context, backup_options, action);
    add_others(app, context, dev_options, authors, action);
    for (CLI::App* sub : app.get_subcommands({})) {
        sub->fallthrough();
        for (CLI::App* inner : sub->get_subcommands({}))
            inner->fallthrough();
    }

    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp& help) {
        return app.exit(help);
    } catch (const CLI::ParseError& failure) {
        base::print_error(usage_error(app, failure, argc, argv));
        return base::exit_code::usage;
    }
    context.mode = json ? OutputMode::json : quiet ? OutputMode::quiet : OutputMode::human;
    base::log::configure(
        {.component = "distributo", .level = base::log::Level::warn, .format = {}, .file = {}});

    const CommandResult result = action();
    if (result)
        return *result;
    base::print_error(result.error());
    return exit_code_of(result.error());
}
