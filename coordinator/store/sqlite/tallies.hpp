#pragma once

#include "coordinator/store/sqlite/names.hpp"
#include "coordinator/store/store.hpp"

#include <unordered_map>

namespace distributo::coordinator::store {

/// Adds to the tally's count of those that ended so; nothing for a live state.
void count(Tally& tally, wire::TaskState state, std::uint64_t by = 1) noexcept;

/// How many tasks there are by type and group: gathered during a transaction, and added to the
/// table once at its end. The table itself is what others read.
class Tallies {
public:
    explicit Tallies(const Database& database);
    /// Counts over all types, as of the last flush().
    [[nodiscard]] const Tally& kept() const noexcept { return kept_; }

    void added(NameId type, NameId group, TaskId id);
    void ended(NameId type, NameId group, wire::TaskState state);
    void reopened(NameId type, NameId group, wire::TaskState state);
    /// An ended task is gone.
    void dropped(NameId type, NameId group, wire::TaskState state);

    void flush();
    void committed() noexcept { committed_ = kept_; }
    void roll_back() noexcept {
        changes_.clear();
        kept_ = committed_;
    }

private:
    struct Change {
        NameKind kind = NameKind::type;
        Tally by;  ///< modulo 2^64, since counts also fall
        TaskId newest = 0;
    };
    void change(NameKind kind,
                NameId name,
                wire::TaskState state,
                std::uint64_t total,
                std::uint64_t ended,
                TaskId newest);
    void change_both(NameId type,
                     NameId group,
                     wire::TaskState state,
                     std::uint64_t total,
                     std::uint64_t ended,
                     TaskId newest);

    Statement add_;
    Statement drop_empty_;
    std::unordered_map<NameId, Change> changes_;
    Tally kept_;
    Tally committed_;
};

}  // namespace distributo::coordinator::store
