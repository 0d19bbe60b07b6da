#include "coordinator/store/sqlite/tallies.hpp"

namespace distributo::coordinator::store {
namespace {

using wire::TaskState;

constexpr std::uint64_t minus_one = ~std::uint64_t{0};

void add(Tally& to, const Tally& by) noexcept {
    to.total += by.total;
    to.completed += by.completed;
    to.failed += by.failed;
    to.cancelled += by.cancelled;
    to.expired += by.expired;
}

}  // namespace

void count(Tally& tally, TaskState state, std::uint64_t by) noexcept {
    if (state == TaskState::completed)
        tally.completed += by;
    else if (state == TaskState::failed)
        tally.failed += by;
    else if (state == TaskState::cancelled)
        tally.cancelled += by;
    else if (state == TaskState::expired)
        tally.expired += by;
}

Tallies::Tallies(const Database& database)
    : add_(database.prepare(R"sql(
        INSERT INTO tally(name, kind, total, completed, failed, cancelled, expired, newest)
        VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        ON CONFLICT(name) DO UPDATE SET total = total + ?3, completed = completed + ?4,
            failed = failed + ?5, cancelled = cancelled + ?6, expired = expired + ?7,
            newest = max(newest, ?8))sql")),
      drop_empty_(database.prepare("DELETE FROM tally WHERE name = ? AND total = 0")) {
    auto sums = database.prepare(R"sql(
        SELECT total(total), total(completed), total(failed), total(cancelled), total(expired)
        FROM tally WHERE kind = 1)sql");
    auto rows = sums.query();
    if (rows.next())
        kept_ = {rows.as<std::uint64_t>(0),
                 rows.as<std::uint64_t>(1),
                 rows.as<std::uint64_t>(2),
                 rows.as<std::uint64_t>(3),
                 rows.as<std::uint64_t>(4)};
    committed();
}

void Tallies::change(NameKind kind,
                     NameId name,
                     TaskState state,
                     std::uint64_t total,
                     std::uint64_t ended,
                     TaskId newest) {
    auto& change = changes_[name];
    change.kind = kind;
    change.by.total += total;
    count(change.by, state, ended);
    change.newest = std::max(change.newest, newest);
}

void Tallies::change_both(NameId type,
                          NameId group,
                          TaskState state,
                          std::uint64_t total,
                          std::uint64_t ended,
                          TaskId newest) {
    change(NameKind::type, type, state, total, ended, newest);
    if (group != 0)
        change(NameKind::group, group, state, total, ended, newest);
}

void Tallies::added(NameId type, NameId group, TaskId id) {
    change_both(type, group, TaskState::pending, 1, 0, id);
}
void Tallies::ended(NameId type, NameId group, TaskState state) {
    change_both(type, group, state, 0, 1, 0);
}
void Tallies::reopened(NameId type, NameId group, TaskState state) {
    change_both(type, group, state, 0, minus_one, 0);
}
void Tallies::dropped(NameId type, NameId group, TaskState state) {
    change_both(type, group, state, minus_one, minus_one, 0);
}

void Tallies::flush() {
    for (const auto& [name, change] : changes_) {
        const Tally& by = change.by;
        add_.run(name,
                 change.kind,
                 by.total,
                 by.completed,
                 by.failed,
                 by.cancelled,
                 by.expired,
                 change.newest);
        if (by.total > std::uint64_t{1} << 63U)
            drop_empty_.run(name);
        if (change.kind == NameKind::type)
            add(kept_, by);
    }
    changes_.clear();
}

}  // namespace distributo::coordinator::store
