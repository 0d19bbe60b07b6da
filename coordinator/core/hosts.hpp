#pragma once

#include "coordinator/core/scheduler.hpp"
#include "coordinator/core/task_table.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace distributo::coordinator::core {

/// What a host is worth: a task of a type with credit c takes 1/c of it.
inline constexpr std::uint64_t host_capacity = 1U << 20U;

/// One task type on one host. Lives as long as the host is remembered, so that tasks in flight can
/// be counted after the type was withdrawn.
struct Offer {
    std::uint32_t credit = 0;  ///< 0: not offered now, or paused
    std::uint32_t in_flight = 0;
    std::uint64_t weight = host_capacity;  ///< of one task
    base::TimePoint off_until{};           ///< after failed installs
    std::uint32_t install_failures = 0;    ///< in a row
    bool offered = false;
};

struct Host {
    HostIndex index = no_host;
    enum class State : std::uint8_t { ready, draining, disconnected, gone } state = State::ready;
    bool backed_up = false;                            ///< its connection does not take more now
    std::uint64_t load = 0;                            ///< of host_capacity
    TaskList leases;                                   ///< oldest first
    std::map<std::string, Offer, std::less<>> offers;  // nodes are stable
    std::uint64_t sequence = 0;                        ///< of the capabilities in force
    wire::Hello hello;
    std::string peer;
    wire::Capabilities capabilities;
    std::unordered_set<std::size_t> warm;  ///< install hashes that ran here
    base::TimePoint heard{};
    base::WallTime connected{};
    std::uint64_t completed = 0, failed = 0;
    std::uint64_t disconnects = 0;  ///< tells an old broken connection from a new one
    bool lease_armed = false;       ///< a timer for its lease is in the heap

    [[nodiscard]] bool takes_tasks() const noexcept {
        return state == State::ready && !backed_up && load < host_capacity;
    }
};

/// All hosts that are known; gone ones are remembered for a while, because a result of theirs may
/// still come, and only the host that held a token may report on it.
class HostTable {
public:
    /// The host with this id, a new record if there is none.
    Host& find_or_add(const std::string& host_id);
    [[nodiscard]] Host* get(HostIndex index) const {
        return index < hosts_.size() ? hosts_[index].get() : nullptr;
    }
    [[nodiscard]] const std::vector<std::unique_ptr<Host>>& all() const noexcept { return hosts_; }

private:
    void forget_gone();

    std::vector<std::unique_ptr<Host>> hosts_;  // null: forgotten; an index is never reused
    std::unordered_map<std::string, HostIndex> by_id_;
};

}  // namespace distributo::coordinator::core
