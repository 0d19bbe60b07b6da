#pragma once

#include <distributo/detail/context.hpp>

#include <cstdint>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>

/// How a call ends: its status, and the result or the reason that goes with it.
namespace distributo::detail {

/// Records why the call fails; returns the status that it then ends with.
inline dto_status set_failure(const dto_host& host,
                              dto_call* call,
                              dto_status status,
                              std::string_view message,
                              std::string_view detail = {},
                              std::int64_t retry_after_ms = 0) noexcept {
    if (host.set_error != nullptr) {
        dto_error error{};
        error.struct_size = sizeof error;
        error.code = status;
        error.message = to_abi(message);
        error.detail_json = to_abi(detail);
        error.retry_after_ms = retry_after_ms;
        host.set_error(call, &error);
    }
    return status;
}

/// The same for the exception that is being handled.
inline dto_status set_failure(const dto_host& host, dto_call* call) noexcept {
    try {
        throw;
    } catch (const Cancelled&) {
        return DTO_CANCELLED;
    } catch (const Failure& failure) {
        return set_failure(host,
                           call,
                           failure.status(),
                           failure.what(),
                           failure.detail_json(),
                           failure.retry_after().count());
    } catch (const std::bad_alloc&) {
        return set_failure(host, call, DTO_RETRY, "out of memory");
    } catch (const std::exception& error) {
        return set_failure(host, call, DTO_RETRY, error.what());
    } catch (...) {
        return set_failure(host, call, DTO_RETRY, "an exception that is not a std::exception");
    }
}

/// Runs `body`, whose status counts if it has one, and turns whatever it throws into a status, with
/// the reason in the call.
template <class Body>
dto_status guarded(const dto_host& host, dto_call* call, Body&& body) noexcept {
    try {
        if constexpr (std::is_void_v<decltype(body())>) {
            body();
            return DTO_OK;
        } else {
            return body();
        }
    } catch (...) {
        return set_failure(host, call);
    }
}

/// Sets the result of a call, JSON text.
inline void set_result(const Context& context, std::string_view json) {
    const auto result = context.table().result;
    if (result == nullptr) {
        throw permanent("the host takes no results");
    }
    if (const dto_status status = result(context.call(), {json.data(), json.size()}, {});
        status != DTO_OK) {
        throw Failure(status,
                      "the host refused a result of " + std::to_string(json.size()) + " bytes");
    }
}

}  // namespace distributo::detail
