#include "coordinator/core/scheduler_impl.hpp"

#include <algorithm>
#include <utility>

namespace distributo::coordinator::core {

using base::Errc;
using base::TimePoint;

void Scheduler::Impl::count_success(Host& host) {
    Quarantine& known = host.quarantine;
    if (known.failures == 0 && known.times == 0)
        return;
    known.failures = 0;
    known.failed_tasks.clear();
    // What was still there from before says nothing about what comes after.
    if (host.quarantined || std::exchange(known.times, 0) == 0)
        return;
    known.reason.clear();
    record(host, host.present);
}

void Scheduler::Impl::count_blame(Host& host,
                                  TaskId task,
                                  std::string_view message,
                                  TimePoint now) {
    if (host.quarantined)
        return;
    Quarantine& known = host.quarantine;
    ++known.failures;
    auto& tasks_hit = known.failed_tasks;
    if (tasks_hit.size() < settings.host_failure_tasks &&
        std::find(tasks_hit.begin(), tasks_hit.end(), task) == tasks_hit.end())
        tasks_hit.push_back(task);
    if (known.failures >= settings.host_failures && tasks_hit.size() >= settings.host_failure_tasks)
        quarantine(host, message, now);
}

void Scheduler::Impl::quarantine(Host& host, std::string_view message, TimePoint now) {
    leave_types(host);
    Quarantine& known = host.quarantine;
    const auto length =
        doubled(settings.host_quarantine_base, known.times, settings.host_quarantine_limit);
    host.quarantined = true;
    ++known.times;
    known.until = now + length;
    known.until_wall = wall_at(known.until);
    known.reason = std::to_string(known.failures) +
                   " crashes or failed installs in a row, the last: " + std::string(message);
    known.failures = 0;
    known.failed_tasks.clear();
    known.timer = ++last_serial;
    add_timer({known.until, last_serial, host.index, Timer::Kind::quarantine});
    record(host, host.present);
}

void Scheduler::Impl::end_quarantine(Host& host) {
    host.quarantined = false;
    host.quarantine.timer = 0;
    host.quarantine.until_wall = {};
    join_types(host);
}

void Scheduler::Impl::recall_quarantine(Host& host,
                                        const HostRecord& record,
                                        TimePoint now,
                                        base::WallTime wall) {
    Quarantine& known = host.quarantine;
    known.times = record.quarantines;
    known.reason = record.quarantine_reason;
    if (record.quarantined_until <= wall)
        return;
    host.quarantined = true;
    // Never longer than it can have been, should the wall clock have been set back.
    known.until = std::min(to_monotonic(record.quarantined_until, now, wall),
                           now + settings.host_quarantine_limit);
    known.until_wall = record.quarantined_until;
    known.timer = ++last_serial;
    add_timer({known.until, last_serial, host.index, Timer::Kind::quarantine});
}

base::Result<void> Scheduler::release_host(const std::string& host_id, TimePoint) {
    Impl& s = *impl_;
    Host* host = s.hosts.find(host_id);
    if (!host)
        return base::error(Errc::not_found, "no host of this id is known");
    if (!host->quarantined)
        return base::error(Errc::conflict, "the host is not in quarantine");
    host->quarantine = {};
    s.record(*host, host->present);
    s.end_quarantine(*host);
    return {};
}

}  // namespace distributo::coordinator::core
