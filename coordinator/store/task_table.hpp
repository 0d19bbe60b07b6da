#pragma once

#include "base/bytes.hpp"
#include "coordinator/core/task.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>

namespace distributo::coordinator::store {

using core::TaskId;

/// What the memory store keeps of every task. 64 bytes, one cache line: a million of them is the
/// normal load.
struct TaskRow {
    TaskId id = 0;
    const char* type = nullptr;  ///< of TypeNames, so it never dangles
    base::Bytes payload;
    std::shared_ptr<const core::TaskOptions> options;
    base::WallTime created;
    std::uint64_t sequence : 56 = 0;           ///< of the outcome; 0: live
    std::uint64_t type_size : 8 = 0;           ///< limits::type_length fits
    std::uint32_t last_attempt = 0;            ///< highest number recorded in earlier generations
    core::ExtensionNumber generator : 31 = 0;  ///< numbers are allotted one by one
    bool dropped : 1 = false;                  ///< only its place is left

    [[nodiscard]] std::string_view type_name() const noexcept { return {type, type_size}; }
    [[nodiscard]] bool live() const noexcept { return sequence == 0; }
};
static_assert(sizeof(TaskRow) == 64);

/// Rows in order of their ids, found by arithmetic: ids rise by one apart from few gaps.
class TaskTable {
public:
    using Index = std::size_t;
    static constexpr Index none = ~Index{0};

    /// `row.id` must be higher than all before it.
    void append(TaskRow row);
    [[nodiscard]] TaskRow* find(TaskId id);
    /// Frees what the row holds. The row itself goes when it is the oldest, or when half are gone.
    void drop(TaskId id);
    /// Index of the last row with an id below `before`; `none` when there is none.
    [[nodiscard]] Index last_below(TaskId before) const;
    [[nodiscard]] const TaskRow& operator[](Index index) const { return rows_[index]; }
    /// Calls `visit(row)` for those that were not dropped, in order of their ids.
    template <typename Visit>
    void for_each(Visit visit) const {
        for (const TaskRow& row : rows_)
            if (!row.dropped)
                visit(row);
    }
    [[nodiscard]] TaskId highest() const noexcept { return highest_; }

private:
    [[nodiscard]] Index lower_bound(TaskId id) const;

    std::deque<TaskRow> rows_;
    std::size_t dropped_ = 0;
    TaskId highest_ = 0;
};

}  // namespace distributo::coordinator::store
