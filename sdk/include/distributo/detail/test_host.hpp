#pragma once

#include <distributo/detail/test_artifacts.hpp>
#include <distributo/detail/test_call.hpp>
#include <distributo/detail/test_services.hpp>

#include <chrono>
#include <cstdint>
#include <string_view>
#include <thread>

namespace distributo::testing::detail {

/// A host's table over TestCall.
struct TestHost {
    explicit TestHost(bool with_services = true) {
        table.struct_size = sizeof table;
        table.abi_minor = DTO_ABI_MINOR;
        table.name = distributo::detail::to_abi("distributo-testing");
        table.version = distributo::detail::to_abi("1.0.0");
        table.root = root.abi();
        set_reporting();
        set_waiting();
        set_results();
        table.complete = [](dto_call* call, dto_status status) -> dto_status {
            return TestCall::of(call).complete(status);
        };
        table.notify = [](dto_call* call, dto_str what) -> dto_status {
            TestCall::of(call).notify(distributo::detail::from_abi(what));
            return DTO_OK;
        };
        table.get_service = with_services ? &find_service : &find_no_service;
    }
    TestHost(const TestHost&) = delete;
    TestHost& operator=(const TestHost&) = delete;

    TestCall root;
    dto_host table{};

private:
    static const void* DTO_CALL find_service(const dto_host*, const char* id) {
        const std::string_view name(id);
        return name == DTO_SERVICE_ARTIFACTS ? static_cast<const void*>(&test_artifacts)
               : name == DTO_SERVICE_CACHE   ? static_cast<const void*>(&test_cache)
               : name == DTO_SERVICE_EMIT    ? static_cast<const void*>(&test_emit)
                                             : nullptr;
    }
    static const void* DTO_CALL find_no_service(const dto_host*, const char*) { return nullptr; }

    void set_reporting() {
        table.log_enabled = [](dto_call*, dto_level) -> std::int32_t { return 1; };
        table.log = [](dto_call* call, dto_level, dto_str text, dto_str) {
            TestCall::of(call).log(distributo::detail::from_abi(text));
        };
        table.set_error = [](dto_call* call, const dto_error* error) {
            TestCall::of(call).set_error(*error);
        };
        table.progress = [](dto_call* call, double fraction, dto_str) {
            TestCall::of(call).progress(fraction);
        };
    }

    void set_waiting() {
        table.cancelled = [](dto_call* call) -> std::int32_t {
            return TestCall::of(call).cancelled() ? 1 : 0;
        };
        table.wait = [](dto_call* call, std::int64_t ms) -> dto_status {
            if (TestCall::of(call).cancelled()) {
                return DTO_CANCELLED;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(ms));
            return DTO_OK;
        };
        table.cancel_handle = [](dto_call*) -> std::intptr_t { return -1; };
        table.remaining_ms = [](dto_call* call) {
            return TestCall::of(call).settings().remaining_ms;
        };
    }

    void set_results() {
        table.work_dir = [](dto_call* call, dto_str* path) -> dto_status {
            *path = TestCall::of(call).work_dir();
            return DTO_OK;
        };
        table.result = [](dto_call* call, dto_bytes data, dto_str) -> dto_status {
            TestCall::of(call).result({static_cast<const char*>(data.ptr), data.len});
            return DTO_OK;
        };
        table.result_reserve = [](dto_call* call, std::uint64_t size, void** out) -> dto_status {
            *out = TestCall::of(call).reserve(static_cast<std::size_t>(size));
            return DTO_OK;
        };
        table.result_commit = [](dto_call* call, std::uint64_t used, dto_str) -> dto_status {
            return TestCall::of(call).commit(static_cast<std::size_t>(used)) ? DTO_OK
                                                                             : DTO_PERMANENT;
        };
        table.scratch = [](dto_call* call, std::size_t size) {
            return TestCall::of(call).scratch(size);
        };
    }
};

}  // namespace distributo::testing::detail
