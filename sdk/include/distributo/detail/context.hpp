#pragma once

#include <distributo/detail/decode.hpp>
#include <distributo/detail/encode.hpp>
#include <distributo/detail/host.hpp>
#include <distributo/detail/stops.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace distributo {

enum class Level : dto_level {
    trace = DTO_TRACE,
    debug = DTO_DEBUG,
    info = DTO_INFO,
    warn = DTO_WARN,
    error = DTO_ERROR,
};

/// What every call of the host offers. Valid while the function that got it runs; may be used by
/// several threads of that function.
class Context {
public:
    Context(const detail::Host& host, dto_call* call) : host_(host), call_(call) {}
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    /// Records a line under the task. What the plugin prints on stdout and stderr is recorded too.
    void log(Level level, std::string_view text) const {
        if (table().log != nullptr) {
            table().log(call_, static_cast<dto_level>(level), detail::to_abi(text), {});
        }
    }
    void debug(std::string_view text) const { log(Level::debug, text); }
    void info(std::string_view text) const { log(Level::info, text); }
    void warn(std::string_view text) const { log(Level::warn, text); }
    void error(std::string_view text) const { log(Level::error, text); }

    [[nodiscard]] bool logs(Level level) const {
        return table().log_enabled == nullptr ||
               table().log_enabled(call_, static_cast<dto_level>(level)) != 0;
    }

    /// How far this is: 0 to 1, or below 0 when unknown.
    void progress(double fraction, std::string_view text = {}) const {
        if (table().progress != nullptr) {
            table().progress(call_, fraction, detail::to_abi(text));
        }
    }

    /// Should this end early? One relaxed load: cheap enough for inner loops.
    [[nodiscard]] bool cancelled() const {
        return table().cancelled != nullptr && table().cancelled(call_) != 0;
    }

    /// Throws Cancelled when this should end early.
    void check() const {
        if (cancelled()) {
            throw Cancelled();
        }
    }

    /// Sleeps; throws Cancelled as soon as this should end early.
    void sleep(std::chrono::milliseconds time) const {
        if (table().wait == nullptr || table().wait(call_, time.count()) != DTO_OK) {
            throw Cancelled();
        }
    }

    /// Time to the deadline of this call, if it has one.
    [[nodiscard]] std::optional<std::chrono::milliseconds> remaining() const {
        const std::int64_t left =
            table().remaining_ms == nullptr ? -1 : table().remaining_ms(call_);
        return left < 0 ? std::nullopt : std::optional(std::chrono::milliseconds(left));
    }

    /// An empty directory for this call alone, removed with its content when the call has ended.
    [[nodiscard]] std::filesystem::path work_dir() const {
        dto_str path{};
        if (table().work_dir == nullptr || table().work_dir(call_, &path) != DTO_OK) {
            throw retry_elsewhere("the host has no work directory for this call");
        }
        return detail::from_abi(path);
    }

    /// For calls into abi.h that this layer does not wrap.
    [[nodiscard]] dto_call* call() const noexcept { return call_; }
    [[nodiscard]] const dto_host& table() const noexcept { return host_.table(); }

protected:
    [[nodiscard]] const detail::Host& host() const noexcept { return host_; }

private:
    const detail::Host& host_;
    dto_call* call_;
};

/// Given to the constructor of a stateful plugin; its strings live as long as the constructor runs.
class Setup : public Context {
public:
    Setup(const detail::Host& host, dto_call* call, const dto_setup& setup)
        : Context(host, call), setup_(setup) {}

    /// The plugin's configuration, as text and decoded.
    [[nodiscard]] std::string_view config_json() const {
        const std::string_view text = detail::from_abi(setup_.config_json);
        return text.empty() ? "{}" : text;
    }
    template <class Config>
    [[nodiscard]] Config config() const {
        return detail::decode_text<Config>(config_json(), "config");
    }

