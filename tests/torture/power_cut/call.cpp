#include "tests/torture/power_cut/call.hpp"

#include "coordinator/store/sqlite/options_text.hpp"

#include <algorithm>
#include <sstream>
#include <utility>

namespace distributo::tests {
namespace {

// Long texts would make a report unreadable.
std::string brief(std::string_view text) {
    std::ostringstream out;
    out << text.size() << '#' << std::hex << (std::hash<std::string_view>()(text) & 0xffffffU);
    return out.str();
}

void describe(std::ostream& out, const core::Attempt& attempt) {
    out << " [" << attempt.number << ' ' << attempt.host << ' ' << attempt.host_id << ' '
        << attempt.version << ' ' << int(attempt.status) << ' ' << attempt.message << ' '
        << attempt.started.time_since_epoch().count() << ' '
        << attempt.finished.time_since_epoch().count() << ' ' << attempt.times.wait_us << ' '
        << attempt.times.setup_us << ' ' << attempt.times.install_us << ' '
        << attempt.times.execute_us << ' ' << int(attempt.charge) << ' ' << attempt.excludes_host
        << ' ' << attempt.retry_at.time_since_epoch().count() << ']';
}

std::string describe(const store::TaskRecord& record) {
    std::ostringstream out;
    const auto& task = record.task;
    out << task.type << ' ' << brief(task.payload.view()) << ' '
        << task.created.time_since_epoch().count() << " parent " << task.parent << " generator "
        << task.generator;
    if (task.options)
        out << ' ' << store::to_text(*task.options);
    if (record.outcome) {
        out << " ended " << record.sequence << ' ' << int(record.outcome->state) << ' '
            << int(record.outcome->reason) << ' ' << brief(record.outcome->result.view());
        describe(out, record.outcome->attempt);
    }
    out << " attempts";
    for (const auto& attempt : record.attempts)
        describe(out, attempt);
    out << " controls";
    for (const auto& control : record.controls) {
        out << ' ' << int(control.kind) << ' ' << control.reason << ' '
            << control.when.time_since_epoch().count();
        // After a retry it counts the boots, which two stores need not have in common.
        if (control.kind != core::Control::Kind::retry)
            out << ' ' << control.after_attempt;
    }
    return out.str();
}

std::string describe(const store::Tally& tally) {
    std::ostringstream out;
    out << tally.total << ' ' << tally.completed << ' ' << tally.failed << ' ' << tally.cancelled
        << ' ' << tally.expired;
    return out.str();
}

std::string describe(std::vector<store::NamedTally> tallies) {
    std::string text;
    std::ranges::sort(tallies, {}, &store::NamedTally::name);
    for (const auto& tally : tallies)
        text += tally.name + ": " + describe(tally.tally) + "; ";
    return text;
}

std::string describe(const store::Committed& committed) {
    std::ostringstream out;
    for (const auto& duplicate : committed.duplicates)
        out << " duplicate " << duplicate.index << ' ' << duplicate.existing << ' '
            << duplicate.identical;
    for (const auto& replay : committed.replays)
        out << " replay " << replay.index << ' ' << replay.same_content;
    return out.str();
}

}  // namespace

template <typename T>
store::Store::Done<T> Client::expect(std::function<void(base::Result<T>)> use) {
    ++expected_;
    return [this, use = std::move(use)](base::Result<T> result) {
        --expected_;
        use(std::move(result));
    };
}

void Client::run_until_answered() {
    while (expected_ > 0)
        queue_.run_one();
}

void Client::send(Call call) {
    const auto answer = [this](const auto& result, const std::string& text) {
        const bool refused = !result && result.error().code != base::Errc::io;
        answers_.push_back({result || refused, false, refused ? result.error().message : text});
    };
    if (auto* transaction = std::get_if<store::Transaction>(&call))
        store_->commit(std::move(*transaction),
                       expect<store::Committed>([this, answer](auto result) {
                           answer(result, result ? describe(*result) : "");
                           answers_.back().refused = result && result->submits_refused;
                       }));
    else if (const auto* reopen = std::get_if<Reopen>(&call))
        store_->reopen(reopen->id, reopen->now, expect<store::TaskRecord>([answer](auto result) {
                           answer(result, result ? describe(*result) : "");
                       }));
    else if (const auto* prune = std::get_if<Prune>(&call))
        store_->prune(prune->retention, prune->now, expect<bool>([answer](auto result) {
                          answer(result, "");
                      }));
}

std::vector<Answer> Client::answers() {
    run_until_answered();
    return std::exchange(answers_, {});
}

// A page may be short when the machine is busy.
std::string Client::results() {
    std::string ids;
    store::ResultsQuery query;
    for (bool more = true; more;) {
        store_->results(query, expect<store::ResultsPage>([&](auto page) {
                            more = page && page->next_after < page->newest;
                            if (!page)
                                return void(ids += "error: " + page.error().message);
                            query.after = page->next_after;
                            for (const auto& record : page->tasks)
                                ids += std::to_string(record.task.id) + ' ';
                        }));
        run_until_answered();
    }
    return ids;
}

Snapshot Client::snapshot(core::TaskId below) {
    Snapshot snapshot;
    const auto note = [&snapshot](std::string name, const auto& result, const auto& text) {
        snapshot[std::move(name)] = result ? text(*result) : "error: " + result.error().message;
    };
    for (core::TaskId id = 1; id < below; ++id)
        store_->find(id, expect<std::optional<store::TaskRecord>>([note, id](auto result) {
                         note("task " + std::to_string(id), result, [](const auto& found) {
                             return found ? describe(*found) : std::string("unknown");
                         });
                     }));
    const auto tallies = [](const auto& found) { return describe(found); };
    store_->types(expect<std::vector<store::NamedTally>>(
        [=](auto result) { note("types", result, tallies); }));
    store_->groups(~core::TaskId{0}, 1000, expect<std::vector<store::NamedTally>>([=](auto result) {
        note("groups", result, tallies);
    }));
    run_until_answered();
    snapshot["results"] = results();
    return snapshot;
}

Snapshot describe(const store::Recovered& recovered) {
    Snapshot snapshot;
    snapshot["kept"] = describe(recovered.kept);
    for (const auto& live : recovered.live) {
        auto& text = snapshot["live " + std::to_string(live.task.id)];
        if (live.history)
            text = std::to_string(live.history->last_attempt) + ' ' +
                   std::to_string(live.history->failures) + ' ' +
                   std::to_string(live.history->crashes) + ' ' +
                   std::to_string(int(live.history->held));
    }
    for (const auto& host : recovered.hosts)
        snapshot["host " + host.host_id] = host.name + ' ' + std::to_string(int(host.present)) +
                                           ' ' + std::to_string(host.quarantines) + ' ' +
                                           host.quarantine_reason;
    for (const auto& one : recovered.extensions)
        snapshot["extension " + std::to_string(one.number)] =
            one.name + ' ' + std::to_string(int(one.kind)) + ' ' + one.definition + ' ' +
            std::to_string(int(one.paused)) + ' ' + std::to_string(int(one.removed));
    for (const auto& cursor : recovered.cursors)
        snapshot["cursor " + std::to_string(cursor.extension)] =
            brief(cursor.checkpoint) + ' ' + std::to_string(cursor.sequence) + ' ' +
            std::to_string(cursor.tasks) + ' ' + std::to_string(cursor.duplicates) + ' ' +
            std::to_string(cursor.outcomes) + ' ' + std::to_string(int(cursor.ended));
    auto reserved = recovered.reserved;
    std::ranges::sort(reserved);
    for (const auto id : reserved)
        snapshot["reserved"] += std::to_string(id) + ' ';
    return snapshot;
}

}  // namespace distributo::tests
