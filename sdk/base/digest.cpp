#include "base/digest.hpp"

#include <openssl/evp.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <vector>

namespace distributo::base {

void Sha256::Free::operator()(evp_md_ctx_st* context) const noexcept {
    EVP_MD_CTX_free(context);
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
    if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1)
        throw std::runtime_error("OpenSSL offers no SHA-256");
}

void Sha256::update(std::string_view data) {
    EVP_DigestUpdate(context_.get(), data.data(), data.size());
}

std::string Sha256::finish() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_DigestFinal_ex(context_.get(), digest.data(), &size);
    constexpr std::string_view hex = "0123456789abcdef";
    std::string text;
    for (unsigned i = 0; i < size; ++i) {
        text += hex[digest[i] >> 4U];
        text += hex[digest[i] & 15U];
    }
    return text;
}

std::string sha256(std::string_view data) {
    Sha256 digest;
    digest.update(data);
    return digest.finish();
}

bool is_sha256(std::string_view text) noexcept {
    constexpr std::size_t length = 64;
    return text.size() == length &&
           text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Result<std::string> sha256_file(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in)
        return error(Errc::io, "cannot read " + file.string() + ": " + std::strerror(errno));
    Sha256 digest;
    constexpr std::size_t piece = 256 * 1024;
    std::vector<char> buffer(piece);
    while (in) {
        in.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
        digest.update({buffer.data(), static_cast<std::size_t>(in.gcount())});
    }
    if (in.bad())
        return error(Errc::io, "cannot read " + file.string());
    return digest.finish();
}

}  // namespace distributo::base
