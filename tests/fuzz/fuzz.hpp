#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

/// What libFuzzer and driver.cpp call.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace distributo::tests {

/// Ends the program when a property does not hold.
inline void require(bool holds, std::string_view property) {
    if (holds)
        return;
    std::fprintf(
        stderr, "broken property: %.*s\n", static_cast<int>(property.size()), property.data());
    std::abort();
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

}  // namespace distributo::tests
