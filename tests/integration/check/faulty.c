// A plugin that is right but for one thing, which the build names: -DFAULT=fault_crash. Its task
// "faulty.double" takes {"n":21} and answers {"n":42}.
#include "faults.h"

#include <distributo/abi.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifndef FAULT
#define FAULT fault_none
#endif
#define TEXT(literal) \
    { literal, sizeof(literal) - 1 }

#if defined(WITH_UNIQUE)
__asm__(
    ".pushsection .data\n.globl shared_by_all\n.type shared_by_all, @gnu_unique_object\n"
    ".size shared_by_all, 4\nshared_by_all: .long 0\n.popsection");
#endif
#if defined(WITH_TEXT_RELOCATION)
__asm__(".pushsection .text\n.quad distributo_module_v1\n.popsection");
#endif
#if defined(WITH_MISSING_SYMBOL)
int not_there(void);
#endif
#if defined(WITH_STATIC_TLS)
static __thread volatile char storage[256];
#endif

static dto_host host;
static char data_dir[4096];
static int live_instances;
static int running;
static int woken;

static void nap(long milliseconds) {
    const struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static void* sleep_for_ever(void* nothing) {
    for (;;) {
        pause();
    }
    return nothing;
}

static void start_thread(void* (*body)(void*), void* argument) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, body, argument) == 0) {
        pthread_detach(thread);
    }
}

static void on_signal(int number) {
    (void)number;
}

__attribute__((constructor)) static void at_load(void) {
    if (FAULT == fault_thread_at_load) {
        start_thread(sleep_for_ever, NULL);
    }
    if (FAULT == fault_descriptor_at_load && open("/dev/null", O_RDONLY) < 0) {
        abort();
    }
    if (FAULT == fault_output_at_load) {
        puts("hello from a constructor");
    }
    if (FAULT == fault_signal_at_load) {
        signal(SIGUSR1, on_signal);
    }
    if (FAULT == fault_folder_at_load && chdir("/") != 0) {
        abort();
    }
}

static dto_status fail(dto_call* call, dto_status status, const char* why) {
    dto_error error;
    memset(&error, 0, sizeof error);
    error.struct_size = sizeof error;
    error.code = status;
    error.message.ptr = why;
    error.message.len = strlen(why);
    host.set_error(call, &error);
    return status;
}

static dto_status DTO_CALL create(const dto_host* offered, dto_call* call, void** instance) {
    memcpy(&host, offered, offered->struct_size < sizeof host ? offered->struct_size : sizeof host);
    if (FAULT == fault_reads_too_far) {
        // What comes behind this version's last member.
        const char* beyond = (const char*)offered + sizeof *offered;
        host.abi_minor = *(const volatile unsigned char*)beyond;
    }
    if (FAULT == fault_create_fails) {
        return fail(call, DTO_PERMANENT, "create fails as asked");
    }
    if (FAULT == fault_wants_newer && offered->abi_minor < 1) {
        return fail(call, DTO_PERMANENT, "this host is too old");
    }
    if (FAULT == fault_wants_same_size && offered->struct_size != sizeof *offered) {
        return fail(call, DTO_PERMANENT, "this host is another one");
    }
    *instance = malloc(64);
    return DTO_OK;
}

static int starts_with(dto_str text, const char* prefix) {
    return text.len >= strlen(prefix) && memcmp(text.ptr, prefix, strlen(prefix)) == 0;
}

static dto_status DTO_CALL setup(void* instance, dto_call* call, const dto_setup* request) {
    (void)instance;
    snprintf(data_dir, sizeof data_dir, "%.*s", (int)request->data_dir.len, request->data_dir.ptr);
    if (FAULT == fault_setup_fails) {
        return fail(call, DTO_RETRY, "the model is missing");
    }
    if (FAULT == fault_config_crash && !starts_with(request->config_json, "{}")) {
        raise(SIGSEGV);
    }
    if (FAULT == fault_one_instance && live_instances != 0) {
        return fail(call, DTO_PERMANENT, "there is one already");
    }
    ++live_instances;
    if (FAULT == fault_thread_left) {
        start_thread(sleep_for_ever, NULL);
    }
    if (FAULT == fault_descriptor_left && open("/dev/null", O_RDONLY) < 0) {
        return DTO_RETRY;
    }
    if (FAULT == fault_leak) {
        static char* volatile lost;
        lost = malloc(20000);
        if (lost != NULL) {
            memset(lost, 1, 20000);
        }
    }
    return DTO_OK;
}

