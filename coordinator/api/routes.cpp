#include "coordinator/api/routes.hpp"

#include "base/config.hpp"
#include "coordinator/api/handlers.hpp"

#include <algorithm>

namespace distributo::coordinator::api {
namespace {

using net::Method;

constexpr Route table[] = {
    {Method::post, "/v1/tasks:batch", "atomic", nullptr, open_task_batch},
    {Method::post, "/v1/tasks", "wait", create_task},
    {Method::get,
     "/v1/results",
     "cursor limit wait type group generator from_id to_id fields",
     list_results},
    {Method::post, "/addTask", "", add_task},
    {Method::post, "/addTasks", "", nullptr, open_add_tasks},

    {Method::get,
     "/v1/tasks",
     "state type group generator host label created_from created_before limit cursor fields count",
     list_tasks},
    {Method::get, "/v1/tasks/{id}", "wait", get_task},
    {Method::get, "/v1/tasks/{id}/attempts", "", get_attempts},
    {Method::get, "/v1/tasks/{id}/result", "wait", get_result},
    {Method::get, "/v1/tasks/{id}/logs", "format", get_logs},
    {Method::get, "/v1/tasks/{id}/explain", "", explain_task},
    {Method::post, "/v1/tasks/{id}/cancel", "", cancel_task},
    {Method::post, "/v1/tasks/{id}/retry", "", retry_task},
    {Method::post, "/v1/tasks/{id}/hold", "", hold_task},
    {Method::post, "/v1/tasks/{id}/release", "", release_task},

    {Method::get, "/v1/groups", "limit cursor", list_groups},
    {Method::get, "/v1/groups/{name}", "", get_group},
    {Method::post, "/v1/groups/{name}/cancel", "", cancel_group},
    {Method::post, "/v1/groups/{name}/hold", "", hold_group},
    {Method::post, "/v1/groups/{name}/release", "", release_group},
    {Method::post, "/v1/groups/{name}/retry", "", retry_group},

    {Method::get, "/v1/hosts", "", list_hosts},
    {Method::get, "/v1/hosts/{id}", "", get_host},
    {Method::post, "/v1/hosts/{id}/release", "", release_host},
    {Method::get, "/v1/plugins", "", list_plugins},
    {Method::get, "/v1/types", "", list_types},
    {Method::get, "/v1/types/{type}", "", get_type},

    {Method::get, "/v1/generators", "", list_instances},
    {Method::post, "/v1/generators", "", create_instance},
    {Method::get, "/v1/generators/{name}", "", get_instance},
    {Method::delete_, "/v1/generators/{name}", "", remove_instance},
    {Method::post, "/v1/generators/{name}/pause", "", pause_instance},
    {Method::post, "/v1/generators/{name}/resume", "", resume_instance},
    {Method::post, "/v1/generators/{name}/run", "", run_instance},
    {Method::post, "/v1/generators/{name}/reset", "", reset_instance},
    {Method::get, "/v1/sinks", "", list_instances},
    {Method::post, "/v1/sinks", "", create_instance},
    {Method::get, "/v1/sinks/{name}", "", get_instance},
    {Method::delete_, "/v1/sinks/{name}", "", remove_instance},
    {Method::post, "/v1/sinks/{name}/pause", "", pause_instance},
    {Method::post, "/v1/sinks/{name}/resume", "", resume_instance},
    {Method::post, "/v1/sinks/{name}/run", "", run_instance},
    {Method::post, "/v1/sinks/{name}/reset", "", reset_instance},
    {Method::get, "/v1/extensions", "", list_plugin_files},

    {Method::post, "/v1/backups", "", create_backup},
    {Method::get, "/v1/status", "", get_status},
    {Method::get, "/healthz", "", get_healthz},
    {Method::get, "/readyz", "", get_readyz},
    {Method::get, "/openapi.json", "", get_openapi_json},
    {Method::get, "/openapi.yaml", "", get_openapi_yaml},
    {Method::get, "/", "", get_index},
};

std::string_view next_segment(std::string_view& path) {
    const auto end = path.find('/');
    const std::string_view segment = path.substr(0, end);
    path.remove_prefix(end == std::string_view::npos ? path.size() : end + 1);
    return segment;
}

bool is_capture(std::string_view segment) {
    return segment.starts_with('{');
}

bool matches(std::string_view pattern, std::string_view path, std::vector<std::string>* captured) {
    if (pattern.find('{') == std::string_view::npos)
        return pattern == path;
    while (!pattern.empty() && !path.empty()) {
        const std::string_view expected = next_segment(pattern);
        const std::string_view got = next_segment(path);
        if (is_capture(expected) ? got.empty() : expected != got)
            return false;
        if (captured && is_capture(expected))
            captured->emplace_back(got);
    }
    return pattern.empty() && path.empty();
}

/// The pattern with what the path has in the places of its {…}, to compare and to show.
std::string filled(std::string_view pattern, std::string_view path) {
    std::string text;
    pattern.remove_prefix(1);
    path.remove_prefix(std::min<std::size_t>(path.size(), 1));
    while (!pattern.empty()) {
        const std::string_view expected = next_segment(pattern);
        const std::string_view got = next_segment(path);
        text += '/';
        text += is_capture(expected) && !got.empty() ? got : expected;
    }
    return text.empty() ? "/" : text;
}

Problem no_such_route(std::span<const Route> routes, const net::RequestHead& head) {
    std::vector<std::string> known;
    for (const Route& route : routes)
        known.push_back(filled(route.pattern, head.path));
    const std::string near = base::nearest(head.path, known);
    return {.status = Status::not_found,
            .code = "no_such_route",
            .detail = "nothing is served at " + head.path.substr(0, 256),
            .hint = near.empty() ? "GET /openapi.json lists what is served"
                                 : "did you mean " + near + "?",
            .faults = {},
            .extra = {}};
}

Problem wrong_method(const net::RequestHead& head, const std::string& allowed) {
    return {.status = Status::wrong_method,
            .code = "method_not_allowed",
            .detail = head.path.substr(0, 256) + " does not take " +
                      std::string(net::to_string(head.method)),
            .hint = "use " + allowed,
            .faults = {},
            .extra = {{"allow", allowed}}};
}

Checked<> check_parameters(const Route& route, const net::RequestHead& head) {
    if (head.query.empty())
        return {};
    const std::vector<std::string> known = split(route.parameters, ' ');
    for (const auto& [name, value] : head.query) {
        if (!name.empty() && std::find(known.begin(), known.end(), name) != known.end())
            continue;
        const std::string near = base::nearest(name, known);
        return Problem{.status = Status::bad_request,
                       .code = "unknown_parameter",
                       .detail = "no query parameter \"" + name.substr(0, 64) + "\" here",
                       .hint = near.empty() ? route.parameters.empty()
                                                  ? "this route takes none"
                                                  : "known: " + std::string(route.parameters)
                                            : "did you mean '" + near + "'?",
                       .faults = {},
                       .extra = {}};
    }
    return {};
}

}  // namespace

std::span<const Route> routes() noexcept {
    return table;
}

Checked<Match> find_route(std::span<const Route> routes, const net::RequestHead& head) {
    // A HEAD is a GET whose body the server does not send.
    const Method method = head.method == Method::head ? Method::get : head.method;
    std::string allowed;
    for (const Route& route : routes) {
        if (route.method != method) {
            if (matches(route.pattern, head.path, nullptr))
                allowed +=
                    (allowed.empty() ? "" : ", ") + std::string(net::to_string(route.method));
            continue;
        }
        Match match{&route, {}};
        if (!matches(route.pattern, head.path, &match.captured))
            continue;
        if (auto known = check_parameters(route, head); !known)
            return known.error();
        return match;
    }
    if (!allowed.empty())
        return wrong_method(head, allowed);
    return no_such_route(routes, head);
}

}  // namespace distributo::coordinator::api
