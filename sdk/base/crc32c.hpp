#pragma once

#include <cstdint>
#include <string_view>

namespace distributo::base {

/// CRC-32C (Castagnoli) of `data`, which follows what `before` is the checksum of. Finds what a
/// disk or a power cut damages; proves nothing against people. Any thread.
[[nodiscard]] std::uint32_t crc32c(std::string_view data, std::uint32_t before = 0) noexcept;

}  // namespace distributo::base
