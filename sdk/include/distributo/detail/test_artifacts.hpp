#pragma once

#include <distributo/detail/test_call.hpp>
#include <distributo/detail/test_sha256.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

/// The artifact service of the test host: names to contents, shared by all calls of a plugin.
namespace distributo::testing::detail {

/// DTO_OK when a call may use artifacts and the name is one.
inline dto_status check_artifact(const TestCall& call, dto_str name) {
    if (call.settings().stores == nullptr) {
        return DTO_UNSUPPORTED;
    }
    const std::filesystem::path path(distributo::detail::from_abi(name));
    const bool good = !path.empty() && path.is_relative() &&
                      std::find(path.begin(), path.end(), "..") == path.end();
    return good ? DTO_OK : DTO_PERMANENT;
}

/// The artifact, or the status that says why not.
inline std::pair<dto_status, Artifact> find_artifact(const TestCall& call, dto_str name) {
    if (const dto_status status = check_artifact(call, name); status != DTO_OK) {
        return {status, {}};
    }
    auto found = call.settings().stores->artifacts.get(distributo::detail::from_abi(name));
    return found ? std::pair(dto_status{DTO_OK}, std::move(*found))
                 : std::pair(dto_status{DTO_PERMANENT}, Artifact{});
}

inline TestStream& stream_of(dto_stream* stream) {
    return *reinterpret_cast<TestStream*>(stream);
}

inline dto_stream* open_stream(TestCall& call, dto_str name, Artifact artifact, bool writing) {
    TestStream stream;
    stream.call = &call;
    stream.name = distributo::detail::from_abi(name);
    stream.artifact = std::move(artifact);
    stream.writing = writing;
    return reinterpret_cast<dto_stream*>(&call.add_stream(std::move(stream)));
}

inline std::string media_type_of(dto_str text) {
    return text.len == 0 ? Artifact().media_type : std::string(distributo::detail::from_abi(text));
}

inline dto_status DTO_CALL artifact_fetch(dto_call* call, dto_str name, dto_str* path) {
    const auto [status, artifact] = find_artifact(TestCall::of(call), name);
    if (status == DTO_OK) {
        *path = TestCall::of(call).keep_file(artifact.data);
    }
    return status;
}

inline dto_status DTO_CALL artifact_open_read(dto_call* call,
                                              dto_str name,
                                              dto_stream** stream,
                                              std::uint64_t* size) {
    auto [status, artifact] = find_artifact(TestCall::of(call), name);
    if (status == DTO_OK) {
        *size = artifact.data.size();
        *stream = open_stream(TestCall::of(call), name, std::move(artifact), false);
    }
    return status;
}

inline dto_status DTO_CALL artifact_read(dto_stream* stream,
                                         void* buffer,
                                         std::size_t capacity,
                                         std::size_t* got) {
    TestStream& self = stream_of(stream);
    *got = 0;
    if (!self.open || self.writing) {
        return self.open ? DTO_PERMANENT : DTO_CANCELLED;
    }
    *got = self.artifact.data.copy(static_cast<char*>(buffer), capacity, self.at);
    self.at += *got;
    return *got == 0 && capacity != 0 ? DTO_END : DTO_OK;
}

inline dto_status DTO_CALL artifact_open_write(dto_call* call,
                                               dto_str name,
                                               dto_str media_type,
                                               dto_stream** stream) {
    const dto_status status = check_artifact(TestCall::of(call), name);
    if (status == DTO_OK) {
        *stream = open_stream(TestCall::of(call), name, {{}, media_type_of(media_type)}, true);
    }
    return status;
}

inline dto_status DTO_CALL artifact_write(dto_stream* stream, dto_bytes bytes) {
    TestStream& self = stream_of(stream);
    if (!self.open || !self.writing) {
        return self.open ? DTO_PERMANENT : DTO_CANCELLED;
    }
    self.artifact.data.append(static_cast<const char*>(bytes.ptr), bytes.len);
    return DTO_OK;
}

inline dto_status DTO_CALL artifact_close(dto_stream* stream,
                                          std::int32_t commit,
                                          dto_str* digest) {
    TestStream& self = stream_of(stream);
    if (!std::exchange(self.open, false)) {
        return DTO_CANCELLED;
    }
    if (self.writing && commit != 0) {
        if (digest != nullptr) {
            *digest = self.call->keep(Sha256::hex(self.artifact.data));
        }
        self.call->settings().stores->artifacts.put(self.name, std::move(self.artifact));
    }
    return DTO_OK;
}

inline dto_status DTO_CALL artifact_publish(dto_call* call,
                                            dto_str name,
                                            dto_str local_path,
                                            dto_str media_type) {
    const TestCall& self = TestCall::of(call);
    if (const dto_status status = check_artifact(self, name); status != DTO_OK) {
        return status;
    }
    std::ifstream file(std::string(distributo::detail::from_abi(local_path)), std::ios::binary);
    if (!file) {
        return DTO_PERMANENT;
    }
    std::string data((std::istreambuf_iterator<char>(file)), {});
    self.settings().stores->artifacts.put(distributo::detail::from_abi(name),
                                          {std::move(data), media_type_of(media_type)});
    return DTO_OK;
}

inline constexpr dto_artifacts test_artifacts = {sizeof(dto_artifacts),
                                                 0,
                                                 &artifact_fetch,
                                                 &artifact_open_read,
                                                 &artifact_read,
                                                 &artifact_open_write,
                                                 &artifact_write,
                                                 &artifact_close,
                                                 &artifact_publish};

}  // namespace distributo::testing::detail
