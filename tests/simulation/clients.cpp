#include "tests/simulation/clients.hpp"

#include "base/ids.hpp"

#include <utility>

namespace distributo::simulation {

using namespace std::chrono_literals;

Clients::Clients(Timeline& time,
                 Trace& trace,
                 Random random,
                 Network& network,
                 Coordinator& coordinator,
                 Oracle& oracle,
                 const Scenario& scenario)
    : time_(time),
      trace_(trace),
      random_(random),
      network_(network),
      coordinator_(coordinator),
      oracle_(oracle),
      scenario_(scenario) {}

std::vector<engine::Submit> Clients::items_of(std::uint32_t number) const {
    const Request& request = scenario_.requests[number];
    std::vector<engine::Submit> items;
    for (std::uint32_t i = 0; i < request.tasks; ++i) {
        core::TaskOptions options;
        options.priority = request.priority;
        options.max_attempts = request.max_attempts;
        const auto milliseconds = [](base::Duration duration) {
            return std::chrono::floor<std::chrono::milliseconds>(duration);
        };
        if (request.delay > 0s)
            options.not_before = time_.wall() + milliseconds(request.delay);
        if (request.deadline > 0s)
            options.deadline = time_.wall() + milliseconds(request.deadline);
        if (request.protection == Protection::given_id)
            options.given_id = "given-" + std::to_string(number) + "-" + std::to_string(i);
        if (request.protection == Protection::unique_key)
            options.unique_key = "key-" + std::to_string(request.family) + std::to_string(i);
        items.push_back({type_names[request.type],
                         base::Bytes::copy(payload_of(number, i)),
                         std::make_shared<const core::TaskOptions>(std::move(options))});
    }
    return items;
}

void Clients::submit(std::uint32_t number) {
    const auto protection = scenario_.requests[number].protection;
    const bool repeatable = protection != Protection::none;
    trace_.note("submit", number);
    if (repeatable) {
        open_.insert(number);
        time_.in(random_.between(1s, 2s), [this, number] {
            if (open_.contains(number))
                submit(number);
        });
    }
    const auto arrive = [this, number, protection] {
        std::optional<engine::IdempotencyKey> key;
        if (protection == Protection::idempotency_key)
            key = {"key-" + std::to_string(number), "content"};
        coordinator_.request([&](engine::Engine& engine) {
            engine.submit(items_of(number),
                          std::move(key),
                          [this, number](const base::Result<std::vector<engine::Submitted>>& done) {
                              if (done)
                                  answered(number, *done);
                          });
        });
    };
    network_.send_request(arrive, repeatable);
}

void Clients::answered(std::uint32_t number, const std::vector<engine::Submitted>& tasks) {
    trace_.note("submit answered", number, tasks.front().id);
    oracle_.submit_answered(number, tasks);
    network_.send_response([this, number] { open_.erase(number); });
}

void Clients::order(Step::Kind kind, std::uint32_t request) {
    if (const auto task = oracle_.task_of(request); task != 0)
        send(kind, task);
}

void Clients::release(core::TaskId task) {
    send(Step::Kind::release, task);
}

void Clients::send(Step::Kind kind, core::TaskId task) {
    trace_.note(to_string(kind), task);
    oracle_.order_given(task, kind);
    const auto arrive = [this, kind, task] {
        coordinator_.request([&](engine::Engine& engine) {
            const auto id = base::NumberText(task).str();
            const auto done = [this, kind, task](base::Result<engine::TaskDetails> found) {
                if (found)
                    oracle_.order_confirmed(task, kind, found->state());
            };
            if (kind == Step::Kind::cancel)
                engine.cancel(id, done);
            else if (kind == Step::Kind::hold)
                engine.hold(id, "somebody wants it so", done);
            else if (kind == Step::Kind::release)
                engine.release(id, done);
            else
                engine.retry(id, done);
        });
    };
    network_.send_request(arrive, false);
}

}  // namespace distributo::simulation
