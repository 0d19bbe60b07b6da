#pragma once

#include "coordinator/store/sqlite/names.hpp"
#include "coordinator/store/store.hpp"

#include <cstdint>
#include <unordered_map>
#include <unordered_set>

namespace distributo::coordinator::store {

/// Where to look for tasks. Ids are taken in blocks of block_size; a row of `mark` says "this
/// block has tasks with that name", or "… that ended in that state", and a row of `block` from
/// when they are. A list reads only the blocks that are marked with all that it asks for. An index
/// would be a row per task; this is a row per block, so a task pays next to nothing for it.
inline constexpr std::uint64_t block_size = 1024;

/// Stands for any name in `mark`.
inline constexpr NameId any_name = 0;
/// Stands for "in whatever state".
inline constexpr int any_state = 0;

/// Marks blocks; for the connection that writes. Marks are never wrong, but may be stale: a list
/// looks at every task anyway.
class BlockMarks {
public:
    explicit BlockMarks(const Database& database);
    void mark(NameId name, int state, TaskId id);
    void created(TaskId id, base::WallTime when);
    void flush();
    /// The block has no tasks any more and will not get any.
    void drop(std::uint64_t block);
    /// After a transaction was rolled back.
    void forget() noexcept;

private:
    struct Mark {
        NameId name = 0;
        std::uint32_t state = 0;
        std::uint64_t block = 0;
        friend bool operator==(const Mark&, const Mark&) = default;
    };
    struct Hash {
        std::size_t operator()(const Mark& mark) const noexcept;
    };
    struct Range {
        base::WallTime first, last;
    };

    Statement mark_;
    Statement created_;
    Statement drop_marks_;
    Statement drop_block_;
    std::unordered_set<Mark, Hash> made_;
    std::unordered_map<std::uint64_t, Range> ranges_;
    Range* range_ = nullptr;  // of range_block_, in ranges_
    std::uint64_t range_block_ = 0;
};

}  // namespace distributo::coordinator::store
