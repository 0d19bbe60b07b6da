#include "base/ids.hpp"
#include "coordinator/api/handlers.hpp"
#include "coordinator/api/item_stream.hpp"
#include "coordinator/api/same_task.hpp"
#include "coordinator/api/task_problems.hpp"
#include "coordinator/api/task_text.hpp"

#include <algorithm>

namespace distributo::coordinator::api {
namespace {

using engine::Submit;
using engine::Submitted;

/// What is kept of a batch until its tasks are stored.
struct Batch {
    explicit Batch(Context& context) : engine(context.engine), reader(context) {}

    engine::Engine& engine;
    SubmitReader reader;  ///< here, because `submits` refer to it
    net::Respond respond;
    bool lines = false;  ///< answer with one JSON value per line
    std::size_t count = 0;
    std::vector<Submit> submits;
    std::optional<engine::IdempotencyKey> key;
    std::vector<std::pair<std::size_t, Problem>> refused;  ///< by index in the batch
    /// Options of the tasks with an id of their own or a unique key, by index in `submits`.
    std::vector<std::pair<std::size_t, std::shared_ptr<const core::TaskOptions>>> named;
};

/// The ids of stored tasks, in the order of the batch.
class Answer {
public:
    Answer(const Batch& batch, const std::vector<Submitted>& submitted)
        : batch_(batch), submitted_(submitted) {}

    net::Response take() {
        const std::string_view separator = batch_.lines ? "\n" : ",\n";
        std::string items;
        items.reserve(batch_.count * 16);
        auto refused = batch_.refused.begin();
        for (std::size_t i = 0, stored = 0; i < batch_.count; ++i) {
            if (refused != batch_.refused.end() && refused->first == i)
                append_refused(items, (refused++)->second);
            else
                append_stored(items, stored++);
            items += separator;
        }
        return batch_.lines ? as_lines(std::move(items)) : as_object(std::move(items));
    }

private:
    void append_refused(std::string& out, const Problem& problem) {
        ++rejected_;
        out += "{\"error\":";
        append_problem(out, problem);
        out += '}';
    }

    void append_stored(std::string& out, std::size_t index) {
        const Submitted& submitted = submitted_[index];
        const core::TaskOptions* options = nullptr;
        if (named_ < batch_.named.size() && batch_.named[named_].first == index)
            options = batch_.named[named_++].second.get();
        if (submitted.kind == Submitted::Kind::conflict) {
            append_refused(out, id_taken(options ? options->given_id : std::string()));
            return;
        }
        if (options) {
            out += "{\"id\":";
            wire::json::Writer(out).string(shown_id(batch_.engine, submitted, options));
        } else {
            out += "{\"id\":\"";
            out += base::NumberText(submitted.id).view();
            out += '"';
        }
        out += submitted.kind == Submitted::Kind::repeated ? ",\"repeated\":true}" : "}";
    }

    net::Response as_lines(std::string items) {
        net::Response response;
        response.content_type = "application/x-ndjson";
        response.body = std::move(items);
        return response;
    }

    net::Response as_object(std::string items) {
        if (!items.empty())
            items.resize(items.size() - 2);
        return json_response("{\"accepted\":" + std::to_string(batch_.count - rejected_) +
                             ",\"rejected\":" + std::to_string(rejected_) + ",\"results\":[\n" +
                             items + "\n]}");
    }

    const Batch& batch_;
    const std::vector<Submitted>& submitted_;
    std::size_t named_ = 0;
    std::size_t rejected_ = 0;
};

void store(const std::shared_ptr<Batch>& batch) {
    batch->engine.submit(
        std::move(batch->submits),
        std::move(batch->key),
        [batch](base::Result<std::vector<Submitted>> submitted) {
            if (!submitted) {
                batch->respond(to_response(submit_problem(batch->engine, submitted.error())));
                return;
            }
            auto response = Answer(*batch, *submitted).take();
            mark_replayed(response, *submitted);
            batch->respond(std::move(response));
        });
}

Problem batch_refused(std::vector<Fault> faults) {
    return {.status = Status::unprocessable,
            .code = "batch_refused",
            .detail = "nothing of the batch was stored: " + std::to_string(faults.size()) +
                      " of its tasks cannot be accepted",
            .hint = "correct them, or leave ?atomic=true out to store the others",
            .faults = std::move(faults),
            .extra = {}};
}

/// Looks up which ids of an atomic batch are taken already, and stores it only if none is.
/// Tasks that are there with the same content do not hinder: the batch may be a repeat.
class AtomicCheck : public std::enable_shared_from_this<AtomicCheck> {
public:
    explicit AtomicCheck(std::shared_ptr<Batch> batch) : batch_(std::move(batch)) {}

