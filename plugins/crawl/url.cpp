#include "url.hpp"

#include <algorithm>
#include <curl/curl.h>
#include <memory>

namespace crawl {

namespace {

struct FreeUrl {
    void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Url = std::unique_ptr<CURLU, FreeUrl>;

constexpr unsigned no_user = CURLU_DISALLOW_USER;
constexpr std::string_view hex_digits = "0123456789ABCDEF";

bool is_unreserved(unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

/// What RFC 3986 wants encoded wherever it stands in a URL. Other bytes keep what they mean.
bool needs_encoding(unsigned char c) {
    return c <= 0x20 || c >= 0x7F || c == '"' || c == '<' || c == '>' || c == '`' || c == '\\' ||
           c == '^' || c == '{' || c == '|' || c == '}';
}

int digit_of(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

void append_encoded(std::string& out, unsigned char c) {
    out.append({'%', hex_digits[c >> 4], hex_digits[c & 15]});
}

/// One spelling of each character: "%7e" is "~", "%c3" is "%C3", " " is "%20".
std::string with_normal_escapes(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        const int high = c == '%' && i + 2 < text.size() ? digit_of(text[i + 1]) : -1;
        const int low = high >= 0 ? digit_of(text[i + 2]) : -1;
        if (low >= 0) {
            const auto meant = static_cast<unsigned char>(16 * high + low);
            if (is_unreserved(meant)) {
                out.push_back(static_cast<char>(meant));
            } else {
                append_encoded(out, meant);
            }
            i += 2;
        } else if (needs_encoding(c)) {
            append_encoded(out, c);
        } else {
            out.push_back(static_cast<char>(c));
        }
    }
    return out;
}

/// Browsers ignore blanks around an address, and tabs and line ends within.
std::string without_blanks(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c != '\t' && c != '\n' && c != '\r') {
            out.push_back(c);
        }
    }
    const std::size_t first = out.find_first_not_of(" \f");
    const std::size_t last = out.find_last_not_of(" \f");
    return first == out.npos ? "" : out.substr(first, last - first + 1);
}

std::string part(CURLU* url, CURLUPart which) {
    char* text = nullptr;
    if (curl_url_get(url, which, &text, CURLU_NO_DEFAULT_PORT) != CURLUE_OK) {
        return {};
    }
    const std::unique_ptr<char, decltype(&curl_free)> owner(text, &curl_free);
    return text;
}

bool set(CURLU* url, CURLUPart which, const std::string& text) {
    return curl_url_set(url, which, text.c_str(), no_user) == CURLUE_OK;
}

}  // namespace

std::optional<std::string> normal_url(std::string_view base, std::string_view reference) {
    const Url url(curl_url());
    std::string address = with_normal_escapes(without_blanks(reference));
    address.resize(std::min(address.size(), address.find('#')));  // which curl would misunderstand
    if (!url || (!base.empty() && !set(url.get(), CURLUPART_URL, std::string(base))) ||
        ((base.empty() || !address.empty()) && !set(url.get(), CURLUPART_URL, address))) {
        return std::nullopt;
    }
    const std::string scheme = part(url.get(), CURLUPART_SCHEME);
    std::string host = part(url.get(), CURLUPART_HOST);
    if ((scheme != "http" && scheme != "https") || host.empty()) {
        return std::nullopt;
    }
    for (char& c : host) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    const std::string text =
        set(url.get(), CURLUPART_HOST, host) ? part(url.get(), CURLUPART_URL) : "";
    return text.empty() ? std::nullopt : std::optional(text);
}

std::string_view origin_of(std::string_view url) {
    const std::size_t host = url.find("://") + 3;
    return url.substr(0, url.find('/', host));
}

}  // namespace crawl
