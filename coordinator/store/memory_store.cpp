#include "coordinator/store/memory_store.hpp"

#include "base/ids.hpp"
#include "coordinator/store/history.hpp"
#include "coordinator/store/same_task.hpp"

#include <algorithm>
#include <chrono>
#include <random>
#include <ratio>

namespace distributo::coordinator::store {
namespace {

using base::Errc;

// Rows that one prune() looks at or drops.
constexpr std::size_t prune_limit = 4096;

StoreIdentity new_identity() {
    constexpr std::size_t identity_bytes = 16;
    // Nothing tells how often there was a store before this one; the time rises instead. Quarters
    // of a second since 2025 fit for 34 years.
    constexpr auto year_2025 = std::chrono::seconds(1'735'689'600);
    using Quarters = std::chrono::duration<std::uint32_t, std::ratio<1, 4>>;
    const auto passed = std::chrono::system_clock::now().time_since_epoch() - year_2025;
    StoreIdentity made;
    made.coordinator_id = base::random_hex(identity_bytes);
    made.first_term = std::max(1U, std::chrono::duration_cast<Quarters>(passed).count());
    std::random_device random;
    for (auto& half : made.lease_key)
        half = std::uint64_t{random()} << 32U | random();
    return made;
}

}  // namespace

base::Result<Recovered> MemoryStore::open() {
    boots_.push_back(
        {boots_.empty() ? identity_.first_term : boots_.back().term + 1, tasks_.highest() + 1});
    Recovered recovered;
    recovered.coordinator_id = identity_.coordinator_id;
    recovered.term = boots_.back().term;
    recovered.next_id = tasks_.highest() + 1;
    recovered.lease_key = identity_.lease_key;
    tasks_.for_each([&](const TaskRow& row) {
        count(recovered.kept, row);
        if (row.live())
            recovered.live.push_back(recover(row));
        if (row.options && !row.options->given_id.empty())
            if (const auto number = base::parse_number_text(row.options->given_id))
                recovered.reserved.push_back(*number);
    });
    for (const auto& [id, host] : hosts_)
        recovered.hosts.push_back(host);
    for (const auto& [number, extension] : extensions_)
        recovered.extensions.push_back(extension);
    for (const auto& [number, cursor] : cursors_)
        recovered.cursors.push_back(cursor);
    return recovered;
}

core::RecoveredTask MemoryStore::recover(const TaskRow& row) const {
    core::RecoveredTask task{copy(row).task, nullptr};
    const Past* past = pasts_.find(row.id);
    if (past && !(past->attempts.empty() && past->controls.empty()))
        task.history =
            std::make_unique<core::TaskHistory>(fold_history(past->attempts, past->controls));
    return task;
}

/// Every boot may have given out one number that was not recorded, not more: a failed attempt is
/// recorded before the next one. The submit is a record with the number 0.
std::uint32_t MemoryStore::attempts_before(const TaskRow& row) const {
    const auto after = std::ranges::upper_bound(boots_, row.id, {}, &Boot::first);
    const auto& submitted_in = after == boots_.begin() ? boots_.front() : *std::prev(after);
    auto lead = -std::int64_t{submitted_in.term};
    if (const Past* past = pasts_.find(row.id))
        lead = std::max(lead, past->lead);
    return std::max(row.last_attempt, static_cast<std::uint32_t>(boots_.back().term + lead));
}

void MemoryStore::commit(Transaction transaction, Done<Committed> done) {
    Committed committed;
    for (auto& failed : transaction.attempts)
        record(failed);
    for (auto& control : transaction.controls)
        record(control);
    // An end makes room for a task with the same unique key, which may be its own follow-up; a task
    // may also be stored together with its end.
    std::vector<const core::Outcome*> of_new_tasks;
    for (const auto& outcome : transaction.outcomes)
        if (!record(outcome))
            of_new_tasks.push_back(&outcome);
    insert_all(transaction, committed);
    for (const auto* outcome : of_new_tasks)
        (void)record(*outcome);
    for (auto& host : transaction.hosts)
        record(host);
    for (auto& extension : transaction.extensions)
        extensions_.insert_or_assign(extension.number, std::move(extension));
    for (auto& cursor : transaction.cursors)
        cursors_.insert_or_assign(cursor.extension, std::move(cursor));
    answer<Committed>(std::move(done), std::move(committed));
}

void MemoryStore::insert_all(Transaction& transaction, Committed& committed) {
    std::size_t next = 0;
    const auto insert_up_to = [&](std::size_t end) {
        for (; next < end; ++next)
            insert(transaction.submits[next], next, committed);
    };
    for (std::size_t i = 0; i < transaction.submissions.size(); ++i) {
        const auto& submission = transaction.submissions[i];
        insert_up_to(submission.first);
        const auto end = submission.first + submission.count;
        if (const auto* known = submissions_.find(submission.key, submission.when)) {
            replay(*known, submission, i, committed);
            next = end;
            continue;
        }
        std::vector<SubmissionTable::Answer> answers;
        for (; next < end; ++next) {
            const TaskId id = transaction.submits[next].id;
            const auto before = committed.duplicates.size();
            insert(transaction.submits[next], next, committed);
            if (committed.duplicates.size() == before)
                answers.push_back({id, false});
            else
                answers.push_back(
                    {committed.duplicates.back().existing, !committed.duplicates.back().identical});
        }
        submissions_.add(submission, std::move(answers));
    }
    insert_up_to(transaction.submits.size());
}

void MemoryStore::replay(const SubmissionTable::Entry& known,
                         const Submission& again,
                         std::size_t index,
                         Committed& committed) const {
    const bool same = known.content == again.content && known.answers.size() == again.count;
    committed.replays.push_back({index, same});
    for (std::size_t i = 0; i < again.count; ++i) {
        const auto first = same ? known.answers[i] : SubmissionTable::Answer{0, true};
        committed.duplicates.push_back({again.first + i, first.id, !first.refused});
    }
}

void MemoryStore::insert(core::NewTask& task, std::size_t index, Committed& committed) {
    const bool has_given_id = task.options && !task.options->given_id.empty();
    const bool has_unique_key = task.options && !task.options->unique_key.empty();
    if (has_given_id) {
        const auto found = given_ids_.find(task.options->given_id);
        if (found != given_ids_.end()) {
            const TaskRow& there = *tasks_.find(found->second);
            const bool same = task.type == there.type_name() &&
                              task.payload.view() == there.payload.view() &&
                              same_options(*task.options, *there.options);
            committed.duplicates.push_back({index, there.id, same});
            return;
        }
    }
    if (has_unique_key) {
        const auto [place, added] = unique_keys_.try_emplace(task.options->unique_key, task.id);
        if (!added) {
            committed.duplicates.push_back({index, place->second, true});
            return;
        }
    }
    if (has_given_id)
        given_ids_.emplace(task.options->given_id, task.id);
    if (task.parent != 0)
        pasts_.of(task.id).parent = task.parent;
    TaskRow row;
    row.id = task.id;
    row.type = task.type.data();
    row.type_size = static_cast<std::uint8_t>(task.type.size());
    row.payload = std::move(task.payload);
    row.options = std::move(task.options);
    row.created = task.created;
    row.generator = task.generator & ((1U << 31U) - 1);
    tasks_.append(std::move(row));
}

void MemoryStore::record(core::FailedAttempt& failed) {
    TaskRow* row = tasks_.find(failed.id);
    if (!row || !row->live())
        return;
    row->last_attempt = std::max(row->last_attempt, failed.attempt.number);
    Past& past = pasts_.of(failed.id);
    past.count(failed.attempt.number, boots_.back().term);
    past.add(std::move(failed.attempt));
}

void MemoryStore::record(core::Control& control) {
    const TaskRow* row = tasks_.find(control.id);
    if (row && row->live())
        pasts_.of(control.id).controls.push_back(std::move(control));
}

void MemoryStore::record(core::HostRecord& host) {
    const bool blameless = host.quarantines == 0 && host.quarantined_until == base::WallTime{};
    if (!host.present && blameless)
        hosts_.erase(host.host_id);
    else
        hosts_.insert_or_assign(host.host_id, std::move(host));
}

bool MemoryStore::record(const core::Outcome& outcome) {
    TaskRow* row = tasks_.find(outcome.id);
    if (!row)
        return false;
    if (!row->live())
        return true;
    row->sequence = outcomes_.append(outcome) & ((1ULL << 56U) - 1);
    row->last_attempt = std::max(row->last_attempt, outcome.attempt.number);
    if (row->options && !row->options->unique_key.empty())
        unique_keys_.erase(row->options->unique_key);
    while (outcomes_.size() > max_ended_)
        drop_outcome(outcomes_.oldest());
    return true;
}

void MemoryStore::drop_outcome(std::uint64_t sequence) {
    const TaskId id = outcomes_.task(sequence);
    if (const TaskRow* row = tasks_.find(id)) {
        if (row->options && !row->options->given_id.empty())
            given_ids_.erase(row->options->given_id);
        pasts_.forget(id);
        tasks_.drop(id);
    }
    outcomes_.withdraw(sequence);
}

void MemoryStore::reopen(TaskId id, base::WallTime now, Done<TaskRecord> done) {
    TaskRow* row = tasks_.find(id);
    if (!row)
        return answer<TaskRecord>(std::move(done), base::error(Errc::not_found, "no such task"));
    if (row->live())
        return answer<TaskRecord>(std::move(done),
                                  base::error(Errc::conflict, "the task has not ended"));
    if (row->options && !row->options->unique_key.empty() &&
        !unique_keys_.try_emplace(row->options->unique_key, id).second)
        return answer<TaskRecord>(std::move(done),
                                  base::error(Errc::conflict,
                                              "another task with the unique key '" +
                                                  row->options->unique_key + "' has not ended",
                                              "retry it when that one has ended"));
    const auto number = attempts_before(*row);
    Past& past = pasts_.of(id);
    if (auto last = outcomes_.get(row->sequence).attempt; last.number != 0)
        past.add(std::move(last));
    past.count(number, boots_.back().term);
    past.controls.push_back({id, core::Control::Kind::retry, {}, now, number});
    outcomes_.withdraw(row->sequence);
    row->sequence = 0;
    row->last_attempt = number;
    answer<TaskRecord>(std::move(done), copy_with_past(*row));
}

template <typename Concerns>
bool MemoryStore::drop_over(std::uint64_t& cursor,
                            std::uint64_t last,
                            base::WallTime ended_before,
                            Concerns concerns) {
    cursor = std::max(cursor, outcomes_.oldest());
    last = std::min(last, outcomes_.newest());
    for (std::size_t seen = 0; cursor <= last; ++cursor, ++seen) {
        if (seen == prune_limit)
            return true;
        if (outcomes_.task(cursor) == 0 || !concerns(outcomes_.state(cursor)))
            continue;
        if (outcomes_.finished(cursor) > ended_before)
            return false;
        drop_outcome(cursor);
    }
    return false;
}

void MemoryStore::prune(const Retention& retention, base::WallTime now, Done<bool> done) {
    const auto before = [&](base::Duration kept) {
        return now - std::chrono::floor<std::chrono::milliseconds>(kept);
    };
    const auto completed = [](wire::TaskState state) {
        return state == wire::TaskState::completed;
    };
    const auto last = retention.needed_after;
    bool more = drop_over(completed_from_, last, before(retention.completed), completed);
    more |=
        drop_over(unsuccessful_from_, last, before(retention.unsuccessful), std::not_fn(completed));
    more |= submissions_.forget(now, prune_limit);
    for (std::size_t i = 0; i < prune_limit && outcomes_.size() > retention.most_ended; ++i)
        drop_outcome(outcomes_.oldest());
    answer<bool>(std::move(done), more || outcomes_.size() > retention.most_ended);
}

void MemoryStore::backup(const std::string&, Done<std::uint64_t> done) {
    answer<std::uint64_t>(std::move(done),
                          base::error(Errc::unavailable, "the tasks are in memory only"));
}

std::unique_ptr<Store> make_memory_store(Post post,
                                         std::size_t max_ended,
                                         std::optional<StoreIdentity> identity) {
    return std::make_unique<MemoryStore>(
        std::move(post), max_ended, identity ? std::move(*identity) : new_identity());
}

}  // namespace distributo::coordinator::store
