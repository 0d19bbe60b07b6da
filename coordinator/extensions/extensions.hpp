#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "coordinator/core/extension.hpp"
#include "coordinator/engine/engine.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::coordinator::extensions {

using core::ExtensionKind;

/// Which outcomes a sink wants. An empty list: any. A name may end with * and is then a beginning.
struct Filter {
    std::vector<std::string> types, groups, generators;
    std::vector<std::string> states;  ///< completed, failed, cancelled, expired
};

/// What somebody says about one generator or sink.
struct Definition {
    ExtensionKind kind = ExtensionKind::generator;
    std::string name;           ///< [a-z0-9][a-z0-9._-]{0,63}
    std::string plugin;         ///< name of the generator or sink in its library
    std::string config = "{}";  ///< JSON object for the plugin
    std::string directory;      ///< absolute; paths in `config` are meant from here
    base::Duration timeout = std::chrono::seconds(60);  ///< of one call
    std::uint64_t memory = 0;                           ///< bytes; 0: no limit

    // generators
    std::uint32_t low_water = 5'000;    ///< asked for more when fewer of its tasks wait
    std::uint32_t high_water = 10'000;  ///< and then up to this many
    std::uint64_t max_tasks = 0;        ///< in all; 0: no limit
    double max_rate = 0;                ///< tasks per second; 0: no limit
    std::string group;                  ///< of its tasks, when they name none

    // sinks
    Filter filter;
    bool from_newest = false;  ///< at its first start: only outcomes that are recorded from then on
};

/// "generator" or "sink".
[[nodiscard]] std::string kind_name(ExtensionKind kind);

enum class State : std::uint8_t {
    starting,   ///< its plugin is being loaded or opened
    running,    ///< it is called, or what it gave is being stored
    idle,       ///< nothing to do: the generator has nothing, the sink has everything
    throttled,  ///< generator: enough of its tasks wait, or its rate is used up
    paused,     ///< by a person
    retrying,   ///< it failed and is called again later
    failed,     ///< it is not called again before a person, or a change of its plugin, says so
    ended,      ///< generator: nothing more will come
    no_plugin,  ///< no plugin folder has what it needs
};
[[nodiscard]] std::string_view state_name(State state) noexcept;

/// How one is.
struct Status {
    Definition definition;
    bool from_file = false;  ///< a configuration file declares it
    State state = State::starting;
    std::string reason;                ///< why it is in that state; empty: nothing to say
    std::string plugin_file, version;  ///< in use; empty: none
    core::Cursor cursor;               ///< as it is stored
    engine::GeneratorLoad load;        ///< generators
    std::uint64_t lag = 0;             ///< outcomes that were recorded and that it is not done with
    std::uint64_t missed = 0;  ///< outcomes that were forgotten before it had them, since the start
    std::uint64_t faulty = 0;  ///< tasks that could not run, since the start
    std::uint64_t calls = 0, errors = 0, crashes = 0;  ///< since the start
    std::string last_error;
    std::optional<base::WallTime> last_error_at, last_success_at;
    base::Duration next_call_in{};  ///< with retrying, idle and throttled by rate
    double per_second = 0;          ///< tasks, or outcomes, over the last ten seconds
};

/// A file in the coordinator's plugin folders.
struct PluginFile {
    std::string file;                           ///< absolute path
    std::string name, version;                  ///< of the library; empty while it is not known
    std::string generator, sink;                ///< names that it offers; empty: none
    std::string generator_schema, sink_schema;  ///< of their configuration; empty: anything
    bool tasks = false;                         ///< offers task types, which is for hosts
    std::string refused;                        ///< why it is of no use; empty: it is
};

/// All generators and sinks of a coordinator. Not thread-safe: lives on the io_context. Callbacks
/// never run inside the call that takes them.
class Extensions {
public:
    using Answer = std::function<void(base::Result<Status>)>;

    virtual ~Extensions() = default;

    [[nodiscard]] virtual std::vector<Status> list(ExtensionKind kind) const = 0;
    [[nodiscard]] virtual std::optional<Status> find(ExtensionKind kind,
                                                     std::string_view name) const = 0;
    [[nodiscard]] virtual std::vector<PluginFile> plugins() const = 0;

    /// Durable when answered. invalid_argument: a member is wrong, or the configuration does not
    /// match the plugin's schema, the message names the path; not_found: no such plugin (the
    /// message lists those that there are); conflict: the name is taken.
    virtual void create(Definition definition, Answer answer) = 0;
    // Errors of all: not_found. Durable when answered.
    virtual void pause(ExtensionKind kind, std::string_view name, Answer answer) = 0;
    /// Also ends `failed` and a back-off.
    virtual void resume(ExtensionKind kind, std::string_view name, Answer answer) = 0;
    /// Ends waiting: idle, or a back-off. conflict: it is paused, failed or ended.
    virtual void run_now(ExtensionKind kind, std::string_view name, Answer answer) = 0;
    /// A generator goes on from this checkpoint, empty: from its beginning. conflict: it is neither
    /// paused nor failed nor ended.
    virtual void reset_generator(std::string_view name, std::string checkpoint, Answer answer) = 0;
    /// A sink gets what comes after this sequence, as far as it is kept. conflict likewise.
    virtual void reset_sink(std::string_view name, std::uint64_t sequence, Answer answer) = 0;
    /// Its tasks and outcomes stay. conflict: a configuration file declares it.
    virtual void remove(ExtensionKind kind, std::string_view name, Answer answer) = 0;
};

}  // namespace distributo::coordinator::extensions
