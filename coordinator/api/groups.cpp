#include "base/ids.hpp"
#include "coordinator/api/handlers.hpp"
#include "wire/json.hpp"

namespace distributo::coordinator::api {
namespace {

using engine::GroupSummary;
using wire::json::Writer;

void append_group(Writer& json, const GroupSummary& group) {
    json.begin_object();
    json.member("name", group.name);
    json.member("state", to_string(group.state()));
    json.member("total", group.tasks.total());
    json.key("tasks").begin_object();
    for (std::size_t i = 0; i < engine::StateCounts::states; ++i) {
        const auto state = static_cast<wire::TaskState>(i);
        json.member(to_string(state), group.tasks[state]);
    }
    json.end_object();
    json.end_object();
}

net::Response group_page(const std::vector<GroupSummary>& groups, std::size_t limit) {
    std::string body;
    Writer json(body);
    json.begin_object().key("items").begin_array();
    for (const GroupSummary& group : groups)
        append_group(json, group);
    json.end_array();
    if (groups.size() == limit)
        json.member("next_cursor", base::NumberText(groups.back().newest).view());
    json.end_object();
    return json_response(std::move(body));
}

}  // namespace

void list_groups(Context& context, const Request& request, net::Respond respond) {
    const auto limit = limit_of(request.head, 100);
    const auto before = id_cursor_of(request.head);
    if (!limit || !before) {
        respond(to_response(!limit ? limit.error() : before.error()));
        return;
    }
    context.engine.groups(
        *before,
        *limit,
        [respond = std::move(respond),
         limit = *limit](base::Result<std::vector<GroupSummary>> groups) {
            respond(groups ? group_page(*groups, limit) : to_response(to_problem(groups.error())));
        });
}

void get_group(Context& context, const Request& request, net::Respond respond) {
    context.engine.group(request.captured[0],
                         [respond = std::move(respond)](base::Result<GroupSummary> group) {
                             if (!group) {
                                 Problem problem = to_problem(group.error());
                                 if (problem.status == Status::not_found) {
                                     problem.code = "group_not_found";
                                     problem.hint = "GET /v1/groups lists them";
                                 }
                                 respond(to_response(problem));
                                 return;
                             }
                             std::string body;
                             Writer json(body);
                             append_group(json, *group);
                             respond(json_response(std::move(body)));
                         });
}

}  // namespace distributo::coordinator::api
