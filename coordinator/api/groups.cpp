#include "base/ids.hpp"
#include "coordinator/api/handlers.hpp"
#include "coordinator/api/members.hpp"
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

void ask(Context& context,
         const Request& request,
         engine::GroupAsk what,
         std::string reason,
         net::Respond respond) {
    context.engine.ask_group(
        request.captured[0],
        what,
        std::move(reason),
        [respond = std::move(respond)](base::Result<engine::GroupAnswer> answer) {
            if (!answer) {
                respond(to_response(to_problem(answer.error())));
                return;
            }
            std::string body;
            Writer(body)
                .begin_object()
                .member("changed", answer->changed)
                .member("refused", answer->refused)
                .member_raw("more", answer->more ? "true" : "false")
                .end_object();
            respond(json_response(std::move(body)));
        });
}

}  // namespace

void cancel_group(Context& context, const Request& request, net::Respond respond) {
    ask(context, request, engine::GroupAsk::cancel, {}, std::move(respond));
}

void hold_group(Context& context, const Request& request, net::Respond respond) {
    auto reason = read_reason(request.body);
    if (reason)
        ask(context, request, engine::GroupAsk::hold, std::move(*reason), std::move(respond));
    else
        respond(to_response(reason.error()));
}

void release_group(Context& context, const Request& request, net::Respond respond) {
    ask(context, request, engine::GroupAsk::release, {}, std::move(respond));
}

void retry_group(Context& context, const Request& request, net::Respond respond) {
    ask(context, request, engine::GroupAsk::retry, {}, std::move(respond));
}

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
