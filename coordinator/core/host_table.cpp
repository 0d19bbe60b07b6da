#include "coordinator/core/host_table.hpp"

#include "wire/limits.hpp"

#include <algorithm>

namespace distributo::coordinator::core {

Offer& Host::offer(TypeIndex type) {
    auto& entry = offers[type];
    if (!entry) {
        entry = std::make_unique<Offer>();
        entry->type = type;
    }
    return *entry;
}

Offer* Host::find_offer(TypeIndex type) const {
    const auto found = offers.find(type);
    return found == offers.end() ? nullptr : found->second.get();
}

void Host::set_credit(Offer& of, std::uint32_t credit) {
    of.credit = std::min(credit, wire::limits::max_credit);
    if (of.credit == 0)
        return;
    // Rounded up: `credit` tasks fill the host, one less never does.
    const std::uint64_t weight = (host_capacity + of.credit - 1) / of.credit;
    load -= of.in_flight * of.weight;
    load += of.in_flight * weight;
    of.weight = weight;
}

Host& HostTable::find_or_add(const std::string& host_id) {
    const auto [known, added] = by_id_.try_emplace(host_id, static_cast<HostIndex>(hosts_.size()));
    if (added) {
        hosts_.push_back(std::make_unique<Host>());
        hosts_.back()->index = known->second;
    }
    return *hosts_[known->second];
}

void HostTable::forget(Host& host) {
    auto hello = std::move(host.hello);
    const HostIndex index = host.index;
    host = Host{};
    host.index = index;
    host.gone = true;
    host.hello.host_id = std::move(hello.host_id);
    host.hello.name = std::move(hello.name);
    gone_.push_back(index);
    if (gone_.size() <= max_gone)
        return;
    auto& oldest = hosts_[gone_.front()];
    gone_.pop_front();
    if (oldest && oldest->gone) {
        by_id_.erase(oldest->hello.host_id);
        oldest.reset();
    }
}

}  // namespace distributo::coordinator::core
