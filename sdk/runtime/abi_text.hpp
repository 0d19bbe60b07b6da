#pragma once

#include <distributo/abi.h>

#include <string>
#include <string_view>

namespace distributo::runtime {

/// What plugins are told that they run in.
inline constexpr std::string_view host_name = "distributo-host";

[[nodiscard]] inline dto_str abi_text(std::string_view text) noexcept {
    return {text.data(), text.size()};
}

/// Valid as long as what `text` points to.
[[nodiscard]] inline std::string_view view_text(dto_str text) noexcept {
    return text.ptr ? std::string_view(text.ptr, text.len) : std::string_view();
}

[[nodiscard]] inline std::string copy_text(dto_str text) {
    return std::string(view_text(text));
}

}  // namespace distributo::runtime
