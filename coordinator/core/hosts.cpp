#include "coordinator/core/hosts.hpp"

namespace distributo::coordinator::core {
namespace {

/// More than any coordinator has hosts; a flood of made-up ids is forgotten beyond it.
constexpr std::size_t max_remembered = 50'000;

}  // namespace

Host& HostTable::find_or_add(const std::string& host_id) {
    if (const auto known = by_id_.find(host_id); known != by_id_.end())
        return *hosts_[known->second];
    if (by_id_.size() >= max_remembered)
        forget_gone();
    const auto index = static_cast<HostIndex>(hosts_.size());
    hosts_.push_back(std::make_unique<Host>());
    hosts_.back()->index = index;
    by_id_.emplace(host_id, index);
    return *hosts_.back();
}

void HostTable::forget_gone() {
    std::erase_if(by_id_, [&](const auto& entry) {
        auto& host = hosts_[entry.second];
        if (host->state != Host::State::gone)
            return false;
        host.reset();
        return true;
    });
}

}  // namespace distributo::coordinator::core
