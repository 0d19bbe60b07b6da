// The plugin of version 1.0, compiled with this version's header, and what came since: batches. It
// also ends tasks from a thread of its own, and uses every service that the host has.
#include <distributo/abi.h>

#pragma push_macro("DTO_EXPORT")
#undef DTO_EXPORT
#define DTO_EXPORT
#define distributo_module_v1 module_of_1_0
#include "../1.0/golden.c"
#undef distributo_module_v1
#pragma pop_macro("DTO_EXPORT")

#include <pthread.h>

static const dto_host* offered_host;  // get_service wants the table itself

static dto_status DTO_CALL create_newer(const dto_host* offered, dto_call* call, void** instance) {
    offered_host = offered;
    return create(offered, call, instance);
}

static dto_status answer(dto_call* call, const char* text) {
    static const dto_str json = {NULL, 0};
    const dto_bytes data = {text, strlen(text)};
    return host.result(call, data, json);
}

static int has(const dto_execute* request, const char* word) {
    const size_t length = strlen(word);
    for (size_t at = 0; at + length <= request->payload_json.len; ++at) {
        if (memcmp(request->payload_json.ptr + at, word, length) == 0) {
            return 1;
        }
    }
    return 0;
}

// A task of a batch answers how many it came with; one with "bad" in it fails alone.
static dto_status one_of(dto_call* call, const dto_execute* request, uint32_t count) {
    char text[16];
    if (has(request, "bad")) {
        return fail(call, DTO_PERMANENT, "a bad one");
    }
    snprintf(text, sizeof text, "%u", count);
    return answer(call, text);
}

static dto_status DTO_CALL execute_batch(void* instance,
                                         dto_call* const* calls,
                                         const dto_execute* const* tasks,
                                         uint32_t count,
                                         dto_status* statuses) {
    (void)instance;
    for (uint32_t i = 0; i < count; ++i) {
        statuses[i] = one_of(calls[i], tasks[i], count);
    }
    return DTO_OK;
}

static void* end_later(void* opaque) {
    dto_call* const call = opaque;
    answer(call, "\"later\"");
    host.complete(call, DTO_OK);
    return NULL;
}

static dto_status later(dto_call* call) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, end_later, call) != 0) {
        return fail(call, DTO_RETRY, "no thread");
    }
    pthread_detach(thread);
    return DTO_PENDING;
}

static int is(dto_bytes bytes, const char* text) {
    return bytes.len == strlen(text) && memcmp(bytes.ptr, text, bytes.len) == 0;
}

static const char* try_cache(dto_call* call) {
    static const dto_str key = TEXT("golden.c." GOLDEN);
    const dto_bytes value = {"remembered", 10};
    dto_bytes got = {NULL, 0};
    const dto_cache* cache = host.get_service(offered_host, DTO_SERVICE_CACHE);
    if (cache == NULL) {
        return "absent";
    }
    if (cache->put(call, key, value, 60000) != DTO_OK) {
        return "put failed";
    }
    switch (cache->get(call, key, &got)) {
        case DTO_OK:
            return is(got, "remembered") ? "works" : "wrong";
        case DTO_END:
            return "works";  // it may forget
        default:
            return "get failed";
    }
}

static const char* try_emit(dto_call* call) {
    dto_task_spec spec = {.struct_size = sizeof spec, .type = NAME("echo")};
    const dto_str payload = TEXT("{\"emitted\":true}");
    const dto_str key = TEXT("golden-c-" GOLDEN);
    const dto_emit* emit = host.get_service(offered_host, DTO_SERVICE_EMIT);
    if (emit == NULL) {
        return "absent";
    }
    spec.payload_json = payload;
    spec.dedupe_key = key;
    return emit->task(call, &spec) == DTO_OK ? "works" : "failed";
}

