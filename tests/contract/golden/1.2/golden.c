// The plugin of version 1.0, compiled with this version's header, and what came since 1.1: types
// that it names after setup.
#include <distributo/abi.h>

#pragma push_macro("DTO_EXPORT")
#undef DTO_EXPORT
#define DTO_EXPORT
#define distributo_module_v1 module_of_1_0
#include "../1.0/golden.c"
#undef distributo_module_v1
#pragma pop_macro("DTO_EXPORT")

static int is_set_up;

static dto_status DTO_CALL setup_newer(void* instance, dto_call* call, const dto_setup* request) {
    const dto_status status = setup(instance, call, request);
    is_set_up = status == DTO_OK;
    return status;
}

// One type whose name is in the library, and one whose name is made here.
static dto_status DTO_CALL discover(void* instance,
                                    dto_call* call,
                                    const dto_task_type* const** found,
                                    uint32_t* count) {
    static const dto_task_type plain = TYPE("found", 0);
    static char name[64];
    static dto_task_type made;
    static const dto_task_type* const both[] = {&plain, &made};
    if (instance != &host || !is_set_up) {
        return fail(call, DTO_PERMANENT, "discover came at another time than was promised");
    }
    made = plain;
    made.name.ptr = name;
    made.name.len = (size_t)snprintf(name, sizeof name, "golden.c.%s.made", GOLDEN);
    *found = both;
    *count = 2;
    return DTO_OK;
}

// What was found answers its own name.
static dto_status DTO_CALL execute_newer(void* instance,
                                         dto_call* call,
                                         const dto_execute* request) {
    static const dto_str json = {NULL, 0};
    char text[80];
    dto_bytes answer = {text, 0};
    if (!ends_with(request->task_type, ".found") && !ends_with(request->task_type, ".made")) {
        return execute(instance, call, request);
    }
    answer.len = (size_t)snprintf(
        text, sizeof text, "\"%.*s\"", (int)request->task_type.len, request->task_type.ptr);
    return host.result(call, answer, json);
}

static dto_task_api newer_api;
static dto_module newer_module;

static const void* DTO_CALL newer_interface(const char* id) {
    return strcmp(id, DTO_INTERFACE_TASK) == 0 ? &newer_api : NULL;
}

DTO_EXPORT const dto_module* DTO_CALL distributo_module_v1(const dto_entry* entry);
const dto_module* DTO_CALL distributo_module_v1(const dto_entry* entry) {
    const dto_module* const older = module_of_1_0(entry);
    if (older == NULL) {
        return NULL;
    }
    newer_api = api;
    newer_api.setup = setup_newer;
    newer_api.execute = execute_newer;
    newer_api.discover = discover;
    newer_module = *older;
    newer_module.get_interface = newer_interface;
    return &newer_module;
}
