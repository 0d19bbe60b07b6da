#include "coordinator/core/scheduler_impl.hpp"

#include <algorithm>
#include <utility>

namespace distributo::coordinator::core {

bool Scheduler::Impl::exclusions_waived(const Queue& queue) const {
    const auto& offering = queues.type_at(queue.type).offering;
    return std::none_of(offering.begin(), offering.end(), [&](HostIndex index) {
        return !queue.excludes(index) && queue.labels_fit(*hosts.get(index));
    });
}

bool Scheduler::Impl::may_serve(const Queue& queue, const Host& host) const {
    return queue.labels_fit(host) && (!queue.excludes(host.index) || exclusions_waived(queue));
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
        if (queue.labels_fit(host) && (waived || !queue.excludes(one)))
            seat(index, host, host.offer(queue.type));
    }
}

void Scheduler::Impl::unseat_all(std::uint32_t index) {
    queues[index].open.clear();
    for (const auto& host : hosts.all())
        if (host)
            std::erase_if(host->parked,
                          [&](const Host::Parked& one) { return one.queue == index; });
}

void Scheduler::Impl::join_type(Host& host, Offer& offer) {
    TypeEntry& type = queues.type_at(offer.type);
    type.offering.push_back(host.index);
    seat(type.plain, host, offer);
    for (const auto index : type.special) {
        if (!queues[index].excluded.empty()) {
            unseat_all(index);
            seat_all(index);
        } else if (queues[index].labels_fit(host)) {
            seat(index, host, offer);
        }
    }
}

void Scheduler::Impl::leave_type(Host& host, Offer& offer) {
    TypeEntry& type = queues.type_at(offer.type);
    std::erase(type.offering, host.index);
    unseat(type.plain, host);
    for (const auto index : type.special) {
        if (queues[index].excluded.empty()) {
            unseat(index, host);
        } else {
            unseat_all(index);
            seat_all(index);
        }
    }
}

void Scheduler::Impl::join_types(Host& host) {
    if (host.serving || !host.ready())
        return;
    host.serving = true;
    // In the order of the capabilities, so that the order of events alone decides what happens.
    for (std::uint32_t i = 0; i < host.capabilities.types.size(); ++i) {
        const auto type = queues.find_type(host.capabilities.types[i].type);
        Offer* offer = type == no_type ? nullptr : host.find_offer(type);
        if (offer && offer->offered && offer->capability == i)
            join_type(host, *offer);
    }
}

void Scheduler::Impl::leave_types(Host& host) {
    if (!std::exchange(host.serving, false))
        return;
    for (const auto& [type, offer] : host.offers)
        if (offer->offered)
            leave_type(host, *offer);
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
