#pragma once

#include "base/clock.hpp"
#include "runtime/call_slot.hpp"
#include "runtime/calls.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace distributo::runtime {

/// The calls that a runner has taken and not answered, with their limits.
///
/// A call gets a ticket, the number that it has inside the runner: its place in the table and how
/// often that place was used. There is no timer per call. Only calls that execute can run out of
/// time, and the slots show which these are; so one timer is set to the earliest moment at which
/// any of them could, and looks again then.
///
/// Not thread-safe: lives on the io_context.
class OpenCalls {
public:
    using Ticket = std::uint64_t;

    class Owner {
    public:
        virtual ~Owner() = default;
        /// The call should end: raise its cancel flag.
        virtual void ask_to_end(Ticket call) = 0;
        /// It was asked to end and has not done so within its grace time.
        virtual void on_overdue(Ticket call) = 0;
        [[nodiscard]] virtual std::span<const CallSlot> slots() const = 0;
    };

    enum class Ending : std::uint8_t { no, cancelled, timed_out };

    OpenCalls(boost::asio::io_context& io, Owner& owner);
    OpenCalls(const OpenCalls&) = delete;
    OpenCalls& operator=(const OpenCalls&) = delete;
    ~OpenCalls();

    /// `task`: a number that tells tasks apart, for task_of().
    [[nodiscard]] Ticket open(CallId call,
                              base::Duration timeout,
                              base::Duration grace,
                              std::uint64_t task = 0);
    /// Asks the call to end; nothing when it is not open, or was asked before.
    void cancel(CallId call);
    /// Takes the call off the table: puts the caller's number and, when the call was ended by its
    /// limit, the status into `result`. False when it was closed before.
    bool close(Ticket ticket, CallResult& result);
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::optional<CallId> find(Ticket ticket) const noexcept;
    [[nodiscard]] Ending ending(Ticket ticket) const noexcept;
    [[nodiscard]] std::uint64_t task_of(Ticket ticket) const noexcept;
    [[nodiscard]] std::vector<Ticket> tickets() const;
    /// No more questions to the owner.
    void disarm();

private:
    struct Entry {
        CallId call = 0;
        std::uint64_t task = 0;
        std::uint32_t generation = 0;
        bool open = false;
        Ending ending = Ending::no;
        bool overdue = false;  // reported
        base::Duration timeout{};
        base::Duration grace{};
        base::TimePoint kill_at{};
    };

    [[nodiscard]] const Entry* entry(Ticket ticket) const noexcept;
    [[nodiscard]] Entry* entry(Ticket ticket) noexcept;
    [[nodiscard]] Ticket ticket_of(std::size_t place) const noexcept;
    void ask_to_end(std::size_t place, Ending why, base::TimePoint now);
    void look();
    [[nodiscard]] base::TimePoint look_at_running(base::TimePoint now);
    [[nodiscard]] base::TimePoint look_at_open(base::TimePoint now);
    void arm(base::TimePoint when);

    Owner& owner_;
    boost::asio::steady_timer timer_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    std::vector<Entry> entries_;
    std::vector<std::uint32_t> free_;
    std::size_t size_ = 0;
    base::TimePoint armed_ = base::TimePoint::max();
    base::Duration shortest_ = base::Duration::max();  // no open call has a shorter timeout
};

}  // namespace distributo::runtime
