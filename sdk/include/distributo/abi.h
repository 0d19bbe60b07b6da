// distributo/abi.h: the contract between Distributo and its plugins, major version 1. C11 and C++.
//
// A plugin is a shared library that exports exactly one symbol,
//
//     const dto_module *distributo_module_v1(const dto_entry *);
//
// From the module that it returns, the host asks for interfaces by name: "distributo.task/1" on a
// worker host, "distributo.generator/1" and "distributo.sink/1" on the coordinator. "The host"
// below is whoever loaded the library. C++ authors include <distributo/plugin.hpp> instead.
//
// Life of a task plugin, one instance per process:
//
//     load -> entry -> get_interface -> create -> setup -> { probe | install -> verify | execute }*
//               |                         |         |                              -> teardown
//               '-> NULL after refuse()   |         '-> failed: destroy            -> destroy
//                                         '-> failed: nothing more is called       -> unload
//
// Ownership, three rules without exception. Nobody ever frees what came from the other side.
//   R1  What you pass INTO a host function is copied before that function returns.
//   R2  What a host function, or an argument of a call, gives you stays valid until that call
//       ends; it lives in the arena of its dto_call.
//   R3  Tables and strings that are reachable from dto_module live until the library is unloaded.
//
// Growth within a major version: members are only ever appended; type, order and meaning stay.
//   Every table starts with struct_size = its sizeof when its OWNER was compiled. Read a member
//   only if DTO_HAS(type, pointer, member). A member that is absent, zero or NULL means the
//   oldest behaviour. Types marked FROZEN never grow. Arrays hold pointers or FROZEN types.
//   No table has padding, with 64-bit and with 32-bit pointers, so every compiler sees the same.
//   Flag bits 0-15 that you do not know: ignore. Bits 16-31: refuse ("must understand").
//   Status codes that you do not know: 1..63 like DTO_RETRY, all others like DTO_PERMANENT.
//   A breaking change is a new symbol, distributo_module_v2; a library may export both.
//
// Thread tags
//   [loader]      one at a time in the process; no other call into this library is running
//   [exclusive]   no other call on this instance, generator or sink is running
//   [concurrent]  several at once, up to dto_task_type.max_concurrency, on any threads; one at a
//                 time unless the type has DTO_TASK_REENTRANT
//   [any-thread]  from every thread, also from threads that the plugin started
// State tags
//   [pure]        any time after the library was loaded
//   [in-entry]    the entry function has not returned
//   [created]     create() returned DTO_OK, destroy() was not called
//   [ready]       setup() returned DTO_OK, teardown() was not called
//   [open]        open() returned DTO_OK, close() was not called
//   [in-call]     the dto_call that is passed has not ended
// A call ends when the plugin function that got it returns; with DTO_PENDING, in complete().
//
// The host holds no lock while it calls a plugin, so every host function may be called back.
// No C++ exception, longjmp, exit() or abort() may leave a plugin function, and signal handlers
// are not the plugin's to change. Where a plugin breaks a rule, "Broken:" says what the host does;
// where nothing is said, behaviour is undefined, and isolation limits the damage to the plugin's
// own process. A process that dies is charged to the one task that was running, or, when several
// were, to the one that kills its process again when it runs alone.
#ifndef DISTRIBUTO_ABI_H
#define DISTRIBUTO_ABI_H

#include <stddef.h>
#include <stdint.h>

#define DTO_ABI_MAJOR 1u
// For diagnostics only: features are found by DTO_HAS, never by comparing versions.
#define DTO_ABI_MINOR 2u

#if defined(_WIN32)
#define DTO_CALL __cdecl
#define DTO_EXPORT __declspec(dllexport)
#else
#define DTO_CALL
#define DTO_EXPORT __attribute__((visibility("default")))
#endif

// Does the table of type T behind p reach as far as member m?
#define DTO_HAS(T, p, m) ((p)->struct_size >= offsetof(T, m) + sizeof((p)->m))
// ... and is the function there?
#define DTO_CAN(T, p, m) (DTO_HAS(T, p, m) && !!(p)->m)

