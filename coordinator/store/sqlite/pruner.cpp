#include "coordinator/store/sqlite/pruner.hpp"

#include "coordinator/store/sqlite/options_text.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace distributo::coordinator::store {
namespace {

// One slice: about two milliseconds of looking at what stays.
constexpr std::uint64_t most_looked_at = 4096;
constexpr std::size_t submissions_per_slice = 1000;

base::WallTime minus(base::WallTime time, base::Duration by) {
    return time - std::chrono::floor<std::chrono::milliseconds>(by);
}

}  // namespace

Pruner::Pruner(
    const Database& database, NameIds& names, Tallies& tallies, BlockMarks& marks, Blobs& blobs)
    : names_(names),
      tallies_(tallies),
      marks_(marks),
      blobs_(blobs),
      forgotten_(static_cast<std::uint64_t>(
          database.number("SELECT value FROM meta WHERE key = 'forgotten'"))),
      next_commit_(database.prepare(R"sql(
        SELECT first, tasks FROM recorded
        WHERE first >= coalesce((SELECT max(first) FROM recorded WHERE first <= ?1), 0)
        ORDER BY first)sql")),
      update_commit_(database.prepare("UPDATE recorded SET tasks = ? WHERE first = ?")),
      delete_commit_(database.prepare("DELETE FROM recorded WHERE first = ?")),
      look_(database.prepare(R"sql(
        SELECT o.state, o.finished, t.type, t."group", t.options,
            CASE typeof(o.result) WHEN 'text' THEN o.result END
        FROM outcome o JOIN task t ON t.id = o.id WHERE o.id = ? AND o.sequence = ?)sql")),
      delete_task_(database.prepare("DELETE FROM task WHERE id = ?")),
      delete_outcome_(database.prepare("DELETE FROM outcome WHERE id = ?")),
      pasts_(database.prepare(R"sql(
        SELECT min(first), max(last) FROM (
            SELECT (SELECT min(task) FROM attempt) AS first, (SELECT max(task) FROM attempt) AS last
            UNION ALL
            SELECT (SELECT min(task) FROM control), (SELECT max(task) FROM control)))sql")),
      delete_attempts_(database.prepare("DELETE FROM attempt WHERE task = ?")),
      delete_controls_(database.prepare("DELETE FROM control WHERE task = ?")),
      delete_given_id_(database.prepare("DELETE FROM given_id WHERE text = ?")),
      block_in_use_(database.prepare("SELECT 1 FROM task WHERE id BETWEEN ? AND ? LIMIT 1")),
      unused_names_(database.prepare(R"sql(
        SELECT n.id FROM mark m JOIN name n ON n.id = m.name
        WHERE m.block = ?1 AND m.state = 0 AND n.kind IN (2, 6) AND NOT EXISTS(
            SELECT 1 FROM mark x WHERE x.name = m.name AND x.state = 0 AND x.block <> ?1))sql")),
      old_submissions_(database.prepare(
          "SELECT key FROM submission WHERE created <= ? ORDER BY created LIMIT ?")),
      delete_submission_(database.prepare("DELETE FROM submission WHERE key = ?")),
      put_meta_(database.prepare("INSERT OR REPLACE INTO meta VALUES(?, ?)")) {
    committed();
}

void Pruner::roll_back() {
    completed_from_ = unsuccessful_from_ = any_from_ = 0;
    forgotten_ = committed_forgotten_;
    touched_.clear();
    wrote_ = false;
}

bool Pruner::prune(const Retention& retention, base::WallTime now, Next next) {
    tallies_.flush();
    find_pasts();
    Slice slice;
    const auto last = retention.needed_after;
    bool more = forget(
        {Class::completed, minus(now, retention.completed), now, last}, completed_from_, slice);
    more |= forget({Class::unsuccessful, minus(now, retention.unsuccessful), now, last},
                   unsuccessful_from_,
                   slice);
    const auto& kept = tallies_.kept();
    const auto ended = kept.total - kept.live() - slice.dropped;
    if (ended > retention.most_ended) {
        Slice surplus;
        const auto excess = ended - retention.most_ended;
        Order order{.before = base::WallTime::max(), .now = now};
        order.most = std::min(excess, most_dropped);
        forget(order, any_from_, surplus);
        more |= surplus.dropped < excess;
    }
    clean_blocks(next.id);
    if (std::exchange(wrote_, false)) {
        put_meta_.run("next_id", next.id);
        put_meta_.run("sequence", next.sequence - 1);
        put_meta_.run("forgotten", forgotten_);
    }
    return forget_submissions(now) || more;
}

bool Pruner::forget(const Order& order, std::uint64_t& cursor, Slice& slice) {
    Commit commit;
    while (cursor <= order.last && next_commit(cursor, commit)) {
        std::vector<PairReader::Pair> kept;
        bool stop = false;
        for (const auto& ended : commit.ended) {
            stop = stop || ended.first > order.last || slice.looked_at >= most_looked_at ||
                   slice.dropped >= order.most;
            if (stop || ended.first < cursor) {
                kept.push_back(ended);
                continue;
            }
            ++slice.looked_at;
            const auto verdict = judge(order, ended);
            stop = verdict == Verdict::stop;
            if (!stop)
                cursor = ended.first + 1;
            if (verdict == Verdict::keep || stop)
                kept.push_back(ended);
            if (verdict != Verdict::drop)
                continue;
            drop(ended.second);
            forgotten_ = std::max(forgotten_, ended.first);
            ++slice.dropped;
        }
        write(commit, kept);
        if (stop)
            return slice.looked_at >= most_looked_at || slice.dropped >= order.most;
        cursor = std::max(cursor,
                          commit.ended.empty() ? commit.first + 1 : commit.ended.back().first + 1);
    }
    return false;
}

bool Pruner::next_commit(std::uint64_t cursor, Commit& commit) {
    auto rows = next_commit_.query(cursor);
    while (rows.next()) {
        commit.first = rows.as<std::uint64_t>(0);
        commit.ended.clear();
        PairReader pairs(rows.text(1));
        while (const auto pair = pairs.next())
            commit.ended.push_back(*pair);
        if (!commit.ended.empty() && commit.ended.back().first >= cursor)
            return true;
    }
    return false;
}

Pruner::Verdict Pruner::judge(const Order& order, PairReader::Pair ended) {
    // The clock was wrong when it ended; it must not keep all later ones from being forgotten.
    constexpr auto absurd = std::chrono::hours(24);
    auto rows = look_.query(ended.second, ended.first);
    if (!rows.next())
        return Verdict::gone;  // withdrawn: it was tried again
    state_ = rows.as<wire::TaskState>(0);
    const auto finished = rows.time(1);
    if (order.which != Class::any) {
        if (finished > order.now + absurd)
            return Verdict::keep;
        // Ends are in order of time, nearly: whatever its class, those after it are younger.
        if (finished > order.before)
            return Verdict::stop;
        if ((state_ == wire::TaskState::completed) != (order.which == Class::completed))
            return Verdict::keep;
    }
    task_ = {rows.as<NameId>(2), rows.as<NameId>(3)};
    options_ = rows.text(4);
    result_file_ = rows.text(5);
    return Verdict::drop;
}

void Pruner::drop(TaskId id) {
    delete_outcome_.run(id);
    delete_task_.run(id);
    if (id >= first_past_ && id <= last_past_) {
        delete_attempts_.run(id);
        delete_controls_.run(id);
    }
    if (!result_file_.empty())
        blobs_.release(result_file_);
    if (!options_.empty())
        drop_options(options_);
    tallies_.dropped(task_.type, task_.group, state_);
    touched_.insert(id / block_size);
}

void Pruner::drop_options(std::string_view text) {
    const auto options = options_from_text(text);
    if (options && !options->given_id.empty())
        delete_given_id_.run(options->given_id);
}

void Pruner::write(const Commit& commit, const std::vector<PairReader::Pair>& kept) {
    if (kept.size() == commit.ended.size())
        return;
    wrote_ = true;
    if (kept.empty())
        return delete_commit_.run(commit.first);
    PairPacker packed;
    for (const auto& [sequence, id] : kept)
        packed.add(sequence, id);
    update_commit_.run(Blob{packed.bytes()}, commit.first);
}

void Pruner::clean_blocks(TaskId next_id) {
    std::vector<NameId> unused;
    for (const auto block : touched_) {
        const auto first = block * block_size;
        const auto end = first + block_size;
        auto in_use = block_in_use_.query(first, end - 1);
        if (end > next_id || in_use.next())
            continue;
        auto names = unused_names_.query(block);
        while (names.next())
            unused.push_back(names.as<NameId>(0));
        marks_.drop(block);
    }
    touched_.clear();
    if (!unused.empty())
        names_.remove(unused);
}

bool Pruner::forget_submissions(base::WallTime now) {
    std::vector<std::string> old;
    {
        auto rows = old_submissions_.query(minus(now, submission_life), submissions_per_slice);
        while (rows.next())
            old.emplace_back(rows.text(0));
    }
    for (const auto& key : old)
        delete_submission_.run(key);
    return old.size() == submissions_per_slice;
}

void Pruner::find_pasts() {
    auto rows = pasts_.query();
    rows.next();
    first_past_ = rows.as<TaskId>(0);
    last_past_ = rows.as<TaskId>(1);
}

}  // namespace distributo::coordinator::store
