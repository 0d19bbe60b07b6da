#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string_view>

namespace distributo::runtime {

/// Checks from the first bytes of a file that it can be a shared library for this machine and is
/// complete; runs none of its code. The error's message continues "<file> …": "is text, not a
/// shared library", "is truncated: …", "is for aarch64, this host is x86-64".
/// `head`: at least the first 64 bytes, or all there is. `size`: of the whole file.
[[nodiscard]] base::Result<void> check_elf(std::string_view head, std::uint64_t size);

}  // namespace distributo::runtime
