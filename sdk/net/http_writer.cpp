#include "net/http_writer.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace distributo::net {
namespace {

std::string_view reason_of(unsigned status) noexcept {
    struct Entry {
        unsigned status;
        std::string_view reason;
    };
    static constexpr std::array<Entry, 34> entries{{
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {207, "Multi-Status"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {417, "Expectation Failed"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {426, "Upgrade Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {503, "Service Unavailable"},
        {507, "Insufficient Storage"},
    }};
    for (const Entry& entry : entries)
        if (entry.status == status)
            return entry.reason;
    return status < 400 ? "OK" : "Error";
}

void append_number(std::string& out, std::size_t number) {
    std::array<char, 20> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
}

/// A line break inside a value would let its author write headers, or a response, of their own.
void append_value(std::string& out, std::string_view value) {
    if (value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos) {
        out += value;
        return;
    }
    std::copy_if(value.begin(), value.end(), std::back_inserter(out), [](char c) {
        return c != '\r' && c != '\n' && c != '\0';
    });
}

}  // namespace

void append_response(std::string& out, const Response& response, const WriteOptions& options) {
    out += "HTTP/1.1 ";
    append_number(out, response.status);
    out += ' ';
    out += reason_of(response.status);
    out += "\r\nDate: ";
    out += options.date;

    const bool bodiless = response.status == 204 || response.status == 304;
    if (!bodiless) {
        if (!response.body.empty() || !response.content_type.empty()) {
            out += "\r\nContent-Type: ";
            append_value(out, response.content_type);
        }
        out += "\r\nContent-Length: ";
        append_number(out, response.body.size());
    }
    out += "\r\nX-Content-Type-Options: nosniff";
    for (const auto& [name, value] : response.headers) {
        out += "\r\n";
        append_value(out, name);
        out += ": ";
        append_value(out, value);
    }
    if (options.close)
        out += "\r\nConnection: close";
    else if (options.keep_alive)
        out += "\r\nConnection: keep-alive";
    out += "\r\n\r\n";
    if (!bodiless && !options.head_only)
        out += response.body;
}

}  // namespace distributo::net
