#pragma once

#include <distributo/detail/decode.hpp>
#include <distributo/detail/encode.hpp>
#include <distributo/detail/host.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace distributo {

/// Values that all plugins of a host share, and that it may forget at any time: begin keys with the
/// plugin's name. Since forgetting is allowed, a host without a cache is one that remembers
/// nothing: get() finds nothing, put() returns false, and no task fails for it.
/// Valid while the call that it came from runs. Thread-safe.
class Cache {
public:
    Cache(const detail::Host& host, dto_call* call)
        : service_(host.service<dto_cache>(DTO_SERVICE_CACHE)), call_(call) {}

    /// Does the host have a cache at all?
    [[nodiscard]] bool available() const noexcept { return service_ != nullptr; }

    /// The bytes under `key`, valid until the call ends; nothing when there are none.
    [[nodiscard]] std::optional<std::string_view> get_bytes(std::string_view key) const {
        check(key);
        dto_bytes value{};
        if (service_ == nullptr || !found(service_->get(call_, detail::to_abi(key), &value))) {
            return std::nullopt;
        }
        return std::string_view(static_cast<const char*>(value.ptr), value.len);
    }

    /// The value under `key`; nothing also when what is there is not a T, but for example the T of
    /// another version.
    template <class T>
    [[nodiscard]] std::optional<T> get(std::string_view key) const {
        const auto bytes = get_bytes(key);
        if (!bytes) {
            return std::nullopt;
        }
        try {
            return detail::decode_text<T>(*bytes, "cache");
        } catch (const Failure&) {
            return std::nullopt;
        }
    }

    /// Remembers `value`, or replaces what was there. ttl 0: as long as there is room. False when
    /// the host did not take it, because it has no cache or the value is too large for it.
    bool put_bytes(std::string_view key,
                   std::string_view value,
                   std::chrono::milliseconds ttl = {}) const {
        check(key);
        return service_ != nullptr &&
               found(service_->put(
                   call_, detail::to_abi(key), {value.data(), value.size()}, ttl.count()));
    }

    /// The same for a value that is encoded like a result.
    template <class T>
    bool put(std::string_view key, const T& value, std::chrono::milliseconds ttl = {}) const {
        return put_bytes(key, detail::encode_text(value, "cache"), ttl);
    }

private:
    static void check(std::string_view key) {
        if (key.empty()) {
            throw permanent("a key of the cache must not be empty");
        }
    }

    static bool found(dto_status status) {
        if (status == DTO_CANCELLED) {
            throw Cancelled();
        }
        return status == DTO_OK;
    }

    const dto_cache* service_;
    dto_call* call_;
};

}  // namespace distributo
