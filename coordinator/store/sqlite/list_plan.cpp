#include "coordinator/store/sqlite/list_plan.hpp"

#include "coordinator/store/sqlite/block_marks.hpp"
#include "coordinator/store/sqlite/records.hpp"

#include <limits>

namespace distributo::coordinator::store {
namespace {

void append(std::string& list, int number) {
    list += (list.empty() ? "" : ", ") + std::to_string(number);
}

}  // namespace

bool ListPlan::require(NameKind kind,
                       const std::string& text,
                       const Name& name,
                       const char* column) {
    if (text.empty())
        return true;
    const auto id = name(kind, text);
    marks_.push_back({id, std::to_string(any_state)});
    if (column) {
        conditions_ += std::string(" AND ") + column + " = ?";
        values_.push_back(id);
    }
    return id != 0;
}

bool ListPlan::require_states(std::int64_t type) {
    if (query_.states.empty()) {
        conditions_ += " AND o.state IS NOT NULL";
        return true;
    }
    std::string states;
    for (const auto state : query_.states)
        if (wire::is_terminal(state))
            append(states, static_cast<int>(state));
    conditions_ += " AND o.state IN (" + states + ")";
    // A mark of one state is the best guide, since failures are few; several come in no order.
    const bool one = states.find(',') == std::string::npos;
    marks_.insert(one ? marks_.begin() : marks_.end(), Mark{type, states});
    return !states.empty();
}

std::optional<ListPlan> ListPlan::of(const ListQuery& query, const Name& name) {
    ListPlan plan(query);
    const auto& [key, value] = query.label;
    const bool known =
        plan.require(NameKind::group, query.group, name, "t.\"group\"") &&
        plan.require(
            NameKind::label, key.empty() ? std::string() : label_text(key, value), name, nullptr) &&
        plan.require(NameKind::generator,
                     query.generator == 0 ? std::string() : std::to_string(query.generator),
                     name,
                     nullptr) &&
        plan.require(NameKind::host, query.host, name, "o.host") &&
        plan.require(NameKind::type, query.type, name, "t.type");
    if (!known ||
        !plan.require_states(query.type.empty() ? std::int64_t{any_name} : plan.marks_.back().name))
        return std::nullopt;
    if (!key.empty())
        plan.conditions_ += " AND t.options IS NOT NULL";  // most have none, and need not be read
    if (query.generator != 0) {
        plan.conditions_ += " AND t.generator = ?";
        plan.values_.push_back(query.generator);
    }
    for (const auto& [bound, condition] : {std::pair{query.created_from, " AND t.created >= ?"},
                                           std::pair{query.created_before, " AND t.created < ?"}})
        if (bound) {
            plan.conditions_ += condition;
            plan.values_.push_back(bound->time_since_epoch().count());
        }
    return plan;
}

std::string ListPlan::blocks_sql() const {
    const bool led = !marks_.empty() && marks_.front().states.find(',') == std::string::npos;
    std::string sql = "SELECT b.block FROM block b WHERE b.block <= ?";
    if (led)
        sql =
            "SELECT b.block FROM mark m CROSS JOIN block b ON b.block = m.block WHERE m.block <= ?";
    if (query_.created_from)
        sql += " AND b.created_max >= ?";
    if (query_.created_before)
        sql += " AND b.created_min < ?";
    for (std::size_t i = 0; i < marks_.size(); ++i)
        if (led && i == 0)
            sql += " AND m.name = ? AND m.state = " + marks_[i].states;
        else
            sql += " AND EXISTS(SELECT 1 FROM mark WHERE name = ? AND state IN (" +
                   marks_[i].states + ") AND block = b.block)";
    return sql + (led ? " ORDER BY m.block DESC" : " ORDER BY b.block DESC");
}

Rows ListPlan::blocks(Statement& statement, std::int64_t newest) const {
    statement.bind(newest / static_cast<std::int64_t>(block_size));
    if (query_.created_from)
        statement.bind(*query_.created_from);
    if (query_.created_before)
        statement.bind(*query_.created_before);
    for (const auto& mark : marks_)
        statement.bind(mark.name);
    return Rows(statement);
}

std::string ListPlan::tasks_sql() const {
    return select_tasks() + "WHERE t.id BETWEEN ? AND ?" + conditions_ + " ORDER BY t.id DESC";
}

Rows ListPlan::tasks(Statement& statement, std::int64_t lowest, std::int64_t highest) const {
    statement.bind(lowest).bind(highest);
    for (const auto value : values_)
        statement.bind(value);
    return Rows(statement);
}

bool ListPlan::matches(const TaskRecord& record) const {
    return core::belongs(query_, record.task.options.get(), record.task.created);
}

}  // namespace distributo::coordinator::store
