#pragma once

#include "base/clock.hpp"
#include "runtime/sandbox.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// The plain data that goes into and comes out of a runner.
namespace distributo::runtime {

/// One task type as its plugin declares it (dto_task_type, copied and checked).
struct TypeInfo {
    std::string name, version, summary;
    std::string payload_schema, result_schema, install_schema;  ///< JSON text or empty
    /// That may run at once: in one process (0: as many as there are slots, or
    /// default_async_calls; 1 when not reentrant), or, as a runner reports it, in all of its
    /// processes.
    std::uint32_t max_concurrency = 0;
    std::int64_t timeout_ms = 0, cancel_grace_ms = 0, install_timeout_ms = 0;  ///< 0: default
    std::uint32_t max_batch = 1;  ///< most tasks of one execute_batch; 1: there is no such thing
    /// What a call costs beside its own time, as a runner reports it: a process of its own.
    std::int64_t overhead_us = 0;
    bool reentrant = false;
    bool needs_install = false;
    bool deterministic = false;
    bool verifies = false;  ///< its plugin says whether an entry of the cache is still good
    bool async = false;     ///< calls may be pending without a thread
};

/// Calls of an async type that run at once when the type names no limit: what a host may hold of
/// one type anyway, and at about 2 KiB each no burden for its process.
inline constexpr std::uint32_t default_async_calls = 4096;
/// No batch is larger: it arrives in one message.
inline constexpr std::uint32_t most_in_batch = 256;

struct ModuleInfo {
    std::string name, version, vendor, license;
    std::vector<TypeInfo> types;
    bool keep_loaded = false;
    bool needs_isolation = false;
    bool probes = false;      ///< it says whether this host is still able
    SandboxReport sandbox{};  ///< of the process that it runs in; empty inside the host
};

/// Host-chosen number of a call, unique among those not yet done.
using CallId = std::uint64_t;

struct ExecuteCall {
    CallId call = 0;
    std::string type;
    std::string task_id;
    std::uint32_t attempt = 1;
    std::string payload;      ///< JSON
    std::string content_key;  ///< empty when nothing was installed
    std::string install_dir;
    base::Duration timeout{};  ///< of this call; zero: none. Shown to the plugin as its deadline
};

struct InstallCall {
    CallId call = 0;
    std::string type;
    std::string content_key;
    std::string spec;         ///< JSON of the task's `install`
    std::string staging_dir;  ///< exists, empty
    std::uint32_t attempt = 1;
    base::Duration timeout{};
    /// No install: is what lies in staging_dir, made by an earlier process, still good? Anything
    /// but ok: no.
    bool verify = false;
};

/// How a call ended.
struct CallResult {
    CallId call = 0;
    enum class Status : std::uint8_t {
        ok,
        retry,
        retry_elsewhere,
        permanent,
        cancelled,  // as the plugin said
        timeout,    ///< ran past its limit (the plugin gave up, or its process was ended)
        crashed,    ///< this call's process died, and this call is to blame
        aborted,    ///< its process went because of somebody else (sibling crash, stop): run again
    } status = Status::ok;
    bool suspect = false;  ///< with aborted: it ran in the process that died, and may be to blame
    std::string result;    ///< JSON value, with ok; "null" when the plugin set none
    std::string message;
    std::string detail;   ///< JSON or empty
    std::string emitted;  ///< with ok: JSON array of follow-up tasks, or empty
    std::int64_t retry_after_ms = 0;
    std::int64_t elapsed_us = 0;  ///< inside the plugin
};

}  // namespace distributo::runtime
