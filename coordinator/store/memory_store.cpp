#include "base/ids.hpp"
#include "coordinator/store/callback_queue.hpp"
#include "coordinator/store/outcome_table.hpp"
#include "coordinator/store/same_task.hpp"
#include "coordinator/store/store.hpp"
#include "coordinator/store/task_table.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <ratio>
#include <unordered_map>
#include <utility>

namespace distributo::coordinator::store {
namespace {

using base::Errc;

// Rows that one list() or results() looks at: about half a millisecond.
constexpr std::size_t scan_limit = 16 * 1024;

class MemoryStore final : public Store {
public:
    MemoryStore(CallbackQueue::Post post, std::size_t max_ended)
        : callbacks_(std::move(post)), max_ended_(max_ended) {}

    base::Result<Recovered> open() override;
    void commit(Transaction transaction, Done<Committed> done) override;
    void find(TaskId id, Done<std::optional<TaskRecord>> done) override;
    void resolve(const std::string& given_id, Done<TaskId> done) override;
    void list(ListQuery query, Done<ListPage> done) override;
    void results(ResultsQuery query, Done<ResultsPage> done) override;
    void reopen(TaskId id, base::WallTime now, Done<TaskRecord> done) override;
    void group(const std::string& name, Done<std::optional<NamedTally>> done) override;
    void groups(TaskId before, std::size_t limit, Done<std::vector<NamedTally>> done) override;
    void types(Done<std::vector<NamedTally>> done) override;
    void prune(const Retention&, base::WallTime, Done<bool> done) override {
        answer<bool>(std::move(done), false);  // bounded by max_ended alone
    }
    void backup(const std::string&, Done<std::uint64_t> done) override {
        answer<std::uint64_t>(std::move(done),
                              base::error(Errc::unavailable, "the tasks are in memory only"));
    }
    [[nodiscard]] Health health() const override { return {}; }

private:
    template <typename T>
    void answer(Done<T> done, base::Result<T> value) {
        callbacks_.add([done = std::move(done), value = std::move(value)]() mutable {
            done(std::move(value));
        });
    }
    void insert(core::NewTask& task, std::size_t index, Committed& committed);
    void record(const core::Outcome& outcome);
    void drop_oldest_outcome();
    void count(Tally& tally, const TaskRow& row) const;
    template <typename NameOf>
    [[nodiscard]] std::map<std::string, NamedTally> tallies(NameOf name_of) const;
    [[nodiscard]] TaskRecord copy(const TaskRow& row) const;
    [[nodiscard]] std::vector<core::Attempt> attempts_of(const TaskRow& row) const;
    [[nodiscard]] bool matches(const TaskRow& row, const ListQuery& query) const;
    [[nodiscard]] ListPage select(const ListQuery& query) const;
    [[nodiscard]] ResultsPage select(const ResultsQuery& query);

