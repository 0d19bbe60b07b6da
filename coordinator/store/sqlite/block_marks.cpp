#include "coordinator/store/sqlite/block_marks.hpp"

#include <algorithm>

namespace distributo::coordinator::store {
namespace {

// Those of the last few thousand blocks. Forgetting them only costs an insert that does nothing.
constexpr std::size_t most_marks = 100'000;

}  // namespace

std::size_t BlockMarks::Hash::operator()(const Mark& mark) const noexcept {
    constexpr std::uint64_t golden = 0x9e3779b97f4a7c15;
    auto mixed = (std::uint64_t{mark.name} << 4U | mark.state) * golden;
    mixed = (mixed ^ mixed >> 32U ^ mark.block) * golden;
    return mixed ^ mixed >> 32U;
}

BlockMarks::BlockMarks(const Database& database)
    : mark_(database.prepare("INSERT OR IGNORE INTO mark(name, state, block) VALUES(?, ?, ?)")),
      created_(database.prepare(R"sql(
        INSERT INTO block(block, created_min, created_max) VALUES(?1, ?2, ?3)
        ON CONFLICT(block) DO UPDATE SET created_min = min(created_min, ?2),
            created_max = max(created_max, ?3))sql")),
      drop_marks_(database.prepare("DELETE FROM mark WHERE block = ?")),
      drop_block_(database.prepare("DELETE FROM block WHERE block = ?")) {}

void BlockMarks::mark(NameId name, int state, TaskId id) {
    const Mark mark{name, static_cast<std::uint32_t>(state), id / block_size};
    if (made_.contains(mark))
        return;
    mark_.run(mark.name, mark.state, mark.block);
    if (made_.size() >= most_marks)
        made_.clear();
    made_.insert(mark);
}

void BlockMarks::created(TaskId id, base::WallTime when) {
    const auto block = id / block_size;
    if (!range_ || block != range_block_) {
        range_ = &ranges_.try_emplace(block, Range{when, when}).first->second;
        range_block_ = block;
    }
    range_->first = std::min(range_->first, when);
    range_->last = std::max(range_->last, when);
}

void BlockMarks::flush() {
    for (const auto& [block, range] : ranges_)
        created_.run(block, range.first, range.last);
    ranges_.clear();
    range_ = nullptr;
}

void BlockMarks::drop(std::uint64_t block) {
    drop_marks_.run(block);
    drop_block_.run(block);
}

void BlockMarks::forget() noexcept {
    made_.clear();
    ranges_.clear();
    range_ = nullptr;
}

}  // namespace distributo::coordinator::store
