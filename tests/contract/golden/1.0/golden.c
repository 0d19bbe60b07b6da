// A plugin in C that uses as much of abi.h as there was when it was compiled. GOLDEN is that
// version, as text.
#include <distributo/abi.h>

#include <stdio.h>
#include <string.h>

#define TEXT(literal) \
    { literal, sizeof(literal) - 1 }
#define NAME(kind) TEXT("golden.c." GOLDEN "." kind)

static dto_host host;  // what the host has of it; zero where it is older

static dto_status fail(dto_call* call, dto_status status, const char* why) {
    dto_error error = {.struct_size = sizeof error, .code = status};
    error.message.ptr = why;
    error.message.len = strlen(why);
    error.retry_after_ms = status == DTO_RETRY ? 700 : 0;
    host.set_error(call, &error);
    return status;
}

static dto_status DTO_CALL create(const dto_host* offered, dto_call* call, void** instance) {
    static const dto_str text = TEXT("golden.c is created");
    static const dto_str none = {NULL, 0};
    memcpy(&host, offered, offered->struct_size < sizeof host ? offered->struct_size : sizeof host);
    host.log(call, DTO_INFO, text, none);
    *instance = &host;
    return DTO_OK;
}

static dto_status DTO_CALL setup(void* instance, dto_call* call, const dto_setup* request) {
    if (instance != &host || request->cpu_slots == 0 || request->data_dir.len == 0) {
        return fail(call, DTO_PERMANENT, "setup got something else than was promised");
    }
    return DTO_OK;
}

// Writes the spec to staging_dir/spec.
static dto_status DTO_CALL install(void* instance, dto_call* call, const dto_install* request) {
    char path[4096];
    FILE* file = NULL;
    (void)instance;
    snprintf(
        path, sizeof path, "%.*s/spec", (int)request->staging_dir.len, request->staging_dir.ptr);
    file = fopen(path, "w");
    if (file == NULL || fwrite(request->spec_json.ptr, 1, request->spec_json.len, file) == 0 ||
        fclose(file) != 0) {
        return fail(call, DTO_RETRY_ELSEWHERE, "cannot write to the staging directory");
    }
    return DTO_OK;
}

// The result is the payload, by way of the arena and of the host's own memory.
static dto_status echo(dto_call* call, const dto_execute* request) {
    static const dto_str json = {NULL, 0};
    static const dto_str half = TEXT("half");
    static const dto_str line = TEXT("golden.c echoes");
    const size_t size = request->payload_json.len;
    char* const copy = host.scratch(call, size);
    void* out = NULL;
    dto_str folder = {NULL, 0};
    if (copy == NULL) {
        return fail(call, DTO_RETRY, "no memory");
    }
    memcpy(copy, request->payload_json.ptr, size);
    if (host.log_enabled(call, DTO_INFO)) {
        host.log(call, DTO_INFO, line, json);
    }
    host.progress(call, 0.5, half);
    if (host.work_dir(call, &folder) != DTO_OK || folder.len == 0) {
        return fail(call, DTO_RETRY_ELSEWHERE, "no work directory");
    }
    if (host.remaining_ms(call) == 0 || host.cancelled(call) != 0) {
        return DTO_CANCELLED;
    }
    if (host.result_reserve(call, size, &out) != DTO_OK) {
        return fail(call, DTO_PERMANENT, "no room for the result");
    }
    memcpy(out, copy, size);
    return host.result_commit(call, size, json);
}

// The result is what install wrote.
static dto_status installed(dto_call* call, const dto_execute* request) {
    static const dto_str media_type = TEXT("application/json");
    char path[4096];
    char spec[4096];
    dto_bytes result = {spec, 0};
    FILE* file = NULL;
    snprintf(
        path, sizeof path, "%.*s/spec", (int)request->install_dir.len, request->install_dir.ptr);
    file = fopen(path, "r");
    if (file == NULL) {
        return fail(call, DTO_PERMANENT, "nothing was installed");
    }
    result.len = fread(spec, 1, sizeof spec, file);
    fclose(file);
    return host.result(call, result, media_type);
}

static int ends_with(dto_str text, const char* end) {
    const size_t length = strlen(end);
    return text.len >= length && memcmp(text.ptr + text.len - length, end, length) == 0;
}

static dto_status DTO_CALL execute(void* instance, dto_call* call, const dto_execute* request) {
    (void)instance;
    if (ends_with(request->task_type, ".echo")) {
        return echo(call, request);
    }
    if (ends_with(request->task_type, ".installed")) {
        return installed(call, request);
    }
    if (ends_with(request->task_type, ".endless")) {
        return host.wait(call, INT64_C(3600000));
    }
    if (ends_with(request->task_type, ".retry")) {
        return fail(call, DTO_RETRY, "not yet");
    }
    // A status that no host of this version knows counts as DTO_RETRY.
    return ends_with(request->task_type, ".unknown") ? 60 : fail(call, DTO_PERMANENT, "never");
}

static void DTO_CALL cancel(void* instance, dto_call* running) {
    (void)instance, (void)running;  // wait() wakes up by itself
}

static void DTO_CALL teardown(void* instance, dto_call* call) {
    (void)instance, (void)call;
}

static void DTO_CALL destroy(void* instance) {
    (void)instance;
}

#define TYPE(kind, its_flags)                                                            \
    {                                                                                    \
        .struct_size = sizeof(dto_task_type), .flags = (its_flags) | DTO_TASK_REENTRANT, \
        .name = NAME(kind), .version = TEXT("1.0.0"), .summary = TEXT("A golden " kind), \
        .payload_schema = TEXT("{}"), .cancel_grace_ms = 5000, .max_concurrency = 4,     \
    }
static const dto_task_type echo_type = TYPE("echo", DTO_TASK_IDEMPOTENT | DTO_TASK_DETERMINISTIC);
static const dto_task_type installed_type = TYPE("installed", DTO_TASK_NEEDS_INSTALL);
static const dto_task_type endless_type = TYPE("endless", 0);
static const dto_task_type retry_type = TYPE("retry", 0);
static const dto_task_type unknown_type = TYPE("unknown", 0);
static const dto_task_type permanent_type = TYPE("permanent", 0);
static const dto_task_type* const types[] = {
    &echo_type, &installed_type, &endless_type, &retry_type, &unknown_type, &permanent_type};

static const dto_task_api api = {
    .struct_size = sizeof api,
    .type_count = sizeof types / sizeof *types,
    .types = types,
    .config_schema = TEXT("{}"),
    .create = create,
    .setup = setup,
    .install = install,
    .execute = execute,
    .cancel = cancel,
    .teardown = teardown,
    .destroy = destroy,
};

static const void* DTO_CALL get_interface(const char* id) {
    return strcmp(id, DTO_INTERFACE_TASK) == 0 ? &api : NULL;
}

static const dto_str required[] = {TEXT("host.scratch"), TEXT("host.result_commit")};
static const dto_module module = {
    .struct_size = sizeof module,
    .abi_minor = DTO_ABI_MINOR,
    .required_count = 2,
    .name = TEXT("golden.c." GOLDEN),
    .version = TEXT("1.0.0"),
    .vendor = TEXT("Distributo"),
    .license = TEXT("MIT"),
    .required = required,
    .get_interface = get_interface,
};

DTO_EXPORT const dto_module* DTO_CALL distributo_module_v1(const dto_entry* entry);
const dto_module* DTO_CALL distributo_module_v1(const dto_entry* entry) {
    return entry->struct_size >= sizeof *entry ? &module : NULL;
}
