#include "tests/torture/power_cut/load.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace distributo::tests {
namespace {

using namespace std::chrono_literals;

}  // namespace

bool Load::chance(double probability) {
    return std::bernoulli_distribution(probability)(random_);
}

std::size_t Load::below(std::size_t limit) {
    return random_() % limit;
}

std::string Load::one_of_a_few(const std::string& name, std::size_t few) {
    return name + std::to_string(below(few));
}

// Most are small, some are longer than a page.
base::Bytes Load::some_bytes() {
    const std::size_t size = below(chance(0.7) ? 100 : chance(0.8) ? 3000 : 20'000);
    return base::Bytes::copy(std::string(size, static_cast<char>('a' + below(26))));
}

core::TaskId Load::some_task() {
    constexpr core::TaskId recent = 60;
    return next_id_ - std::min<core::TaskId>(next_id_ - 1, 1 + below(recent));
}

core::TaskOptions Load::options() {
    core::TaskOptions options;
    if (chance(0.4))
        options.given_id = one_of_a_few("g", 40);
    if (chance(0.3))
        options.unique_key = one_of_a_few("u", 10);
    if (chance(0.5))
        options.group = one_of_a_few("group", 5);
    if (chance(0.2))
        options.labels = {{"colour", one_of_a_few("c", 3)}};
    options.priority = static_cast<std::int32_t>(below(3));
    return options;
}

core::NewTask Load::task() {
    constexpr std::array<std::string_view, 3> types = {"build", "resize", "render"};
    core::NewTask task;
    task.id = next_id_;
    next_id_ += chance(0.05) ? 1 + below(5) : 1;
    task.type = types[below(types.size())];
    task.payload = some_bytes();
    task.created = now_;
    return task;
}

core::Attempt Load::attempt() {
    core::Attempt attempt;
    attempt.number = ++attempts_;
    attempt.host = one_of_a_few("host", 4);
    attempt.host_id = one_of_a_few("id", 4);
    attempt.version = one_of_a_few("1.", 3);
    attempt.status = wire::AttemptStatus::retry;
    attempt.message = std::string(below(200), 'm');
    attempt.started = now_ - 2s;
    attempt.finished = now_;
    attempt.times = {below(1000), below(1000), below(1000), below(1000)};
    attempt.charge = static_cast<core::Charge>(below(6));
    return attempt;
}

core::Outcome Load::outcome(core::TaskId id) {
    core::Outcome outcome;
    outcome.id = id;
    outcome.attempt = attempt();
    if (chance(0.7)) {
        outcome.attempt.status = wire::AttemptStatus::ok;
        outcome.result = some_bytes();
    } else {
        outcome.state = core::TaskState::failed;
        outcome.reason = wire::FailReason::attempts_exhausted;
    }
    return outcome;
}

core::Control Load::control() {
    constexpr std::array kinds = {
        core::Control::Kind::cancel, core::Control::Kind::hold, core::Control::Kind::release};
    return {some_task(),
            kinds[below(kinds.size())],
            std::string(below(50), 'r'),
            now_,
            static_cast<std::uint32_t>(below(5))};
}

core::HostRecord Load::host() {
    core::HostRecord host;
    host.host_id = one_of_a_few("id", 6);
    host.name = one_of_a_few("host", 4);
    host.present = chance(0.7);
    if (chance(0.2)) {
        host.quarantines = static_cast<std::uint32_t>(1 + below(5));
        host.quarantined_until = now_ + 60s;
        host.quarantine_reason = "why";
    }
    return host;
}

/// Some are follow-ups of a task that ended, the others of people, some of whom may repeat it.
void Load::add_submits(store::Transaction& to) {
    for (auto n = below(5); n > 0; --n) {
        to.submits.push_back(task());
        if (chance(0.4))
            to.submits.back().options = std::make_shared<core::TaskOptions>(options());
    }
    if (to.submits.empty())
        return;
    if (chance(0.2))
        to.submits.back().parent = some_task();
    else if (const auto first = below(to.submits.size()); chance(0.3))
        to.submissions.push_back({one_of_a_few("key", 20),
                                  one_of_a_few("content", 2),
                                  first,
                                  1 + below(to.submits.size() - first),
                                  now_});
}

core::ExtensionRecord Load::extension() {
    core::ExtensionRecord extension;
    extension.number = static_cast<core::ExtensionNumber>(1 + below(4));
    extension.kind = static_cast<core::ExtensionKind>(below(2));
    extension.name = one_of_a_few("extension", 4);
    extension.definition = std::string(below(300), 'd');
    extension.paused = chance(0.3);
    extension.removed = chance(0.1);
    return extension;
}

core::Cursor Load::cursor() {
    core::Cursor cursor;
    cursor.extension = static_cast<core::ExtensionNumber>(1 + below(4));
    cursor.checkpoint = some_bytes().view();
    cursor.sequence = below(1000);
    cursor.tasks = below(1000);
    cursor.duplicates = below(10);
    cursor.outcomes = below(1000);
    cursor.ended = chance(0.1);
    return cursor;
}

/// What a generator made, with the place where it goes on.
void Load::add_feed(store::Transaction& to) {
    to.cursors.push_back(cursor());
    to.cursors.back().feeds = true;
    for (auto n = below(5); n > 0; --n) {
        to.submits.push_back(task());
        to.submits.back().generator = to.cursors.back().extension;
    }
}

store::Transaction Load::transaction() {
    store::Transaction made;
    add_submits(made);
    for (auto n = below(4); n > 0; --n)
        made.outcomes.push_back(outcome(some_task()));
    for (auto n = below(3); n > 0; --n) {
        const auto id = some_task();
        made.attempts.push_back({id, attempt()});
    }
    if (chance(0.3))
        made.controls.push_back(control());
    if (chance(0.3))
        made.hosts.push_back(host());
    if (chance(0.3))
        add_feed(made);
    if (chance(0.2))
        made.cursors.push_back(cursor());
    if (chance(0.1))
        made.extensions.push_back(extension());
    return made;
}

Call Load::write() {
    now_ += 1s;
    store::Transaction made;
    made.hosts.push_back(host());
    made.hosts.back().present = true;
    return made;
}

Call Load::any() {
    now_ += 1s;
    if (chance(0.07))
        return Prune{{.completed = 60s,
                      .unsuccessful = 120s,
                      .needed_after = chance(0.5) ? below(300) : ~std::uint64_t{0}},
                     now_};
    if (chance(0.08))
        return Reopen{some_task(), now_};
    return transaction();
}

}  // namespace distributo::tests
