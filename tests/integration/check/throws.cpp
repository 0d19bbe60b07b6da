// A plugin in C++ without the SDK's layer, whose execute lets an exception out.
#include <distributo/abi.h>

#include <cstring>
#include <stdexcept>

namespace {

constexpr dto_str text(const char* literal) {
    return {literal, __builtin_strlen(literal)};
}

dto_task_type make_type() {
    dto_task_type type{};
    type.struct_size = sizeof type;
    type.name = text("faulty.throws");
    type.version = text("1.0.0");
    return type;
}

const dto_task_type type = make_type();
const dto_task_type* const types[] = {&type};

dto_task_api make_api() {
    dto_task_api api{};
    api.struct_size = sizeof api;
    api.type_count = 1;
    api.types = types;
    api.create = [](const dto_host*, dto_call*, void**) -> dto_status { return DTO_OK; };
    api.setup = [](void*, dto_call*, const dto_setup*) -> dto_status { return DTO_OK; };
    api.execute = [](void*, dto_call*, const dto_execute*) -> dto_status {
        throw std::runtime_error("nobody catches me");
    };
    api.teardown = [](void*, dto_call*) {};
    api.destroy = [](void*) {};
    return api;
}

const void* DTO_CALL get_interface(const char* id) {
    static const dto_task_api api = make_api();
    return std::strcmp(id, DTO_INTERFACE_TASK) == 0 ? &api : nullptr;
}

}  // namespace

extern "C" DTO_EXPORT const dto_module* DTO_CALL distributo_module_v1(const dto_entry*);
extern "C" const dto_module* DTO_CALL distributo_module_v1(const dto_entry*) {
    static const dto_module module = [] {
        dto_module made{};
        made.struct_size = sizeof made;
        made.name = text("faulty.throws");
        made.version = text("1.0.0");
        made.get_interface = &get_interface;
        return made;
    }();
    return &module;
}
