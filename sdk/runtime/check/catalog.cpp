#include "runtime/check/catalog.hpp"

namespace distributo::runtime::check {
namespace {

constexpr int first_exit_code = 10;  // below are the codes that all programs share

constexpr std::string_view loads = "load.opens";
constexpr std::string_view accepted = "tables.contract";
constexpr std::string_view understood = offers_tasks;
constexpr std::string_view starts = "lifecycle.setup";
// What misbehaves in every task is named once, by the check that is meant for it.
constexpr std::string_view behaves =
    "lifecycle.setup abuse.survives abuse.status abuse.exception abuse.after_end abuse.complete";

using enum Group;
constexpr CheckInfo checks[] = {
    {"file.regular", "a regular file that is not empty", "", file, false},
    {"file.permissions", "nobody else may change it", "file.regular", file, false},
    {"file.elf", "a complete shared library for this machine", "file.regular", file, false},
    {"file.manifest", "its manifest is of this very file", "file.regular", file, false},

    {"elf.readable", "its tables lie inside the file", "file.elf", elf, false},
    {"elf.exports", "exports the entry function and nothing else", "elf.readable", elf, false},
    {"elf.unique", "shares no static with other plugins", "elf.readable", elf, false},
    {"elf.text_relocations",
     "its code is not changed when it is loaded",
     "elf.readable",
     elf,
     false},
    {"elf.stack", "its stack is not executable", "elf.readable", elf, false},
    {"elf.bind_now", "its symbols are resolved when it is loaded", "elf.readable", elf, false},
    {"elf.relro", "its tables are read-only after loading", "elf.readable", elf, false},
    {"elf.run_path", "looks for libraries in no private folder", "elf.readable", elf, false},
    {"elf.needed", "the libraries that it needs are here", "elf.readable", elf, true},
    {"elf.versions", "the C library here is new enough", "elf.readable", elf, false},
    {"elf.static_tls",
     "needs no thread-local storage of process start",
     "elf.readable",
     elf,
     false},

    {"load.opens",
     "loads, with every symbol resolved",
     "elf.exports elf.needed elf.versions",
     load,
     true},
    {"load.threads", "loading starts no thread", loads, load, true},
    {"load.descriptors", "loading opens no descriptor", loads, load, true},
    {"load.output", "loading prints nothing", loads, load, true},
    {"load.signals", "loading changes no signal handler", loads, load, true},
    {"load.process", "loading leaves folder, umask, locale and environment", loads, load, true},

    {"tables.entry", "the entry function answers, and always the same", loads, tables, true},
    {"tables.pointers",
     "its tables, texts and functions are where they point",
     "tables.entry",
     tables,
     true},
    {"tables.text", "its texts are UTF-8", "tables.pointers", tables, true},
    {"tables.contract", "who loads it accepts it", "tables.pointers", tables, true},
    {offers_tasks, "offers task types", accepted, tables, true},
    {"tables.schemas", "its schemas are JSON Schemas", understood, tables, true},
    {"tables.resources", "resources_json says what a task needs", understood, tables, true},

    {"lifecycle.create_destroy",
     "is made and destroyed without setup",
     understood,
     lifecycle,
     true},
    {"lifecycle.setup", "setup succeeds", "lifecycle.create_destroy", lifecycle, true},
    {"lifecycle.discover", "names sound task types, always the same", starts, lifecycle, true},
    {"lifecycle.probe", "says whether it is healthy", starts, lifecycle, true},
    {"lifecycle.bad_config",
     "a wrong configuration does not end the process",
     starts,
     lifecycle,
     true},
    {"lifecycle.teardown", "teardown returns in time", starts, lifecycle, true},
    {"lifecycle.two_instances",
     "two instances live side by side",
     "lifecycle.teardown",
     lifecycle,
     true},
    {"lifecycle.threads", "leaves no thread behind", "lifecycle.teardown", lifecycle, true},
    {"lifecycle.descriptors", "leaves no descriptor behind", "lifecycle.teardown", lifecycle, true},
    {"lifecycle.memory",
     "its lives leak less than a page each",
     "lifecycle.threads",
     lifecycle,
     true},

    {"abuse.survives", "a task does not end the process", starts, abuse, true},
    {"abuse.status", "ends with a status of the contract", "abuse.survives", abuse, true},
    {"abuse.exception", "lets no exception out", "abuse.survives", abuse, true},
    {"abuse.after_end", "uses no call after its end", "abuse.survives", abuse, true},
    {"abuse.complete", "completes a call at most once", "abuse.survives", abuse, true},

    {"install.runs", "installs, verifies and executes", behaves, install, true},
    {"install.killed", "an install that was killed can be repeated", "install.runs", install, true},
    {"install.read_only", "tasks leave the installed files alone", "install.runs", install, true},

    {"execute.samples", "the samples succeed", "install.runs", execute, true},
    {"execute.concurrency",
     "the same task on many threads has the same result",
     "execute.samples",
     execute,
     true},
    {"execute.batch", "a batch has the results of its tasks", "execute.samples", execute, true},
    {"execute.leftovers",
     "a task leaves no thread and no descriptor behind",
     behaves,
     execute,
     true},
    {"execute.cancel_before", "a task that is cancelled already ends soon", behaves, execute, true},
    {"execute.cancel_during",
     "a running task ends soon after cancel",
     "execute.cancel_before",
     execute,
     true},
    {"execute.deadline",
     "a task past its deadline ends soon",
     "execute.cancel_during",
     execute,
     true},
    {"execute.host_failures",
     "host functions that fail lose no result",
     "execute.samples",
     execute,
     true},
    {"execute.generated",
     "payloads at the limits of the schema end well",
     "execute.samples execute.cancel_during",
     execute,
     true},
    {"execute.malformed",
     "payloads outside of the schema are permanent errors",
     "execute.samples",
     execute,
     true},

    {"negotiation.current",
     "reads no further than this version's tables",
     "execute.samples lifecycle.teardown",
     negotiation,
     true},
    {"negotiation.oldest",
     "runs on a host of version 1.0",
     "negotiation.current",
     negotiation,
     true},
    {"negotiation.future",
     "runs on a host of a later version",
     "negotiation.current",
     negotiation,
     true},

    {"extension.generator",
     "emits the same tasks with any room and from any checkpoint",
     accepted,
     extension,
     true},
    {"extension.sink", "stores what it is given, and says how much", accepted, extension, true},

    {"unload.unmaps",
     "is gone after it was closed, or says that it stays",
     "load.threads lifecycle.threads execute.leftovers",
     unload,
     true},
};

}  // namespace

std::span<const CheckInfo> catalog() {
    return checks;
}

std::string_view group_name(Group group) {
    constexpr std::string_view names[] = {"file",
                                          "elf",
                                          "load",
                                          "tables",
                                          "lifecycle",
                                          "abuse",
                                          "install",
                                          "execute",
                                          "negotiation",
                                          "unload",
                                          "extension"};
    return names[static_cast<std::size_t>(group)];
}

int exit_code(Group group) {
    return first_exit_code + static_cast<int>(group);
}

}  // namespace distributo::runtime::check
