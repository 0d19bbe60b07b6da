#include "runtime/open_calls.hpp"

#include <algorithm>
#include <string>

namespace distributo::runtime {
namespace {

using std::chrono::steady_clock;

constexpr auto never = base::TimePoint::max();

std::string in_words(base::Duration limit) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(limit).count();
    return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
}

}  // namespace

OpenCalls::OpenCalls(boost::asio::io_context& io, Owner& owner) : owner_(owner), timer_(io) {}

OpenCalls::~OpenCalls() {
    *alive_ = false;
}

OpenCalls::Ticket OpenCalls::ticket_of(std::size_t place) const noexcept {
    return Ticket{entries_[place].generation} << 32U | place;
}

const OpenCalls::Entry* OpenCalls::entry(Ticket ticket) const noexcept {
    const auto place = static_cast<std::uint32_t>(ticket);
    if (place >= entries_.size())
        return nullptr;
    const Entry& found = entries_[place];
    return found.open && found.generation == ticket >> 32U ? &found : nullptr;
}

OpenCalls::Entry* OpenCalls::entry(Ticket ticket) noexcept {
    return const_cast<Entry*>(std::as_const(*this).entry(ticket));
}

OpenCalls::Ticket OpenCalls::open(CallId call,
                                  base::Duration timeout,
                                  base::Duration grace,
                                  std::uint64_t task) {
    if (free_.empty()) {
        free_.push_back(static_cast<std::uint32_t>(entries_.size()));
        entries_.emplace_back();
    }
    const std::uint32_t place = free_.back();
    free_.pop_back();
    Entry& entry = entries_[place];
    entry = {.call = call,
             .task = task,
             .generation = entry.generation + 1,
             .open = true,
             .ending = Ending::no,
             .overdue = false,
             .timeout = timeout,
             .grace = grace,
             .kill_at = {}};
    ++size_;
    if (timeout > base::Duration::zero() && (timeout < shortest_ || armed_ == never)) {
        shortest_ = std::min(shortest_, timeout);
        arm(steady_clock::now() + timeout);
    }
    return ticket_of(place);
}

void OpenCalls::cancel(CallId call) {
    for (std::size_t place = 0; place < entries_.size(); ++place) {
        if (!entries_[place].open || entries_[place].call != call)
            continue;
        if (entries_[place].ending == Ending::no)
            ask_to_end(place, Ending::cancelled, steady_clock::now());
        return;
    }
}

bool OpenCalls::close(Ticket ticket, CallResult& result) {
    Entry* const found = entry(ticket);
    if (!found)
        return false;
    result.call = found->call;
    if (found->ending == Ending::timed_out && result.status != CallResult::Status::ok) {
        result.status = CallResult::Status::timeout;
        result.message = "ran longer than its limit of " + in_words(found->timeout);
    }
    found->open = false;
    free_.push_back(static_cast<std::uint32_t>(ticket));
    --size_;
    return true;
}

std::optional<CallId> OpenCalls::find(Ticket ticket) const noexcept {
    const Entry* const found = entry(ticket);
    return found ? std::optional(found->call) : std::nullopt;
}

std::uint64_t OpenCalls::task_of(Ticket ticket) const noexcept {
    const Entry* const found = entry(ticket);
    return found ? found->task : 0;
}

OpenCalls::Ending OpenCalls::ending(Ticket ticket) const noexcept {
    const Entry* const found = entry(ticket);
    return found ? found->ending : Ending::no;
}

std::vector<OpenCalls::Ticket> OpenCalls::tickets() const {
    std::vector<Ticket> all;
    all.reserve(size_);
    for (std::size_t place = 0; place < entries_.size(); ++place)
        if (entries_[place].open)
            all.push_back(ticket_of(place));
    return all;
}

void OpenCalls::disarm() {
    timer_.cancel();
    armed_ = never;
    *alive_ = false;
}

void OpenCalls::ask_to_end(std::size_t place, Ending why, base::TimePoint now) {
    Entry& entry = entries_[place];
    entry.ending = why;
    entry.kill_at = now + entry.grace;
    arm(entry.kill_at);
    owner_.ask_to_end(ticket_of(place));
}

// ---- the timer -------------------------------------------------------------------------------

void OpenCalls::arm(base::TimePoint when) {
    if (when >= armed_ || !*alive_)
        return;
    armed_ = when;
    timer_.expires_at(std::chrono::time_point_cast<steady_clock::duration>(when));
    timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
        if (!error && *alive)
            look();
    });
}

void OpenCalls::look() {
    armed_ = never;
    const base::TimePoint now = steady_clock::now();
    const auto alive = alive_;
    const auto running = look_at_running(now);
    const auto open = look_at_open(now);
    if (*alive && std::min(running, open) != never)
        arm(std::max(std::min(running, open), now + std::chrono::milliseconds(1)));
}

/// Calls that execute past their limit are asked to end. The earliest limit of the others.
base::TimePoint OpenCalls::look_at_running(base::TimePoint now) {
    auto earliest = never;
    for (const auto& slot : owner_.slots()) {
        const auto running = look_at(slot);
        Entry* const found = entry(running.call);
        if (!found || found->ending != Ending::no || found->timeout <= base::Duration::zero())
            continue;
        const auto limit = running.started + found->timeout + running.extra;
        if (limit <= now)
            ask_to_end(static_cast<std::uint32_t>(running.call), Ending::timed_out, now);
        else
            earliest = std::min(earliest, limit);
    }
    return earliest;
}

/// Calls that were asked to end and have not: reported once. When to look again.
base::TimePoint OpenCalls::look_at_open(base::TimePoint now) {
    auto earliest = never;
    shortest_ = base::Duration::max();
    std::vector<Ticket> overdue;
    for (std::size_t place = 0; place < entries_.size(); ++place) {
        Entry& entry = entries_[place];
        if (!entry.open)
            continue;
        if (entry.timeout > base::Duration::zero())
            shortest_ = std::min(shortest_, entry.timeout);
        if (entry.ending == Ending::no || entry.overdue)
            continue;
        if (entry.kill_at > now) {
            earliest = std::min(earliest, entry.kill_at);
        } else {
            entry.overdue = true;
            overdue.push_back(ticket_of(place));
        }
    }
    if (shortest_ != base::Duration::max())
        earliest = std::min(earliest, now + shortest_);
    const auto alive = alive_;
    for (const auto ticket : overdue)
        if (*alive)
            owner_.on_overdue(ticket);
    return earliest;
}

}  // namespace distributo::runtime