static dto_status DTO_CALL probe(void* instance, dto_call* call) {
    static const dto_bytes healthy = TEXT("{\"healthy\":true,\"attributes\":{\"answer\":42}}");
    static const dto_bytes nonsense = TEXT("{\"healthy\":\"yes\"}");
    static const dto_str json = {NULL, 0};
    (void)instance;
    return host.result(call, FAULT == fault_probe_nonsense ? nonsense : healthy, json);
}

static dto_status answer(dto_call* call, long n) {
    enum { longest = 64 };
    char* const text = host.scratch(call, longest);
    dto_bytes data;
    if (text == NULL && FAULT != fault_trusts_memory) {
        return fail(call, DTO_RETRY, "out of memory");
    }
    const dto_str json = {NULL, 0};
    data.ptr = text;
    data.len = (size_t)snprintf(
        text, longest, FAULT == fault_bad_result ? "{\"wrong\":%ld}" : "{\"n\":%ld}", n);
    const dto_status status = host.result(call, data, json);
    return FAULT == fault_loses_result ? DTO_OK : status;
}

/// The number in {"n":…}; 0 when the payload is something else.
static int read_payload(dto_str payload, long* n) {
    char text[64];
    char* end = NULL;
    if (payload.len >= sizeof text || !starts_with(payload, "{\"n\":")) {
        return 0;
    }
    memcpy(text, payload.ptr, payload.len);
    text[payload.len] = '\0';
    *n = strtol(text + 5, &end, 10);
    return end != text + 5 && strcmp(end, "}") == 0 && *n >= 0 && *n <= 1000;
}

static void* use_later(void* call) {
    const dto_str text = TEXT("am I late?");
    const dto_str none = {NULL, 0};
    nap(50);
    host.log(call, DTO_INFO, text, none);
    return NULL;
}

#if defined(WITH_LATER_END)
static void* end_later(void* call) {
    nap(1);
    host.complete(call, DTO_OK);
    return NULL;
}
#endif

static void misbehave(dto_call* call) {
    switch ((int)FAULT) {
        case fault_crash:
            raise(SIGSEGV);
            break;
        case fault_exit:
            exit(3);
        case fault_after_end:
            start_thread(use_later, call);
            break;
        case fault_task_thread:
            start_thread(sleep_for_ever, NULL);
            break;
        case fault_task_descriptor:
            if (open("/dev/null", O_RDONLY) < 0) {
                abort();
            }
            break;
        default:
            break;
    }
}

/// Works for a while and looks, or does not, whether it should stop.
static dto_status work(dto_call* call) {
    const int looks_at_all = FAULT != fault_cancel_never;
    const int looks_once = FAULT == fault_cancel_once || FAULT == fault_deadline_ignored;
    for (int i = 0; i < 40; ++i) {
        if (looks_at_all && (i == 0 || !looks_once) && host.cancelled(call)) {
            return DTO_CANCELLED;
        }
        if (FAULT == fault_deadline_ignored && __atomic_load_n(&woken, __ATOMIC_RELAXED)) {
            return DTO_CANCELLED;
        }
        nap(10);
    }
    return DTO_OK;
}

static dto_status look_at_install(dto_call* call, dto_str folder) {
    char path[4200];
    if (FAULT < fault_install_fails) {
        return DTO_OK;
    }
    snprintf(path, sizeof path, "%.*s/file", (int)folder.len, folder.ptr);
    if (FAULT == fault_install_records_path) {
        char file[4200];
        snprintf(file, sizeof file, "%s/where", data_dir);
        FILE* in = fopen(file, "r");
        if (in == NULL || fgets(path, sizeof path, in) == NULL) {
            path[0] = '\0';
        }
        if (in != NULL) {
            fclose(in);
        }
    }
    const int found = open(path, O_RDONLY);
    if (found < 0) {
        return fail(call, DTO_PERMANENT, "the installed file is missing");
    }
    close(found);
    if (FAULT == fault_install_changed) {
        chmod(path, 0600);
        const int file = open(path, O_WRONLY | O_APPEND);
        if (file >= 0 && write(file, "x", 1) != 1) {
            abort();
        }
        close(file);
    }
    return DTO_OK;
}

