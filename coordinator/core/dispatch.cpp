#include "coordinator/core/scheduler_impl.hpp"

#include <algorithm>

namespace distributo::coordinator::core {

using base::TimePoint;

namespace {

/// What one queue may hand out before the next of the same priority gets its turn: at most this
/// many tasks, and at most this much of a host unless a single task is more.
constexpr std::uint32_t quantum_tasks = 64;
constexpr std::uint64_t quantum_share = host_capacity / 64;

/// Hosts that are compared for one task; the rest get their turn by rotation.
constexpr std::size_t window = 8;
constexpr std::size_t warm_window = 16;

/// Bounds what is remembered about warm hosts; a preference, so forgetting is harmless.
constexpr std::size_t max_warm = 65'536;

/// How many tasks in a row go to one host. One by one while it has free slots, so that idle hosts
/// share evenly; what is only queued there may come in small chunks.
std::uint32_t chunk_of(const Queue::Seat& seat) {
    if (seat.host->leases.size < seat.host->slots)
        return 1;
    return std::clamp<std::uint32_t>(seat.offer->credit / 64, 1, 16);
}

bool takes(const Queue::Seat& seat) {
    return seat.host->has_room() && seat.offer->takes_tasks();
}

std::int64_t milliseconds_until(TimePoint when, TimePoint now) {
    using std::chrono::milliseconds;
    return std::max<std::int64_t>(1, std::chrono::ceil<milliseconds>(when - now).count());
}

}  // namespace

void Scheduler::Impl::activate(std::uint32_t index) {
    Queue& queue = queues[index];
    if (queue.size() == 0 || queue.open.empty())
        return;
    const auto priority = queue.top_priority();
    if (queue.active && queue.active_priority >= priority)
        return;
    queue.active = true;
    queue.active_priority = priority;
    active.push_back({priority, index, queue.stamp});
    std::push_heap(active.begin(), active.end());
}

void Scheduler::dispatch(TimePoint now) {
    Impl& s = *impl_;
    while (!s.active.empty()) {
        std::pop_heap(s.active.begin(), s.active.end());
        const auto next = s.active.back();
        s.active.pop_back();
        Queue& queue = s.queues[next.queue];
        if (!queue.active || queue.stamp != next.stamp || queue.active_priority != next.priority)
            continue;
        queue.active = false;
        if (queue.size() > 0 && queue.top_priority() == next.priority)
            s.serve(next.queue, now);
        s.activate(next.queue);
    }
}

void Scheduler::Impl::serve(std::uint32_t index, TimePoint now) {
    Queue& queue = queues[index];
    const auto priority = queue.top_priority();
    std::uint32_t count = 0;
    std::uint64_t share = 0;
    Slot slot = queue.first_of(priority);
    while (slot != no_slot && count < quantum_tasks && share < quantum_share) {
        const auto seat = choose(index, tasks[slot]);
        if (!seat.host)
            break;
        auto chunk = chunk_of(seat);
        do {
            assign(slot, seat, now);
            ++count;
            share += seat.offer->weight;
            slot = queue.first_of(priority);
        } while (--chunk > 0 && slot != no_slot && count < quantum_tasks && takes(seat) &&
                 !tasks[slot].side);
    }
    if (count > 0)
        queue.stamp = ++last_stamp;
}

Queue::Seat Scheduler::Impl::choose(std::uint32_t index, const Task& task) {
    Queue& queue = queues[index];
    if (task.side && task.side->install_key != 0)
        if (const auto seat = choose_warm(queue, task.side->install_key); seat.host)
            return seat;
    auto& open = queue.open;
    Queue::Seat best;
    std::uint64_t lowest = 0;
    std::size_t at = queue.turn;
    std::size_t seen = 0;
    while (seen < std::min(window, open.size())) {
        if (at >= open.size())
            at = 0;
        const auto seat = open[at];
        if (!takes(seat)) {
            seat.host->parked.push_back({index, seat.offer});
            open[at] = open.back();
            open.pop_back();
            continue;
        }
        const auto utilisation = seat.host->utilisation();
        if (!best.host || utilisation < lowest) {
            best = seat;
            lowest = utilisation;
        }
        ++seen;
        ++at;
    }
    ++queue.turn;
    if (queue.turn >= open.size())
        queue.turn = 0;
    return best;
}

Queue::Seat Scheduler::Impl::choose_warm(const Queue& queue, std::uint64_t install_key) {
    const auto found = warm.find(install_key);
    if (found == warm.end())
        return {};
    auto& known = found->second;
    Queue::Seat best;
    for (std::size_t seen = 0; seen < std::min(warm_window, known.hosts.size());) {
        known.turn %= known.hosts.size();
        Host* host = hosts.get(known.hosts[known.turn]);
        if (!host || !host->warm.contains(install_key)) {
            known.hosts[known.turn] = known.hosts.back();
            known.hosts.pop_back();
            continue;
        }
        ++seen;
        ++known.turn;
        if (!host->serving || !host->has_room() || queue.excludes(host->index))
            continue;
        Offer* const offer = queue.offer_of(*host);
        if (!offer || !offer->takes_tasks())
            continue;
        if (!best.host || host->utilisation() < best.host->utilisation())
            best = {host, offer};
    }
    return best;
}

void Scheduler::Impl::remember_warm(const Task& task, Host& host) {
    const auto key = task.side ? task.side->install_key : 0;
    if (key == 0 || !host.warm.insert(key).second)
        return;
    if (warm.size() >= max_warm) {
        warm.clear();
        for (const auto& one : hosts.all())
            if (one)
                one->warm.clear();
        host.warm.insert(key);
    }
    warm[key].hosts.push_back(host.index);
}

void Scheduler::Impl::assign(Slot slot, const Queue::Seat& seat, TimePoint now) {
    Task& task = tasks[slot];
    if (task.counter != 0 && side_of(task).first_counter == 0)
        task.side->first_counter = task.counter;
    task.host = seat.host->index;
    begin_lease(slot, *seat.host, *seat.offer);
    task.counter = ++last_counter;
    task.since = now;
    task.phase = wire::Phase::assigned;
    ++task.attempts;
    if (task.side)
        task.side->foreign = {};

    wire::AssignItem& item = actions.assigns.emplace_back().item;
    actions.assigns.back().host = task.host;
    item.token = token_of(slot);
    item.type = queues.type_at(seat.offer->type).name;
    item.attempt = task.attempts;
    if (proofs)
        item.lease = {
            task.id, task.attempts, proofs->proof(seat.host->digest, task.id, task.attempts)};
    item.payload = task.payload.view();
    item.alone = task.suspect;
    if (const TaskOptions* options = tasks.options(slot)) {
        item.id = options->given_id;
        item.install = options->install.view();
        item.timeout_ms = options->timeout_ms;
        item.version = options->version_range;
        // Of several versions in the range only some may be confined enough.
        if (options->requires_confinement != wire::Confinement() && seat.offer->version.semantic())
            item.version = seat.offer->version.text();
    }
    if (item.id.empty())
        item.id = actions.shown_ids.emplace_back(task.id).view();
    if (!task.side)
        return;
    task.side->progress = -1;
    if (task.side->texts)
        task.side->texts->progress.clear();
    if (task.side->deadline != TimePoint::max())
        item.deadline_ms = milliseconds_until(task.side->deadline, now);
}

}  // namespace distributo::coordinator::core
