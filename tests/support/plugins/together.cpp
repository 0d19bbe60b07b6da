// Task types for what needs more than a function: tasks that come in batches, and tasks that are
// completed later. Written against abi.h, so that it tests the host and not the C++ layer.
//     test.batch  answers how many came together; a payload with "bad" fails, "wait" waits for its
//                 cancellation, "until:FILE" for a file, "crash" ends the process
//     test.later  stays pending; "early" and "twice" are completed before execute returns, "crash"
//                 ends the process, all others wait for test.release or their cancellation
//     test.release  completes everything that waits, from four threads; answers how many
//     test.health  makes the probe answer that this host is not able, for the reason that it is
//                  given; an empty one: that it is
#include <distributo/abi.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

dto_host host;
std::mutex mutex;
std::vector<dto_call*> held;
std::string sick_file;  // exists when the probe is to fail; it holds the reason

dto_str text(std::string_view view) {
    return {view.data(), view.size()};
}

void answer(dto_call* call, const std::string& json) {
    host.result(call, {json.data(), json.size()}, {});
}

dto_status fail(dto_call* call, std::string_view why) {
    dto_error error{};
    error.struct_size = sizeof error;
    error.message = text(why);
    host.set_error(call, &error);
    return DTO_PERMANENT;
}

bool has(const dto_execute& task, std::string_view word) {
    return std::string_view(task.payload_json.ptr, task.payload_json.len).find(word) !=
           std::string_view::npos;
}

std::string file_of(const dto_execute& task) {
    const std::string_view all(task.payload_json.ptr, task.payload_json.len);
    const auto first = all.find("until:") + 6;
    return std::string(all.substr(first, all.find('"', first) - first));
}

dto_status DTO_CALL create(const dto_host* offered, dto_call*, void** instance) {
    std::memcpy(&host, offered, std::min<std::size_t>(offered->struct_size, sizeof host));
    *instance = nullptr;
    return DTO_OK;
}

dto_status DTO_CALL setup(void*, dto_call*, const dto_setup* request) {
    sick_file = std::string(request->data_dir.ptr, request->data_dir.len) + "/sick";
    return DTO_OK;
}

dto_status DTO_CALL probe(void*, dto_call* call) {
    std::ifstream in(sick_file);
    const std::string reason(std::istreambuf_iterator<char>(in), {});
    answer(call,
           reason.empty()
               ? R"({"healthy":true,"attributes":{"camera":"front"}})"
               : R"({"healthy":false,"reason":)" + reason + R"(,"attributes":{"camera":"none"}})");
    return DTO_OK;
}

/// The payload is a JSON string, the reason.
dto_status health(dto_call* call, const dto_execute& task) {
    std::filesystem::remove(sick_file);
    if (task.payload_json.len > 2)
        std::ofstream(sick_file) << std::string_view(task.payload_json.ptr, task.payload_json.len);
    return host.notify(call, text("capabilities"));
}

dto_status run_one(dto_call* call, const dto_execute& task, std::uint32_t together) {
    if (has(task, "crash"))
        std::abort();
    if (has(task, "bad"))
        return fail(call, "a bad one");
    if (has(task, "wait")) {
        host.log(call, DTO_INFO, text("waiting"), {});
        return host.wait(call, 3'600'000);
    }
    if (has(task, "until:")) {
        host.log(call, DTO_INFO, text("waiting"), {});
        while (access(file_of(task).c_str(), F_OK) != 0)
            if (const auto status = host.wait(call, 10); status != DTO_OK)
                return status;
    }
    answer(call, std::to_string(together));
    return DTO_OK;
}

dto_status later(dto_call* call, const dto_execute& task) {
    if (has(task, "crash"))
        std::abort();
    answer(call, "\"done\"");
    if (has(task, "early") || has(task, "twice")) {
        host.complete(call, DTO_OK);
        if (has(task, "twice") && host.complete(call, DTO_PERMANENT) != DTO_UNSUPPORTED)
            std::abort();
        return DTO_PENDING;
    }
    // A cancel that comes as soon as it has told must find the call.
    const std::lock_guard lock(mutex);
    held.push_back(call);
    if (has(task, "tell"))
        host.log(call, DTO_INFO, text("pending"), {});
    return DTO_PENDING;
}

