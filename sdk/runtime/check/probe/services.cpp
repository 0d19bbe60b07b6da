#include "runtime/check/probe/services.hpp"

#include "base/digest.hpp"
#include "runtime/abi_text.hpp"
#include "runtime/check/probe/entered.hpp"
#include "wire/json.hpp"

#include <cstring>
#include <filesystem>
#include <fstream>

/// An artifact that is open. Ends with its call, but is never freed, so that a late use is noticed.
struct dto_stream {
    dto_call* call = nullptr;
    std::fstream file;
    std::filesystem::path path;
};

namespace distributo::runtime::check {
namespace {

namespace fs = std::filesystem;

dto_status DTO_CALL get(dto_call* call, dto_str, dto_bytes* value) {
    return status_of(call, "cache.get", HostFunction::cache_get, DTO_RETRY, [&](ProbeCall&) {
        if (value)
            *value = {nullptr, 0};
        return DTO_END;
    });
}

dto_status DTO_CALL put(dto_call* call, dto_str, dto_bytes, std::int64_t) {
    return status_of(
        call, "cache.put", HostFunction::cache_put, DTO_RETRY, [](ProbeCall&) { return DTO_OK; });
}

dto_status DTO_CALL emit(dto_call* call, const dto_task_spec* spec) {
    return status_of(call, "emit.task", HostFunction::emit_task, DTO_RETRY, [&](ProbeCall&) {
        const bool fine = spec && spec->type.len != 0 &&
                          (spec->payload_json.len == 0 ||
                           wire::json::parse(view_text(spec->payload_json)).has_value());
        return fine ? DTO_OK : DTO_PERMANENT;
    });
}

/// Where an artifact of this name is kept for the rest of the call.
fs::path artifact(ProbeCall& call, dto_str name) {
    const std::lock_guard lock(call.mutex);
    if (call.work_dir.empty())
        call.work_dir = call.host->new_folder().string();
    const fs::path folder = fs::path(call.work_dir + ".artifacts");
    fs::create_directories(folder);
    return folder / base::sha256(view_text(name));
}

/// Text that lives until the call ends.
dto_str keep(ProbeCall& call, const std::string& text) {
    const std::lock_guard lock(call.mutex);
    return abi_text(call.texts.emplace_back(text));
}

dto_status DTO_CALL fetch(dto_call* call, dto_str name, dto_str* path) {
    return status_of(
        call, "artifacts.fetch", HostFunction::artifacts_fetch, DTO_RETRY, [&](ProbeCall& of) {
            const fs::path file = artifact(of, name);
            if (!path || !fs::exists(file))
                return DTO_PERMANENT;
            *path = keep(of, file.string());
            return DTO_OK;
        });
}

dto_status open(ProbeCall& call, dto_str name, std::ios::openmode mode, dto_stream** stream) {
    auto opened = std::make_unique<dto_stream>();
    opened->call = call.abi();
    opened->path = artifact(call, name);
    opened->file.open(opened->path, mode | std::ios::binary);
    if (!stream || !opened->file)
        return DTO_PERMANENT;
    *stream = opened.release();
    return DTO_OK;
}

dto_status DTO_CALL open_read(dto_call* call, dto_str name, dto_stream** out, std::uint64_t* size) {
    return status_of(call,
                     "artifacts.open_read",
                     HostFunction::artifacts_open_read,
                     DTO_RETRY,
                     [&](ProbeCall& of) {
                         const dto_status status = open(of, name, std::ios::in, out);
                         if (status == DTO_OK && size)
                             *size = fs::file_size((*out)->path);
                         return status;
                     });
}

dto_status DTO_CALL read(dto_stream* stream, void* buffer, std::size_t cap, std::size_t* got) {
    return status_of(stream ? stream->call : nullptr,
                     "artifacts.read",
                     HostFunction::artifacts_read,
                     DTO_RETRY,
                     [&](ProbeCall&) {
                         stream->file.read(static_cast<char*>(buffer),
                                           static_cast<std::streamsize>(cap));
                         *got = static_cast<std::size_t>(stream->file.gcount());
                         return *got == 0 && cap != 0 ? DTO_END : DTO_OK;
                     });
}

dto_status DTO_CALL open_write(dto_call* call, dto_str name, dto_str, dto_stream** stream) {
    return status_of(
        call,
        "artifacts.open_write",
        HostFunction::artifacts_open_write,
        DTO_RETRY,
        [&](ProbeCall& of) { return open(of, name, std::ios::out | std::ios::trunc, stream); });
}

dto_status DTO_CALL write(dto_stream* stream, dto_bytes data) {
    return status_of(stream ? stream->call : nullptr,
                     "artifacts.write",
                     HostFunction::artifacts_write,
                     DTO_RETRY,
                     [&](ProbeCall&) {
                         stream->file.write(static_cast<const char*>(data.ptr),
                                            static_cast<std::streamsize>(data.len));
                         return stream->file ? DTO_OK : DTO_RETRY_ELSEWHERE;
                     });
}

dto_status DTO_CALL close(dto_stream* stream, std::int32_t commit, dto_str* digest) {
    return status_of(stream ? stream->call : nullptr,
                     "artifacts.close",
                     HostFunction::artifacts_close,
                     DTO_RETRY,
                     [&](ProbeCall& of) {
                         stream->file.close();
                         const auto sum = base::sha256_file(stream->path);
                         if (digest && sum)
                             *digest = keep(of, *sum);
                         if (commit == 0)
                             fs::remove(stream->path);
                         return DTO_OK;
                     });
}

dto_status DTO_CALL publish(dto_call* call, dto_str name, dto_str path, dto_str) {
    return status_of(
        call, "artifacts.publish", HostFunction::artifacts_publish, DTO_RETRY, [&](ProbeCall& of) {
            std::error_code error;
            fs::copy_file(
                copy_text(path), artifact(of, name), fs::copy_options::overwrite_existing, error);
            return error ? DTO_PERMANENT : DTO_OK;
        });
}

}  // namespace

const void* find_service(const char* id) {
    static constexpr dto_cache cache{sizeof(dto_cache), 0, &get, &put};
    static constexpr dto_emit emitter{sizeof(dto_emit), 0, &emit};
    static constexpr dto_artifacts artifacts{
        sizeof(dto_artifacts), 0, &fetch, &open_read, &read, &open_write, &write, &close, &publish};
    if (std::strcmp(id, DTO_SERVICE_CACHE) == 0)
        return &cache;
    if (std::strcmp(id, DTO_SERVICE_EMIT) == 0)
        return &emitter;
    if (std::strcmp(id, DTO_SERVICE_ARTIFACTS) == 0)
        return &artifacts;
    return nullptr;
}

}  // namespace distributo::runtime::check
