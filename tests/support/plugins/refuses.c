// Declines to be loaded, with a reason.
#include <distributo/abi.h>

DTO_EXPORT const dto_module* DTO_CALL distributo_module_v1(const dto_entry* entry);
const dto_module* DTO_CALL distributo_module_v1(const dto_entry* entry) {
    static const char reason[] = "needs a machine with a lid";
    const dto_str text = {reason, sizeof reason - 1};
    entry->refuse(entry->ctx, text);
    return NULL;
}
