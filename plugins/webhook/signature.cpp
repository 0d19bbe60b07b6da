#include "signature.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

namespace webhook {

std::string signature(std::string_view secret, std::int64_t unix_seconds, std::string_view body) {
    const std::string time = std::to_string(unix_seconds);
    const std::string content = (time + '.').append(body);
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned size = 0;
    HMAC(EVP_sha256(),
         secret.data(),
         static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(content.data()),
         content.size(),
         bytes.data(),
         &size);
    std::string text = "t=" + time + ",v1=";
    for (unsigned i = 0; i < size; ++i) {
        constexpr std::string_view digits = "0123456789abcdef";
        text.append({digits[bytes[i] >> 4U], digits[bytes[i] & 15U]});
    }
    return text;
}

}  // namespace webhook
