#pragma once

#include "coordinator/store/sqlite/blobs.hpp"
#include "coordinator/store/sqlite/block_marks.hpp"
#include "coordinator/store/sqlite/database.hpp"
#include "coordinator/store/sqlite/live_tasks.hpp"
#include "coordinator/store/sqlite/names.hpp"
#include "coordinator/store/sqlite/packed_ids.hpp"
#include "coordinator/store/sqlite/tallies.hpp"
#include "coordinator/store/store.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace distributo::coordinator::store {

/// Forgets ended tasks, oldest ends first, a slice at a time so that commits between wait for a
/// few milliseconds at most. Part of the writer; uses its transaction.
class Pruner {
public:
    Pruner(const Database& database,
           NameIds& names,
           Tallies& tallies,
           BlockMarks& marks,
           Blobs& blobs);

    /// What comes next; kept when the newest of all is forgotten, since numbers are not reused.
    struct Next {
        TaskId id = 1;
        std::uint64_t sequence = 1;
    };
    /// True when there is more to forget.
    [[nodiscard]] bool prune(const Retention& retention, base::WallTime now, Next next);
    /// Highest sequence that was forgotten so far.
    [[nodiscard]] std::uint64_t forgotten() const noexcept { return forgotten_; }
    void committed() noexcept { committed_forgotten_ = forgotten_; }
    void roll_back();

private:
    /// In one slice: about two milliseconds.
    static constexpr std::uint64_t most_dropped = 1000;
    enum class Class { completed, unsuccessful, any };
    /// Which ends to forget: those of a class, before a time, up to a sequence; at most so many.
    struct Order {
        Class which = Class::any;
        base::WallTime before, now;
        std::uint64_t last = ~std::uint64_t{0};
        std::uint64_t most = most_dropped;
    };
    struct Commit {
        std::uint64_t first = 0;
        std::vector<PairReader::Pair> ended;  ///< sequence, task
    };
    enum class Verdict { keep, drop, gone, stop };
    struct Slice {
        std::uint64_t looked_at = 0;
        std::uint64_t dropped = 0;
    };

    bool forget(const Order& order, std::uint64_t& cursor, Slice& slice);
    [[nodiscard]] bool next_commit(std::uint64_t cursor, Commit& commit);
    [[nodiscard]] Verdict judge(const Order& order, PairReader::Pair ended);
    /// What judge() found is forgotten.
    void drop(TaskId id);
    void drop_options(std::string_view options);
    void write(const Commit& commit, const std::vector<PairReader::Pair>& kept);
    void clean_blocks(TaskId next_id);
    bool forget_submissions(base::WallTime now);
    void find_pasts();

    NameIds& names_;
    Tallies& tallies_;
    BlockMarks& marks_;
    Blobs& blobs_;
    std::uint64_t completed_from_ = 0, unsuccessful_from_ = 0, any_from_ = 0;  // sequences
    std::uint64_t forgotten_ = 0, committed_forgotten_ = 0;
    std::set<std::uint64_t> touched_;  // blocks
    bool wrote_ = false;
    // Ids outside have neither attempts nor controls.
    TaskId first_past_ = 0, last_past_ = 0;
    // What judge() found.
    LiveTask task_;
    wire::TaskState state_ = wire::TaskState::completed;
    std::string options_;
    std::string result_file_;

    Statement next_commit_, update_commit_, delete_commit_;
    Statement look_, delete_task_, delete_outcome_;
    Statement pasts_, delete_attempts_, delete_controls_, delete_given_id_;
    Statement block_in_use_, unused_names_;
    Statement old_submissions_, delete_submission_;
    Statement put_meta_;
};

}  // namespace distributo::coordinator::store
