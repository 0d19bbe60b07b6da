#pragma once

#include <distributo/detail/test_call.hpp>

#include <string>
#include <utility>

/// The cache and the emit service of the test host.
namespace distributo::testing::detail {

inline dto_status DTO_CALL cache_get(dto_call* call, dto_str key, dto_bytes* value) {
    TestCall& self = TestCall::of(call);
    if (self.settings().stores == nullptr) {
        return DTO_UNSUPPORTED;
    }
    if (key.len == 0) {
        return DTO_PERMANENT;
    }
    auto found = self.settings().stores->cache.get(distributo::detail::from_abi(key));
    if (!found) {
        return DTO_END;
    }
    const dto_str kept = self.keep(std::move(*found));
    *value = {kept.ptr, kept.len};
    return DTO_OK;
}

inline dto_status DTO_CALL cache_put(dto_call* call, dto_str key, dto_bytes value, std::int64_t) {
    const TestCall& self = TestCall::of(call);
    if (self.settings().stores == nullptr) {
        return DTO_UNSUPPORTED;
    }
    if (key.len == 0) {
        return DTO_PERMANENT;
    }
    self.settings().stores->cache.put(distributo::detail::from_abi(key),
                                      std::string(distributo::detail::from_abi(
                                          {static_cast<const char*>(value.ptr), value.len})));
    return DTO_OK;
}

/// Takes a task that the plugin creates.
inline dto_status take_task(TestCall& self, const dto_task_spec* spec) {
    if (spec->type.len == 0 || spec->payload_json.len == 0) {
        self.log("a task needs a type and a payload");
        return DTO_PERMANENT;
    }
    const auto text = [](dto_str view) { return std::string(distributo::detail::from_abi(view)); };
    self.emit({.type = text(spec->type),
               .payload = text(spec->payload_json),
               .install = text(spec->install_json),
               .dedupe_key = text(spec->dedupe_key),
               .group = text(spec->group),
               .requirements = text(spec->requires_json),
               .priority = spec->priority,
               .max_attempts = spec->max_attempts,
               .timeout_ms = spec->timeout_ms});
    return DTO_OK;
}

inline dto_status DTO_CALL emit_task(dto_call* call, const dto_task_spec* spec) {
    TestCall& self = TestCall::of(call);
    return self.settings().is_task ? take_task(self, spec) : DTO_UNSUPPORTED;
}

inline constexpr dto_cache test_cache = {sizeof(dto_cache), 0, &cache_get, &cache_put};
inline constexpr dto_emit test_emit = {sizeof(dto_emit), 0, &emit_task};

}  // namespace distributo::testing::detail
