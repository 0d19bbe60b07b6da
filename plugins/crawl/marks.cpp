#include "marks.hpp"

#include <distributo/plugin.hpp>

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <span>

namespace crawl {

namespace {

constexpr std::size_t max_mark = 1000;  // a dedupe key has at most 1 024 bytes

/// Links that nobody meant, calendars for example, have no end; priorities reach to -1000.
constexpr std::uint32_t max_depth_of_all = 1000;

/// What a task costs beside its texts: names of members, numbers, quotes.
constexpr std::size_t frame_bytes = 300;

std::string digest_of(std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned size = 0;
    if (EVP_Digest(text.data(), text.size(), bytes.data(), &size, EVP_sha256(), nullptr) != 1) {
        throw distributo::retry("OpenSSL could not compute a digest");
    }
    std::string out = "sha256:";
    for (const unsigned char byte : std::span(bytes).first(size)) {
        out.append({"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]});
    }
    return out;
}

bool is_plain(std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    });
}

}  // namespace

std::string mark_of(std::string_view type, std::string_view crawl, std::string_view address) {
    std::string mark = std::string(type).append(" ").append(crawl).append(" ");
    const bool fits = mark.size() + address.size() <= max_mark && is_plain(address);
    return mark.append(fits ? std::string(address) : digest_of(address));
}

void require_limits(std::string_view crawl, std::uint32_t depth) {
    const bool named = !crawl.empty() && crawl.size() <= max_name &&
                       std::all_of(crawl.begin(), crawl.end(), [](char c) {
                           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                  (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
                       });
    if (!named) {
        throw distributo::permanent("payload.crawl: expected 1 to " + std::to_string(max_name) +
                                    " of A-Z a-z 0-9 . _ -, got \"" + std::string(crawl) + "\"");
    }
    if (depth > max_depth_of_all) {
        throw distributo::permanent("payload: expected a depth of at most " +
                                    std::to_string(max_depth_of_all) + ", got " +
                                    std::to_string(depth));
    }
}

bool Room::take(std::size_t bytes) {
    if (tasks_ == max_follow_ups || bytes + frame_bytes > max_follow_up_bytes - bytes_) {
        return false;
    }
    ++tasks_;
    bytes_ += bytes + frame_bytes;
    return true;
}

}  // namespace crawl
