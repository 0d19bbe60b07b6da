// Libraries that cannot become plugins. The build defines one of the macros.
#include <distributo/abi.h>

#include <stdlib.h>

#if defined(NEEDS_SYMBOL) || defined(NEEDS_LIBRARY)
int not_there(void);
#endif

// A library of another major version must be refused without running any of its code.
#if defined(CRASHES_AT_LOAD) || defined(NEXT_MAJOR)
__attribute__((constructor)) static void crash_at_load(void) {
    abort();
}
#endif

#ifdef MUST_UNDERSTAND
// A flag of a later version that a host of this one must not ignore.
static const void* DTO_CALL get_interface(const char* id) {
    (void)id;
    return NULL;
}
static const dto_module module = {
    .struct_size = sizeof module,
    .flags = 1u << 30,
    .name = {"test.future", 11},
    .version = {"1.0.0", 5},
    .get_interface = get_interface,
};
#endif

#if defined(NO_ENTRY)
DTO_EXPORT int something_else(void);
int something_else(void) {
    return 0;
}
#elif defined(NEXT_MAJOR)
DTO_EXPORT const void* DTO_CALL distributo_module_v2(const void* entry);
const void* DTO_CALL distributo_module_v2(const void* entry) {
    return entry;
}
#else
DTO_EXPORT const dto_module* DTO_CALL distributo_module_v1(const dto_entry* entry);
const dto_module* DTO_CALL distributo_module_v1(const dto_entry* entry) {
    (void)entry;
#ifdef NEEDS_SYMBOL
    if (not_there() != 0) {
        return NULL;
    }
#endif
#ifdef MUST_UNDERSTAND
    return &module;
#else
    return NULL;
#endif
}
#endif

#ifdef NEEDS_LIBRARY
DTO_EXPORT int needs_library(void);
int needs_library(void) {
    return not_there();
}
#endif
