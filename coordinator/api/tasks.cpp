#include "base/ids.hpp"
#include "coordinator/api/extension_text.hpp"
#include "coordinator/api/handlers.hpp"
#include "coordinator/api/members.hpp"
#include "coordinator/api/task_problems.hpp"
#include "coordinator/api/task_text.hpp"
#include "coordinator/api/time_text.hpp"
#include "wire/json.hpp"

namespace distributo::coordinator::api {
namespace {

using engine::TaskDetails;
using wire::json::Writer;

/// Answers with whatever `render` makes of a task.
engine::Engine::Done<TaskDetails> answer_with(const Context& context,
                                              net::Respond respond,
                                              std::string id,
                                              net::Response (*render)(const engine::Engine& engine,
                                                                      const TaskDetails& task)) {
    return [&engine = context.engine, respond = std::move(respond), id = std::move(id), render](
               base::Result<TaskDetails> task) {
        respond(task ? render(engine, *task) : to_response(task_problem(task.error(), id)));
    };
}

/// Looks a task up, after waiting for its end if the client asked for that.
void find_or_wait(Context& context,
                  const Request& request,
                  engine::Engine::Done<TaskDetails> done,
                  const net::Respond& respond) {
    const auto wait = wait_of(request.head);
    if (!wait)
        respond(to_response(wait.error()));
    else if (*wait > base::Duration::zero())
        context.engine.wait(request.captured[0], *wait, std::move(done));
    else
        context.engine.find(request.captured[0], std::move(done));
}

net::Response full_task(const engine::Engine& engine, const TaskDetails& task) {
    std::string body;
    append_task(body, engine, task, Detail::full);
    return json_response(std::move(body));
}

net::Response attempts_of(const engine::Engine&, const TaskDetails& task) {
    std::string body;
    append_attempts(body, task);
    return json_response(std::move(body));
}

net::Response result_of(const engine::Engine&, const TaskDetails& task) {
    const std::string state(to_string(task.state()));
    if (task.state() == wire::TaskState::completed) {
        net::Response response;
        const auto bytes = task.record.outcome->result.view();
        response.body = bytes.empty() ? "null" : bytes;
        return response;
    }
    if (!wire::is_terminal(task.state()))
        return to_response({.status = Status::conflict,
                            .code = "not_ended",
                            .detail = "the task has not ended: it is " + state,
                            .hint = "add ?wait=30s to wait for its end",
                            .faults = {},
                            .extra = {{"state", state}}});
    std::string detail = "the task has no result: it is " + state;
    if (task.record.outcome && !task.record.outcome->attempt.message.empty())
        detail += ": " + task.record.outcome->attempt.message;
    return to_response({.status = Status::not_found,
                        .code = "no_result",
                        .detail = std::move(detail),
                        .hint = {},
                        .faults = {},
                        .extra = {{"state", state}}});
}

std::string log_text(const std::vector<engine::LogLine>& lines) {
    std::string text;
    for (const engine::LogLine& line : lines) {
        std::string_view rest = line.text;
        if (rest.ends_with('\n'))
            rest.remove_suffix(1);
        for (const std::string& part : split(rest, '\n'))
            text += std::to_string(line.attempt) + ' ' + line.stream + " | " + part + '\n';
    }
    return text;
}

std::string log_json(const std::vector<engine::LogLine>& lines) {
    std::string body;
    Writer json(body);
    json.begin_object().key("items").begin_array();
    for (const engine::LogLine& line : lines) {
        json.begin_object();
        json.member("attempt", line.attempt);
        json.member("stream", line.stream);
        json.member("time", time_text(line.when));
        json.member("text", line.text);
        json.end_object();
    }
    json.end_array().end_object();
    return body;
}

std::string explanation_json(const std::string& id, const core::Explanation& explanation) {
    std::string body;
    Writer json(body);
    json.begin_object();
    json.member("id", id);
    json.member("summary", explanation.summary);
    if (!explanation.hint.empty())
        json.member("hint", explanation.hint);
    json.key("hosts").begin_array();
    for (const core::HostObstacle& obstacle : explanation.hosts) {
        json.begin_object();
        json.member("name", obstacle.name);
        json.member("code", obstacle.code);
        json.member("detail", obstacle.detail);
        json.end_object();
    }
    json.end_array().end_object();
    return body;
}

/// "key:value"; nothing when it is not asked for.
Checked<std::pair<std::string, std::string>> label_of(const net::RequestHead& head) {
    const std::string* text = head.parameter("label");
    if (!text)
        return std::pair<std::string, std::string>();
    const auto colon = text->find(':');
    if (colon == std::string::npos || colon == 0)
        return invalid_parameter("label", "expected key:value, got \"" + *text + '"');
    return std::pair(text->substr(0, colon), text->substr(colon + 1));
}

/// Takes the list's filters out of the query.
Checked<store::ListQuery> list_query(const Context& context, const net::RequestHead& head) {
    store::ListQuery query;
    for (const std::string& name : split(text_of(head, "state"), ',')) {
        if (name.empty())
            continue;
        const auto state = wire::parse_task_state(name);
        if (!state)
            return invalid_parameter("state", "no state is called \"" + name + '"');
        query.states.push_back(*state);
    }
    query.type = text_of(head, "type");
    query.group = text_of(head, "group");
    query.generator = generator_of(context.engine, head);
    query.host = text_of(head, "host");
    const auto label = label_of(head);
    if (!label)
        return label.error();
    query.label = *label;
    const auto now = context.clock.wall();
    const auto from = time_of(head, "created_from", now);
    const auto before_time = time_of(head, "created_before", now);
    if (!from || !before_time)
        return !from ? from.error() : before_time.error();
    query.created_from = *from;
    query.created_before = *before_time;
    const auto before = id_cursor_of(head);
    if (!before)
        return before.error();
    query.before = *before;
    const auto limit = limit_of(head, 100);
    if (!limit)
        return limit.error();
    query.limit = *limit;
    return query;
}

net::Response task_page(const engine::Engine& engine,
                        const engine::TaskPage& page,
                        Detail detail,
                        std::optional<std::uint64_t> count) {
    std::string body = "{\"items\":[";
    for (const TaskDetails& task : page.tasks) {
        if (&task != &page.tasks.front())
            body += ',';
        append_task(body, engine, task, detail);
    }
    body += ']';
    if (count)
        body += ",\"count\":" + std::to_string(*count);
    if (page.next_before != 0) {
        body += ",\"next_cursor\":\"";
        body += base::NumberText(page.next_before).view();
        body += '"';
    }
    body += '}';
    return json_response(std::move(body));
}

/// Is every filter one that tasks are counted by?
bool is_counted(const store::ListQuery& query) {
    return query.host.empty() && query.generator == 0 && query.label.first.empty() &&
           !query.created_from && !query.created_before &&
           (query.type.empty() || query.group.empty());
}

Problem not_counted() {
    Problem problem = invalid_parameter(
        "count", "tasks are counted by state and by either type or group, not by other filters");
    problem.hint = "leave count out and follow next_cursor, or filter by less";
    return problem;
}

}  // namespace

void list_tasks(Context& context, const Request& request, net::Respond respond) {
    const auto query = list_query(context, request.head);
    const auto fields = choice_of(request.head, "fields", "brief result full");
    const auto count = choice_of(request.head, "count", "false true");
    if (!query || !fields || !count) {
        respond(to_response(!query ? query.error() : !fields ? fields.error() : count.error()));
        return;
    }
    const Detail detail = *fields == "full"     ? Detail::full
                          : *fields == "result" ? Detail::result
                                                : Detail::brief;
    if (*count == "true" && !is_counted(*query)) {
        respond(to_response(not_counted()));
        return;
    }
    const auto list = [&engine = context.engine, query = *query, respond, detail](
                          std::optional<std::uint64_t> total) {
        engine.list(query, [&engine, respond, detail, total](base::Result<engine::TaskPage> page) {
            respond(page ? task_page(engine, *page, detail, total)
                         : to_response(to_problem(page.error())));
        });
    };
    if (*count != "true") {
        list(std::nullopt);
        return;
    }
    context.engine.count(*query, [respond, list](base::Result<std::uint64_t> total) {
        if (total)
            list(*total);
        else
            respond(to_response(to_problem(total.error())));
    });
}

void get_task(Context& context, const Request& request, net::Respond respond) {
    find_or_wait(
        context, request, answer_with(context, respond, request.captured[0], full_task), respond);
}

void get_attempts(Context& context, const Request& request, net::Respond respond) {
    const std::string& id = request.captured[0];
    context.engine.find(id, answer_with(context, std::move(respond), id, attempts_of));
}

void get_result(Context& context, const Request& request, net::Respond respond) {
    find_or_wait(
        context, request, answer_with(context, respond, request.captured[0], result_of), respond);
}

void get_logs(Context& context, const Request& request, net::Respond respond) {
    const auto format = choice_of(request.head, "format", "text json");
    if (!format) {
        respond(to_response(format.error()));
        return;
    }
    const std::string& id = request.captured[0];
    const bool as_text = *format == "text";
    context.engine.logs(id,
                        [respond = std::move(respond), id, as_text](
                            base::Result<std::vector<engine::LogLine>> lines) {
                            if (!lines) {
                                respond(to_response(task_problem(lines.error(), id)));
                                return;
                            }
                            net::Response response = json_response(log_json(*lines));
                            if (as_text) {
                                response.content_type = "text/plain; charset=utf-8";
                                response.body = log_text(*lines);
                            }
                            respond(std::move(response));
                        });
}

void explain_task(Context& context, const Request& request, net::Respond respond) {
    const std::string& id = request.captured[0];
    context.engine.explain(
        id, [respond = std::move(respond), id](base::Result<core::Explanation> explanation) {
            respond(explanation ? json_response(explanation_json(id, *explanation))
                                : to_response(task_problem(explanation.error(), id)));
        });
}

void cancel_task(Context& context, const Request& request, net::Respond respond) {
    const std::string& id = request.captured[0];
    context.engine.cancel(id, answer_with(context, std::move(respond), id, full_task));
}

void hold_task(Context& context, const Request& request, net::Respond respond) {
    auto reason = read_reason(request.body);
    if (!reason) {
        respond(to_response(reason.error()));
        return;
    }
    const std::string& id = request.captured[0];
    context.engine.hold(
        id, std::move(*reason), answer_with(context, std::move(respond), id, full_task));
}

void release_task(Context& context, const Request& request, net::Respond respond) {
    const std::string& id = request.captured[0];
    context.engine.release(id, answer_with(context, std::move(respond), id, full_task));
}

void retry_task(Context& context, const Request& request, net::Respond respond) {
    const std::string& id = request.captured[0];
    context.engine.retry(id, answer_with(context, std::move(respond), id, full_task));
}

}  // namespace distributo::coordinator::api
