// A plugin whose types are known after setup only. The configuration says how: "two" names
// test.first and test.second; "fails" and "unsound" what they say; "changes" names another type in
// every process, counted in the data folder.
#include <distributo/abi.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT(literal) \
    { literal, sizeof(literal) - 1 }

static dto_host host;
static char how[64];
static char ledger[4200];

static dto_status fail(dto_call* call, const char* why) {
    const dto_str message = {why, strlen(why)};
    const dto_error error = {
        .struct_size = sizeof error, .code = DTO_PERMANENT, .message = message};
    host.set_error(call, &error);
    return DTO_PERMANENT;
}

static dto_status DTO_CALL create(const dto_host* offered, dto_call* call, void** instance) {
    (void)call;
    memcpy(&host, offered, offered->struct_size < sizeof host ? offered->struct_size : sizeof host);
    *instance = NULL;
    return DTO_OK;
}

static dto_status DTO_CALL setup(void* instance, dto_call* call, const dto_setup* request) {
    (void)instance, (void)call;
    snprintf(how, sizeof how, "%.*s", (int)request->config_json.len, request->config_json.ptr);
    snprintf(
        ledger, sizeof ledger, "%.*s/torn_down", (int)request->data_dir.len, request->data_dir.ptr);
    return DTO_OK;
}

static dto_status DTO_CALL execute(void* instance, dto_call* call, const dto_execute* request) {
    static const dto_str json = {NULL, 0};
    char text[80];
    dto_bytes answer = {text, 0};
    (void)instance;
    answer.len = (size_t)snprintf(
        text, sizeof text, "\"%.*s\"", (int)request->task_type.len, request->task_type.ptr);
    return host.result(call, answer, json);
}

// How many processes came here before.
static long visits(void) {
    char path[4300];
    struct stat about;
    snprintf(path, sizeof path, "%s.visits", ledger);
    const int file = open(path, O_CREAT | O_WRONLY | O_APPEND, 0600);
    const long before = file >= 0 && fstat(file, &about) == 0 ? (long)about.st_size : 0;
    if (file < 0 || write(file, "x", 1) != 1) {
        return -1;
    }
    close(file);
    return before;
}

static dto_status DTO_CALL discover(void* instance,
                                    dto_call* call,
                                    const dto_task_type* const** found,
                                    uint32_t* count) {
    static char changing[32];
    static dto_task_type types[2] = {
        {.struct_size = sizeof types[0], .name = TEXT("test.first"), .version = TEXT("1.0.0")},
        {.struct_size = sizeof types[0], .name = TEXT("test.second"), .version = TEXT("1.0.0")}};
    static const dto_task_type* const list[] = {&types[0], &types[1]};
    (void)instance;
    if (strstr(how, "fails")) {
        return fail(call, "the folder is empty");
    }
    if (strstr(how, "unsound")) {
        types[1].version.len = 1;
    }
    if (strstr(how, "changes")) {
        types[1].name.ptr = changing;
        types[1].name.len = (size_t)snprintf(changing, sizeof changing, "test.%ld", visits());
    }
    types[0].flags = DTO_TASK_REENTRANT;
    *found = list;
    *count = 2;
    return DTO_OK;
}

static void DTO_CALL teardown(void* instance, dto_call* call) {
    (void)instance, (void)call;
    const int file = open(ledger, O_CREAT | O_WRONLY, 0600);
    if (file >= 0) {
        close(file);
    }
}

static void DTO_CALL destroy(void* instance) {
    (void)instance;
}

static const dto_task_api api = {
    .struct_size = sizeof api,
    .create = create,
    .setup = setup,
    .execute = execute,
    .teardown = teardown,
    .destroy = destroy,
    .discover = discover,
};

static const void* DTO_CALL get_interface(const char* id) {
    return strcmp(id, DTO_INTERFACE_TASK) == 0 ? &api : NULL;
}

static const dto_module module = {
    .struct_size = sizeof module,
    .abi_minor = DTO_ABI_MINOR,
#if defined(NEEDS_ISOLATION)
    .flags = DTO_MODULE_NEEDS_ISOLATION,
#endif
    .name = TEXT("test.discover"),
    .version = TEXT("1.0.0"),
    .license = TEXT("MIT"),
    .get_interface = get_interface,
};

DTO_EXPORT const dto_module* DTO_CALL distributo_module_v1(const dto_entry* entry);
const dto_module* DTO_CALL distributo_module_v1(const dto_entry* entry) {
    (void)entry;
    return &module;
}
