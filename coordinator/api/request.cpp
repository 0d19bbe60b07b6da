#include "coordinator/api/request.hpp"

#include "base/config.hpp"
#include "base/ids.hpp"
#include "coordinator/api/time_text.hpp"

#include <algorithm>
#include <charconv>

namespace distributo::coordinator::api {
namespace {

class Refused final : public net::Exchange {
public:
    Refused(net::Response response, net::Respond respond)
        : response_(std::move(response)), respond_(std::move(respond)) {}
    void on_body(std::string_view) override {}
    void on_end() override { respond_(std::move(response_)); }

private:
    net::Response response_;
    net::Respond respond_;
};

}  // namespace

std::unique_ptr<net::Exchange> refused_exchange(net::Response response, net::Respond respond) {
    return std::make_unique<Refused>(std::move(response), std::move(respond));
}

net::Response json_response(std::string body, unsigned status) {
    net::Response response;
    response.status = status;
    response.body = std::move(body);
    response.body += '\n';
    return response;
}

Problem invalid_parameter(std::string_view name, std::string detail) {
    return {.status = Status::bad_request,
            .code = "invalid_parameter",
            .detail = "query parameter " + std::string(name) + ": " + std::move(detail),
            .hint = {},
            .faults = {},
            .extra = {}};
}

Checked<base::Duration> wait_of(const net::RequestHead& head) {
    const std::string* text = head.parameter("wait");
    if (!text)
        return base::Duration::zero();
    const auto milliseconds = base::parse_duration(*text);
    if (!milliseconds || *milliseconds < 0)
        return invalid_parameter("wait", "expected a duration such as 30s, got \"" + *text + '"');
    const std::chrono::milliseconds limit =
        std::chrono::duration_cast<std::chrono::milliseconds>(longest_wait);
    return base::Duration(std::min(std::chrono::milliseconds(*milliseconds), limit));
}

Checked<std::size_t> limit_of(const net::RequestHead& head, std::size_t preset) {
    const std::string* text = head.parameter("limit");
    if (!text)
        return preset;
    std::size_t value = 0;
    const char* end = text->data() + text->size();
    const auto [stop, failure] = std::from_chars(text->data(), end, value);
    if (failure != std::errc() || stop != end || value < 1 || value > 1000)
        return invalid_parameter("limit", "expected a number from 1 to 1000, got \"" + *text + '"');
    return value;
}

Checked<core::TaskId> id_cursor_of(const net::RequestHead& head) {
    const std::string* text = head.parameter("cursor");
    if (!text)
        return ~core::TaskId{0};
    const auto before = base::parse_number_text(*text);
    if (!before)
        return invalid_parameter("cursor", "expected the next_cursor of an earlier page");
    return *before;
}

std::string text_of(const net::RequestHead& head, std::string_view name) {
    const std::string* text = head.parameter(name);
    return text ? *text : std::string();
}

Checked<std::optional<base::WallTime>> time_of(const net::RequestHead& head,
                                               std::string_view name,
                                               base::WallTime now) {
    const std::string* text = head.parameter(name);
    if (!text)
        return std::optional<base::WallTime>();
    if (const auto time = parse_time(*text))
        return std::optional(*time);
    if (text->starts_with('-'))
        if (const auto ago = base::parse_duration(std::string_view(*text).substr(1)))
            return std::optional(now - std::chrono::milliseconds(*ago));
    return invalid_parameter(
        name,
        "expected a time such as 2026-05-04T09:12:33Z, or -1h for an hour ago, got \"" +
            text->substr(0, 64) + '"');
}

Checked<std::string> choice_of(const net::RequestHead& head,
                               std::string_view name,
                               std::string_view choices) {
    const std::vector<std::string> known = split(choices, ' ');
    const std::string* text = head.parameter(name);
    if (!text)
        return known.front();
    if (std::find(known.begin(), known.end(), *text) != known.end())
        return *text;
    std::string detail = "expected one of";
    for (const std::string& choice : known)
        detail += ' ' + choice;
    return invalid_parameter(name, detail + ", got \"" + *text + '"');
}

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    while (true) {
        const auto end = text.find(separator);
        parts.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos)
            return parts;
        text.remove_prefix(end + 1);
    }
}

bool wants_lines(const net::RequestHead& head) {
    return head.header("accept").find("ndjson") != std::string_view::npos;
}

}  // namespace distributo::coordinator::api
