// The plugin @NAME@: its task type "@NAME@.run" adds numbers up. It allocates nothing: what it
// needs comes from the call's arena, and the result is written straight into the host's memory.
#include <distributo/abi.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(literal) \
    { literal, sizeof(literal) - 1 }

static const dto_str nothing = {NULL, 0};

// ---- the work -----------------------------------------------------------------------------------

typedef struct statistics {
    size_t count;
    double sum;
    double largest;
} statistics;

static const char* skip_space(const char* at) {
    return at + strspn(at, " \t\r\n");
}

// One JSON number; NULL when there is none. strtod alone takes more than JSON: 0x10, inf, .5, 007.
static const char* read_number(const char* at, double* number) {
    const char* const digits = at + (*at == '-');
    const size_t whole = strspn(digits, "0123456789");
    const char* const rest = digits + whole;
    if (whole == 0 || (whole > 1 && digits[0] == '0') || *rest == 'x' || *rest == 'X' ||
        (*rest == '.' && strspn(rest + 1, "0123456789") == 0)) {
        return NULL;
    }
    char* end = NULL;
    *number = strtod(at, &end);
    return isfinite(*number) ? end : NULL;
}

// Reads {"numbers":[…]}. What is wrong with it, or NULL. Asks `stop` now and then.
static const char* read_payload(const char* at, statistics* out, int (*stop)(void*), void* with) {
    static const char* const form = "expected {\"numbers\":[1,2,…]}";
    static const char key[] = "\"numbers\"";
    at = skip_space(at);
    if (*at != '{' || strncmp(at = skip_space(at + 1), key, sizeof key - 1) != 0 ||
        *(at = skip_space(at + sizeof key - 1)) != ':' || *(at = skip_space(at + 1)) != '[') {
        return form;
    }
    do {
        double number = 0;
        at = read_number(skip_space(at + 1), &number);
        if (at == NULL) {
            return "expected a number in \"numbers\"";
        }
        out->largest = out->count == 0 || number > out->largest ? number : out->largest;
        out->sum += number;
        ++out->count;
        if (out->count % 1024 == 0 && stop(with)) {
            return "cancelled";
        }
        at = skip_space(at);
    } while (*at == ',');
    if (*at != ']' || *(at = skip_space(at + 1)) != '}' || *skip_space(at + 1) != '\0') {
        return form;
    }
    return isfinite(out->sum) ? NULL : "the sum is too large";
}

// ---- the plugin ---------------------------------------------------------------------------------

// The host's table as far as this plugin knows it, zero where the host is older.
static dto_host host;

static dto_status fail(dto_call* call, dto_status status, const char* why) {
    const dto_error error = {
        .struct_size = sizeof error, .code = status, .message = {why, strlen(why)}};
    host.set_error(call, &error);
    return status;
}

static int is_cancelled(void* call) {
    return host.cancelled(call);
}

static dto_status DTO_CALL create(const dto_host* offered, dto_call* call, void** instance) {
    (void)call;
    memcpy(&host, offered, offered->struct_size < sizeof host ? offered->struct_size : sizeof host);
    *instance = NULL;
    return DTO_OK;
}

static dto_status DTO_CALL setup(void* instance, dto_call* call, const dto_setup* request) {
    (void)instance, (void)call, (void)request;
    return DTO_OK;
}

// Runs one task; on several threads at once, so it keeps no state of its own.
static dto_status DTO_CALL execute(void* instance, dto_call* call, const dto_execute* request) {
    enum { longest_result = 128 };
    (void)instance;
    const dto_str payload = request->payload_json;
    char* const text = host.scratch(call, payload.len + 1);
    if (text == NULL) {
        return fail(call, DTO_RETRY, "out of memory");
    }
    memcpy(text, payload.ptr, payload.len);
    text[payload.len] = '\0';

    statistics found = {0, 0, 0};
    const char* const wrong = read_payload(text, &found, is_cancelled, call);
    if (is_cancelled(call)) {
        return DTO_CANCELLED;
    }
    if (wrong != NULL) {
        return fail(call, DTO_PERMANENT, wrong);
    }

    void* result = NULL;
    const dto_status reserved = host.result_reserve(call, longest_result, &result);
    if (reserved != DTO_OK) {
        return reserved;
    }
    const int length = snprintf(result,
                                longest_result,
                                "{\"count\":%zu,\"sum\":%.17g,\"largest\":%.17g}",
                                found.count,
                                found.sum,
                                found.largest);
    return host.result_commit(call, (uint64_t)length, nothing);
}

static void DTO_CALL teardown(void* instance, dto_call* call) {
    (void)instance, (void)call;
}

static void DTO_CALL destroy(void* instance) {
    (void)instance;
}

static const dto_task_type type = {
    .struct_size = sizeof type,
    .flags = DTO_TASK_REENTRANT | DTO_TASK_IDEMPOTENT | DTO_TASK_DETERMINISTIC,
    .name = TEXT("@NAME@.run"),
    .version = TEXT("0.1.0"),
    .summary = TEXT("Count, sum and largest of some numbers"),
    .payload_schema = TEXT("{\"type\":\"object\",\"properties\":{\"numbers\":{\"type\":\"array\","
                           "\"items\":{\"type\":\"number\"},\"minItems\":1}},"
                           "\"required\":[\"numbers\"],\"additionalProperties\":false}"),
    .result_schema = TEXT("{\"type\":\"object\",\"properties\":{\"count\":{\"type\":\"integer\"},"
                          "\"sum\":{\"type\":\"number\"},\"largest\":{\"type\":\"number\"}},"
                          "\"required\":[\"count\",\"sum\",\"largest\"]}"),
};
static const dto_task_type* const types[] = {&type};

static const dto_task_api api = {
    .struct_size = sizeof api,
    .type_count = 1,
    .types = types,
    .create = create,
    .setup = setup,
    .execute = execute,
    .teardown = teardown,
    .destroy = destroy,
};

static const void* DTO_CALL get_interface(const char* id) {
    return strcmp(id, DTO_INTERFACE_TASK) == 0 ? &api : NULL;
}

static const dto_module module = {
    .struct_size = sizeof module,
    .abi_minor = DTO_ABI_MINOR,
    .name = TEXT("@NAME@"),
    .version = TEXT("0.1.0"),
    .get_interface = get_interface,
};

DTO_EXPORT const dto_module* DTO_CALL distributo_module_v1(const dto_entry* entry);
const dto_module* DTO_CALL distributo_module_v1(const dto_entry* entry) {
    (void)entry;
    return &module;
}
