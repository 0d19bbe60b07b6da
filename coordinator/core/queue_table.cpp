#include "coordinator/core/queue_table.hpp"

#include <algorithm>

namespace distributo::coordinator::core {

bool Queue::excludes(HostIndex host) const noexcept {
    return std::binary_search(excluded.begin(), excluded.end(), host);
}

bool Queue::labels_fit(const Host& host) const {
    return std::all_of(requires_labels.begin(), requires_labels.end(), [&](const auto& label) {
        const auto own = host.hello.labels.find(label.first);
        return own != host.hello.labels.end() && own->second == label.second;
    });
}

Offer* Queue::offer_of(const Host& host) const {
    return labels_fit(host) ? host.best_offer(type, versions, confinement) : nullptr;
}

std::int32_t Queue::top_priority() const noexcept {
    if (others_.empty())
        return 0;
    const auto highest = others_.begin()->first;
    return normal_.size > 0 ? std::max(highest, 0) : highest;
}

Slot Queue::first_of(std::int32_t priority) const {
    if (priority == 0)
        return normal_.first;
    const auto found = others_.find(priority);
    return found == others_.end() ? no_slot : found->second.first;
}

TaskList& Queue::bucket(std::int32_t priority) {
    return priority == 0 ? normal_ : others_[priority];
}

void Queue::push_back(TaskTable& tasks, Slot slot) {
    bucket(tasks.priority(slot)).push_back(tasks, slot);
    ++size_;
}

void Queue::push_front(TaskTable& tasks, Slot slot) {
    bucket(tasks.priority(slot)).push_front(tasks, slot);
    ++size_;
}

void Queue::remove(TaskTable& tasks, Slot slot) {
    const auto priority = tasks.priority(slot);
    --size_;
    if (priority == 0)
        return normal_.remove(tasks, slot);
    const auto found = others_.find(priority);
    found->second.remove(tasks, slot);
    if (found->second.size == 0)
        others_.erase(found);
}

TypeIndex QueueTable::type(std::string_view name) {
    if (const auto known = find_type(name); known != no_type)
        return known;
    const auto index = static_cast<TypeIndex>(types_.size());
    types_.emplace_back().name = name;
    types_.back().plain = static_cast<std::uint32_t>(queues_.size());
    queues_.emplace_back().type = index;
    types_by_name_.emplace(types_.back().name, index);
    return index;
}

TypeIndex QueueTable::find_type(std::string_view name) const {
    const auto found = types_by_name_.find(name);
    return found == types_by_name_.end() ? no_type : found->second;
}

std::uint32_t QueueTable::find_or_add(TypeIndex type,
                                      std::string_view version_range,
                                      const wire::Confinement& confinement,
                                      const wire::Labels& requires_labels,
                                      const std::vector<HostIndex>& excluded,
                                      bool& added) {
    added = false;
    if (version_range.empty() && confinement == wire::Confinement() && requires_labels.empty() &&
        excluded.empty())
        return types_[type].plain;
    const auto [entry, is_new] = special_.try_emplace(
        {type, std::string(version_range), confinement, requires_labels, excluded}, no_queue);
    if (!is_new)
        return entry->second;
    added = true;
    if (free_.empty()) {
        entry->second = static_cast<std::uint32_t>(queues_.size());
        queues_.emplace_back();
    } else {
        entry->second = free_.back();
        free_.pop_back();
    }
    Queue& queue = queues_[entry->second];
    queue.type = type;
    queue.versions = VersionFilter(version_range);
    queue.confinement = confinement;
    queue.requires_labels = requires_labels;
    queue.excluded = excluded;
    types_[type].special.push_back(entry->second);
    return entry->second;
}

std::vector<std::uint32_t> QueueTable::unused() const {
    std::vector<std::uint32_t> found;
    if (special_.size() < sweep_at_)
        return found;
    for (const auto& [key, index] : special_)
        if (queues_[index].users == 0)
            found.push_back(index);
    return found;
}

void QueueTable::remove(std::uint32_t index) {
    Queue& queue = queues_[index];
    std::erase(types_[queue.type].special, index);
    special_.erase({queue.type,
                    queue.versions.text(),
                    queue.confinement,
                    queue.requires_labels,
                    queue.excluded});
    // A new life must not be mistaken for the old one by what still waits in the dispatcher.
    const auto stamp = queue.stamp;
    queue = Queue{};
    queue.stamp = stamp;
    free_.push_back(index);
    sweep_at_ = std::max(fewest_to_sweep, 2 * special_.size());
}

}  // namespace distributo::coordinator::core
