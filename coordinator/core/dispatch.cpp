#include "coordinator/core/scheduler_impl.hpp"

#include <algorithm>

namespace distributo::coordinator::core {

using base::TimePoint;

namespace {

/// How many tasks a queue may hand out before another of the same priority has its turn.
constexpr std::uint64_t quantum = 64;

}  // namespace

/// Puts a queue in line, unless it has nothing to hand out or stands there already.
void Scheduler::Impl::activate(std::uint32_t index) {
    Queue& queue = queues[index];
    if (queue.size == 0 || queue.hosts.empty())
        return;
    const std::int16_t priority = queue.top_priority();
    if (queue.active) {
        if (queue.active_priority >= priority)
            return;
        std::erase(active[queue.active_priority], index);  // something more urgent came in
    }
    queue.active = true;
    queue.active_priority = priority;
    active[priority].push_back(index);
}

void Scheduler::dispatch(TimePoint now) {
    Impl& s = *impl_;
    while (!s.active.empty()) {
        auto level = s.active.begin();
        if (level->second.empty()) {
            s.active.erase(level);
            continue;
        }
        const std::uint32_t index = level->second.front();
        level->second.pop_front();
        s.queues[index].active = false;
        // A queue that found no host leaves the line until one of its hosts has room again.
        if (s.serve(index, now))
            s.activate(index);
    }
}

/// Hands out up to a quantum. False when no host of the queue has room.
bool Scheduler::Impl::serve(std::uint32_t index, TimePoint now) {
    Queue& queue = queues[index];
    // The shares of this round: few tasks are spread one by one, many go in larger pieces.
    const std::uint64_t share = std::clamp<std::uint64_t>(
        queue.size / std::max<std::size_t>(queue.hosts.size(), 1), 1, quantum);
    const std::int16_t priority = queue.size == 0 ? 0 : queue.top_priority();
    std::uint64_t handed = 0;
    while (handed < quantum && queue.size != 0 && queue.top_priority() == priority) {
        Slot slot = queue.buckets.begin()->second.first;
        Queue::Candidate* candidate = choose(queue, tasks[slot], now);
        if (!candidate)
            return false;
        const bool picky = tasks[slot].extra != nullptr;
        for (std::uint64_t i = 0; i < (picky ? 1 : share) && candidate->host->load < host_capacity;
             ++i) {
            assign(slot, *candidate, now);
            ++handed;
            if (queue.size == 0 || queue.top_priority() != priority || handed >= quantum)
                break;
            slot = queue.buckets.begin()->second.first;
        }
    }
    return true;
}

/// The host to run a task: warm ones first, then the least loaded; a task that crashed a host's
/// plugin goes elsewhere if it can. Nothing when no host has room.
Queue::Candidate* Scheduler::Impl::choose(Queue& queue, const Task& task, TimePoint now) {
    const std::size_t install = task.extra ? task.extra->install_hash : 0;
    const HostIndex avoid = task.extra && task.crashes != 0 ? task.extra->crashed_on : no_host;
    Queue::Candidate* best = nullptr;
    std::tuple<bool, bool, std::uint64_t> best_rank;
    const std::size_t count = queue.hosts.size();
    for (std::size_t i = 0; i < count; ++i) {
        Queue::Candidate& candidate = queue.hosts[(queue.turn + i) % count];
        const Host& host = *candidate.host;
        if (!host.takes_tasks() || candidate.offer->credit == 0 || candidate.offer->off_until > now)
            continue;
        const std::tuple rank{
            host.index == avoid, install != 0 && !host.warm.contains(install), host.load};
        if (!best || rank < best_rank) {
            best = &candidate;
            best_rank = rank;
        }
    }
    if (best)
        queue.turn = static_cast<std::size_t>(best - queue.hosts.data()) + 1;
    return best;
}

void Scheduler::Impl::assign(Slot slot, Queue::Candidate& candidate, TimePoint now) {
    Task& task = tasks[slot];
    Host& host = *candidate.host;
    const Queue& queue = queues[task.queue];
    queues.remove(tasks, slot);
    set_state(task, TaskState::running);
    task.phase = wire::Phase::assigned;
    task.host = host.index;
    task.token_counter = next_counter++;
    task.since = now;
    ++task.attempts;
    task.leased = true;
    host.leases.push_back(tasks, slot);
    ++candidate.offer->in_flight;
    host.load += candidate.offer->weight;

    Actions::Assign& action = actions.assigns.emplace_back();
    action.host = host.index;
    wire::AssignItem& item = action.item;
    item.token = token_of(slot);
    item.type = queue.type;
    item.attempt = task.attempts;
    item.payload = task.payload.view();
    item.alone = task.crashes != 0;
    const TaskOptions* options = options_of(task);
    if (options && !options->given_id.empty())
        item.id = options->given_id;
    else
        item.id = actions.shown_ids.emplace_back(task.id).view();
    if (!options)
        return;
    item.install = options->install.view();
    item.timeout_ms = options->timeout_ms;
    if (task.extra->deadline_at != TimePoint::max())
        item.deadline_ms = std::max<std::int64_t>(
            1,
            std::chrono::duration_cast<std::chrono::milliseconds>(task.extra->deadline_at - now)
                .count());
}

}  // namespace distributo::coordinator::core
