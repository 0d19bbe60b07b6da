#include "coordinator/core/live_counts.hpp"

namespace distributo::coordinator::core {

std::uint32_t GroupTable::enter(const std::string& name) {
    auto known = by_name_.find(name);
    if (known == by_name_.end()) {
        std::uint32_t group = 0;
        if (free_.empty()) {
            group = static_cast<std::uint32_t>(entries_.size());
            entries_.emplace_back();
        } else {
            group = free_.back();
            free_.pop_back();
        }
        entries_[group].name = name;
        known = by_name_.emplace(entries_[group].name, group).first;
    }
    ++entries_[known->second].counts[wire::TaskState::pending];
    return known->second;
}

void GroupTable::leave(std::uint32_t group, wire::TaskState last) {
    Entry& entry = entries_[group];
    --entry.counts[last];
    if (entry.counts.total() != 0)
        return;
    by_name_.erase(entry.name);
    entry.name.clear();
    free_.push_back(group);
}

LiveCounts GroupTable::find(std::string_view name) const {
    const auto known = by_name_.find(name);
    return known == by_name_.end() ? LiveCounts() : entries_[known->second].counts;
}

}  // namespace distributo::coordinator::core
