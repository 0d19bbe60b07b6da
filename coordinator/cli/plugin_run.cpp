#include "base/config.hpp"
#include "coordinator/cli/author_task.hpp"
#include "coordinator/cli/child.hpp"
#include "coordinator/cli/payload.hpp"
#include "coordinator/cli/plugin_options.hpp"
#include "wire/json.hpp"

#include <cerrno>
#include <cstring>
#include <unistd.h>
#include <vector>

namespace distributo::coordinator::cli {
namespace {

using base::Errc;
using Status = AuthorResult::Status;

/// Becomes gdb, which starts this program again with the plugin in its own process.
base::Error start_gdb(const PluginRunOptions& options) {
    std::vector<std::string> words{"gdb",
                                   "-q",
                                   "-ex",
                                   "set breakpoint pending on",
                                   "--args",
                                   (program_folder() / "distributo").string(),
                                   "plugin",
                                   "run",
                                   options.file,
                                   "--in-process"};
    const std::pair<const char*, const std::string*> given[] = {{"--task", &options.task},
                                                                {"--type", &options.type},
                                                                {"--payload", &options.payload},
                                                                {"--install", &options.install},
                                                                {"--config", &options.config},
                                                                {"--timeout", &options.timeout}};
    for (const auto& [flag, value] : given)
        if (!value->empty())
            words.insert(words.end(), {flag, *value});
    words.insert(words.end(), {"--repeat", std::to_string(options.repeat)});
    std::vector<char*> arguments;
    for (std::string& word : words)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    execvp("gdb", arguments.data());
    return base::error(Errc::not_found,
                       std::string("cannot start gdb: ") + std::strerror(errno),
                       "install it: apt-get install gdb");
}

const char* name_of(Status status) {
    return status == Status::completed ? "completed"
           : status == Status::timeout ? "timeout"
           : status == Status::failed  ? "failed"
                                       : "refused";
}

int exit_code_for(Status status) {
    return status == Status::completed ? base::exit_code::ok
           : status == Status::timeout ? base::exit_code::timeout
           : status == Status::failed  ? base::exit_code::task_failed
                                       : base::exit_code::refused;
}

std::string hint_for(const AuthorResult& result, const std::string& file) {
    if (result.crashed)
        return "the same with --gdb shows where";
    return result.status == Status::refused ? "distributo plugin check " + file : std::string();
}

void print_json(const AuthorResult& result) {
    std::string text;
    wire::json::Writer out(text);
    out.begin_object().member("status", name_of(result.status));
    if (result.status == Status::completed)
        out.member_raw("result", result.result);
    else
        out.member("message", result.message);
    out.key("elapsed_us").begin_array();
    for (const std::int64_t elapsed : result.elapsed_us)
        out.number(elapsed);
    out.end_array().member("different", result.different).end_object();
    print(text);
}

}  // namespace

CommandResult plugin_run(const Context& context, const PluginRunOptions& options) {
    if (options.gdb)
        return start_gdb(options);
    auto task = read_task(options);
    auto config = read_payload(options.config);
    auto timeout = base::parse_duration(options.timeout.empty() ? "0" : options.timeout);
    if (!task || !config || !timeout)
        return !task ? task.error() : !config ? config.error() : timeout.error();
    watch_for_interrupt();
    AuthorRun run;
    run.task = std::move(*task);
    run.file = options.file;
    run.config = std::move(*config);
    run.timeout_ms = *timeout;
    run.repeat = options.repeat;
    run.in_process = options.in_process;
    run.quiet = context.mode != OutputMode::human;
    const auto result = run_author_task(run);
    if (!result)
        return result.error();
    if (interrupted())
        return base::exit_code::interrupted;
    if (context.mode == OutputMode::json)
        print_json(*result);
    else if (result->status == Status::completed)
        print(result->result);
    else
        base::print_error(
            base::error(Errc::invalid_argument, result->message, hint_for(*result, options.file)));
    return exit_code_for(result->status);
}

}  // namespace distributo::coordinator::cli