    CallbackQueue callbacks_;
    std::size_t max_ended_;
    TaskTable tasks_;
    OutcomeTable outcomes_;
    // Keys point into the options of the task's row, which live as long as the entry.
    std::unordered_map<std::string_view, TaskId> given_ids_;
    // Only of tasks with an attempt beside the one in their outcome.
    std::unordered_map<TaskId, std::vector<core::Attempt>> attempts_;
};

base::Result<Recovered> MemoryStore::open() {
    constexpr std::size_t identity_bytes = 16;
    // Nothing tells how often there was a store before this one; the time rises instead. Quarters
    // of a second since 2025 fit for 34 years.
    constexpr auto year_2025 = std::chrono::seconds(1'735'689'600);
    using Quarters = std::chrono::duration<std::uint32_t, std::ratio<1, 4>>;
    const auto passed = std::chrono::system_clock::now().time_since_epoch() - year_2025;
    Recovered recovered;
    recovered.term = std::max(1U, std::chrono::duration_cast<Quarters>(passed).count());
    recovered.coordinator_id = base::random_hex(identity_bytes);
    return recovered;
}

void MemoryStore::commit(Transaction transaction, Done<Committed> done) {
    Committed committed;
    for (std::size_t i = 0; i < transaction.submits.size(); ++i)
        insert(transaction.submits[i], i, committed);
    for (auto& failed : transaction.attempts)
        if (TaskRow* row = tasks_.find(failed.id)) {
            row->last_attempt = std::max(row->last_attempt, failed.attempt.number);
            attempts_[failed.id].push_back(std::move(failed.attempt));
        }
    for (const auto& outcome : transaction.outcomes)
        record(outcome);
    answer<Committed>(std::move(done), std::move(committed));
}

void MemoryStore::insert(core::NewTask& task, std::size_t index, Committed& committed) {
    const bool has_given_id = task.options && !task.options->given_id.empty();
    if (has_given_id) {
        const auto [place, added] = given_ids_.try_emplace(task.options->given_id, task.id);
        if (!added) {
            const TaskRow& there = *tasks_.find(place->second);
            const bool same = task.type == there.type_name() &&
                              task.payload.view() == there.payload.view() &&
                              same_options(*task.options, *there.options);
            committed.duplicates.push_back({index, there.id, same});
            return;
        }
    }
    TaskRow row;
    row.id = task.id;
    row.type = task.type.data();
    row.type_size = static_cast<std::uint8_t>(task.type.size());
    row.payload = std::move(task.payload);
    row.options = std::move(task.options);
    row.created = task.created;
    tasks_.append(std::move(row));
}

void MemoryStore::record(const core::Outcome& outcome) {
    TaskRow* row = tasks_.find(outcome.id);
    if (!row || !row->live())
        return;
    row->sequence = outcomes_.append(outcome) & ((1ULL << 56U) - 1);
    row->last_attempt = std::max(row->last_attempt, outcome.attempt.number);
    while (outcomes_.size() > max_ended_)
        drop_oldest_outcome();
}

void MemoryStore::drop_oldest_outcome() {
    const auto sequence = outcomes_.oldest();
    const TaskId id = outcomes_.task(sequence);
    if (const TaskRow* row = tasks_.find(id)) {
        if (row->options && !row->options->given_id.empty())
            given_ids_.erase(row->options->given_id);
        if (!attempts_.empty())
            attempts_.erase(id);
        tasks_.drop(id);
    }
    outcomes_.withdraw(sequence);
}

void MemoryStore::find(TaskId id, Done<std::optional<TaskRecord>> done) {
    std::optional<TaskRecord> found;
    if (const TaskRow* row = tasks_.find(id)) {
        found = copy(*row);
        found->attempts = attempts_of(*row);
    }
    answer<std::optional<TaskRecord>>(std::move(done), std::move(found));
}

void MemoryStore::resolve(const std::string& given_id, Done<TaskId> done) {
    const auto found = given_ids_.find(given_id);
    answer<TaskId>(std::move(done), found == given_ids_.end() ? TaskId{0} : found->second);
}

void MemoryStore::list(ListQuery query, Done<ListPage> done) {
    answer<ListPage>(std::move(done), select(query));
}

void MemoryStore::results(ResultsQuery query, Done<ResultsPage> done) {
    answer<ResultsPage>(std::move(done), select(query));
}

void MemoryStore::reopen(TaskId id, base::WallTime, Done<TaskRecord> done) {
    TaskRow* row = tasks_.find(id);
    if (!row)
        return answer<TaskRecord>(std::move(done), base::error(Errc::not_found, "no such task"));
    if (row->live())
        return answer<TaskRecord>(std::move(done),
                                  base::error(Errc::conflict, "the task has not ended"));
    auto attempts = attempts_of(*row);
    if (!attempts.empty())
        attempts_[id] = attempts;
    outcomes_.withdraw(row->sequence);
    row->sequence = 0;
    TaskRecord record = copy(*row);
    record.attempts = std::move(attempts);
    answer<TaskRecord>(std::move(done), std::move(record));
}

void MemoryStore::count(Tally& tally, const TaskRow& row) const {
    ++tally.total;
    if (row.live())
        return;
    switch (outcomes_.state(row.sequence)) {
        case wire::TaskState::completed:
            ++tally.completed;
            break;
        case wire::TaskState::failed:
            ++tally.failed;
            break;
        case wire::TaskState::cancelled:
            ++tally.cancelled;
            break;
        default:
            ++tally.expired;
    }
}

template <typename NameOf>
std::map<std::string, NamedTally> MemoryStore::tallies(NameOf name_of) const {
    std::map<std::string, NamedTally> found;
    for (auto index = tasks_.last_below(~TaskId{0}); index != TaskTable::none; --index) {
        const TaskRow& row = tasks_[index];
        const auto name = row.dropped ? std::string_view() : name_of(row);
        if (!name.empty()) {
            auto& entry = found[std::string(name)];
            entry.name = name;
            entry.newest = std::max(entry.newest, row.id);
            count(entry.tally, row);
        }
        if (index == 0)
            break;
    }
    return found;
}

namespace {

std::string_view group_of(const TaskRow& row) {
    return row.options ? std::string_view(row.options->group) : std::string_view();
}

}  // namespace

void MemoryStore::group(const std::string& name, Done<std::optional<NamedTally>> done) {
    const auto all = tallies(group_of);
    const auto found = all.find(name);
    std::optional<NamedTally> tally;
    if (found != all.end())
        tally = found->second;
    answer<std::optional<NamedTally>>(std::move(done), std::move(tally));
}

void MemoryStore::groups(TaskId before, std::size_t limit, Done<std::vector<NamedTally>> done) {
    std::vector<NamedTally> found;
    for (auto& [name, entry] : tallies(group_of))
        if (entry.newest < before)
            found.push_back(std::move(entry));
    std::ranges::sort(found, std::greater{}, &NamedTally::newest);
    found.resize(std::min(found.size(), limit));
    answer<std::vector<NamedTally>>(std::move(done), std::move(found));
}

void MemoryStore::types(Done<std::vector<NamedTally>> done) {
    std::vector<NamedTally> found;
    for (auto& [name, entry] : tallies([](const TaskRow& row) { return row.type_name(); }))
        found.push_back(std::move(entry));
    answer<std::vector<NamedTally>>(std::move(done), std::move(found));
}

TaskRecord MemoryStore::copy(const TaskRow& row) const {
    TaskRecord record;
    record.task.id = row.id;
    record.task.type = row.type_name();
    record.task.payload = row.payload;
    record.task.created = row.created;
    record.task.options = row.options;
    record.task.attempts_before = row.last_attempt;
    if (!row.live()) {
        record.outcome = outcomes_.get(row.sequence);
        record.sequence = row.sequence;
    }
    return record;
}

std::vector<core::Attempt> MemoryStore::attempts_of(const TaskRow& row) const {
    std::vector<core::Attempt> attempts;
    if (const auto found = attempts_.find(row.id); found != attempts_.end())
        attempts = found->second;
    if (row.live())
        return attempts;
    auto last = outcomes_.get(row.sequence).attempt;
    if (last.number != 0 && (attempts.empty() || attempts.back().number < last.number))
        attempts.push_back(std::move(last));
    return attempts;
}

bool MemoryStore::matches(const TaskRow& row, const ListQuery& query) const {
    const auto wanted = [&](wire::TaskState state) {
        return row.live() ? !wire::is_terminal(state) : state == outcomes_.state(row.sequence);
    };
    if (!query.states.empty() && std::ranges::none_of(query.states, wanted))
        return false;
    if (!query.type.empty() && row.type_name() != query.type)
        return false;
    if (!query.group.empty() && (!row.options || row.options->group != query.group))
        return false;
    return query.host.empty() || (!row.live() && outcomes_.host(row.sequence) == query.host);
}

ListPage MemoryStore::select(const ListQuery& query) const {
    ListPage page;
    auto index = tasks_.last_below(query.before);
    for (std::size_t seen = 0; index != TaskTable::none; ++seen) {
        if (seen == scan_limit || page.tasks.size() == query.limit) {
            page.next_before = tasks_[index].id + 1;
            break;
        }
        const TaskRow& row = tasks_[index];
        if (!row.dropped && matches(row, query))
            page.tasks.push_back(copy(row));
        index = index == 0 ? TaskTable::none : index - 1;
    }
    return page;
}

ResultsPage MemoryStore::select(const ResultsQuery& query) {
    ResultsPage page;
    page.newest = outcomes_.newest();
    page.oldest = outcomes_.oldest();
    page.next_after = query.after;
    auto sequence = std::max(query.after + 1, page.oldest);
    for (std::size_t seen = 0; sequence <= page.newest; ++seen, ++sequence) {
        if (seen == scan_limit || page.tasks.size() == query.limit)
            break;
        page.next_after = sequence;
        const TaskId id = outcomes_.task(sequence);
        if (id == 0 || id < query.from_id || id > query.to_id)
            continue;
        const TaskRow& row = *tasks_.find(id);
        if (!query.type.empty() && row.type_name() != query.type)
            continue;
        if (!query.group.empty() && (!row.options || row.options->group != query.group))
            continue;
        page.tasks.push_back(copy(row));
    }
    return page;
}

}  // namespace

std::unique_ptr<Store> make_memory_store(Post post, std::size_t max_ended) {
    return std::make_unique<MemoryStore>(std::move(post), max_ended);
}

}  // namespace distributo::coordinator::store
