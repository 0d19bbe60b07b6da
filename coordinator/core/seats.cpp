#include "coordinator/core/scheduler_impl.hpp"

#include <algorithm>
#include <utility>

namespace distributo::coordinator::core {

bool Scheduler::Impl::exclusions_waived(const Queue& queue) const {
    const auto& offering = queues.type_at(queue.type).offering;
    return std::none_of(offering.begin(), offering.end(), [&](HostIndex index) {
        return !queue.excludes(index) && queue.offer_of(*hosts.get(index));
    });
}

void Scheduler::Impl::seat(std::uint32_t index, Host& host, Offer& offer) {
    if (!host.has_room()) {
        host.parked.push_back({index, &offer});
        return;
    }
    queues[index].open.push_back({&host, &offer});
    activate(index);
}

void Scheduler::Impl::unseat(std::uint32_t index, Host& host) {
    auto& open = queues[index].open;
    const auto found = std::find_if(
        open.begin(), open.end(), [&](const Queue::Seat& one) { return one.host == &host; });
    if (found == open.end()) {
        std::erase_if(host.parked, [&](const Host::Parked& one) { return one.queue == index; });
        return;
    }
    *found = open.back();
    open.pop_back();
}

void Scheduler::Impl::seat_all(std::uint32_t index) {
    const Queue& queue = queues[index];
    const bool waived = !queue.excluded.empty() && exclusions_waived(queue);
    for (const HostIndex one : queues.type_at(queue.type).offering) {
        Host& host = *hosts.get(one);
        Offer* const offer = queue.offer_of(host);
        if (offer && (waived || !queue.excludes(one)))
            seat(index, host, *offer);
    }
}

void Scheduler::Impl::unseat_all(std::uint32_t index) {
    queues[index].open.clear();
    for (const auto& host : hosts.all())
        if (host)
            std::erase_if(host->parked,
                          [&](const Host::Parked& one) { return one.queue == index; });
}

void Scheduler::Impl::join_type(Host& host, TypeIndex index) {
    TypeEntry& type = queues.type_at(index);
    type.offering.push_back(host.index);
    for (Offer* offer = host.types[index].highest; offer; offer = offer->lower)
        if (offer->offered)
            type.versions[offer->version].push_back(host.index);
    seat(type.plain, host, *queues[type.plain].offer_of(host));
    for (const auto special : type.special) {
        if (!queues[special].excluded.empty()) {
            unseat_all(special);
            seat_all(special);
        } else if (Offer* const offer = queues[special].offer_of(host)) {
            seat(special, host, *offer);
        }
    }
}

void Scheduler::Impl::leave_type(Host& host, TypeIndex index) {
    TypeEntry& type = queues.type_at(index);
    std::erase(type.offering, host.index);
    for (Offer* offer = host.types[index].highest; offer; offer = offer->lower) {
        const auto version = type.versions.find(offer->version);
        if (!offer->offered || version == type.versions.end())
            continue;
        std::erase(version->second, host.index);
        if (version->second.empty())
            type.versions.erase(version);
    }
    unseat(type.plain, host);
    for (const auto special : type.special) {
        if (queues[special].excluded.empty()) {
            unseat(special, host);
        } else {
            unseat_all(special);
            seat_all(special);
        }
    }
}

void Scheduler::Impl::join_types(Host& host) {
    if (host.serving || !host.ready())
        return;
    host.serving = true;
    // In the order of the capabilities, so that the order of events alone decides what happens.
    for (const auto& capability : host.capabilities.types) {
        const auto type = queues.find_type(capability.type);
        const auto offers = type == no_type ? host.types.end() : host.types.find(type);
        if (offers == host.types.end() || !host.best_offer(type, {}) ||
            std::exchange(offers->second.joined, true))
            continue;
        join_type(host, type);
    }
}

void Scheduler::Impl::leave_types(Host& host) {
    if (!std::exchange(host.serving, false))
        return;
    for (auto& [type, offers] : host.types)
        if (std::exchange(offers.joined, false))
            leave_type(host, type);
}

void Scheduler::Impl::unpark(Host& host) {
    if (host.parked.empty() || !host.has_room())
        return;
    for (const auto& parked : host.parked) {
        queues[parked.queue].open.push_back({&host, parked.offer});
        activate(parked.queue);
    }
    host.parked.clear();
}

}  // namespace distributo::coordinator::core
