#include "base/base64.hpp"

#include <openssl/evp.h>

#include <algorithm>

namespace distributo::base {

std::string base64(std::string_view bytes) {
    // One byte more: the library ends its texts with a zero.
    std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(size));
    return text;
}

std::optional<std::string> from_base64(std::string_view text) {
    std::string bytes(text.size() / 4 * 3, '\0');
    const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
    const auto padding = static_cast<std::size_t>(std::ranges::count(text, '='));
    if (size < 0 || padding > static_cast<std::size_t>(size))
        return std::nullopt;
    bytes.resize(static_cast<std::size_t>(size) - padding);
    // The library is lenient; only what it would have written itself comes back the same.
    return base64(bytes) == text ? std::optional(std::move(bytes)) : std::nullopt;
}

}  // namespace distributo::base
