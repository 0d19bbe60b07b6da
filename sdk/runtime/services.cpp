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

std::string_view view_bytes(dto_bytes bytes) {
    return {static_cast<const char*>(bytes.ptr), bytes.len};
}

dto_status DTO_CALL cache_get(dto_call* call, dto_str key, dto_bytes* value) {
    return guarded(call, dto_status{DTO_END}, [&](Call& owner) {
        return value ? owner.cache_get(call, view_text(key), *value) : dto_status{DTO_PERMANENT};
    });
}

dto_status DTO_CALL cache_put(dto_call* call, dto_str key, dto_bytes value, std::int64_t ttl_ms) {
    return guarded(call, dto_status{DTO_RETRY}, [&](Call& owner) {
        return owner.cache_put(call, view_text(key), view_bytes(value), ttl_ms);
    });
}

constexpr dto_cache cache_table = {
    .struct_size = sizeof(dto_cache), .flags = 0, .get = &cache_get, .put = &cache_put};

// ---- artifacts -------------------------------------------------------------------------------

template <typename Use>
dto_status on_artifacts(dto_call* call, const char* function, const Use& use) noexcept {
    return guarded(call, dto_status{DTO_RETRY}, [&](Call& owner) {
        return owner.with_artifacts(call, function, use);
    });
}

dto_status DTO_CALL fetch(dto_call* call, dto_str name, dto_str* local_path) {
    return on_artifacts(call, "artifacts.fetch", [&](Artifacts& artifacts, std::string& why) {
        std::string path;
        if (!local_path)
            return dto_status{DTO_PERMANENT};
        const auto status = artifacts.fetch(view_text(name), path, why);
        if (status != DTO_OK)
            return status;
        const char* const kept = call->owner->keep(call, path);
        *local_path = {kept, kept ? path.size() : 0};
        return dto_status{kept ? DTO_OK : DTO_RETRY};
    });
}

dto_status DTO_CALL open_read(dto_call* call, dto_str name, dto_stream** out, std::uint64_t* size) {
    return on_artifacts(call, "artifacts.open_read", [&](Artifacts& artifacts, std::string& why) {
        std::uint64_t bytes = 0;
        if (!out)
            return dto_status{DTO_PERMANENT};
        const auto status = artifacts.open_read(view_text(name), *out, bytes, why);
        if (size)
            *size = bytes;
        return status;
    });
}

dto_status DTO_CALL open_write(dto_call* call, dto_str name, dto_str, dto_stream** out) {
    return on_artifacts(call, "artifacts.open_write", [&](Artifacts& artifacts, std::string& why) {
        return out ? artifacts.open_write(view_text(name), *out, why) : dto_status{DTO_PERMANENT};
    });
}

dto_status DTO_CALL publish(dto_call* call, dto_str name, dto_str local_path, dto_str) {
    return on_artifacts(call, "artifacts.publish", [&](Artifacts& artifacts, std::string& why) {
        return artifacts.publish(view_text(name), view_text(local_path), why);
    });
}

/// A stream knows whose it is; like `guarded` for the functions that get no dto_call.
template <typename Use>
dto_status on_stream(dto_stream* stream, const Use& use) noexcept {
    if (!stream || !stream->owner)
        return DTO_CANCELLED;
    try {
        return use(*stream->owner, *stream);
    } catch (const std::exception&) {
        return DTO_RETRY;
    }
}

dto_status DTO_CALL read(dto_stream* stream, void* buffer, std::size_t capacity, std::size_t* got) {
    return on_stream(stream, [&](Artifacts& owner, dto_stream& open) {
        std::size_t count = 0;
        const auto status = owner.read(open, buffer, capacity, count);
        if (got)
            *got = count;
        return status;
    });
}

dto_status DTO_CALL write(dto_stream* stream, dto_bytes bytes) {
    return on_stream(stream, [&](Artifacts& owner, dto_stream& open) {
        return owner.write(open, view_bytes(bytes));
    });
}

dto_status DTO_CALL close(dto_stream* stream, std::int32_t commit, dto_str* digest) {
    return on_stream(stream, [&](Artifacts& owner, dto_stream& open) {
        std::string_view text;
        const auto status = owner.close(open, commit != 0, digest ? &text : nullptr);
        if (digest)
            *digest = {text.data(), text.size()};
        return status;
    });
}

constexpr dto_artifacts artifacts_table = {.struct_size = sizeof(dto_artifacts),
                                           .flags = 0,
                                           .fetch = &fetch,
                                           .open_read = &open_read,
                                           .read = &read,
                                           .open_write = &open_write,
                                           .write = &write,
                                           .close = &close,
                                           .publish = &publish};

}  // namespace

const void* find_service(std::string_view id) noexcept {
    if (id == DTO_SERVICE_EMIT)
        return &emit_table;
    if (id == DTO_SERVICE_CACHE)
        return &cache_table;
    if (id == DTO_SERVICE_ARTIFACTS)
        return &artifacts_table;
    return nullptr;
}

}  // namespace distributo::runtime
