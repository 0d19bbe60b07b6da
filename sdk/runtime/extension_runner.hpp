#pragma once

#include "base/clock.hpp"
#include "runtime/sandbox_policy.hpp"

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace distributo::runtime {

/// One of the two interfaces that a library may offer to a coordinator.
struct ExtensionInterface {
    std::string name, version;
    std::string config_schema;   ///< JSON Schema, checked to be one; empty: anything
    bool takes_results = false;  ///< a generator that wants the outcomes of its tasks
};

/// What a library offers.
struct ExtensionModule {
    std::string name, version;  ///< of the library
    bool tasks = false;         ///< it offers task types, or may do so
    std::optional<ExtensionInterface> generator, sink;
};

enum class ExtensionKind : std::uint8_t { generator, sink };

/// One outcome, as plugins see it (dto_result_view). Valid during the call that takes it.
struct OutcomeView {
    std::uint64_t sequence = 0;
    std::uint32_t attempt = 0;
    std::int32_t status = 0;  ///< a dto_status
    std::string_view task_id, task_type, dedupe_key, group, generator;
    std::string_view host_id, host_name;
    std::string_view state, reason, message;  ///< words of the HTTP API
    std::string_view payload, result;         ///< JSON values; result: empty when it failed
    std::int64_t created_ms = 0, finished_ms = 0;
};

/// How a call ended.
struct ExtensionAnswer {
    enum class Status : std::uint8_t {
        ok,
        idle,       ///< generator: nothing now
        end,        ///< generator: never anything again
        retry,      ///< it failed, also when the plugin says cancelled or something unknown
        permanent,  ///< the same would fail again
    } status = Status::ok;
    std::string message;              ///< of a failure
    std::int64_t retry_after_ms = 0;  ///< 0: nothing said
};

/// What became of open().
struct ExtensionOpened {
    ExtensionAnswer answer;
    std::uint64_t last_stored = 0;  ///< sink: the last outcome that it has for good; 0: unknown
};

/// What became of next() or deliver().
struct ExtensionBatch {
    ExtensionAnswer answer;
    std::string emitted;      ///< JSON array of tasks, as follow-up tasks travel; empty: none
    std::uint32_t count = 0;  ///< of these
    std::optional<std::string> checkpoint;  ///< nothing: as it was
    /// deliver(): how many outcomes, from the front, are done with. What was emitted and the
    /// checkpoint belong to these, also when the next one failed.
    std::uint32_t acknowledged = 0;
};

/// What became of write() or flush().
struct ExtensionWritten {
    ExtensionAnswer answer;
    std::uint32_t stored = 0;  ///< of the outcomes of this write, from the front, for good
};

/// What a runner reports; always on the io_context, never from inside a call into the runner.
class ExtensionEvents {
public:
    virtual ~ExtensionEvents() = default;
    /// The library is loaded and its tables are checked: open() may be called. Comes once.
    virtual void on_ready(const ExtensionModule& module) = 0;
    virtual void on_opened(ExtensionOpened opened) = 0;
    virtual void on_batch(ExtensionBatch batch) = 0;
    virtual void on_written(ExtensionWritten written) = 0;
    /// The plugin's own log, or what the process printed ("stdout", "stderr"): one or more lines.
    virtual void on_log(std::string_view stream, std::string_view text) = 0;
    /// The plugin says that next() would find something now.
    virtual void on_more() = 0;
    /// The process is gone; an open call has no other answer. `expected`: after close(). Else
    /// `why` says what is wrong: the library does not load, "killed by SIGSEGV …", "next_batch did
    /// not return within 60s". Last event.
    virtual void on_gone(bool expected, const std::string& why) = 0;
};

struct ExtensionRunnerOptions {
    std::filesystem::path library;         ///< absolute path of the private copy
    std::filesystem::path data_dir;        ///< of this extension alone, created by the caller
    std::filesystem::path work_root;       ///< calls get private directories below it
    std::filesystem::path directory;       ///< where the process works; empty: data_dir
    std::filesystem::path runner_program;  ///< path of distributo-runner
    std::string host_id;                   ///< the coordinator's id
    SandboxPolicy sandbox{};
    base::Duration open_timeout = std::chrono::seconds(60);  ///< also of loading and of close
    base::Duration call_timeout = std::chrono::seconds(60);
    base::Duration cancel_grace = std::chrono::seconds(5);  ///< between asking and killing
};

/// One generator or sink in a process of its own, from start to end; starts by itself at
/// construction. Calls never overlap: the next one comes after the answer to the last. Not
/// thread-safe: lives on the io_context.
class ExtensionRunner {
public:
    virtual ~ExtensionRunner() = default;  ///< ends everything at once, without events

    /// Once, after on_ready. `checkpoint`: of a generator; empty: first start.
    virtual void open(ExtensionKind kind, std::string_view config, std::string_view checkpoint) = 0;
    /// At most `room` tasks. Answered by on_batch.
    virtual void next(std::uint32_t room) = 0;
    /// Outcomes in rising sequence, all copied. Answered by on_batch.
    virtual void deliver(std::span<const OutcomeView> outcomes, std::uint32_t room) = 0;
    /// The same for a sink. Answered by on_written.
    virtual void write(std::span<const OutcomeView> outcomes) = 0;
    /// Answered by on_written.
    virtual void flush() = 0;
    /// No more calls; the open one is asked to end. Then on_gone.
    virtual void close() = 0;
};

[[nodiscard]] std::unique_ptr<ExtensionRunner> make_extension_runner(boost::asio::io_context& io,
                                                                     ExtensionRunnerOptions options,
                                                                     ExtensionEvents& events);

}  // namespace distributo::runtime
