#pragma once

#include "coordinator/store/sqlite/database.hpp"
#include "coordinator/store/sqlite/schema.hpp"
#include "coordinator/store/store.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace distributo::coordinator::store {

/// How a list finds its tasks: the blocks that are marked with all that it asks for, newest first,
/// and in them the tasks themselves. See block_marks.hpp.
class ListPlan {
public:
    /// Number of a name; 0 when nobody has it.
    using Name = std::function<std::int64_t(NameKind, const std::string&)>;
    /// Nothing when no task can match.
    [[nodiscard]] static std::optional<ListPlan> of(const ListQuery& query, const Name& name);

    [[nodiscard]] std::string blocks_sql() const;
    [[nodiscard]] std::string tasks_sql() const;
    /// `newest`: highest id to look at. The plan must live as long as the rows.
    [[nodiscard]] Rows blocks(Statement& statement, std::int64_t newest) const;
    [[nodiscard]] Rows tasks(Statement& statement, std::int64_t lowest, std::int64_t highest) const;
    /// What no condition of the database says.
    [[nodiscard]] bool matches(const TaskRecord& record) const;

private:
    explicit ListPlan(const ListQuery& query) : query_(query) {}
    bool require(NameKind kind, const std::string& text, const Name& name, const char* column);
    /// False when none of them is one that a task ends in.
    bool require_states(std::int64_t type);

    const ListQuery& query_;
    /// What a block must be marked with: a name, and one of some states.
    struct Mark {
        std::int64_t name = 0;
        std::string states;  // "0", or "7, 8"
    };
    std::vector<Mark> marks_;  // the first one leads to the blocks
    std::string conditions_;   // of tasks, with what is in values_
    std::vector<std::int64_t> values_;
};

}  // namespace distributo::coordinator::store
