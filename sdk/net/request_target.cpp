#include "net/request_target.hpp"

#include <algorithm>

namespace distributo::net {
namespace {

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

enum class Plus { literal, space };

/// False when an escape is not two hexadecimal digits or stands for NUL.
bool percent_decode(std::string& out, std::string_view text, Plus plus) {
    out.clear();
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '+' && plus == Plus::space) {
            out += ' ';
        } else if (c != '%') {
            out += c;
        } else {
            if (i + 2 >= text.size())
                return false;
            const int high = hex_digit(text[i + 1]);
            const int low = hex_digit(text[i + 2]);
            if (high < 0 || low < 0 || (high == 0 && low == 0))
                return false;
            out += static_cast<char>(high * 16 + low);
            i += 2;
        }
    }
    return true;
}

bool decode_query(RequestHead& head, std::string_view text) {
    while (!text.empty()) {
        const auto end = std::min(text.find('&'), text.size());
        const auto one = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (one.empty())
            continue;
        const auto equals = std::min(one.find('='), one.size());
        auto& [key, value] = head.query.emplace_back();
        if (!percent_decode(key, one.substr(0, equals), Plus::space) ||
            !percent_decode(value, one.substr(std::min(equals + 1, one.size())), Plus::space))
            return false;
    }
    return true;
}

}  // namespace

std::string decode_target(RequestHead& head) {
    head.query.clear();
    const std::string_view target = head.target;
    if (target.empty() || target.front() != '/')
        return "expected a target that begins with '/', not a whole URL";
    if (target.find('#') != std::string_view::npos)
        return "a target has no fragment '#…'";

    const auto question = target.find('?');
    if (!percent_decode(head.path, target.substr(0, question), Plus::literal))
        return "expected two hexadecimal digits, not 00, after each '%' of the path";
    if (question != std::string_view::npos && !decode_query(head, target.substr(question + 1)))
        return "expected two hexadecimal digits, not 00, after each '%' of the query";
    return {};
}

}  // namespace distributo::net
