#pragma once

#include "coordinator/store/sqlite/blob_files.hpp"
#include "coordinator/store/sqlite/database.hpp"
#include "coordinator/store/sqlite/names.hpp"
#include "coordinator/store/store.hpp"

#include <optional>
#include <string>
#include <vector>

namespace distributo::coordinator::store {

/// `SELECT` what Records::task() reads, from `task t LEFT JOIN outcome o`; ends before WHERE.
[[nodiscard]] std::string select_tasks();

/// What happened to a task, in order.
struct PastAttempts {
    std::vector<core::Attempt> attempts;
    std::vector<core::Control> controls;
    std::uint32_t before = 0;  ///< highest attempt number that may have been given out
};

/// Reads tasks with all that belongs to them over one connection. Throws DatabaseError, also for a
/// row that cannot be what was written.
class Records {
public:
    /// Without `files`, results that are files are left empty.
    explicit Records(const Database& database, std::optional<BlobFiles> files = {});

    [[nodiscard]] std::optional<TaskRecord> find(TaskId id);
    /// What was recorded of a task beside its outcome. `before` is what NewTask.attempts_before is
    /// in `term`: in each boot since a record at most one attempt went unrecorded.
    [[nodiscard]] PastAttempts past(TaskId id, std::uint32_t term);
    /// The same with the outcome's attempt, when it has ended.
    [[nodiscard]] PastAttempts past(const TaskRecord& record, std::uint32_t term);
    /// The row that stands there, of a query with select_tasks(). The type's name lives as long as
    /// this object.
    [[nodiscard]] TaskRecord record(const Rows& rows);
    [[nodiscard]] core::NewTask task(const Rows& rows);  ///< without its outcome

private:
    [[nodiscard]] core::Outcome outcome(const Rows& rows, TaskId id);
    void read_attempts(PastAttempts& past, TaskId id, std::uint32_t term);
    void read_controls(PastAttempts& past, TaskId id, std::uint32_t term);

    NameTexts names_;
    std::optional<BlobFiles> files_;
    Statement find_;
    Statement attempts_;
    Statement controls_;
    Statement submitted_in_;
};

}  // namespace distributo::coordinator::store
