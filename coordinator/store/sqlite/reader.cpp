#include "coordinator/store/sqlite/reader.hpp"

#include "coordinator/store/sqlite/block_marks.hpp"
#include "coordinator/store/sqlite/list_plan.hpp"
#include "coordinator/store/sqlite/packed_ids.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace distributo::coordinator::store {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto longest_answer = std::chrono::milliseconds(200);
// After this a page is handed out with what it has; the next call goes on from there.
constexpr auto page_time = std::chrono::milliseconds(10);

// The same for payloads and results: a page is in memory before it leaves.
constexpr std::size_t page_bytes = 8 * 1024 * 1024;

std::size_t bytes_of(const TaskRecord& record) {
    return record.task.payload.size() + (record.outcome ? record.outcome->result.size() : 0);
}

constexpr auto reader_settings = R"sql(
PRAGMA query_only = 1;
PRAGMA cache_size = -16384;
PRAGMA temp_store = MEMORY;
PRAGMA trusted_schema = OFF;
)sql";

constexpr auto tally_columns =
    "SELECT n.text, y.total, y.completed, y.failed, y.cancelled, y.expired, y.newest "
    "FROM tally y JOIN name n ON n.id = y.name ";

NamedTally tally(const Rows& rows) {
    NamedTally found;
    found.name = rows.text(0);
    found.tally = {rows.as<std::uint64_t>(1),
                   rows.as<std::uint64_t>(2),
                   rows.as<std::uint64_t>(3),
                   rows.as<std::uint64_t>(4),
                   rows.as<std::uint64_t>(5)};
    found.newest = rows.as<TaskId>(6);
    return found;
}

std::vector<NamedTally> all_tallies(Rows rows) {
    std::vector<NamedTally> found;
    while (rows.next())
        found.push_back(tally(rows));
    return found;
}

/// SQLite's integers are signed.
std::int64_t signed_id(TaskId id) {
    return static_cast<std::int64_t>(
        std::min<TaskId>(id, std::numeric_limits<std::int64_t>::max()));
}

}  // namespace

class Reader::Moment {
public:
    explicit Moment(Reader& reader) : reader_(reader), begun_(Clock::now()) {
        reader_.deadline_ = begun_ + longest_answer;
        reader_.begin_.run();
    }
    ~Moment() {
        try {
            reader_.end_.run();
        } catch (const DatabaseError&) {
            // An interrupt has ended it already.
        }
    }
    Moment(const Moment&) = delete;
    Moment& operator=(const Moment&) = delete;
    [[nodiscard]] bool page_is_due() const { return Clock::now() - begun_ > page_time; }

private:
    Reader& reader_;
    Time begun_;
};

