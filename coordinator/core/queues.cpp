#include "coordinator/core/queues.hpp"

#include <algorithm>

namespace distributo::coordinator::core {

bool Queue::fits(const Host& host) const {
    return !excluded.contains(host.hello.host_id) &&
           std::all_of(requires_labels.begin(), requires_labels.end(), [&](const auto& label) {
               const auto own = host.hello.labels.find(label.first);
               return own != host.hello.labels.end() && own->second == label.second;
           });
}

std::uint32_t QueueTable::find_or_add(std::string_view type,
                                      const wire::Labels& requires_labels,
                                      const std::set<std::string>& excluded,
                                      const HostTable& hosts) {
    // Nearly every task is of a plain queue, which is the first one of its type.
    if (requires_labels.empty() && excluded.empty())
        if (const auto& plain = of_type(type); !plain.empty() &&
                                               queues_[plain.front()]->requires_labels.empty() &&
                                               queues_[plain.front()]->excluded.empty())
            return plain.front();
    const auto [entry, added] =
        by_key_.try_emplace({type, requires_labels, excluded}, queues_.size());
    if (!added)
        return entry->second;
    auto queue = std::make_unique<Queue>();
    queue->type = type;
    queue->requires_labels = requires_labels;
    queue->excluded = excluded;
    collect_hosts(*queue, hosts);
    queues_.push_back(std::move(queue));
    auto& list = by_type_[type];
    if (requires_labels.empty() && excluded.empty())
        list.insert(list.begin(), entry->second);
    else
        list.push_back(entry->second);
    return entry->second;
}

const std::vector<std::uint32_t>& QueueTable::of_type(std::string_view type) const {
    static const std::vector<std::uint32_t> none;
    const auto found = by_type_.find(type);
    return found == by_type_.end() ? none : found->second;
}

void QueueTable::collect_hosts(Queue& queue, const HostTable& hosts) const {
    queue.hosts.clear();
    for (const auto& host : hosts.all()) {
        if (!host || !queue.fits(*host))
            continue;
        const auto offer = host->offers.find(queue.type);
        if (offer != host->offers.end() && offer->second.offered)
            queue.hosts.push_back({host.get(), &offer->second});
    }
}

void QueueTable::update_hosts(std::string_view type, const HostTable& hosts) {
    for (const std::uint32_t index : of_type(type))
        collect_hosts(*queues_[index], hosts);
}

void QueueTable::push_back(TaskTable& tasks, Slot slot) {
    Queue& queue = *queues_[tasks[slot].queue];
    queue.buckets[tasks[slot].priority].push_back(tasks, slot);
    ++queue.size;
}

void QueueTable::push_front(TaskTable& tasks, Slot slot) {
    Queue& queue = *queues_[tasks[slot].queue];
    queue.buckets[tasks[slot].priority].push_front(tasks, slot);
    ++queue.size;
}

void QueueTable::remove(TaskTable& tasks, Slot slot) {
    Queue& queue = *queues_[tasks[slot].queue];
    const auto bucket = queue.buckets.find(tasks[slot].priority);
    bucket->second.remove(tasks, slot);
    if (bucket->second.size == 0)
        queue.buckets.erase(bucket);
    --queue.size;
}

}  // namespace distributo::coordinator::core
