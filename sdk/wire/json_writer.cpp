#include "wire/json_scan.hpp"

#include <charconv>
#include <cmath>

namespace distributo::wire::json {
namespace {

template <typename Number>
void append_number(std::string& out, Number value) {
    char buffer[32];
    out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

/// Appends one byte that needs an escape; it is a control character, a quote or a backslash.
void append_escaped(std::string& out, char c) {
    constexpr std::string_view hex = "0123456789abcdef";
    out += '\\';
    switch (c) {
        case '"':
        case '\\':
            out += c;
            return;
        case '\n':
            out += 'n';
            return;
        case '\r':
            out += 'r';
            return;
        case '\t':
            out += 't';
            return;
        default:
            out += "u00";
            out += hex[static_cast<unsigned char>(c) >> 4U];
            out += hex[static_cast<unsigned char>(c) & 15U];
    }
}

}  // namespace

void append_string(std::string& out, std::string_view text) {
    out += '"';
    const char* p = text.data();
    const char* const end = p + text.size();
    while (p != end) {
        const char* const run = scan::skip_plain(p, end);
        out.append(p, run);
        p = run;
        if (p == end)
            break;
        if (static_cast<signed char>(*p) >= 0) {
            append_escaped(out, *p++);
        } else if (const char* const next = scan::skip_utf8(p, end)) {
            out.append(p, next);
            p = next;
        } else {
            out += "\xEF\xBF\xBD";
            ++p;
        }
    }
    out += '"';
}

void Writer::separate() {
    if (comma_)
        out_ += ',';
    comma_ = true;
}

Writer& Writer::open(char bracket) {
    separate();
    out_ += bracket;
    comma_ = false;
    return *this;
}

Writer& Writer::close(char bracket) {
    out_ += bracket;
    comma_ = true;
    return *this;
}

Writer& Writer::key(std::string_view name) {
    separate();
    out_ += '"';
    out_ += name;
    out_ += "\":";
    comma_ = false;
    return *this;
}

Writer& Writer::escaped_key(std::string_view name) {
    string(name);
    out_ += ':';
    comma_ = false;
    return *this;
}

Writer& Writer::string(std::string_view text) {
    separate();
    append_string(out_, text);
    return *this;
}

Writer& Writer::number(std::int64_t value) {
    separate();
    append_number(out_, value);
    return *this;
}

Writer& Writer::number(std::uint64_t value) {
    separate();
    append_number(out_, value);
    return *this;
}

Writer& Writer::number(double value) {
    if (!std::isfinite(value))
        return null();
    separate();
    append_number(out_, value);
    return *this;
}

Writer& Writer::boolean(bool value) {
    return raw(value ? "true" : "false");
}

Writer& Writer::null() {
    return raw("null");
}

Writer& Writer::raw(std::string_view json) {
    separate();
    out_ += json;
    return *this;
}

}  // namespace distributo::wire::json
