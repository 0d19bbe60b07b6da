#include "coordinator/api/handlers.hpp"
#include "coordinator/api/repeatable.hpp"
#include "coordinator/api/submit_reader.hpp"
#include "coordinator/api/task_problems.hpp"
#include "coordinator/api/task_text.hpp"

namespace distributo::coordinator::api {
namespace {

using engine::Submitted;
using engine::TaskDetails;

/// What has to be known when the task is stored, or has ended.
struct Pending {
    engine::Engine& engine;
    net::Respond respond;
    std::shared_ptr<const core::TaskOptions> options;
    base::Duration wait;
};

net::Response created(const engine::Engine& engine,
                      const TaskDetails& task,
                      unsigned status,
                      Detail detail) {
    std::string body;
    append_task(body, engine, task, detail, status == 200 ? Repeated::yes : Repeated::no);
    net::Response response = json_response(std::move(body), status);
    response.headers.emplace_back("Location", "/v1/tasks/" + path_escaped(task.shown_id()));
    return response;
}

/// Answers from the scheduler's memory: the task is seldom anywhere else yet.
bool respond_live(const Pending& pending, core::TaskId id) {
    const auto task = pending.engine.live(id);
    if (task)
        pending.respond(created(pending.engine, *task, 201, Detail::brief));
    return task.has_value();
}

void respond_stored(const Pending& pending, const std::vector<Submitted>& all) {
    const Submitted& submitted = all.front();
    const std::string id = shown_id(pending.engine, submitted, pending.options.get());
    if (submitted.kind == Submitted::Kind::conflict) {
        pending.respond(to_response(id_taken(id)));
        return;
    }
    const bool is_new = submitted.kind == Submitted::Kind::created;
    if (is_new && pending.wait == base::Duration::zero() && respond_live(pending, submitted.id))
        return;

    const auto answer = [&engine = pending.engine, respond = pending.respond, id, is_new, all](
                            base::Result<TaskDetails> task) {
        auto response = task ? created(engine, *task, is_new ? 201 : 200, Detail::result)
                             : to_response(task_problem(task.error(), id));
        mark_replayed(response, all);
        respond(std::move(response));
    };
    if (pending.wait > base::Duration::zero())
        pending.engine.wait(id, pending.wait, answer);
    else
        pending.engine.find(id, answer);
}

}  // namespace

void create_task(Context& context, const Request& request, net::Respond respond) {
    const auto wait = wait_of(request.head);
    if (!wait) {
        respond(to_response(wait.error()));
        return;
    }
    auto repeatable = Repeatable::of(request.head);
    if (!repeatable) {
        respond(to_response(repeatable.error()));
        return;
    }
    repeatable->add(request.body);
    SubmitReader reader(context);
    auto submit = reader.read(request.body);
    if (!submit) {
        respond(to_response(submit.error()));
        return;
    }
    Pending pending{context.engine, std::move(respond), submit->options, *wait};
    std::vector<engine::Submit> items;
    items.push_back(std::move(*submit));
    context.engine.submit(
        std::move(items),
        repeatable->take(),
        [pending](base::Result<std::vector<Submitted>> submitted) {
            if (submitted)
                respond_stored(pending, *submitted);
            else
                pending.respond(to_response(submit_problem(pending.engine, submitted.error())));
        });
}

}  // namespace distributo::coordinator::api
