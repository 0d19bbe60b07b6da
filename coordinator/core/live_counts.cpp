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

void GeneratorTable::enter(ExtensionNumber generator) {
    ++of_[generator][wire::TaskState::pending];
}

void GeneratorTable::move(ExtensionNumber generator, wire::TaskState from, wire::TaskState to) {
    LiveCounts& counts = of_[generator];
    --counts[from];
    ++counts[to];
}

void GeneratorTable::leave(ExtensionNumber generator, wire::TaskState last) {
    --of_[generator][last];
}

LiveCounts GeneratorTable::find(ExtensionNumber generator) const {
    const auto found = of_.find(generator);
    return found == of_.end() ? LiveCounts() : found->second;
}

}  // namespace distributo::coordinator::core
