#include "net/refusal.hpp"

#include "wire/json.hpp"

namespace distributo::net {

Response to_response(const Refusal& refusal) {
    std::string title(refusal.code);
    for (char& c : title)
        if (c == '_')
            c = ' ';
    if (!title.empty() && title[0] >= 'a' && title[0] <= 'z')
        title[0] = static_cast<char>(title[0] - 'a' + 'A');

    Response response;
    response.status = refusal.status;
    response.content_type = "application/problem+json";
    wire::json::Writer json(response.body);
    json.begin_object();
    json.member("type", "urn:distributo:problem:" + std::string(refusal.code));
    json.member("title", title);
    json.member("status", refusal.status);
    json.member("detail", refusal.detail);
    json.member("code", refusal.code);
    json.member("hint", refusal.hint);
    json.end_object();
    response.body += '\n';
    if (refusal.status == 405)
        response.headers.emplace_back("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    if (refusal.status == 426) {
        response.headers.emplace_back("Upgrade", "websocket");
        response.headers.emplace_back("Sec-WebSocket-Version", "13");
    }
    return response;
}

std::string quoted(std::string_view text) {
    constexpr std::size_t longest = 100;
    std::string out = "'";
    out += text.substr(0, longest);
    out += text.size() > longest ? "…'" : "'";
    return out;
}

}  // namespace distributo::net
