#include "coordinator/cli/extension_command.hpp"

#include <CLI/CLI.hpp>

namespace distributo::coordinator::cli {
namespace {

using Act = std::function<CommandResult()>;

/// What both kinds of `run` take.
void add_definition(CLI::App& c, ExtensionRunOptions& o) {
    c.add_option("plugin", o.plugin, "name of the plugin: lines, jsonl, …")
        ->option_text("PLUGIN")
        ->required();
    c.add_option("--name", o.name, "name of its own; else the plugin's")->option_text("NAME");
    c.add_option("--config", o.config, "configuration: JSON, a .json or .toml file, or -")
        ->option_text("JSON|FILE");
    c.add_option("--set", o.sets, "member of the configuration, repeatable")
        ->option_text("KEY=VALUE");
    c.add_option("--directory", o.directory, "where its relative paths begin; else here")
        ->option_text("DIR");
    c.add_option("--call-timeout", o.call_timeout, "limit of one call")->option_text("60s");
    c.add_option("--memory", o.memory, "limit of its process")->option_text("512MiB");
}

void add_generator_run(CLI::App& app, Context& context, ExtensionRunOptions& o, Act& action) {
    auto* c = app.add_subcommand("run", "make one and watch it until its tasks have ended");
    add_definition(*c, o);
    c->add_option("--group", o.group, "group of its tasks that name none")->option_text("NAME");
    c->add_option("--low-water", o.low_water, "ask for tasks when fewer wait")->option_text("N");
    c->add_option("--high-water", o.high_water, "ask for up to this many")->option_text("N");
    c->add_option("--max-tasks", o.max_tasks, "at most so many in all")->option_text("N");
    c->add_option("--max-rate", o.max_rate, "tasks per second")
        ->option_text("N")
        ->check(CLI::PositiveNumber);
    c->add_flag("--detach", o.detach, "do not wait for its end");
    c->add_option("--timeout", o.timeout, "stop waiting after this")->option_text("60s");
    c->footer(
        "exit code: 0 all its tasks completed, 1 it or one of them failed, 130 interrupted: it "
        "goes on\n"
        "example: distributo generator run lines --set files='[\"words.txt\"]' --set "
        "type=text.syllables --set payload='{\"word\":\"{line}\"}'");
    c->callback([&] { action = [&] { return generator_run(context, o); }; });
}

void add_sink_run(CLI::App& app, Context& context, ExtensionRunOptions& o, Act& action) {
    auto* c = app.add_subcommand("run", "make one; it goes on until it is removed");
    add_definition(*c, o);
    c->add_option("--type", o.types, "only outcomes of this task type, repeatable; a.* for many")
        ->option_text("TYPE");
    c->add_option("--group", o.groups, "only those of this group, repeatable")->option_text("NAME");
    c->add_option("--generator", o.generators, "only what came from this generator, repeatable")
        ->option_text("NAME");
    c->add_option("--state", o.states, "completed, failed, cancelled or expired, repeatable")
        ->delimiter(',')
        ->option_text("STATE");
    c->add_option("--start", o.start, "with the oldest outcome that is kept, or the next one")
        ->option_text("oldest|newest");
    c->footer(
        "example: distributo sink run jsonl --set path=results.jsonl --state completed --start "
        "newest");
    c->callback([&] { action = [&] { return sink_run(context, o); }; });
}

void add_asks(
    CLI::App& app, Context& context, Extension kind, ExtensionArguments& arguments, Act& action) {
    struct Ask {
        const char* name;
        const char* verb;
        const char* help;
    };
    for (const Ask& ask : {Ask{"pause", "pause", "call it no more; outlives restarts"},
                           Ask{"resume", "resume", "end its pause, failure or back-off"},
                           Ask{"now", "run", "call it now instead of later"},
                           Ask{"remove", "remove", "end it for good; tasks and outcomes stay"}}) {
        auto* c = app.add_subcommand(ask.name, ask.help);
        c->add_option("name", arguments.names, "names")->option_text("NAME…")->required();
        c->footer("example: distributo " + std::string(word_of(kind)) + ' ' + ask.name +
                  (kind == Extension::sink ? " results" : " words"));
        c->callback([&context, &arguments, &action, kind, verb = std::string(ask.verb)] {
            action = [&context, &arguments, kind, verb] {
                return extension_ask(context, kind, verb, arguments.names);
            };
        });
    }
}

void add_reset(
    CLI::App& app, Context& context, Extension kind, ExtensionResetOptions& o, Act& action) {
    const bool sink = kind == Extension::sink;
    auto* c = app.add_subcommand("reset",
                                 sink ? "give it outcomes again; pause it first"
                                      : "from its beginning, or a checkpoint; pause it first");
    c->add_option("name", o.name, "its name")->required()->option_text("NAME");
    if (sink) {
        c->add_option("--sequence", o.sequence, "it gets what comes after it")->option_text("N");
        c->footer("example: distributo sink reset results --sequence 120000");
    } else {
        c->add_option("--checkpoint", o.checkpoint, "as generator show prints it")
            ->option_text("TEXT");
        c->add_flag("--base64", o.base64, "the checkpoint is base64");
        c->footer("example: distributo generator reset words");
    }
    c->callback([&context, &o, &action, kind] {
        action = [&context, &o, kind] { return extension_reset(context, kind, o); };
    });
}

}  // namespace

void add_extension_commands(
    CLI::App& app, Context& context, Extension kind, ExtensionArguments& arguments, Act& action) {
    const bool sink = kind == Extension::sink;
    auto* all = app.add_subcommand(
        std::string(word_of(kind)),
        sink ? "take outcomes out, on the coordinator" : "make tasks on the coordinator");
    all->require_subcommand(1);
    all->footer(sink ? "example: distributo sink run jsonl --set path=results.jsonl"
                     : "example: distributo generator list");
    all->add_subcommand("list", "all of them, and how they do")->callback([&, kind] {
        action = [&, kind] { return extension_list(context, kind); };
    });
    auto* c = all->add_subcommand("show", "everything about one");
    c->add_option("name", arguments.name, "its name")->required()->option_text("NAME");
    c->callback([&, kind] {
        action = [&, kind] { return extension_show(context, kind, arguments.name); };
    });
    all->add_subcommand("plugins", "what the coordinator could run, and what is refused")
        ->callback([&, kind] { action = [&, kind] { return extension_plugins(context, kind); }; });
    if (sink)
        add_sink_run(*all, context, arguments.run, action);
    else
        add_generator_run(*all, context, arguments.run, action);
    add_asks(*all, context, kind, arguments, action);
    add_reset(*all, context, kind, arguments.reset, action);
}

}  // namespace distributo::coordinator::cli