static dto_status DTO_CALL execute(void* instance, dto_call* call, const dto_execute* request) {
    long n = 0;
    (void)instance;
#if defined(WITH_MISSING_SYMBOL)
    n = not_there();
#endif
#if defined(WITH_STATIC_TLS)
    storage[request->attempt % sizeof storage] = 1;
#endif
    const int understood = read_payload(request->payload_json, &n);
    if (!understood && FAULT == fault_retries_malformed) {
        return fail(call, DTO_RETRY, "what is this?");
    }
    if (!understood && FAULT != fault_accepts_anything) {
        return fail(call, DTO_PERMANENT, "expected {\"n\":0..1000}");
    }
    misbehave(call);
    if (FAULT == fault_limit_crash && n == 1000) {
        raise(SIGFPE);
    }
    if (FAULT == fault_sample_fails) {
        return fail(call, DTO_PERMANENT, "no such luck");
    }
#if defined(WITH_WAIT)
    while (host.wait(call, 60000) == DTO_OK) {
    }
    return DTO_CANCELLED;
#endif
    if (FAULT == fault_not_reentrant) {
        n += __atomic_fetch_add(&running, 1, __ATOMIC_SEQ_CST);
        nap(2);
        __atomic_fetch_sub(&running, 1, __ATOMIC_SEQ_CST);
    }
    dto_status status = look_at_install(call, request->install_dir);
    if (status == DTO_OK && FAULT >= fault_cancel_never && FAULT <= fault_deadline_ignored) {
        status = work(call);
    }
    if (status == DTO_OK) {
        status = answer(call, 2 * n);
    }
    if (FAULT == fault_complete_twice) {
        host.complete(call, status);
        host.complete(call, status);
        return DTO_PENDING;
    }
#if defined(WITH_LATER_END)
    pthread_t ending;
    if (status == DTO_OK && pthread_create(&ending, NULL, end_later, call) == 0) {
        pthread_detach(ending);
        return DTO_PENDING;
    }
#endif
    return FAULT == fault_status ? 42 : FAULT == fault_pending ? DTO_PENDING : status;
}

static dto_status DTO_CALL execute_batch(void* instance,
                                         dto_call* const* calls,
                                         const dto_execute* const* tasks,
                                         uint32_t count,
                                         dto_status* statuses) {
    for (uint32_t i = 0; i < count; ++i) {
        statuses[i] = FAULT == fault_batch_differs && i == count - 1
                          ? answer(calls[i], 0)
                          : execute(instance, calls[i], tasks[i]);
    }
    return DTO_OK;
}

/// Creates data_dir/lock; fails when it is there already.
static int lock(void) {
    char path[4200];
    snprintf(path, sizeof path, "%s/lock", data_dir);
    const int file = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
    if (file >= 0) {
        close(file);
    }
    return file >= 0;
}

static void unlock(void) {
    char path[4200];
    snprintf(path, sizeof path, "%s/lock", data_dir);
    unlink(path);
}

