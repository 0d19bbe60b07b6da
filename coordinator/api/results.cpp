#include "base/ids.hpp"
#include "coordinator/api/extension_text.hpp"
#include "coordinator/api/handlers.hpp"
#include "coordinator/api/task_text.hpp"

#include <charconv>
#include <optional>

namespace distributo::coordinator::api {
namespace {

/// How a page of results was asked for.
struct Form {
    std::optional<std::uint64_t> cursor;  ///< none: from the oldest result on
    Detail detail = Detail::result;
    bool lines = false;
};

Checked<std::optional<std::uint64_t>> cursor_of(const net::RequestHead& head) {
    const std::string* text = head.parameter("cursor");
    if (!text)
        return std::optional<std::uint64_t>();
    std::uint64_t value = 0;
    const char* end = text->data() + text->size();
    const auto [stop, failure] = std::from_chars(text->data(), end, value);
    if (failure != std::errc() || stop != end)
        return invalid_parameter("cursor",
                                 "expected the next_cursor of an earlier page, or a result's seq");
    return std::optional(value);
}

Checked<core::TaskId> id_of(const net::RequestHead& head,
                            std::string_view name,
                            core::TaskId preset) {
    const std::string* text = head.parameter(name);
    if (!text)
        return preset;
    const auto id = base::parse_number_text(*text);
    if (!id)
        return invalid_parameter(name, "expected an id that the coordinator made, such as bz8");
    return *id;
}

Checked<store::ResultsQuery> results_query(const engine::Engine& engine,
                                           const net::RequestHead& head) {
    store::ResultsQuery query;
    query.type = text_of(head, "type");
    query.group = text_of(head, "group");
    query.generator = generator_of(engine, head);
    const auto cursor = cursor_of(head);
    if (!cursor)
        return cursor.error();
    query.after = cursor->value_or(0);
    const auto limit = limit_of(head, 1000);
    if (!limit)
        return limit.error();
    query.limit = *limit;
    const auto from = id_of(head, "from_id", query.from_id);
    if (!from)
        return from.error();
    query.from_id = *from;
    const auto to = id_of(head, "to_id", query.to_id);
    if (!to)
        return to.error();
    query.to_id = *to;
    return query;
}

Problem results_dropped(std::uint64_t cursor, std::uint64_t oldest) {
    const std::string next = std::to_string(oldest - 1);
    return {.status = Status::gone,
            .code = "results_dropped",
            .detail = "results after " + std::to_string(cursor) +
                      " are no longer kept: the oldest is " + std::to_string(oldest),
            .hint = "continue with cursor=" + next,
            .faults = {},
            .extra = {{"oldest", std::to_string(oldest)}, {"next_cursor", next}}};
}

net::Response page_of(const engine::Engine& engine,
                      const store::ResultsPage& page,
                      const Form& form) {
    net::Response response;
    std::string& body = response.body;
    const std::string next = std::to_string(page.next_after);
    body.reserve(page.tasks.size() * 256 + 64);
    if (!form.lines)
        body += "{\"items\":[";
    bool first = true;
    for (const store::TaskRecord& record : page.tasks) {
        if (!form.lines && !first)
            body += ',';
        first = false;
        const std::size_t begin = body.size();
        append_result(body, engine, record, form.detail);
        if (form.lines) {
            keep_on_one_line(body, begin);
            body += '\n';
        }
    }
    response.headers.emplace_back("Next-Cursor", next);
    if (form.lines)
        response.content_type = "application/x-ndjson";
    else
        body +=
            "],\"next_cursor\":\"" + next + "\",\"newest\":" + std::to_string(page.newest) + "}\n";
    return response;
}

}  // namespace

void list_results(Context& context, const Request& request, net::Respond respond) {
    const auto query = results_query(context.engine, request.head);
    const auto wait = wait_of(request.head);
    const auto fields = choice_of(request.head, "fields", "result brief full");
    if (!query || !wait || !fields) {
        respond(to_response(!query ? query.error() : !wait ? wait.error() : fields.error()));
        return;
    }
    Form form;
    if (request.head.parameter("cursor"))
        form.cursor = query->after;
    form.detail = *fields == "full"    ? Detail::full
                  : *fields == "brief" ? Detail::brief
                                       : Detail::result;
    form.lines = wants_lines(request.head);
    context.engine.results(
        *query,
        *wait,
        [&engine = context.engine, respond = std::move(respond), form](
            base::Result<store::ResultsPage> page) {
            if (!page)
                respond(to_response(to_problem(page.error())));
            else if (form.cursor && *form.cursor + 1 < page->oldest)
                respond(to_response(results_dropped(*form.cursor, page->oldest)));
            else
                respond(page_of(engine, *page, form));
        });
}

}  // namespace distributo::coordinator::api
