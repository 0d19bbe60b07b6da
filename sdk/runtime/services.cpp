#include "runtime/services.hpp"

#include "runtime/abi_text.hpp"
#include "runtime/call.hpp"
#include "runtime/call_guard.hpp"

#include <distributo/abi.h>

namespace distributo::runtime {
namespace {

dto_status DTO_CALL emit_task(dto_call* call, const dto_task_spec* spec) {
    return guarded(call, dto_status{DTO_RETRY}, [&](Call& owner) {
        return spec ? owner.emit(call, *spec) : dto_status{DTO_PERMANENT};
    });
}

constexpr dto_emit emit_table = {.struct_size = sizeof(dto_emit), .flags = 0, .task = &emit_task};

}  // namespace

const void* find_service(std::string_view id) noexcept {
    if (id == DTO_SERVICE_EMIT)
        return &emit_table;
    return nullptr;
}

}  // namespace distributo::runtime
