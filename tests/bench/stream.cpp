// A generator and a sink that do nothing but what the contract asks for, to measure what is around
// them. bench_source: {"tasks":N} gives N tasks of type test.noop with payloads of 100 bytes, then
// it has nothing more for now. bench_null: takes everything and keeps nothing.
#include <distributo/abi.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

dto_str text(const std::string& from) {
    return {from.data(), from.size()};
}

template <std::size_t size>
constexpr dto_str literal(const char (&from)[size]) {
    return {from, size - 1};
}

struct Source {
    std::uint64_t next = 0;
    std::uint64_t tasks = 0;
};

dto_status DTO_CALL
open_source(const dto_host*, dto_call*, dto_str config, dto_bytes token, void** out) {
    const std::string given(config.ptr, config.len);
    const auto colon = given.find(':');
    auto* const source = new Source;
    if (colon != std::string::npos)
        source->tasks = std::strtoull(given.c_str() + colon + 1, nullptr, 10);
    if (token.len == sizeof source->next)
        std::memcpy(&source->next, token.ptr, sizeof source->next);
    *out = source;
    return DTO_OK;
}

dto_status DTO_CALL next_batch(void* self,
                               dto_call* call,
                               const dto_feed* feed,
                               std::uint32_t max) {
    auto& source = *static_cast<Source*>(self);
    if (source.next == source.tasks)
        return DTO_IDLE;
    std::string payload;
    for (std::uint32_t i = 0; i < max && source.next < source.tasks; ++i) {
        payload = R"({"number":)" + std::to_string(source.next) + R"(,"path":"/data/in/)";
        constexpr std::size_t size = 100;
        payload.append(size - payload.size() - 2, 'x').append("\"}");
        dto_task_spec spec{};
        spec.struct_size = sizeof spec;
        spec.type = literal("test.noop");
        spec.payload_json = text(payload);
        if (feed->emit(call, &spec) != DTO_OK)
            break;
        ++source.next;
    }
    return feed->checkpoint(call, {&source.next, sizeof source.next});
}

void DTO_CALL close_source(void* self, dto_call*) {
    delete static_cast<Source*>(self);
}

dto_status DTO_CALL
open_null(const dto_host*, dto_call*, dto_str, std::uint64_t* last, void** out) {
    *last = 0;
    *out = nullptr;
    return DTO_OK;
}

dto_status DTO_CALL write_null(
    void*, dto_call*, const dto_result_view* const*, std::uint32_t count, std::uint32_t* durable) {
    *durable = count;
    return DTO_OK;
}

dto_status DTO_CALL flush_null(void*, dto_call*) {
    return DTO_OK;
}

void DTO_CALL close_null(void*, dto_call*) {}

constexpr dto_generator_api source_api{.struct_size = sizeof(dto_generator_api),
                                       .flags = 0,
                                       .name = literal("bench_source"),
                                       .version = literal("1.0.0"),
                                       .config_schema = {},
                                       .open = &open_source,
                                       .next_batch = &next_batch,
                                       .on_result = nullptr,
                                       .close = &close_source};

constexpr dto_sink_api null_api{.struct_size = sizeof(dto_sink_api),
                                .flags = 0,
                                .name = literal("bench_null"),
                                .version = literal("1.0.0"),
                                .config_schema = {},
                                .open = &open_null,
                                .write = &write_null,
                                .flush = &flush_null,
                                .close = &close_null};

const void* DTO_CALL get_interface(const char* id) {
    if (std::strcmp(id, DTO_INTERFACE_GENERATOR) == 0)
        return &source_api;
    return std::strcmp(id, DTO_INTERFACE_SINK) == 0 ? &null_api : nullptr;
}

constexpr dto_module module{.struct_size = sizeof(dto_module),
                            .abi_minor = DTO_ABI_MINOR,
                            .flags = 0,
                            .required_count = 0,
                            .name = literal("bench.stream"),
                            .version = literal("1.0.0"),
                            .vendor = {},
                            .license = {},
                            .homepage = {},
                            .required = nullptr,
                            .get_interface = &get_interface};

}  // namespace

extern "C" DTO_EXPORT const dto_module* DTO_CALL distributo_module_v1(const dto_entry*);
extern "C" const dto_module* DTO_CALL distributo_module_v1(const dto_entry*) {
    return &module;
}
