#include "coordinator/api/problem.hpp"

#include "wire/json.hpp"

#include <cctype>
#include <stdexcept>

namespace distributo::coordinator::api {
namespace {

std::string title_of(std::string_view code) {
    std::string title(code);
    for (char& c : title)
        if (c == '_')
            c = ' ';
    if (!title.empty())
        title[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(title[0])));
    return title;
}

struct Mapping {
    base::Errc errc;
    Status status;
    std::string_view code;
};

constexpr Mapping mappings[] = {
    {base::Errc::invalid_argument, Status::bad_request, "invalid_request"},
    {base::Errc::not_found, Status::not_found, "not_found"},
    {base::Errc::conflict, Status::conflict, "wrong_state"},
    {base::Errc::limit, Status::too_many, "too_many_requests"},
    {base::Errc::no_space, Status::no_space, "disk_full"},
    {base::Errc::unavailable, Status::unavailable, "unavailable"},
    {base::Errc::timeout, Status::timeout, "timeout"},
    {base::Errc::io, Status::unavailable, "store_failed"},
    {base::Errc::internal, Status::internal, "internal_error"},
};

}  // namespace

void throw_exception_from_error(const Problem& problem, const boost::source_location& where) {
    throw std::logic_error(std::string(where.function_name()) +
                           ": value of a failed check was used: " + problem.detail);
}

void append_problem(std::string& out, const Problem& problem) {
    wire::json::Writer json(out);
    json.begin_object();
    json.member("type", "urn:distributo:problem:" + std::string(problem.code));
    json.member("title", title_of(problem.code));
    json.member("status", static_cast<unsigned>(problem.status));
    json.member("detail", problem.detail);
    json.member("code", problem.code);
    if (!problem.hint.empty())
        json.member("hint", problem.hint);
    for (const auto& [name, text] : problem.extra)
        json.member(name, text);
    if (!problem.faults.empty()) {
        json.key("errors").begin_array();
        for (const Fault& fault : problem.faults) {
            json.begin_object();
            json.member("pointer", fault.pointer);
            json.member("detail", fault.detail);
            json.end_object();
        }
        json.end_array();
    }
    json.end_object();
}

void add_retry_after(net::Response& response, const Problem& problem) {
    if (problem.status == Status::too_many || problem.status == Status::unavailable ||
        problem.status == Status::no_space)
        response.headers.emplace_back("Retry-After", std::to_string(problem.retry_after_s));
}

net::Response to_response(const Problem& problem) {
    net::Response response;
    response.status = static_cast<unsigned>(problem.status);
    response.content_type = "application/problem+json";
    append_problem(response.body, problem);
    response.body += '\n';
    add_retry_after(response, problem);
    for (const auto& [name, text] : problem.extra)
        if (name == "allow")
            response.headers.emplace_back("Allow", text);
    return response;
}

Problem to_problem(const base::Error& error) {
    for (const Mapping& mapping : mappings)
        if (mapping.errc == error.code)
            return {.status = mapping.status,
                    .code = mapping.code,
                    .detail = error.message,
                    .hint = error.hint,
                    .faults = {},
                    .extra = {}};
    return {.status = Status::internal,
            .code = "internal_error",
            .detail = error.message,
            .hint = {},
            .faults = {},
            .extra = {}};
}

Problem malformed(const base::Error& error) {
    const bool too_big = error.code == base::Errc::limit;
    const bool too_deep = error.message.find("nesting") != std::string::npos;
    return {.status = too_big ? Status::too_large : Status::bad_request,
            .code = too_big ? "too_large" : "malformed_json",
            .detail = error.message,
            .hint = too_deep ? "the document is too deep" : error.hint,
            .faults = {},
            .extra = {}};
}

}  // namespace distributo::coordinator::api
