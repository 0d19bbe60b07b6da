// Fills the store of a coordinator that does not run, as if it had worked for long.
//
//   fill FOLDER ENDED WAITING     ENDED tasks with outcomes, then WAITING ones without
#include "coordinator/store/sqlite/sqlite_store.hpp"
#include "tests/support/post_queue.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

using namespace distributo;
using namespace distributo::coordinator;

namespace {

std::shared_ptr<const core::TaskOptions> options_of(core::TaskId id) {
    const bool in_group = id % 1000 < 10;
    const bool labelled = id % 1000 == 500;
    if (!in_group && !labelled)
        return nullptr;
    auto options = std::make_shared<core::TaskOptions>();
    if (in_group)
        options->group = "group-" + std::to_string(id % 1000);
    if (labelled)
        options->labels = {{"colour", "red"}};
    return options;
}

core::NewTask task(core::TaskId id, base::WallTime created) {
    core::NewTask made;
    made.id = id;
    made.type = "test.noop";
    std::string payload = R"({"path":"/data/in/)";
    payload.append(100 - payload.size() - 2, 'x');
    made.payload = base::Bytes::copy(payload + "\"}");
    made.created = created;
    made.options = options_of(id);
    return made;
}

core::Outcome outcome(core::TaskId id, base::WallTime finished) {
    core::Outcome made;
    made.id = id;
    made.attempt.number = 1;
    made.attempt.host = made.attempt.host_id = "host-" + std::to_string(id % 10);
    made.attempt.started = made.attempt.finished = finished;
    made.result = base::Bytes::copy("null");
    if (id % 100 == 99) {
        made.state = wire::TaskState::failed;
        made.reason = wire::FailReason::attempts_exhausted;
        made.attempt.status = wire::AttemptStatus::retry;
        made.attempt.message = "exit status 1";
        made.result = {};
    }
    return made;
}

int fail(const base::Error& error) {
    std::fprintf(stderr, "error: %s\n", error.message.c_str());
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fprintf(stderr, "usage: fill FOLDER ENDED WAITING\n");
        return 2;
    }
    const std::uint64_t ended = std::strtoull(argv[2], nullptr, 10);
    const std::uint64_t all = ended + std::strtoull(argv[3], nullptr, 10);
    tests::PostQueue arrivals;
    store::SqliteOptions options;
    options.directory = argv[1];
    const auto store = store::make_sqlite_store(
        options, [&](std::function<void()> callback) { arrivals.post(std::move(callback)); });
    const auto opened = store->open();
    if (!opened)
        return fail(opened.error());
    const base::SystemClock clock;
    constexpr std::uint64_t per_commit = 10'000;
    constexpr int most_open = 4;
    int open = 0;
    std::optional<base::Error> failure;
    auto id = opened->next_id;
    const auto last = id + all;
    for (const auto first_waiting = id + ended; id != last && !failure;) {
        store::Transaction transaction;
        for (const auto end = std::min(last, id + per_commit); id != end; ++id) {
            transaction.submits.push_back(task(id, clock.wall()));
            if (id < first_waiting)
                transaction.outcomes.push_back(outcome(id, clock.wall()));
        }
        ++open;
        store->commit(std::move(transaction), [&](base::Result<store::Committed> committed) {
            --open;
            if (!committed)
                failure = committed.error();
        });
        while (open == most_open)
            arrivals.run_one();
    }
    while (open > 0)
        arrivals.run_one();
    return failure ? fail(*failure) : 0;
}
