#include "coordinator/api/handlers.hpp"
#include "coordinator/api/item_stream.hpp"
#include "coordinator/api/original_form.hpp"
#include "coordinator/api/task_problems.hpp"
#include "coordinator/api/task_text.hpp"
#include "wire/json.hpp"

namespace distributo::coordinator::api {
namespace {

using engine::Submitted;
using wire::json::Writer;

/// Errors of these routes are objects with one text.
net::Response error_response(const Problem& problem) {
    std::string text = problem.detail;
    if (problem.code == ItemStream::not_an_array)
        text = "Request body must be an array of tasks.";
    else if (problem.code == "malformed_json")
        text = "Request body is not valid JSON: " + problem.detail;
    std::string body;
    Writer(body).begin_object().member("error", text).end_object();
    net::Response response = json_response(std::move(body), static_cast<unsigned>(problem.status));
    add_retry_after(response, problem);
    return response;
}

std::string taken(const core::TaskOptions* options) {
    return "Task \"" + (options ? options->given_id : std::string()) +
           "\" exists already with different content.";
}

net::Response added_response(const Submitted& submitted, const core::TaskOptions* options) {
    if (submitted.kind == Submitted::Kind::conflict)
        return error_response({.status = Status::conflict,
                               .code = "id_taken",
                               .detail = taken(options),
                               .hint = {},
                               .faults = {},
                               .extra = {}});
    std::string body;
    Writer(body)
        .begin_object()
        .member("message", "Task added successfully.")
        .member("taskId", shown_id(submitted.id, options))
        .end_object();
    return json_response(std::move(body));
}

/// What is kept of one /addTasks until its tasks are stored.
struct Additions {
    struct Entry {
        std::string project_json;
        std::string error;  ///< empty: it was submitted
        std::shared_ptr<const core::TaskOptions> options;
    };

    explicit Additions(Context& context)
        : engine(context.engine), form(context, "Missing projectName.") {}

    engine::Engine& engine;
    OriginalForm form;  ///< here, because `submits` refer to it
    net::Respond respond;
    std::vector<engine::Submit> submits;
    std::vector<Entry> entries;
};

net::Response additions_response(const Additions& additions,
                                 const std::vector<Submitted>& submitted) {
    std::string added = "{\"addedTasks\":";
    std::string failed;
    Writer ids(added);
    Writer failures(failed);
    ids.begin_array();
    failures.begin_array();
    auto next = submitted.begin();
    for (const Additions::Entry& entry : additions.entries) {
        std::string error = entry.error;
        if (error.empty()) {
            const Submitted& one = *next++;
            if (one.kind != Submitted::Kind::conflict) {
                ids.string(shown_id(one.id, entry.options.get()));
                continue;
            }
            error = taken(entry.options.get());
        }
        failures.begin_object()
            .member_raw("projectName", entry.project_json)
            .member("error", error)
            .end_object();
    }
    ids.end_array();
    failures.end_array();
    return json_response(added + ",\"failedTasks\":" + failed + '}');
}

class AdditionsExchange final : public ItemStream {
public:
    AdditionsExchange(Context& context, Repeatable repeatable, net::Respond respond)
        : ItemStream(wire::json::Splitter::Mode::array, std::move(repeatable)),
          additions_(std::make_shared<Additions>(context)) {
        additions_->respond = std::move(respond);
    }

private:
    void on_item(std::string_view text) override {
        auto submit = additions_->form.read(text);
        if (!submit && submit.error().code == "malformed_json") {
            refuse(std::move(submit.error()));
            return;
        }
        Additions::Entry entry{additions_->form.project_json(), {}, {}};
        if (submit) {
            entry.options = submit->options;
            additions_->submits.push_back(std::move(*submit));
        } else if (text.front() != '{') {
            entry.error = "Task entry must be an object.";
        } else {
            entry.error = submit.error().detail;
        }
        additions_->entries.push_back(std::move(entry));
    }

    void on_complete() override {
        const auto& additions = additions_;
        additions->engine.submit(std::move(additions->submits),
                                 repeatable_.take(),
                                 [additions](base::Result<std::vector<Submitted>> submitted) {
                                     if (!submitted) {
                                         additions->respond(error_response(
                                             submit_problem(additions->engine, submitted.error())));
                                         return;
                                     }
                                     auto response = additions_response(*additions, *submitted);
                                     mark_replayed(response, *submitted);
                                     additions->respond(std::move(response));
                                 });
    }

    void on_refused(Problem problem) override { additions_->respond(error_response(problem)); }

    std::shared_ptr<Additions> additions_;
};

}  // namespace

void add_task(Context& context, const Request& request, net::Respond respond) {
    auto repeatable = Repeatable::of(request.head);
    if (!repeatable) {
        respond(error_response(repeatable.error()));
        return;
    }
    repeatable->add(request.body);
    OriginalForm form(context, "Missing projectName in request body.");
    auto submit = form.read(request.body);
    if (!submit) {
        respond(error_response(submit.error()));
        return;
    }
    auto options = submit->options;
    std::vector<engine::Submit> items;
    items.push_back(std::move(*submit));
    context.engine.submit(
        std::move(items),
        repeatable->take(),
        [&engine = context.engine, respond = std::move(respond), options = std::move(options)](
            base::Result<std::vector<Submitted>> submitted) {
            if (!submitted) {
                respond(error_response(submit_problem(engine, submitted.error())));
                return;
            }
            auto response = added_response(submitted->front(), options.get());
            mark_replayed(response, *submitted);
            respond(std::move(response));
        });
}

std::unique_ptr<net::Exchange> open_add_tasks(Context& context,
                                              const net::RequestHead& head,
                                              net::Respond respond) {
    auto repeatable = Repeatable::of(head);
    if (!repeatable)
        return refused_exchange(error_response(repeatable.error()), std::move(respond));
    return std::make_unique<AdditionsExchange>(context, std::move(*repeatable), std::move(respond));
}

}  // namespace distributo::coordinator::api
