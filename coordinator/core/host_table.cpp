#include "coordinator/core/host_table.hpp"

#include "wire/limits.hpp"

#include <algorithm>

namespace distributo::coordinator::core {

Offer* Host::best_offer(TypeIndex type,
                        const VersionFilter& versions,
                        const wire::Confinement& required) const {
    const auto found = types.find(type);
    Offer* offer = found == types.end() ? nullptr : found->second.highest;
    while (offer && !(offer->offered && versions.accepts(offer->version) &&
                      offer->confinement.covers(required)))
        offer = offer->lower;
    return offer;
}

Offer* Host::find_offer(TypeIndex type, const Version& version) const {
    const auto found = types.find(type);
    Offer* offer = found == types.end() ? nullptr : found->second.highest;
    while (offer && (offer->assumed || !(offer->version == version)))
        offer = offer->lower;
    return offer;
}

Offer* Host::claim_offer(TypeIndex type, Version version) {
    if (Offer* known = find_offer(type, version))
        return known;
    Offer* offer = types[type].highest;
    while (offer && !offer->assumed)
        offer = offer->lower;
    if (offer)
        unlink(*offer);  // what the tasks that it stands for run on, as far as anybody can tell
    else if (!(offer = add_offer(type)))
        return nullptr;
    offer->assumed = false;
    offer->version = std::move(version);
    link(*offer);
    return offer;
}

Offer* Host::assume_offer(TypeIndex type) {
    for (Offer* offer = types[type].highest; offer; offer = offer->lower)
        if (offer->assumed)
            return offer;
    Offer* offer = add_offer(type);
    if (!offer)
        return nullptr;
    offer->assumed = true;
    link(*offer);
    return offer;
}

void Host::drop(Offer& offer) {
    unlink(offer);
    if (!types[offer.type].highest)
        types.erase(offer.type);
    offers[offer.number].reset();
}

Offer* Host::add_offer(TypeIndex type) {
    std::size_t number = 0;
    while (number < offers.size() && offers[number])
        ++number;
    if (number == std::size_t{1} << offer_bits)
        return nullptr;
    if (number == offers.size())
        offers.emplace_back();
    offers[number] = std::make_unique<Offer>();
    offers[number]->type = type;
    offers[number]->number = static_cast<std::uint16_t>(number);
    return offers[number].get();
}

void Host::link(Offer& offer) {
    Offer** place = &types[offer.type].highest;
    while (*place && offer.version < (*place)->version)
        place = &(*place)->lower;
    offer.lower = *place;
    *place = &offer;
}

void Host::unlink(Offer& offer) {
    Offer** place = &types[offer.type].highest;
    while (*place != &offer)
        place = &(*place)->lower;
    *place = offer.lower;
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

Host& HostTable::know(const std::string& host_id) {
    Host& host = find_or_add(host_id);
    if (host.hello.host_id.empty()) {
        host.hello.host_id = host_id;
        keep_as_gone(host);
    }
    return host;
}

Host* HostTable::find(const std::string& host_id) const {
    const auto known = by_id_.find(host_id);
    return known == by_id_.end() ? nullptr : hosts_[known->second].get();
}

void HostTable::forget(Host& host) {
    Host kept;
    kept.index = host.index;
    kept.hello.host_id = std::move(host.hello.host_id);
    kept.hello.name = std::move(host.hello.name);
    kept.quarantined = host.quarantined;
    kept.quarantine = std::move(host.quarantine);
    host = std::move(kept);
    keep_as_gone(host);
}

void HostTable::keep_as_gone(Host& host) {
    host.gone = true;
    gone_.push_back(host.index);
    if (gone_.size() <= max_gone)
        return;
    auto& oldest = hosts_[gone_.front()];
    gone_.pop_front();
    if (oldest && oldest->gone && !oldest->awaited) {
        by_id_.erase(oldest->hello.host_id);
        oldest.reset();
    }
}

}  // namespace distributo::coordinator::core
