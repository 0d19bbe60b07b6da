#pragma once

#include <distributo/detail/context.hpp>
#include <distributo/detail/encode.hpp>
#include <distributo/detail/stops.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <string_view>

namespace distributo {

/// How a task that is emitted differs from the defaults; see dto_task_spec.
struct EmitOptions {
    std::string_view dedupe_key{};         ///< accepted once; empty: always
    std::string_view group{};              ///< the job that it is counted under
    std::int32_t priority = 0;             ///< higher runs first
    std::chrono::milliseconds timeout{0};  ///< of one execute; 0: default of the type
    std::string_view install_json{};       ///< its `install` object; empty: nothing to install
    std::string_view requires_json{};      ///< constraints on the host; empty: none
    std::int32_t max_attempts = 0;         ///< 0: default of the coordinator
};

namespace detail {

/// The texts must outlive it.
inline dto_task_spec task_spec(std::string_view type,
                               std::string_view payload_json,
                               const EmitOptions& options) {
    dto_task_spec spec{};
    spec.struct_size = sizeof spec;
    spec.type = to_abi(type);
    spec.payload_json = to_abi(payload_json);
    spec.install_json = to_abi(options.install_json);
    spec.dedupe_key = to_abi(options.dedupe_key);
    spec.group = to_abi(options.group);
    spec.requires_json = to_abi(options.requires_json);
    spec.priority = options.priority;
    spec.max_attempts = options.max_attempts;
    spec.timeout_ms = options.timeout.count();
    return spec;
}

}  // namespace detail

/// Given to a task function: the task that runs.
class Task : public Context {
public:
    Task(const detail::Host& host, dto_call* call, const dto_execute& execute, detail::Stops& stops)
        : Context(host, call), execute_(execute), stops_(stops) {}
    ~Task() { stops_.forget(call()); }

    [[nodiscard]] std::string_view id() const { return detail::from_abi(execute_.task_id); }
    [[nodiscard]] std::string_view type() const { return detail::from_abi(execute_.task_type); }
    [[nodiscard]] std::string_view payload_json() const {
        return detail::from_abi(execute_.payload_json);
    }
    /// 1, 2, ...: of this task, on all hosts.
    [[nodiscard]] std::uint32_t attempt() const noexcept { return execute_.attempt; }
    /// What install made, read-only; empty when nothing was installed.
    [[nodiscard]] std::filesystem::path install_dir() const {
        return detail::from_abi(execute_.install_dir);
    }

    /// Becomes "stop requested" when the call should end early, for std::condition_variable_any,
    /// std::jthread and callbacks. A callback may ask cancelled() and log, and must not block.
    [[nodiscard]] std::stop_token stop() {
        std::stop_source source = stops_.remember(call());
        if (cancelled()) {
            source.request_stop();
        }
        return source.get_token();
    }

    /// Creates a task if, and only if, this one succeeds. Throws retry_elsewhere() when the host
    /// cannot create tasks, and a permanent Failure when it does not accept this one; its log says
    /// why. requires_service(DTO_SERVICE_EMIT) refuses such a host before any task.
    template <class Payload>
    void emit(std::string_view type, const Payload& payload, const EmitOptions& options = {}) {
        const auto* service = host().service<dto_emit>(DTO_SERVICE_EMIT);
        if (service == nullptr) {
            throw retry_elsewhere("the host cannot create follow-up tasks");
        }
        const std::string json = detail::encode_text(payload, "payload");
        const dto_task_spec spec = detail::task_spec(type, json, options);
        switch (const dto_status status = service->task(call(), &spec)) {
            case DTO_OK:
                return;
            case DTO_CANCELLED:
                throw Cancelled();
            case DTO_UNSUPPORTED:
                throw retry_elsewhere("the host cannot create follow-up tasks here");
            default:
                throw Failure(status,
                              "the host refused a follow-up task of type " + std::string(type));
        }
    }

private:
    const dto_execute& execute_;
    detail::Stops& stops_;
};

namespace detail {

/// What execute got; valid until the call ends.
struct ExecuteCall {
    const Host& host;
    Stops& stops;
    dto_call* call;
    const dto_execute& request;
};

}  // namespace detail

}  // namespace distributo