    void run() {
        find_twins();
        open_ = 1;
        for (const auto& [index, options] : batch_->named) {
            if (options->given_id.empty())
                continue;
            ++open_;
            batch_->engine.find(
                options->given_id,
                [self = shared_from_this(), index = index](base::Result<engine::TaskDetails> task) {
                    self->on_found(index, task);
                });
        }
        finish_one();
    }

private:
    /// Two tasks of the batch with one id and different content.
    void find_twins() {
        std::unordered_map<std::string_view, std::size_t> first;
        for (const auto& [index, options] : batch_->named) {
            if (options->given_id.empty())
                continue;
            const auto [place, added] = first.emplace(options->given_id, index);
            if (!added && !same_task(batch_->submits[place->second], batch_->submits[index]))
                refuse(index);
        }
    }

    void on_found(std::size_t index, const base::Result<engine::TaskDetails>& task) {
        if (task) {
            const core::NewTask& there = task->record.task;
            if (!same_task({there.type, there.payload, there.options}, batch_->submits[index]))
                refuse(index);
        } else if (task.error().code != base::Errc::not_found) {
            failure_ = to_problem(task.error());
        }
        finish_one();
    }

    void finish_one() {
        if (--open_ == 0)
            finish();
    }

    void refuse(std::size_t index) {
        faults_.push_back({'/' + std::to_string(index) + "/id", "is taken by a different task"});
    }

    void finish() {
        if (failure_)
            batch_->respond(to_response(*failure_));
        else if (!faults_.empty())
            batch_->respond(to_response(batch_refused(std::move(faults_))));
        else
            store(batch_);
    }

    std::shared_ptr<Batch> batch_;
    std::size_t open_ = 0;
    std::vector<Fault> faults_;
    std::optional<Problem> failure_;
};

class BatchExchange final : public ItemStream {
public:
    BatchExchange(Context& context,
                  const net::RequestHead& head,
                  Repeatable repeatable,
                  bool atomic,
                  net::Respond respond)
        : ItemStream(is_lines(head) ? wire::json::Splitter::Mode::lines
                                    : wire::json::Splitter::Mode::array,
                     std::move(repeatable)),
          batch_(std::make_shared<Batch>(context)),
          atomic_(atomic) {
        batch_->respond = std::move(respond);
        batch_->lines = wants_lines(head);
    }

private:
    static bool is_lines(const net::RequestHead& head) {
        return head.header("content-type").find("ndjson") != std::string_view::npos;
    }

    void on_item(std::string_view text) override {
        auto submit = batch_->reader.read(text);
        const std::size_t index = batch_->count++;
        if (!submit) {
            batch_->refused.emplace_back(index, std::move(submit.error()));
            return;
        }
        if (submit->options &&
            !(submit->options->given_id.empty() && submit->options->unique_key.empty()))
            batch_->named.emplace_back(batch_->submits.size(), submit->options);
        batch_->submits.push_back(std::move(*submit));
    }

    void on_complete() override {
        batch_->key = repeatable_.take();
        if (!atomic_)
            store(batch_);
        else if (batch_->refused.empty())
            std::make_shared<AtomicCheck>(batch_)->run();
        else
            batch_->respond(to_response(batch_refused(faults())));
    }

    void on_refused(Problem problem) override { batch_->respond(to_response(problem)); }

    /// The first faults of the refused tasks, with pointers into the whole batch.
    std::vector<Fault> faults() const {
        std::vector<Fault> faults;
        for (const auto& [index, problem] : batch_->refused) {
            const std::string place = '/' + std::to_string(index);
            for (const Fault& fault : problem.faults)
                faults.push_back({place + fault.pointer, fault.detail});
            if (problem.faults.empty())
                faults.push_back({place, problem.detail});
        }
        return faults;
    }

    std::shared_ptr<Batch> batch_;
    bool atomic_;
};

}  // namespace

std::unique_ptr<net::Exchange> open_task_batch(Context& context,
                                               const net::RequestHead& head,
                                               net::Respond respond) {
    const auto atomic = choice_of(head, "atomic", "false true");
    if (!atomic)
        return refused_exchange(to_response(atomic.error()), std::move(respond));
    auto repeatable = Repeatable::of(head);
    if (!repeatable)
        return refused_exchange(to_response(repeatable.error()), std::move(respond));
    return std::make_unique<BatchExchange>(
        context, head, std::move(*repeatable), *atomic == "true", std::move(respond));
}

}  // namespace distributo::coordinator::api