Reader::Reader(const std::string& file, const std::string& vfs, BlobFiles files, std::uint32_t term)
    : database_(file, Database::Mode::read, vfs),
      term_(term),
      records_(database_, std::move(files)),
      begin_(database_.prepare("BEGIN")),
      end_(database_.prepare("COMMIT")),
      find_name_(database_.prepare("SELECT id FROM name WHERE kind = ? AND text = ?")),
      find_given_id_(database_.prepare("SELECT task FROM given_id WHERE text = ?")),
      find_result_(database_.prepare(
          select_tasks() + "WHERE t.id = ?1 AND o.sequence = ?2 AND (?3 = 0 OR t.type = ?3) "
                           "AND (?4 = 0 OR t.\"group\" = ?4) "
                           "AND (?5 = 0 OR t.generator = ?5)")),
      recorded_(database_.prepare(R"sql(
        SELECT tasks FROM recorded
        WHERE first >= coalesce((SELECT max(first) FROM recorded WHERE first <= ?), 0)
        ORDER BY first)sql")),
      group_(database_.prepare(std::string(tally_columns) + "WHERE y.name = ?")),
      groups_(
          database_.prepare(std::string(tally_columns) +
                            "WHERE y.kind = 2 AND y.newest < ? ORDER BY y.newest DESC LIMIT ?")),
      types_(database_.prepare(std::string(tally_columns) + "WHERE y.kind = 1 ORDER BY n.text")) {
    database_.execute(reader_settings);
    database_.watch(
        [](void* deadline) { return Clock::now() > *static_cast<const Time*>(deadline) ? 1 : 0; },
        &deadline_);
}

std::int64_t Reader::name(NameKind kind, const std::string& text) {
    auto rows = find_name_.query(kind, text);
    return rows.next() ? rows.integer(0) : 0;
}

Statement& Reader::prepared(const std::string& sql) {
    const auto known = prepared_.find(sql);
    if (known != prepared_.end())
        return known->second;
    return prepared_.emplace(sql, database_.prepare(sql)).first->second;
}

std::optional<TaskRecord> Reader::find(TaskId id) {
    const Moment moment(*this);
    auto record = records_.find(id);
    if (record) {
        auto past = records_.past(*record, term_);
        record->attempts = std::move(past.attempts);
        record->controls = std::move(past.controls);
    }
    return record;
}

TaskId Reader::resolve(const std::string& given_id) {
    const Moment moment(*this);
    auto rows = find_given_id_.query(given_id);
    return rows.next() ? rows.as<TaskId>(0) : 0;
}

ListPage Reader::list(const ListQuery& query) {
    const Moment moment(*this);
    ListPage page;
    const auto plan = ListPlan::of(
        query, [this](NameKind kind, const std::string& text) { return name(kind, text); });
    if (!plan)
        return page;
    std::size_t bytes = 0;
    const auto newest = signed_id(query.before) - 1;
    auto blocks = plan->blocks(prepared(plan->blocks_sql()), newest);
    auto& tasks = prepared(plan->tasks_sql());
    while (blocks.next()) {
        const auto lowest = blocks.integer(0) * static_cast<std::int64_t>(block_size);
        const auto highest = lowest + static_cast<std::int64_t>(block_size) - 1;
        auto rows = plan->tasks(tasks, lowest, std::min(newest, highest));
        while (rows.next()) {
            auto record = records_.record(rows);
            if (!plan->matches(record))
                continue;
            if (page.tasks.size() == query.limit || bytes > page_bytes) {
                page.next_before = record.task.id + 1;
                return page;
            }
            bytes += bytes_of(record);
            page.tasks.push_back(std::move(record));
        }
        if (moment.page_is_due()) {
            page.next_before = static_cast<TaskId>(std::max<std::int64_t>(lowest, 1));
            break;
        }
    }
    return page;
}

ResultsPage Reader::results(const ResultsQuery& query, Sequences sequences) {
    const Moment moment(*this);
    ResultsPage page;
    page.newest = sequences.newest;
    page.oldest = sequences.oldest;
    page.next_after = query.after;
    const auto type = query.type.empty() ? 0 : name(NameKind::type, query.type);
    const auto group = query.group.empty() ? 0 : name(NameKind::group, query.group);
    if ((type == 0 && !query.type.empty()) || (group == 0 && !query.group.empty())) {
        page.next_after = std::max(query.after, page.newest);
        return page;
    }
    std::size_t bytes = 0;
    auto commits = recorded_.query(signed_id(query.after + 1));
    while (commits.next()) {
        PairReader ended(commits.text(0));
        while (const auto pair = ended.next()) {
            const auto [sequence, id] = *pair;
            if (sequence <= query.after)
                continue;
            if (sequence > page.newest || page.tasks.size() == query.limit)
                return page;
            page.next_after = sequence;
            if (id < query.from_id || id > query.to_id)
                continue;
            auto rows = find_result_.query(id, sequence, type, group, query.generator);
            if (rows.next())
                bytes += bytes_of(page.tasks.emplace_back(records_.record(rows)));
            if (bytes > page_bytes || moment.page_is_due())
                return page;
        }
    }
    page.next_after = std::max(page.next_after, page.newest);
    return page;
}

std::optional<NamedTally> Reader::group(const std::string& text) {
    const Moment moment(*this);
    auto rows = group_.query(name(NameKind::group, text));
    if (!rows.next())
        return std::nullopt;
    return tally(rows);
}

std::vector<NamedTally> Reader::groups(TaskId before, std::size_t limit) {
    const Moment moment(*this);
    return all_tallies(groups_.query(signed_id(before), limit));
}

std::vector<NamedTally> Reader::types() {
    const Moment moment(*this);
    return all_tallies(types_.query());
}

}  // namespace distributo::coordinator::store
