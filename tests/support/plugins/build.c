// One task type, test.build, that answers which build of it runs: {"build":"a"}. With {"ms":N} it
// waits before. Compiled several times; the build names BUILD and VERSION, and what is wrong with
// it: SETUP_FAILS, CRASHES.
#include <distributo/abi.h>

#include <stdlib.h>
#include <string.h>

#ifndef PLUGIN_NAME
#define PLUGIN_NAME "test.build"
#endif
#define TEXT(literal) \
    { literal, sizeof(literal) - 1 }

static dto_host host;

static dto_status DTO_CALL create(const dto_host* offered, dto_call* call, void** instance) {
    (void)call;
    memcpy(&host, offered, offered->struct_size < sizeof host ? offered->struct_size : sizeof host);
    *instance = NULL;
    return DTO_OK;
}

static dto_status DTO_CALL setup(void* instance, dto_call* call, const dto_setup* request) {
    (void)instance, (void)call, (void)request;
#ifdef SETUP_FAILS
    return DTO_PERMANENT;
#else
    return DTO_OK;
#endif
}

/// The number behind "ms": in the payload; 0 without.
static long wanted_wait(dto_str payload) {
    static const char key[] = "\"ms\":";
    char text[64] = {0};
    memcpy(text, payload.ptr, payload.len < sizeof text - 1 ? payload.len : sizeof text - 1);
    const char* const found = strstr(text, key);
    return found == NULL ? 0 : strtol(found + sizeof key - 1, NULL, 10);
}

static dto_status DTO_CALL execute(void* instance, dto_call* call, const dto_execute* request) {
    static const dto_bytes answer = TEXT("{\"build\":\"" BUILD "\"}");
    static const dto_str json = {NULL, 0};
    (void)instance;
#ifdef CRASHES
    abort();
#endif
    const long ms = wanted_wait(request->payload_json);
    if (ms > 0 && host.wait(call, ms) != DTO_OK)
        return DTO_CANCELLED;
    return host.result(call, answer, json);
}

static void DTO_CALL teardown(void* instance, dto_call* call) {
    (void)instance, (void)call;
}

static void DTO_CALL destroy(void* instance) {
    (void)instance;
}

static const dto_task_type type = {
    .struct_size = sizeof type,
    .flags = DTO_TASK_REENTRANT | DTO_TASK_IDEMPOTENT | DTO_TASK_DETERMINISTIC,
    .name = TEXT("test.build"),
    .version = TEXT(VERSION),
    .summary = TEXT("Says which build it is"),
    .cancel_grace_ms = 200,
};
static const dto_task_type* const types[] = {&type};

static const dto_task_api api = {
    .struct_size = sizeof api,
    .type_count = 1,
    .types = types,
    .create = create,
    .setup = setup,
    .execute = execute,
    .teardown = teardown,
    .destroy = destroy,
};

static const void* DTO_CALL get_interface(const char* id) {
    return strcmp(id, DTO_INTERFACE_TASK) == 0 ? &api : NULL;
}

static const dto_module module = {
    .struct_size = sizeof module,
    .abi_minor = DTO_ABI_MINOR,
    .name = TEXT(PLUGIN_NAME),
    .version = TEXT(VERSION),
    .license = TEXT("MIT"),
    .get_interface = get_interface,
};

DTO_EXPORT const dto_module* DTO_CALL distributo_module_v1(const dto_entry* entry);
const dto_module* DTO_CALL distributo_module_v1(const dto_entry* entry) {
    (void)entry;
    return &module;
}
