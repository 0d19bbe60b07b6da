#include "runtime/host_table.hpp"

#include "base/version.hpp"
#include "runtime/abi_text.hpp"
#include "runtime/call_guard.hpp"
#include "runtime/services.hpp"

namespace distributo::runtime {
namespace {

std::int32_t DTO_CALL log_enabled(dto_call*, dto_level level) {
    return level >= DTO_INFO ? 1 : 0;
}

void DTO_CALL log(dto_call* call, dto_level level, dto_str text, dto_str fields) {
    guarded(call, 0, [&](Call& owner) {
        owner.log(call, level, view_text(text), view_text(fields));
        return 0;
    });
}

void DTO_CALL set_error(dto_call* call, const dto_error* error) {
    guarded(call, 0, [&](Call& owner) {
        if (error)
            owner.set_error(call, *error);
        return 0;
    });
}

void DTO_CALL progress(dto_call* call, double fraction, dto_str text) {
    guarded(call, 0, [&](Call& owner) {
        owner.progress(call, fraction, view_text(text));
        return 0;
    });
}

std::int32_t DTO_CALL cancelled(dto_call* call) {
    return call ? call->cancelled.load(std::memory_order_relaxed) : 0;
}

dto_status DTO_CALL wait(dto_call* call, std::int64_t ms) {
    return guarded(
        call, dto_status{DTO_CANCELLED}, [&](Call& owner) { return owner.wait(call, ms); });
}

std::intptr_t DTO_CALL cancel_handle(dto_call* call) {
    return guarded(call, std::intptr_t{-1}, [&](Call& owner) { return owner.cancel_handle(call); });
}

std::int64_t DTO_CALL remaining_ms(dto_call* call) {
    return guarded(call, std::int64_t{0}, [&](Call& owner) { return owner.remaining_ms(call); });
}

dto_status DTO_CALL work_dir(dto_call* call, dto_str* path) {
    return guarded(call, dto_status{DTO_RETRY_ELSEWHERE}, [&](Call& owner) {
        return path ? owner.work_dir(call, *path) : dto_status{DTO_PERMANENT};
    });
}

dto_status DTO_CALL result(dto_call* call, dto_bytes data, dto_str media_type) {
    return guarded(call, dto_status{DTO_RETRY}, [&](Call& owner) {
        const std::string_view bytes(static_cast<const char*>(data.ptr), data.len);
        return owner.result(call, bytes, view_text(media_type));
    });
}

dto_status DTO_CALL result_reserve(dto_call* call, std::uint64_t size, void** out) {
    return guarded(call, dto_status{DTO_RETRY}, [&](Call& owner) {
        return out ? owner.reserve(call, size, *out) : dto_status{DTO_PERMANENT};
    });
}

dto_status DTO_CALL result_commit(dto_call* call, std::uint64_t used, dto_str media_type) {
    return guarded(call, dto_status{DTO_RETRY}, [&](Call& owner) {
        return owner.commit(call, used, view_text(media_type));
    });
}

void* DTO_CALL scratch(dto_call* call, std::size_t size) {
    return guarded(
        call, static_cast<void*>(nullptr), [&](Call& owner) { return owner.scratch(call, size); });
}

dto_status DTO_CALL complete(dto_call* call, dto_status status) {
    return guarded(call, dto_status{DTO_UNSUPPORTED}, [&](Call& owner) {
        return owner.complete(call, status);
    });
}

dto_status DTO_CALL notify(dto_call* call, dto_str what) {
    return guarded(call, dto_status{DTO_CANCELLED}, [&](Call& owner) {
        return owner.notify(call, view_text(what));
    });
}

const void* DTO_CALL get_service(const dto_host*, const char* id) {
    return id ? find_service(id) : nullptr;
}

}  // namespace

dto_host make_host_table() {
    dto_host host{};
    host.struct_size = sizeof host;
    host.abi_minor = DTO_ABI_MINOR;
    host.name = abi_text(host_name);
    host.version = abi_text(base::version);
    host.log_enabled = &log_enabled;
    host.log = &log;
    host.set_error = &set_error;
    host.progress = &progress;
    host.cancelled = &cancelled;
    host.wait = &wait;
    host.cancel_handle = &cancel_handle;
    host.remaining_ms = &remaining_ms;
    host.work_dir = &work_dir;
    host.result = &result;
    host.result_reserve = &result_reserve;
    host.result_commit = &result_commit;
    host.scratch = &scratch;
    host.complete = &complete;
    host.notify = &notify;
    host.get_service = &get_service;
    return host;
}

}  // namespace distributo::runtime
