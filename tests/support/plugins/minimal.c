// A complete plugin in C: its one task type answers {} to every payload, on any number of threads.
// Compiled several times; the build names PLUGIN_NAME and TASK_TYPE.
#include <distributo/abi.h>

#include <string.h>

#ifndef PLUGIN_NAME
#define PLUGIN_NAME "test.noop"
#endif
#ifndef TASK_TYPE
#define TASK_TYPE "test.noop"
#endif
#ifdef EXPECTED_MINOR
_Static_assert(DTO_ABI_MINOR == EXPECTED_MINOR,
               "compiled with another header than it was meant to");
#endif
#define TEXT(literal) \
    { literal, sizeof(literal) - 1 }

// The table of the host as far as this plugin knows it, zero where the host is older.
static dto_host host;

static dto_status DTO_CALL create(const dto_host* offered, dto_call* call, void** instance) {
    (void)call;
    memcpy(&host, offered, offered->struct_size < sizeof host ? offered->struct_size : sizeof host);
    *instance = NULL;
    return host.result != NULL ? DTO_OK : DTO_PERMANENT;
}

static dto_status DTO_CALL setup(void* instance, dto_call* call, const dto_setup* request) {
    (void)instance, (void)call, (void)request;
    return DTO_OK;
}

static dto_status DTO_CALL execute(void* instance, dto_call* call, const dto_execute* request) {
    static const dto_bytes answer = TEXT("{}");
    static const dto_str json = {NULL, 0};
    (void)instance, (void)request;
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
    .name = TEXT(TASK_TYPE),
    .version = TEXT("1.0.0"),
    .summary = TEXT("Does nothing"),
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
    .version = TEXT("1.0.0"),
    .license = TEXT("MIT"),
    .get_interface = get_interface,
};

DTO_EXPORT const dto_module* DTO_CALL distributo_module_v1(const dto_entry* entry);
const dto_module* DTO_CALL distributo_module_v1(const dto_entry* entry) {
    (void)entry;
    return &module;
}

#ifdef ALSO_NEXT_MAJOR
DTO_EXPORT const void* DTO_CALL distributo_module_v2(const void* entry);
const void* DTO_CALL distributo_module_v2(const void* entry) {
    return entry;
}
#endif
