#include "coordinator/store/memory_store.hpp"

#include <algorithm>
#include <functional>

namespace distributo::coordinator::store {
namespace {

// Rows that one list() or results() looks at: about half a millisecond.
constexpr std::size_t scan_limit = 16 * 1024;

std::string_view group_of(const TaskRow& row) {
    return row.options ? std::string_view(row.options->group) : std::string_view();
}

}  // namespace

void MemoryStore::find(TaskId id, Done<std::optional<TaskRecord>> done) {
    std::optional<TaskRecord> found;
    if (const TaskRow* row = tasks_.find(id))
        found = copy_with_past(*row);
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
    tasks_.for_each([&](const TaskRow& row) {
        const std::string_view name = name_of(row);
        if (name.empty())
            return;
        auto& entry = found[std::string(name)];
        entry.name = name;
        entry.newest = std::max(entry.newest, row.id);
        count(entry.tally, row);
    });
    return found;
}

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
    record.task.generator = row.generator;
    record.task.attempts_before = attempts_before(row);
    if (const Past* past = pasts_.find(row.id))
        record.task.parent = past->parent;
    if (!row.live()) {
        record.outcome = outcomes_.get(row.sequence);
        record.sequence = row.sequence;
    }
    return record;
}

TaskRecord MemoryStore::copy_with_past(const TaskRow& row) const {
    TaskRecord record = copy(row);
    Past past;
    if (const Past* known = pasts_.find(row.id))
        past = *known;
    if (record.outcome && record.outcome->attempt.number != 0)
        past.add(record.outcome->attempt);
    record.attempts = std::move(past.attempts);
    record.controls = std::move(past.controls);
    return record;
}

bool MemoryStore::matches(const TaskRow& row, const ListQuery& query) const {
    if (row.live() || !query.wants(outcomes_.state(row.sequence)))
        return false;
    if (!query.type.empty() && row.type_name() != query.type)
        return false;
    if (query.generator != 0 && row.generator != query.generator)
        return false;
    if (!query.host.empty() && outcomes_.host(row.sequence) != query.host)
        return false;
    return core::belongs(query, row.options.get(), row.created);
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
    page.next_after = std::max(query.after, page.oldest - 1);
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
        if (!query.group.empty() && group_of(row) != query.group)
            continue;
        if (query.generator != 0 && row.generator != query.generator)
            continue;
        page.tasks.push_back(copy(row));
    }
    return page;
}

}  // namespace distributo::coordinator::store