dto_status release(dto_call* call) {
    std::vector<dto_call*> taken;
    {
        const std::lock_guard lock(mutex);
        taken.swap(held);
    }
    constexpr std::size_t threads = 4;
    std::vector<std::thread> completers;
    for (std::size_t first = 0; first < threads; ++first)
        completers.emplace_back([&, first] {
            for (std::size_t i = first; i < taken.size(); i += threads)
                if (host.complete(taken[i], DTO_OK) != DTO_OK)
                    std::abort();
        });
    for (auto& thread : completers)
        thread.join();
    answer(call, std::to_string(taken.size()));
    return DTO_OK;
}

std::string_view type_of(const dto_execute& task) {
    return {task.task_type.ptr, task.task_type.len};
}

dto_status DTO_CALL execute(void*, dto_call* call, const dto_execute* task) {
    if (type_of(*task) == "test.later")
        return later(call, *task);
    if (type_of(*task) == "test.release")
        return release(call);
    if (type_of(*task) == "test.health")
        return health(call, *task);
    return run_one(call, *task, 1);
}

dto_status DTO_CALL execute_batch(void*,
                                  dto_call* const* calls,
                                  const dto_execute* const* tasks,
                                  std::uint32_t count,
                                  dto_status* statuses) {
    for (std::uint32_t i = 0; i < count; ++i)
        statuses[i] = run_one(calls[i], *tasks[i], count);
    return DTO_OK;
}

/// A call that waits here is completed as cancelled.
void DTO_CALL cancel(void*, dto_call* call) {
    {
        const std::lock_guard lock(mutex);
        const auto found = std::find(held.begin(), held.end(), call);
        if (found == held.end())
            return;
        held.erase(found);
    }
    // Not from in here: the contract allows cancelled() and log() only.
    std::thread([call] { host.complete(call, DTO_CANCELLED); }).detach();
}

void DTO_CALL teardown(void*, dto_call*) {}
void DTO_CALL destroy(void*) {}

constexpr dto_str literal(const char* text) {
    return {text, std::char_traits<char>::length(text)};
}

const dto_task_type* make_type(const char* name,
                               std::uint32_t flags,
                               std::uint32_t concurrency,
                               std::uint32_t batch) {
    auto* const type = new dto_task_type{};
    type->struct_size = sizeof *type;
    type->flags = flags | DTO_TASK_REENTRANT;
    type->name = literal(name);
    type->version = literal("1.0.0");
    type->max_concurrency = concurrency;
    type->max_batch = batch;
    type->cancel_grace_ms = 500;
    return type;
}

const dto_module* make_module() {
    static const dto_task_type* const types[] = {
        make_type("test.batch", 0, 0, 5),
        make_type("test.later", DTO_TASK_ASYNC, 6000, 0),
        make_type("test.release", 0, 1, 0),
        make_type("test.health", 0, 0, 0),
    };
    static dto_task_api api{};
    api.struct_size = sizeof api;
    api.type_count = std::size(types);
    api.types = types;
    api.create = &create;
    api.setup = &setup;
    api.probe = &probe;
    api.execute = &execute;
    api.execute_batch = &execute_batch;
    api.cancel = &cancel;
    api.teardown = &teardown;
    api.destroy = &destroy;
    static dto_module module{};
    module.struct_size = sizeof module;
    module.abi_minor = DTO_ABI_MINOR;
    module.name = literal("test.together");
    module.version = literal("1.0.0");
    module.get_interface = [](const char* id) -> const void* {
        return std::strcmp(id, DTO_INTERFACE_TASK) == 0 ? &api : nullptr;
    };
    return &module;
}

}  // namespace

extern "C" DTO_EXPORT const dto_module* DTO_CALL distributo_module_v1(const dto_entry*) {
    static const dto_module* const module = make_module();
    return module;
}
