// The minimal plugin as a later minor version of abi.h would compile it: every table has members
// at its end that today's host does not know, and flags that it may ignore. It must simply work.
#define PLUGIN_NAME "test.future"
#define TASK_TYPE "test.future"
#define distributo_module_v1 module_of_today
#include "minimal.c"
#undef distributo_module_v1

#define MAY_BE_IGNORED (1u << 15)

static struct {
    dto_task_type known;
    void* later[2];
} future_type;
static struct {
    dto_task_api known;
    void* later[2];
} future_api;
static struct {
    dto_module known;
    void* later[2];
} future_module;
static const dto_task_type* const future_types[] = {&future_type.known};

static const void* DTO_CALL future_interface(const char* id) {
    return strcmp(id, DTO_INTERFACE_TASK) == 0 ? &future_api : NULL;
}

DTO_EXPORT const dto_module* DTO_CALL distributo_module_v1(const dto_entry* entry);
const dto_module* DTO_CALL distributo_module_v1(const dto_entry* entry) {
    future_type.known = type;
    future_type.known.struct_size = sizeof future_type;
    future_type.known.flags |= MAY_BE_IGNORED;
    memset(future_type.later, 0x5A, sizeof future_type.later);
    future_api.known = api;
    future_api.known.struct_size = sizeof future_api;
    future_api.known.types = future_types;
    memset(future_api.later, 0x5A, sizeof future_api.later);
    future_module.known = *module_of_today(entry);
    future_module.known.struct_size = sizeof future_module;
    future_module.known.abi_minor = DTO_ABI_MINOR + 1;
    future_module.known.flags |= MAY_BE_IGNORED;
    future_module.known.get_interface = future_interface;
    memset(future_module.later, 0x5A, sizeof future_module.later);
    return &future_module.known;
}
