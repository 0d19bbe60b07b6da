#pragma once

#include "coordinator/cli/client.hpp"
#include "coordinator/cli/output.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// The commands of `distributo`. Each prints its result and returns the exit code, or an Error
/// that main prints. Data goes to standard output; progress, notes and errors to standard error.
namespace distributo::coordinator::cli {

/// What every command gets.
struct Context {
    std::string coordinator;  ///< text of --coordinator, may be empty
    OutputMode mode = OutputMode::human;
    bool verbose = false;
};

using CommandResult = base::Result<int>;

struct SubmitOptions {
    std::string type;
    std::string payload;            ///< JSON, "@FILE" or "-"
    std::vector<std::string> sets;  ///< "key=value"
    std::string each_line;          ///< FILE, "-" for standard input
    std::string file;               ///< NDJSON
    std::string id, group, unique_key, delay, deadline, task_timeout;
    std::vector<std::string> labels;  ///< "key=value"
    std::int32_t priority = 0;
    std::uint32_t max_attempts = 0;
    bool wait = false;
    std::string output;   ///< FILE for results; implies wait
    std::string timeout;  ///< of the waiting
};
[[nodiscard]] CommandResult submit(const Context& context, const SubmitOptions& options);

[[nodiscard]] CommandResult status(const Context& context);

struct TaskListOptions {
    std::vector<std::string> states;
    std::string type, group, host, label, since, until, cursor;
    std::uint32_t limit = 50;
};
[[nodiscard]] CommandResult task_list(const Context& context, const TaskListOptions& options);
[[nodiscard]] CommandResult task_show(const Context& context, const std::string& id);
[[nodiscard]] CommandResult task_logs(const Context& context, const std::string& id);
[[nodiscard]] CommandResult task_explain(const Context& context, const std::string& id);
[[nodiscard]] CommandResult task_cancel(const Context& context,
                                        const std::vector<std::string>& ids);
[[nodiscard]] CommandResult task_retry(const Context& context, const std::vector<std::string>& ids);
[[nodiscard]] CommandResult task_hold(const Context& context,
                                      const std::vector<std::string>& ids,
                                      const std::string& reason);
[[nodiscard]] CommandResult task_release(const Context& context,
                                         const std::vector<std::string>& ids);
[[nodiscard]] CommandResult host_list(const Context& context);
/// Ends the quarantine of hosts, by name or id.
[[nodiscard]] CommandResult host_release(const Context& context,
                                         const std::vector<std::string>& names);

[[nodiscard]] CommandResult group_list(const Context& context, std::uint32_t limit);
struct GroupOptions {
    std::string name;
    bool wait = false;    ///< until all its tasks have ended; then the exit code tells how
    std::string timeout;  ///< of the waiting
    std::string reason;   ///< of holding
};
[[nodiscard]] CommandResult group_show(const Context& context, const GroupOptions& options);

/// `what`: cancel, hold, release or retry; asks until no task is left that can be.
[[nodiscard]] CommandResult group_ask(const Context& context,
                                      const std::string& name,
                                      const std::string& what,
                                      const std::string& reason);

struct BackupOptions {
    std::string file;
    bool force = false;  ///< an existing file is replaced
};
/// Has the coordinator write a backup and moves it to the file, if both are on one machine.
[[nodiscard]] CommandResult admin_backup(const Context& context, const BackupOptions& options);

struct DevOptions {
    std::vector<std::string> plugin_dirs;
    std::string config;  ///< configuration file of both; empty: none
    std::uint16_t port = 4000, http_port = 5000;
    std::uint32_t slots = 0;  ///< 0: as many as hardware threads
};
[[nodiscard]] CommandResult dev(const Context& context, const DevOptions& options);

[[nodiscard]] CommandResult plugin_list(const Context& context);
[[nodiscard]] CommandResult version(const Context& context);

/// Opens a client for the coordinator that the context names or that is found.
[[nodiscard]] base::Result<Client> connect(const Context& context);

/// Set by SIGINT, SIGTERM and SIGHUP; commands that wait look at it.
[[nodiscard]] bool interrupted() noexcept;
void watch_for_interrupt();

}  // namespace distributo::coordinator::cli