static const char* try_artifacts(dto_call* call) {
    static const dto_str name = TEXT("golden.bin");
    static const dto_str media_type = {NULL, 0};
    const dto_bytes content = {"0123456789", 10};
    char buffer[16];
    dto_bytes got = {buffer, 0};
    dto_stream* stream = NULL;
    dto_str digest = {NULL, 0};
    dto_str path = {NULL, 0};
    uint64_t size = 0;
    const dto_artifacts* files = host.get_service(offered_host, DTO_SERVICE_ARTIFACTS);
    if (files == NULL) {
        return "absent";
    }
    if (files->open_write(call, name, media_type, &stream) != DTO_OK ||
        files->write(stream, content) != DTO_OK || files->close(stream, 1, &digest) != DTO_OK ||
        digest.len != 64) {
        return "cannot write";
    }
    if (files->open_read(call, name, &stream, &size) != DTO_OK || size != 10 ||
        files->read(stream, buffer, sizeof buffer, &got.len) != DTO_OK || !is(got, "0123456789") ||
        files->close(stream, 0, NULL) != DTO_OK) {
        return "cannot read";
    }
    return files->fetch(call, name, &path) == DTO_OK && path.len != 0 ? "works" : "cannot fetch";
}

static dto_status services(dto_call* call) {
    char text[200];
    snprintf(text,
             sizeof text,
             "{\"cache\":\"%s\",\"emit\":\"%s\",\"artifacts\":\"%s\"}",
             try_cache(call),
             try_emit(call),
             try_artifacts(call));
    return answer(call, text);
}

static dto_status DTO_CALL execute_newer(void* instance,
                                         dto_call* call,
                                         const dto_execute* request) {
    if (ends_with(request->task_type, ".batch")) {
        return one_of(call, request, 1);
    }
    if (ends_with(request->task_type, ".later")) {
        return later(call);
    }
    if (ends_with(request->task_type, ".services")) {
        return services(call);
    }
    return execute(instance, call, request);
}

// Content: the host is healthy.
static dto_status DTO_CALL probe(void* instance, dto_call* call) {
    (void)instance;
    return answer(call, "{\"healthy\":true,\"attributes\":{\"golden\":\"" GOLDEN "\"}}");
}

static dto_status DTO_CALL verify(void* instance, dto_call* call, const dto_install* request) {
    char path[4096];
    FILE* file = NULL;
    (void)instance;
    snprintf(
        path, sizeof path, "%.*s/spec", (int)request->staging_dir.len, request->staging_dir.ptr);
    file = fopen(path, "r");
    if (file == NULL) {
        return fail(call, DTO_RETRY, "the installed file is gone");
    }
    fclose(file);
    return DTO_OK;
}

static dto_task_type batch_type = TYPE("batch", 0);
static const dto_task_type later_type = TYPE("later", DTO_TASK_ASYNC);
static const dto_task_type services_type = TYPE("services", 0);
static const dto_task_type* newer_types[16];
static dto_task_api newer_api;
static dto_module newer_module;

static const void* DTO_CALL newer_interface(const char* id) {
    return strcmp(id, DTO_INTERFACE_TASK) == 0 ? &newer_api : NULL;
}

DTO_EXPORT const dto_module* DTO_CALL distributo_module_v1(const dto_entry* entry);
const dto_module* DTO_CALL distributo_module_v1(const dto_entry* entry) {
    const dto_module* const older = module_of_1_0(entry);
    if (older == NULL) {
        return NULL;
    }
    batch_type.max_batch = 5;
    memcpy(newer_types, types, sizeof types);
    newer_types[api.type_count] = &batch_type;
    newer_types[api.type_count + 1] = &later_type;
    newer_types[api.type_count + 2] = &services_type;
    newer_api = api;
    newer_api.types = newer_types;
    newer_api.type_count = api.type_count + 3;
    newer_api.create = create_newer;
    newer_api.execute = execute_newer;
    newer_api.execute_batch = execute_batch;
    newer_api.probe = probe;
    newer_api.verify = verify;
    newer_module = *older;
    newer_module.get_interface = newer_interface;
    return &newer_module;
}