static void write_text(const char* folder, const char* name, const char* text) {
    char path[4200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE* out = fopen(path, "w");
    if (out != NULL) {
        fputs(text, out);
        fclose(out);
    }
}

static dto_status DTO_CALL install(void* instance, dto_call* call, const dto_install* request) {
    char folder[4096];
    char path[4200];
    (void)instance;
    if (FAULT == fault_install_fails) {
        return fail(call, DTO_RETRY_ELSEWHERE, "no room for it");
    }
    if (FAULT == fault_install_locks && !lock()) {
        return fail(call, DTO_RETRY, "another install is running");
    }
    snprintf(
        folder, sizeof folder, "%.*s", (int)request->staging_dir.len, request->staging_dir.ptr);
    write_text(folder, "file", "content\n");
    snprintf(path, sizeof path, "%s/file", folder);
    write_text(data_dir, "where", path);
    if (FAULT == fault_install_locks) {
        nap(500);
        unlock();
    }
    return DTO_OK;
}

static void DTO_CALL cancel(void* instance, dto_call* running_call) {
    (void)instance, (void)running_call;
    __atomic_store_n(&woken, 1, __ATOMIC_RELAXED);
}

static void DTO_CALL teardown(void* instance, dto_call* call) {
    (void)instance, (void)call;
    --live_instances;
    if (FAULT == fault_teardown_hangs) {
        sleep_for_ever(NULL);
    }
}

static void DTO_CALL destroy(void* instance) {
    free(instance);
}

#define SCHEMA                                                          \
    "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\"," \
    "\"minimum\":0,\"maximum\":1000}},\"required\":[\"n\"]}"
#define RESULT "{\"type\":\"object\",\"required\":[\"n\"]}"

static dto_task_type type = {
    .struct_size = sizeof type,
    .flags = DTO_TASK_REENTRANT | DTO_TASK_IDEMPOTENT | DTO_TASK_DETERMINISTIC,
    .name = TEXT("faulty.double"),
    .version = TEXT("1.0.0"),
    .summary = TEXT("Doubles a number"),
    .payload_schema = TEXT(SCHEMA),
    .result_schema = TEXT(RESULT),
    .resources_json = TEXT("{\"cpu\":1}"),
    .max_concurrency = 4,
    .max_batch = 4,
};
static const dto_task_type* const types[] = {&type, &type};

// One type more, or instead of the constant one.
static dto_status DTO_CALL discover(void* instance,
                                    dto_call* call,
                                    const dto_task_type* const** found,
                                    uint32_t* count) {
    static const dto_str names[] = {TEXT("faulty.found"), TEXT("faulty.lost")};
    static const dto_str bad_schema = TEXT("{\"type\":\"numbre\"}");
    static dto_task_type more;
    static const dto_task_type* const more_types[] = {&more};
    static int times;
    (void)instance, (void)call, (void)names, (void)times;
    more = type;
#if !defined(WITH_DISCOVER)
    more.name = names[FAULT == fault_discover_changes ? times++ % 2 : 0];
#endif
    if (FAULT == fault_discover_schema) {
        more.payload_schema = bad_schema;
    }
    *found = more_types;
    *count = 1;
    return DTO_OK;
}

static dto_task_api api = {
    .struct_size = sizeof api,
    .type_count = 1,
    .types = types,
    .create = create,
    .setup = setup,
    .probe = probe,
    .install = install,
    .execute = execute,
    .cancel = cancel,
    .teardown = teardown,
    .destroy = destroy,
    .execute_batch = execute_batch,
};

static const void* DTO_CALL get_interface(const char* id) {
    return strcmp(id, DTO_INTERFACE_TASK) == 0 ? &api : NULL;
}

static dto_module modules[2] = {{
    .struct_size = sizeof modules[0],
    .abi_minor = DTO_ABI_MINOR,
    .name = TEXT("faulty"),
    .version = TEXT("1.0.0"),
    .license = TEXT("MIT"),
    .get_interface = get_interface,
}};

static void spoil_tables(dto_module* module) {
    static const dto_str unknown = TEXT("distributo.nobody/1");
    static const dto_str bad_name = TEXT("Faulty Plugin");
    static const dto_str bad_version = TEXT("one");
    static const dto_str not_utf8 = TEXT("caf\xe9");
    static const dto_str bad_schema = TEXT("{\"type\":\"numbre\"}");
    static const dto_str bad_resources = TEXT("{\"cpu\":\"all\"}");
    type.summary = FAULT == fault_not_utf8 ? not_utf8 : type.summary;
    type.result_schema = FAULT == fault_bad_schema ? bad_schema : type.result_schema;
    type.resources_json = FAULT == fault_bad_resources ? bad_resources : type.resources_json;
    module->name = FAULT == fault_bad_name ? bad_name : module->name;
    module->version = FAULT == fault_bad_version ? bad_version : module->version;
    if (FAULT == fault_wild_pointer) {
        type.summary.ptr = (const char*)64;
    }
    if (FAULT == fault_short_table) {
        type.struct_size = 24;
    }
    if (FAULT == fault_same_type_twice) {
        api.type_count = 2;
    }
    if (FAULT == fault_discover_changes || FAULT == fault_discover_schema) {
        api.discover = discover;
    }
#if defined(WITH_DISCOVER)
    api.discover = discover;
    api.type_count = 0;
#endif
    if (FAULT == fault_must_understand) {
        type.flags |= 1u << 30;
    }
    if (FAULT == fault_unknown_service) {
        module->required = &unknown;
        module->required_count = 1;
    }
#if defined(WITH_LATER_END)
    type.flags |= DTO_TASK_ASYNC;
#endif
    if (FAULT == fault_complete_twice) {
        type.flags |= DTO_TASK_ASYNC;
    }
    if (FAULT >= fault_cancel_never && FAULT <= fault_deadline_ignored) {
        type.cancel_grace_ms = 150;
    }
    if (FAULT >= fault_install_fails) {
        type.flags |= DTO_TASK_NEEDS_INSTALL;
    }
}

DTO_EXPORT const dto_module* DTO_CALL distributo_module_v1(const dto_entry* entry);
const dto_module* DTO_CALL distributo_module_v1(const dto_entry* entry) {
    static int calls;
    (void)entry;
    modules[1] = modules[0];
    if (FAULT == fault_entry_refuses) {
        return NULL;
    }
    spoil_tables(&modules[0]);
    return &modules[FAULT == fault_entry_changes ? calls++ % 2 : 0];
}

#if defined(WITH_SECOND_EXPORT)
DTO_EXPORT int helper(void);
int helper(void) {
    return 1;
}
#endif