#ifdef __cplusplus
extern "C" {
#endif

// FROZEN. UTF-8 text, not terminated, not owned. ptr may be NULL only if len is 0. Text that is
// not valid UTF-8. Broken: invalid bytes are replaced by U+FFFD in messages and logs; a result
// with them fails the task with DTO_PERMANENT.
typedef struct dto_str {
    const char* ptr;
    size_t len;
} dto_str;

// FROZEN. Bytes, not owned. ptr may be NULL only if len is 0.
typedef struct dto_bytes {
    const void* ptr;
    size_t len;
} dto_bytes;

// Owned by the host: what it is asking for right now. Carries the log correlation, cancellation,
// deadline, error, progress, result and the arena of one call.
typedef struct dto_call dto_call;

// Owned by the host: an artifact that is being read or written; ends with its call.
typedef struct dto_stream dto_stream;

// How a call ended. An int32_t and not the enum, whose size is the compiler's business.
typedef int32_t dto_status;
enum {
    DTO_OK = 0,
    DTO_RETRY = 1,            // transient: run again, anywhere, after dto_error.retry_after_ms
    DTO_RETRY_ELSEWHERE = 2,  // this host is unsuitable: run again on another one
    DTO_PENDING = 3,          // execute of a DTO_TASK_ASYNC type: complete() will follow
    DTO_IDLE = 4,             // generator: nothing to do now
    DTO_END = 5,              // generator: nothing more, ever; stream: end of file
    DTO_PERMANENT = -1,       // the same input would fail again: do not retry
    DTO_CANCELLED = -2,       // stopped early because the host asked for it
    DTO_UNSUPPORTED = -3      // the other side does not have this
};

// How much a log line matters. A level that is not listed counts as the nearest one.
typedef int32_t dto_level;
enum { DTO_TRACE = 0, DTO_DEBUG = 1, DTO_INFO = 2, DTO_WARN = 3, DTO_ERROR = 4 };

// Why a call did not end in DTO_OK; given to set_error.
typedef struct dto_error {
    uint32_t struct_size;
    dto_status code;         // 0: the status that the function returns
    dto_str message;         // one line for a person: what was expected, what came, where
    dto_str detail_json;     // optional, for machines: one JSON value
    int64_t retry_after_ms;  // with DTO_RETRY: wait this long; 0: the host's own back-off
} dto_error;

// A task to be created: by a generator, or by a running task through DTO_SERVICE_EMIT.
typedef struct dto_task_spec {
    uint32_t struct_size;
    uint32_t flags;         // none defined
    dto_str type;           // "acme.render.frame"
    dto_str payload_json;   // one JSON value; checked against the type's schema when it has one
    dto_str install_json;   // empty: nothing to install; its canonical form is the content key
    dto_str dedupe_key;     // the same key is accepted once within the retention time; empty: none
    dto_str group;          // the job that the task is counted under; may be empty
    dto_str requires_json;  // further constraints on the host; may be empty
    int32_t priority;       // higher runs first; 0 is normal
    int32_t max_attempts;   // 0: default of the coordinator
    int64_t timeout_ms;     // 0: default of the task type
} dto_task_spec;

// What the host offers. The table belongs to the host and lives until destroy(), or close() of a
// generator or sink, has returned. Copy it, zero-filled, to read members without asking for each.
// Unless said otherwise, its functions are [any-thread] [in-call] and never block for long.
// Broken: with a dto_call that has ended they do nothing and return 0, NULL or DTO_CANCELLED; the
// host logs PLUGIN_MISBEHAVING once per call.
typedef struct dto_host {
    uint32_t struct_size;
    uint32_t abi_minor;
    dto_str name, version;  // "distributo-host", "1.4.2"; valid as long as the table

    // A call that is not a task's: between create() and destroy() it accepts log, notify,
    // log_enabled, cancelled and wait (both: "the host is shutting down"). The rest is
    // DTO_UNSUPPORTED with it.
    dto_call* root;

    // 1 if a line of this level would be recorded. Ask before building expensive text.
    int32_t(DTO_CALL* log_enabled)(dto_call*, dto_level);

    // Records a line under the task. fields_json: an object with further fields, or empty.
    // Broken: lines longer than 16 KiB are cut; lines beyond the host's rate limit are counted,
    // dropped, and the count is logged; fields that are not a JSON object are logged as text.
    void(DTO_CALL* log)(dto_call*, dto_level, dto_str text, dto_str fields_json);

    // Says why this call is about to fail. The last one wins. It has no effect on a call that
    // ends in DTO_OK. Broken: a failure without it reads "the plugin gave no reason".
    void(DTO_CALL* set_error)(dto_call*, const dto_error*);

    // How far the call is: 0..1, or below 0 when unknown; text may be empty. Cheap to call often:
    // the host passes on a few per second. Broken: values above 1 count as 1, NaN as unknown.
    void(DTO_CALL* progress)(dto_call*, double fraction, dto_str text);

    // 1 when the call should end early: cancelled, past its deadline, or the host is shutting
    // down. One relaxed load. Then return DTO_CANCELLED soon. Broken: after the type's
    // cancel_grace_ms the process is killed; the calls that ran beside are repeated elsewhere.
    int32_t(DTO_CALL* cancelled)(dto_call*);

    // Sleeps. DTO_OK after ms milliseconds, DTO_CANCELLED as soon as cancelled() becomes 1. The
    // one function of this table that blocks. Broken: ms below 0 counts as 0.
    dto_status(DTO_CALL* wait)(dto_call*, int64_t ms);

    // A descriptor (Windows: a HANDLE) that becomes readable when cancelled() becomes 1, or -1
    // when the host has none. It belongs to the host and is valid until the call ends. Broken:
    // one that was read or closed no longer wakes anybody up; poll it, nothing else.
    intptr_t(DTO_CALL* cancel_handle)(dto_call*);

    // Milliseconds to the call's deadline, 0 when it has passed; below 0: there is none.
    int64_t(DTO_CALL* remaining_ms)(dto_call*);

    // An absolute path of an empty directory for this call alone; made by the first request,
    // removed with its content when the call has ended; the text is valid until then.
    // DTO_RETRY_ELSEWHERE when the host cannot make one. The process's current directory is not
    // it, and must not be changed. Broken: a changed one misleads every other call.
    dto_status(DTO_CALL* work_dir)(dto_call*, dto_str* path);

    // Sets the result of the call. media_type empty: application/json, one JSON value in data.
    // The last one wins. Without it, a call that ends in DTO_OK has the result `null`.
    // DTO_PERMANENT if it is larger than the host takes; then nothing is set. Broken: data that
    // is not one JSON value makes a call that ends in DTO_OK end in DTO_PERMANENT.
    dto_status(DTO_CALL* result)(dto_call*, dto_bytes data, dto_str media_type);

    // The same without a copy: *out is size bytes of the host's memory, valid until
    // result_commit or the end of the call. A second reserve gives up the first. DTO_PERMANENT and
    // *out NULL if it is larger than the host takes. Broken: a reservation that is not committed
    // is no result.
    dto_status(DTO_CALL* result_reserve)(dto_call*, uint64_t size, void** out);

    // Makes the first `used` bytes of the reservation the result. Broken: more than was reserved,
    // or no reservation: DTO_PERMANENT, and nothing is set.
    dto_status(DTO_CALL* result_commit)(dto_call*, uint64_t used, dto_str media_type);

    // Memory that is freed when the call ends, aligned for every type. NULL: none left. Broken:
    // used after the call, it belongs to somebody else.
    void*(DTO_CALL* scratch)(dto_call*, size_t size);

    // Ends a call whose execute has returned, or is about to return, DTO_PENDING. Afterwards the
    // dto_call is dead. Broken: a second complete() returns DTO_UNSUPPORTED; DTO_PENDING without
    // one is ended by the timeout.
    dto_status(DTO_CALL* complete)(dto_call*, dto_status);

    // Tells the host that something changed. "capabilities": probe() would answer differently.
    // "more": a generator that was idle has tasks again. Others: DTO_UNSUPPORTED. A hint: the host
    // may ask at a time of its own, and asks now and then without one.
    dto_status(DTO_CALL* notify)(dto_call*, dto_str what);

    // [any-thread] [pure] Further tables of the host by id (DTO_SERVICE_...), NUL-terminated, or
    // NULL when it has none of that name. They live as long as this one. The first argument is the
    // host's table, not a copy of it.
    const void*(DTO_CALL* get_service)(const struct dto_host*, const char* id);
} dto_host;

// Files that travel with tasks. All functions [any-thread] [in-call], may block on the network,
// and end with DTO_CANCELLED when the call is cancelled. A stream is used by one thread at a time.
// Broken: with a call that has ended, or a stream of one, they do nothing and return DTO_CANCELLED;
// with dto_host.root DTO_UNSUPPORTED; with a name that is empty, absolute or has a ".." in it, or a
// stream that was opened for the other direction, DTO_PERMANENT.
#define DTO_SERVICE_ARTIFACTS "distributo.artifacts/1"
typedef struct dto_artifacts {
    uint32_t struct_size;
    uint32_t flags;

    // Makes the artifact a local read-only file; path and file are valid until the call ends.
    // DTO_PERMANENT when there is none of that name.
    dto_status(DTO_CALL* fetch)(dto_call*, dto_str name, dto_str* local_path);

    // Opens for reading. *size is its length in bytes. The stream is valid until close() or the end
    // of the call, which closes it. DTO_PERMANENT when there is none of that name.
    dto_status(DTO_CALL* open_read)(dto_call*, dto_str name, dto_stream**, uint64_t* size);

    // Reads up to cap bytes into buf, which is the plugin's. DTO_END at the end, with *got 0.
    dto_status(DTO_CALL* read)(dto_stream*, void* buf, size_t cap, size_t* got);

    // Opens a new artifact for writing. It exists only once it is committed. The stream is valid
    // until close() or the end of the call. media_type empty: application/octet-stream.
    dto_status(DTO_CALL* open_write)(dto_call*, dto_str name, dto_str media_type, dto_stream**);

    // Appends all of the bytes, or fails: then the stream can only be closed.
    dto_status(DTO_CALL* write)(dto_stream*, dto_bytes);

    // Ends a stream, whatever it returns. commit 0 throws away what was written; digest (may be
    // NULL) receives the SHA-256 in hex, valid until the call ends. Broken: a stream left open is
    // closed with the call and not committed.
    dto_status(DTO_CALL* close)(dto_stream*, int32_t commit, dto_str* digest);

    // Makes a local file an artifact. The file is copied before the function returns.
    dto_status(DTO_CALL* publish)(dto_call*, dto_str name, dto_str local_path, dto_str media_type);
} dto_artifacts;

// Values that are shared by all plugins of a host and that it may forget at any time.
// All functions [any-thread] [in-call]. Broken: with a call that has ended they do nothing and
// return DTO_CANCELLED; with an empty key DTO_PERMANENT.
#define DTO_SERVICE_CACHE "distributo.cache/1"
typedef struct dto_cache {
    uint32_t struct_size;
    uint32_t flags;

    // DTO_OK and the value, valid until the call ends; DTO_END when there is none.
    dto_status(DTO_CALL* get)(dto_call*, dto_str key, dto_bytes* value);

    // Remembers a value, or replaces it. ttl_ms 0: as long as there is room.
    dto_status(DTO_CALL* put)(dto_call*, dto_str key, dto_bytes value, int64_t ttl_ms);
} dto_cache;

// Follow-up tasks of a running task. They leave the host only if the call ends in DTO_OK, with
// its outcome; dedupe_key makes a repeated run of the same task harmless.
// All functions [any-thread] [in-call]. Broken: with a call that has ended they do nothing and
// return DTO_CANCELLED; with one that is not a task's DTO_UNSUPPORTED.
#define DTO_SERVICE_EMIT "distributo.emit/1"
typedef struct dto_emit {
    uint32_t struct_size;
    uint32_t flags;

    // Adds one task to those that leave with the outcome. DTO_PERMANENT, with the reason in the
    // log, when it is not acceptable or one too many; it is then left out.
    dto_status(DTO_CALL* task)(dto_call*, const dto_task_spec*);
} dto_emit;

// Given to the entry function, valid until that returns.
typedef struct dto_entry {
    uint32_t struct_size;
    uint32_t abi_minor;
    dto_str host_name, host_version;
    void* ctx;  // the host's, for refuse

    // [loader] [in-entry] Says why, before the entry function returns NULL. The text is shown to
    // the operator; the last one wins. Broken: a refusal without it reads "it gave no reason".
    void(DTO_CALL* refuse)(void* ctx, dto_str reason);
} dto_entry;

// The module: constant, owned by the library (R3).
// Broken: a struct_size below the one of version 1.0, a name that does not match
// [a-z0-9][a-z0-9._-]{0,127}, or a version that is not semantic: the library is refused.
typedef struct dto_module {
    uint32_t struct_size;
    uint32_t abi_minor;  // DTO_ABI_MINOR of the header it was compiled with
    uint32_t flags;      // DTO_MODULE_...
    uint32_t required_count;
    dto_str name, version, vendor, license, homepage;

    // required_count names of services, or of members like "host.scratch", that the module cannot
    // do without. The host refuses before create() when it lacks one, and says which.
    const dto_str* required;

    // [any-thread] [pure] The table of an interface by its NUL-terminated id, or NULL. The same
    // answer every time, valid until the library is unloaded (R3). Broken: a module without an
    // interface that its host asks for is refused, it has nothing to offer there.
    const void*(DTO_CALL* get_interface)(const char* id);
} dto_module;

enum {
    DTO_MODULE_KEEP_LOADED = 1u << 0,      // never unload: it leaves threads, TLS or a runtime
    DTO_MODULE_FORK_SAFE = 1u << 1,        // may be set up once and forked per task
    DTO_MODULE_NEEDS_ISOLATION = 1u << 16  // must not share a process with other plugins
};

// The one exported function. [loader] [pure] No I/O, no threads, no state, callable again at any
// time, same answer, which lives until the library is unloaded (R3). Returns NULL to refuse, after
// entry->refuse(). Broken: a crash in here, or in a constructor that loading runs, ends a probing
// process only, and the library is refused.
#define DTO_ENTRY_SYMBOL "distributo_module_v1"
typedef const dto_module*(DTO_CALL* dto_entry_fn)(const dto_entry*);

// A task type, constant (R3). Broken: a name outside of [a-z0-9][a-z0-9._:-]{0,127}, a name given
// twice, or a schema that is not one: the library is refused and the reason shown. A type that
// another plugin of the host already offers is not offered again; the first one keeps it.
typedef struct dto_task_type {
    uint32_t struct_size;
    uint32_t flags;  // DTO_TASK_...
    dto_str name, version, summary;

    // JSON Schema 2020-12; empty: anything. Payloads and install specs that do not match are
    // refused when the task is submitted, before any host sees them.
    dto_str payload_schema, result_schema, install_schema;

    // What ONE task needs by default: {"cpu":1,"memory_mib":256,"gpu":0}; empty: one slot.
    dto_str resources_json;
    uint32_t max_concurrency;    // per process; 0: as many as there are slots
    uint32_t max_batch;          // most tasks of one execute_batch; 0 or 1: execute only
    int64_t timeout_ms;          // of one execute; 0: default of the coordinator
    int64_t cancel_grace_ms;     // between cancel and kill; 0: default of the host
    int64_t install_timeout_ms;  // of one install; 0: default of the coordinator
} dto_task_type;

enum {
    DTO_TASK_REENTRANT = 1u << 0,      // execute may run on several threads at once; without it
                                       // the host runs several processes instead
    DTO_TASK_ASYNC = 1u << 1,          // execute may return DTO_PENDING
    DTO_TASK_IDEMPOTENT = 1u << 2,     // running it twice does no harm
    DTO_TASK_DETERMINISTIC = 1u << 3,  // same payload, same result
    DTO_TASK_NEEDS_INSTALL = 1u << 4   // install runs also for tasks without an install spec
};

// Given to setup, valid until that returns (R2).
typedef struct dto_setup {
    uint32_t struct_size;
    uint32_t cpu_slots;   // how many tasks the host means to run at once in this process
    dto_str config_json;  // an object, matches config_schema; {} when nothing is configured
    dto_str data_dir;     // absolute path, private to this plugin, survives restarts
    dto_str host_id;
} dto_setup;

// Given to install and verify, valid until they return (R2).
typedef struct dto_install {
    uint32_t struct_size;
    uint32_t attempt;  // 1, 2, ...: on this host, for this content key
    dto_str task_type, content_key;
    dto_str spec_json;  // the task's install object; {} or empty when it has none

    // install: an empty directory to write to. After DTO_OK the host renames it into its cache,
    // so do not record this path; after anything else it is deleted. A crash can never leave a
    // half-installed entry. verify: the entry in the cache, read-only.
    dto_str staging_dir;
} dto_install;

// Given to execute, valid until the call ends (R2), with DTO_PENDING until complete().
typedef struct dto_execute {
    uint32_t struct_size;
    uint32_t attempt;  // 1, 2, ...: of this task, on all hosts
    dto_str task_id, task_type, payload_json;
    dto_str content_key;   // empty when nothing was installed
    dto_str install_dir;   // read-only, shared by all tasks with this key; empty like content_key
    dto_str trace_parent;  // W3C trace context; may be empty
} dto_execute;

// Interface "distributo.task/1": task types and what runs them. Constant (R3).
// Functions marked "optional" may be NULL; the others must be there, or the library is refused.
// Every function that returns a status may return any of DTO_OK, DTO_RETRY, DTO_RETRY_ELSEWHERE,
// DTO_PERMANENT, DTO_CANCELLED. The dto_call ends with the function, and what a request points to
// with it. Broken: an exception that reaches the host counts as DTO_PERMANENT and is logged as
// PLUGIN_MISBEHAVING; one that meets code without unwind tables on its way ends the process.
#define DTO_INTERFACE_TASK "distributo.task/1"
typedef struct dto_task_api {
    uint32_t struct_size;
    uint32_t type_count;
    const dto_task_type* const* types;  // type_count pointers
    dto_str config_schema;              // JSON Schema of dto_setup.config_json; empty: anything

    // [loader] [pure] Makes an instance; cheap. The host table and host->root stay valid until
    // destroy(). *instance belongs to the plugin; NULL is a valid value. After a failure the host
    // calls nothing more on it. Broken: a process that dies in here, or in setup, charges no task:
    // the types are not offered, and the reason is shown.
    dto_status(DTO_CALL* create)(const dto_host*, dto_call*, void** instance);

    // [exclusive] [created] Once, before the first task: load models, open devices, start threads.
    // After a failure only destroy() follows; the types are not offered, the reason is shown, and
    // the host tries again later with a new process.
    dto_status(DTO_CALL* setup)(void* instance, dto_call*, const dto_setup*);

    // [concurrent] [ready] optional. Is this host still able? The result is
    // {"healthy":true,"attributes":{...}}; an unhealthy plugin's types are withdrawn, until a later
    // probe is content again. Attributes are shown, and a task's `requires` can ask for them.
    dto_status(DTO_CALL* probe)(void* instance, dto_call*);

    // [concurrent] [ready] optional unless a type has DTO_TASK_NEEDS_INSTALL. Once per task type
    // and content key. A failure is charged to the host, not to the task, which goes elsewhere;
    // DTO_PERMANENT fails the task. Broken: files written outside of staging_dir and data_dir
    // are lost or refused, depending on the isolation.
    dto_status(DTO_CALL* install)(void* instance, dto_call*, const dto_install*);

    // [concurrent] [ready] optional. Before a cache entry of an earlier process is used for the
    // first time: is it still good? Anything but DTO_OK removes it and installs anew.
    dto_status(DTO_CALL* verify)(void* instance, dto_call*, const dto_install*);

    // [concurrent] [ready] Runs a task. Blocking is normal. Broken: a status that is not listed
    // above, or DTO_PENDING without DTO_TASK_ASYNC, counts as the growth rules say and is logged;
    // a process that dies or ends in here loses this task and repeats its neighbours for free.
    dto_status(DTO_CALL* execute)(void* instance, dto_call*, const dto_execute*);

    // [any-thread] [ready] optional. Wake up what blocks in `running`; cancelled(running) is
    // already 1. May come when execute is about to return, never after it has. Must not block.
    // Calls no host function with `running` but cancelled() and log(). Broken: one that blocks
    // keeps the other calls of the process from being cancelled; the grace time runs on.
    void(DTO_CALL* cancel)(void* instance, dto_call* running);

    // [exclusive] [ready] The last call but destroy: join every thread, close every descriptor.
    // Broken: a teardown that takes longer than the grace time is ended by a kill, which harms
    // no task, since none is running.
    void(DTO_CALL* teardown)(void* instance, dto_call*);

    // [exclusive] [created] Frees the instance; after a successful setup, teardown came before. No
    // host function may be called any more. Broken: the host table is gone by then; a process that
    // dies of that harms no task.
    void(DTO_CALL* destroy)(void* instance);

    // Since 1.1. [concurrent] [ready] optional. Runs `count` tasks of one type whose max_batch is
    // above 1; a host that does not know this member, or has a single task, calls execute.
    // calls[i], tasks[i] and statuses[i] belong together: each task has a result, an error, a
    // cancellation and a work directory of its own. All deadlines are as far away as the limits of
    // all the tasks together. statuses[i] is DTO_PENDING at first and for the plugin to set to
    // what execute would return. After DTO_OK each stands as it is; any other return value is that
    // of every task whose status is still DTO_PENDING. The calls end with the function, except
    // those that stay DTO_PENDING in a DTO_TASK_ASYNC type: complete() ends them one by one.
    // Broken: DTO_PENDING that is left without DTO_TASK_ASYNC counts as DTO_RETRY and is logged. A
    // process that dies in here charges no task: each of them runs again, alone, by execute.
    dto_status(DTO_CALL* execute_batch)(void* instance,
                                        dto_call* const* calls,
                                        const dto_execute* const* tasks,
                                        uint32_t count,
                                        dto_status* statuses);

    // Since 1.2. [exclusive] [ready] optional. Called once, right after setup: task types that
    // files or the configuration define. *types and *count are for the plugin to set; the tables
    // have to stay valid until destroy(). They are checked like the constant ones, of which there
    // may be none, and follow them. Broken: after a failure, or with an unsound table, teardown and
    // destroy follow, as for a failed setup. A process that names others than the first one is
    // ended.
    dto_status(DTO_CALL* discover)(void* instance,
                                   dto_call*,
                                   const dto_task_type* const** types,
                                   uint32_t* count);
} dto_task_api;

// An outcome as generators and sinks see it, valid until the function that got it returns (R2).
typedef struct dto_result_view {
    uint32_t struct_size;
    uint32_t attempt;   // the one that ended the task
    uint64_t seq;       // total order of outcomes in this coordinator; rises, may have gaps
    dto_status status;  // DTO_OK, DTO_PERMANENT, DTO_CANCELLED, DTO_RETRY (attempts used up)
    int32_t reserved;   // 0
    dto_str task_id, task_type, dedupe_key, group, host_id;
    dto_str message;  // why it failed; empty with DTO_OK
    dto_str media_type;
    dto_bytes data;  // the result; empty when it failed

    dto_str state;         // Since 1.2. "completed", "failed", "cancelled" or "expired"
    dto_str reason;        // Since 1.2. Of a failure, in the HTTP API's word: "timeout"
    dto_str payload_json;  // Since 1.2. What the task was asked to do
    dto_str generator;   // Since 1.2. That the task came from, perhaps through others; may be empty
    dto_str host_name;   // Since 1.2. Empty: it never ran
    int64_t created_ms;  // Since 1.2. When the task was submitted, in ms since 1970 (UTC)
    int64_t finished_ms;  // Since 1.2. When it ended, the same
} dto_result_view;

// Where a generator puts its tasks; valid until the function that got it returns.
//
// Commit rule: the tasks that were emitted, the last token, and in on_result the acknowledgement
// of the result become durable in ONE transaction after DTO_OK, DTO_IDLE or DTO_END. Any other
// status drops all of it. A generator that builds its state from the token alone therefore never
// loses or repeats a task, whenever the machine stops.
//
// Broken: with a call that has ended its functions do nothing and return DTO_CANCELLED.
typedef struct dto_feed {
    uint32_t struct_size;
    uint32_t room;  // how many tasks this call may emit

    // [any-thread] [in-call] DTO_RETRY when room is used up: keep the task for the next call.
    // DTO_PERMANENT with a reason in the log when the task is unacceptable; it is then left out.
    dto_status(DTO_CALL* emit)(dto_call*, const dto_task_spec*);

    // [any-thread] [in-call] Where to resume after what was emitted so far; the last one wins.
    // At most 64 KiB. Broken: a larger one is DTO_PERMANENT and the old one stays.
    dto_status(DTO_CALL* checkpoint)(dto_call*, dto_bytes token);
} dto_feed;

// Interface "distributo.generator/1": a source of tasks, on the coordinator. Constant (R3).
// Calls on one generator never overlap, so it needs no locks. All functions but on_result must be
// there. Broken: a process that dies in here is started again, with back-off, from the last token.
#define DTO_INTERFACE_GENERATOR "distributo.generator/1"
typedef struct dto_generator_api {
    uint32_t struct_size;
    uint32_t flags;
    dto_str name, version, config_schema;

    // [exclusive] [pure] resume_token is the last durable checkpoint, empty at the first start.
    // *gen belongs to the plugin. The host table stays valid until close() has returned. After a
    // failure nothing more is called on it; it is opened again later.
    dto_status(DTO_CALL* open)(
        const dto_host*, dto_call*, dto_str config_json, dto_bytes resume_token, void** gen);

    // [exclusive] [open] Emit up to max tasks. Called only when the queue has room. DTO_OK:
    // call again; DTO_IDLE: call again after notify("more") or a while; DTO_END: final.
    // Other statuses: an error; called again with back-off, after a re-open from the last token
    // if the process died.
    dto_status(DTO_CALL* next_batch)(void* gen, dto_call*, const dto_feed*, uint32_t max);

    // [exclusive] [open] optional. Outcomes of this generator's own tasks and of what follows from
    // them, in the order of seq, each at least once. DTO_PERMANENT: this outcome is of no use; it
    // is acknowledged, and what the call emitted is dropped. Other failures: it comes again.
    dto_status(DTO_CALL* on_result)(void* gen, dto_call*, const dto_feed*, const dto_result_view*);

    // [exclusive] [open] Frees gen. The last call on it.
    void(DTO_CALL* close)(void* gen, dto_call*);
} dto_generator_api;

// Interface "distributo.sink/1": a receiver of outcomes, on the coordinator. Constant (R3).
// Calls on one sink never overlap. All functions must be there. Broken: a process that dies in here
// is started again, with back-off, and gets everything behind what it had stored once more.
#define DTO_INTERFACE_SINK "distributo.sink/1"
typedef struct dto_sink_api {
    uint32_t struct_size;
    uint32_t flags;
    dto_str name, version, config_schema;

    // [exclusive] [pure] *last_durable_seq is for the plugin to set: the last outcome that it has
    // stored for good, 0 when unknown. The coordinator sends again from there. A sink that stores
    // seq together with the data therefore has every outcome exactly once. *sink belongs to the
    // plugin. The host table stays valid until close() has returned.
    dto_status(DTO_CALL* open)(
        const dto_host*, dto_call*, dto_str config_json, uint64_t* last_durable_seq, void** sink);

    // [exclusive] [open] n outcomes in the order of seq. *durable is for the plugin to set:
    // how many of them, from the front, are stored for good. With a failure the rest comes again.
    // Broken: *durable above n counts as n.
    dto_status(DTO_CALL* write)(
        void* sink, dto_call*, const dto_result_view* const*, uint32_t n, uint32_t* durable);

    // [exclusive] [open] After DTO_OK everything written is stored for good.
    dto_status(DTO_CALL* flush)(void* sink, dto_call*);

    // [exclusive] [open] Frees sink. The last call on it.
    void(DTO_CALL* close)(void* sink, dto_call*);
} dto_sink_api;

#ifdef __cplusplus
}
#endif

#endif  // DISTRIBUTO_ABI_H
