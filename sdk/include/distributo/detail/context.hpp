#pragma once

#include <distributo/detail/artifacts.hpp>
#include <distributo/detail/cache.hpp>
#include <distributo/detail/decode.hpp>
#include <distributo/detail/host.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
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

    /// Tells the host that the plugin's probe would answer differently now, so that it asks soon.
    void capabilities_changed() const {
        if (table().notify != nullptr) {
            table().notify(call_, detail::to_abi("capabilities"));
        }
    }

    /// Values that the plugins of this host share, and that it may forget at any time.
    [[nodiscard]] Cache cache() const { return Cache(host_, call_); }

    // Artifacts, files that travel with tasks. Names are relative paths without "..". A host that
    // has no artifacts makes these throw retry_elsewhere(); requires_service() refuses it earlier.

    /// The artifact as a local file, read-only; it and the path are valid until the call ends.
    [[nodiscard]] std::filesystem::path artifact(std::string_view name) const {
        return detail::fetch_artifact(host_, call_, name);
    }
    /// Opens an artifact for reading.
    [[nodiscard]] ArtifactReader open_artifact(std::string_view name) const {
        return ArtifactReader(host_, call_, name);
    }
    /// Opens a new artifact for writing; it exists once ArtifactWriter::commit() has returned.
    [[nodiscard]] ArtifactWriter create_artifact(
        std::string_view name, std::string_view media_type = "application/octet-stream") const {
        return ArtifactWriter(host_, call_, name, media_type);
    }
    /// Makes a copy of a local file an artifact.
    void publish(std::string_view name,
                 const std::filesystem::path& file,
                 std::string_view media_type = "application/octet-stream") const {
        detail::publish_artifact(host_, call_, name, file, media_type);
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

}  // namespace distributo
