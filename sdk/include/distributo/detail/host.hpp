#pragma once

#include <distributo/abi.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace distributo::detail {

inline dto_str to_abi(std::string_view text) {
    return {text.data(), text.size()};
}

inline std::string_view from_abi(dto_str text) {
    return text.len == 0 ? std::string_view() : std::string_view(text.ptr, text.len);
}

/// Sizes of the services' first version: what every host has that has them. What is appended later
/// must be looked for with DTO_CAN.
template <class Service>
inline constexpr std::size_t first_size = 0;
template <>
inline constexpr std::size_t first_size<dto_artifacts> = offsetof(dto_artifacts, publish) +
                                                         sizeof(dto_artifacts::publish);
template <>
inline constexpr std::size_t first_size<dto_cache> = offsetof(dto_cache, put) +
                                                     sizeof(dto_cache::put);
template <>
inline constexpr std::size_t first_size<dto_emit> = offsetof(dto_emit, task) +
                                                    sizeof(dto_emit::task);

/// The host's table as this plugin was compiled to see it: members that the host lacks are NULL.
class Host {
public:
    explicit Host(const dto_host& host) : original_(&host) {
        std::memcpy(&table_, &host, std::min<std::size_t>(host.struct_size, sizeof table_));
    }

    [[nodiscard]] const dto_host& table() const noexcept { return table_; }

    /// A service of the host, or null when it is missing or older than its first version.
    template <class Service>
    requires(first_size<Service> > 0) [[nodiscard]] const Service* service(const char* id) const {
        if (table_.get_service == nullptr) {
            return nullptr;
        }
        const auto* found = static_cast<const Service*>(table_.get_service(original_, id));
        return found != nullptr && found->struct_size >= first_size<Service> ? found : nullptr;
    }

private:
    const dto_host* original_;
    dto_host table_{};
};

}  // namespace distributo::detail
