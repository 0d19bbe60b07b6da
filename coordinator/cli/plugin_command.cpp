#include "coordinator/cli/plugin_command.hpp"

#include <CLI/CLI.hpp>

namespace distributo::coordinator::cli {
namespace {

using Action = std::function<CommandResult()>;

void add_new(CLI::App& plugin, Context& context, PluginNewOptions& o, Action& action) {
    auto* c = plugin.add_subcommand("new", "a plugin that builds, tests and runs at once");
    c->add_option("name", o.name, "lower-case name, becomes the task type")->required();
    c->add_option("--lang", o.language, "c++, c, rust or python")
        ->option_text("LANGUAGE")
        ->capture_default_str();
    c->add_option("--template", o.folder, "by its name instead: generator-cpp, sink-cpp, task-c …")
        ->option_text("NAME");
    c->footer("example: distributo plugin new word_count --lang c");
    c->callback([&] { action = [&] { return plugin_new(context, o); }; });
}

void add_check(CLI::App& plugin, Context& context, PluginCheckOptions& o, Action& action) {
    auto* c = plugin.add_subcommand("check", "everything that can be said about a plugin");
    c->add_option("file", o.file, "a plugin, or a folder of plugins")
        ->option_text("FILE.so|FILE.py|DIR")
        ->required();
    c->add_option("--task",
                  o.task,
                  "samples, tasks that succeed; else NAME.sample.json or sample.json beside it, "
                  "or one folder up")
        ->option_text("FILE");
    c->add_option("--config", o.config, "for its setup: JSON or @FILE")->capture_default_str();
    c->add_option("--timeout", o.timeout, "limit of each check")->capture_default_str();
    c->add_option("--manifest", o.manifest, "write its manifest when nothing failed")
        ->option_text("FILE");
    c->footer(
        "Every check runs in a process of its own: a plugin that crashes or hangs fails a check.\n"
        "exit code: 0 nothing failed; else by the group of the first failure:\n"
        "  10 file  11 elf  12 load  13 tables  14 lifecycle  15 abuse  16 install\n"
        "  17 execute  18 negotiation  19 unload\n"
        "example: distributo plugin check build/word_count.so --manifest word_count.manifest.json");
    c->callback([&] { action = [&] { return plugin_check(context, o); }; });
}

void add_run(CLI::App& plugin, Context& context, PluginRunOptions& o, Action& action) {
    auto* c = plugin.add_subcommand("run", "one task, without a coordinator and without a host");
    c->add_option("file", o.file, "the plugin")->option_text("FILE.so|FILE.py")->required();
    c->add_option("--task",
                  o.task,
                  "task as it would be submitted, - for standard input; else "
                  "sample.json beside the plugin or one folder up")
        ->option_text("FILE");
    c->add_option("--type", o.type, "task type, when the plugin has several")->option_text("TYPE");
    c->add_option("--payload", o.payload, "instead of a task: JSON, @FILE or -")
        ->option_text("JSON");
    c->add_option("--install", o.install, "what to install before: JSON or @FILE")
        ->option_text("JSON");
    c->add_option("--config", o.config, "for its setup: JSON or @FILE")->capture_default_str();
    c->add_option("--timeout", o.timeout, "limit of the execute phase")->option_text("30s");
    c->add_option("--repeat", o.repeat, "run it so often, one after the other")
        ->option_text("N")
        ->check(CLI::Range(1U, 1'000'000U));
    c->add_flag("--in-process", o.in_process, "in this process instead of a runner");
    c->add_flag("--gdb", o.gdb, "under gdb, in its process");
    c->footer(
        "exit code: 0 completed, 1 the task failed, 2 usage, 5 the plugin was refused,\n"
        "  6 past its limit\n"
        "example: distributo plugin run build/word_count.so --task sample.json");
    c->callback([&] { action = [&] { return plugin_run(context, o); }; });
}

void add_watch(CLI::App& plugin, Context& context, PluginWatchOptions& o, Action& action) {
    auto* c = plugin.add_subcommand("watch", "build, check, install and run on every save");
    c->add_option("folder", o.folder, "with the sources, and sample.json")
        ->option_text("DIR")
        ->required();
    c->add_option("--build", o.build, "command; else CMake or make, as the folder has it")
        ->option_text("COMMAND");
    c->add_option("--to", o.target, "folder that a host watches; gets the plugin when it is good")
        ->option_text("DIR");
    c->add_flag("--once", o.once, "one round; the exit code says how it went");
    c->footer("example: distributo plugin watch word_count --to plugins");
    c->callback([&] { action = [&] { return plugin_watch(context, o); }; });
}

}  // namespace

void add_plugin_commands(CLI::App& plugin,
                         Context& context,
                         PluginArguments& arguments,
                         Action& action) {
    add_new(plugin, context, arguments.create, action);
    add_check(plugin, context, arguments.check, action);
    add_run(plugin, context, arguments.run, action);
    add_watch(plugin, context, arguments.watch, action);
}

}  // namespace distributo::coordinator::cli