    /// How many tasks the host means to run at once in this process.
    [[nodiscard]] std::uint32_t cpu_slots() const noexcept { return setup_.cpu_slots; }
    /// Private to this plugin, survives restarts.
    [[nodiscard]] std::filesystem::path data_dir() const {
        return detail::from_abi(setup_.data_dir);
    }
    [[nodiscard]] std::string_view host_id() const { return detail::from_abi(setup_.host_id); }

private:
    const dto_setup& setup_;
};

/// Given to an install function: it fills dir(), which the host moves into its cache afterwards.
class Install : public Context {
public:
    Install(const detail::Host& host, dto_call* call, const dto_install& install)
        : Context(host, call), install_(install) {}

    /// While installing: an empty directory to fill. While verifying: the entry in the cache.
    [[nodiscard]] std::filesystem::path dir() const {
        return detail::from_abi(install_.staging_dir);
    }
    [[nodiscard]] std::string_view content_key() const {
        return detail::from_abi(install_.content_key);
    }
    [[nodiscard]] std::string_view type() const { return detail::from_abi(install_.task_type); }
    [[nodiscard]] std::uint32_t attempt() const noexcept { return install_.attempt; }
    /// The task's `install` object.
    [[nodiscard]] std::string_view spec_json() const {
        const std::string_view text = detail::from_abi(install_.spec_json);
        return text.empty() ? "{}" : text;
    }

private:
    const dto_install& install_;
};

/// How a follow-up task differs from the defaults; see dto_task_spec.
struct EmitOptions {
    std::string_view dedupe_key{};
    std::string_view group{};
    std::int32_t priority = 0;
    std::chrono::milliseconds timeout{0};
};

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
    /// std::jthread and callbacks.
    [[nodiscard]] std::stop_token stop() {
        std::stop_source source = stops_.remember(call());
        if (cancelled()) {
            source.request_stop();
        }
        return source.get_token();
    }

    /// Creates a task if, and only if, this one succeeds.
    template <class Payload>
    void emit(std::string_view type, const Payload& payload, const EmitOptions& options = {}) {
        const auto* service = host().service<dto_emit>(DTO_SERVICE_EMIT);
        if (service == nullptr) {
            throw retry_elsewhere("the host cannot create follow-up tasks");
        }
        const std::string json = detail::encode_text(payload, "payload");
        dto_task_spec spec{};
        spec.struct_size = sizeof spec;
        spec.type = detail::to_abi(type);
        spec.payload_json = detail::to_abi(json);
        spec.dedupe_key = detail::to_abi(options.dedupe_key);
        spec.group = detail::to_abi(options.group);
        spec.priority = options.priority;
        spec.timeout_ms = options.timeout.count();
        if (const dto_status status = service->task(call(), &spec); status != DTO_OK) {
            throw Failure(status, "the host refused a follow-up task of type " + std::string(type));
        }
    }

    /// A file that came with the task, read-only.
    [[nodiscard]] std::filesystem::path artifact(std::string_view name) {
        dto_str path{};
        const dto_status status = artifacts().fetch(call(), detail::to_abi(name), &path);
        if (status != DTO_OK) {
            throw Failure(status, "cannot fetch artifact " + std::string(name));
        }
        return detail::from_abi(path);
    }

    /// Makes a local file an artifact of this task.
    void publish(std::string_view name,
                 const std::filesystem::path& file,
                 std::string_view media_type = "application/octet-stream") {
        const std::string path = file.string();
        const dto_status status = artifacts().publish(
            call(), detail::to_abi(name), detail::to_abi(path), detail::to_abi(media_type));
        if (status != DTO_OK) {
            throw Failure(status, "cannot publish artifact " + std::string(name));
        }
    }

private:
    const dto_artifacts& artifacts() const {
        const auto* service = host().service<dto_artifacts>(DTO_SERVICE_ARTIFACTS);
        if (service == nullptr) {
            throw retry_elsewhere("the host has no artifacts");
        }
        return *service;
    }

    const dto_execute& execute_;
    detail::Stops& stops_;
};

}  // namespace distributo
