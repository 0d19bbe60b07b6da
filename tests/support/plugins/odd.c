// The minimal plugin with one thing odd about its tables: a size, a flag or a pointer that a plugin
// of another age, or a careless one, may have. The build names it: ODDITY is a statement.
#define TASK_TYPE "test.odd"
#define distributo_module_v1 plain_module
#include "minimal.c"
#undef distributo_module_v1

#define REQUIRES(what)                            \
    {                                             \
        static const dto_str needed = TEXT(what); \
        odd_module.required = &needed;            \
        odd_module.required_count = 1;            \
    }

static dto_task_type odd_type;
static dto_task_api odd_api;
static dto_module odd_module;
static const dto_task_type* odd_types[] = {&odd_type};
static const dto_task_api* odd_answer = &odd_api;

static const void* DTO_CALL odd_interface(const char* id) {
    return strcmp(id, DTO_INTERFACE_TASK) == 0 ? odd_answer : NULL;
}

DTO_EXPORT const dto_module* DTO_CALL distributo_module_v1(const dto_entry* entry);
const dto_module* DTO_CALL distributo_module_v1(const dto_entry* entry) {
    odd_type = type;
    odd_api = api;
    odd_api.types = odd_types;
    odd_module = *plain_module(entry);
    odd_module.get_interface = odd_interface;
    ODDITY;
    return &odd_module;
}
