#include "base/ids.hpp"
#include "coordinator/store/same_task.hpp"
#include "coordinator/store/sqlite/options_text.hpp"
#include "coordinator/store/sqlite/writer.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace distributo::coordinator::store {
namespace {

bool same(const core::NewTask& task, const core::NewTask& there) {
    static const core::TaskOptions none;
    return task.type == there.type && task.payload.view() == there.payload.view() &&
           same_options(task.options ? *task.options : none, there.options ? *there.options : none);
}

}  // namespace

void Writer::write_submits(const Transaction& transaction, Committed& committed) {
    std::size_t at = 0;
    for (std::size_t i = 0; i < transaction.submissions.size(); ++i) {
        const auto& submission = transaction.submissions[i];
        const auto end = submission.first + submission.count;
        submit(transaction, at, submission.first, committed);
        if (!replayed(submission, i, committed) &&
            submit(transaction, submission.first, end, committed))
            keep(submission, transaction, committed);
        at = end;
    }
    submit(transaction, at, transaction.submits.size(), committed);
}

bool Writer::submit(const Transaction& transaction,
                    std::size_t from,
                    std::size_t to,
                    Committed& committed) {
    bool all = true;
    for (auto index = from; index < to; ++index) {
        const auto& task = transaction.submits[index];
        start_.next_id = std::max(start_.next_id, task.id + 1);
        if (refusing_ && task.parent == 0) {
            committed.submits_refused = true;
            all = false;
        } else if (!task.options || !taken(task, index, committed)) {
            insert(task);
        }
    }
    return all;
}

// A submission's tasks are kept as pairs: the id it was answered with, and whether that was a
// conflict.
bool Writer::replayed(const Submission& submission, std::size_t index, Committed& committed) {
    constexpr auto life = std::chrono::floor<std::chrono::milliseconds>(submission_life);
    auto rows = find_submission_.query(submission.key);
    if (!rows.next() || submission.when - rows.time(1) >= life)
        return false;
    std::vector<PairReader::Pair> originals;
    PairReader pairs(rows.text(2));
    while (const auto pair = pairs.next())
        originals.push_back(*pair);
    const bool same = rows.text(0) == submission.content && originals.size() == submission.count;
    for (std::size_t i = 0; i < submission.count; ++i) {
        const auto [id, conflict] = same ? originals[i] : PairReader::Pair{0, 1};
        committed.duplicates.push_back({submission.first + i, id, conflict == 0});
    }
    committed.replays.push_back({index, same});
    return true;
}

void Writer::keep(const Submission& submission,
                  const Transaction& transaction,
                  const Committed& committed) {
    PairPacker tasks;
    auto duplicate =
        std::ranges::lower_bound(committed.duplicates, submission.first, {}, &Duplicate::index);
    for (auto i = submission.first; i < submission.first + submission.count; ++i)
        if (duplicate != committed.duplicates.end() && duplicate->index == i) {
            tasks.add(duplicate->existing, duplicate->identical ? 0 : 1);
            ++duplicate;
        } else {
            tasks.add(transaction.submits[i].id, 0);
        }
    insert_submission_.run(
        submission.key, submission.content, submission.when, Blob{tasks.bytes()});
}

TaskId Writer::holder(Statement& select, const std::string& text) {
    if (text.empty())
        return 0;
    auto rows = select.query(text);
    return rows.next() ? rows.as<TaskId>(0) : 0;
}

bool Writer::taken(const core::NewTask& task, std::size_t index, Committed& committed) {
    if (const auto existing = holder(find_given_id_, task.options->given_id); existing != 0) {
        const auto there = records_.find(existing);
        committed.duplicates.push_back({index, existing, there && same(task, there->task)});
        return true;
    }
    const auto existing = holder(find_unique_key_, task.options->unique_key);
    if (existing != 0)
        committed.duplicates.push_back({index, existing, true});
    return existing != 0;
}

void Writer::insert(const core::NewTask& task) {
    const auto type = names_.id(NameKind::type, task.type);
    const auto group = task.options ? names_.id(NameKind::group, task.options->group) : 0;
    insert_task_.bind(task.id)
        .bind(type)
        .bind(task.created)
        .bind(Blob{task.payload.view()})
        .bind(group)
        .bind(task.parent);
    std::string options;
    if (task.options) {
        options = to_text(*task.options);
        insert_task_.bind(options);
    } else {
        insert_task_.bind(nullptr);
    }
    insert_task_.bind(task.generator).finish();
    if (task.options)
        keep_keys(task, group);
    live_.add(task.id, {type, group});
    tallies_.added(type, group, task.id);
    marks_.created(task.id, task.created);
    marks_.mark(type, any_state, task.id);
    if (task.generator != 0)
        marks_.mark(
            names_.id(NameKind::generator, std::to_string(task.generator)), any_state, task.id);
}

void Writer::keep_keys(const core::NewTask& task, NameId group) {
    const auto& options = *task.options;
    if (!options.given_id.empty()) {
        if (const auto number = base::parse_number_text(options.given_id))
            insert_given_id_.run(options.given_id, task.id, *number);
        else
            insert_given_id_.run(options.given_id, task.id, nullptr);
    }
    if (!options.unique_key.empty())
        take_unique_key(task.id, options.unique_key);
    if (group != 0)
        marks_.mark(group, any_state, task.id);
    for (const auto& [key, value] : options.labels)
        marks_.mark(names_.id(NameKind::label, label_text(key, value)), any_state, task.id);
}

void Writer::take_unique_key(TaskId id, const std::string& key) {
    insert_unique_key_.run(key, id);
    unique_keys_[id] = key;
}

void Writer::drop_unique_key(TaskId id) {
    const auto found = unique_keys_.find(id);
    if (found == unique_keys_.end())
        return;
    delete_unique_key_.run(found->second);
    unique_keys_.erase(found);
}

void Writer::read_unique_keys() {
    unique_keys_.clear();
    auto all = database_.prepare("SELECT task, text FROM unique_key");
    auto rows = all.query();
    while (rows.next())
        unique_keys_.emplace(rows.as<TaskId>(0), rows.text(1));
}

}  // namespace distributo::coordinator::store
