#pragma once

#include "coordinator/core/scheduler.hpp"
#include "coordinator/core/task_table.hpp"
#include "coordinator/core/version.hpp"

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace distributo::coordinator::core {

using TypeIndex = std::uint32_t;

struct TokenHash {
    std::size_t operator()(const wire::Token& token) const noexcept {
        return std::hash<std::uint64_t>()(token.counter * 0x9E3779B97F4A7C15ULL ^ token.term);
    }
};

/// What fills a host. Fine enough that `credit` tasks of one type fill it exactly, whatever the
/// credit.
inline constexpr std::uint64_t host_capacity = 1ULL << 40U;

/// One version of one task type on one host. Stays after it was withdrawn while tasks of it are in
/// flight, so that they are counted.
struct Offer {
    std::uint64_t weight = host_capacity;  ///< of one task, in shares of host_capacity
    std::uint32_t in_flight = 0;
    std::uint32_t credit = 0;
    bool offered = false;  ///< in the capabilities in force
    bool paused = false;   ///< until off_until, because installs failed
    bool assumed = false;  ///< for tasks that the host brought along before it said what it offers
    std::uint16_t number = 0;  ///< position in its host's table
    TypeIndex type = 0;
    std::uint32_t capability = 0;        ///< position in Host::capabilities
    std::uint32_t install_failures = 0;  ///< pauses in a row
    std::uint64_t pause_timer = 0;       ///< serial of the timer in force
    base::TimePoint off_until{};
    Version version;
    wire::Confinement confinement;  ///< as announced last
    Offer* lower = nullptr;         ///< next lower version of the same type, offered or not

    [[nodiscard]] bool takes_tasks() const noexcept { return credit > 0 && !paused; }
};

/// A host that breaks what it is given gets nothing for a while. Outlives its connection.
struct Quarantine {
    std::uint32_t times = 0;  ///< in a row; each doubles the next one
    base::TimePoint until{};
    base::WallTime until_wall{};
    std::string reason;
    std::uint64_t timer = 0;           ///< serial of the timer in force
    std::uint32_t failures = 0;        ///< crashes and failed installs since the last success
    std::vector<TaskId> failed_tasks;  ///< different ones of those, as many as matter
};

/// A host that is connected, or was and may come back.
struct Host {
    /// A queue that it serves, but that does not look at it while it has no room.
    struct Parked {
        std::uint32_t queue = 0;
        Offer* offer = nullptr;
    };

    // ---- what choosing a host looks at ----
    std::uint64_t load = 0;                    ///< of host_capacity
    std::uint64_t slot_share = host_capacity;  ///< host_capacity / slots
    TaskList leases;
    std::uint32_t slots = 1;
    HostIndex index = no_host;
    bool connected = false;
    bool draining = false;
    bool silent = false;     ///< its lease ended although the connection is open
    bool backed_up = false;  ///< its connection takes no more now
    bool serving = false;    ///< its offers are shown to the queues
    bool gone = false;       ///< forgotten, but its number still belongs to its id
    bool recorded = false;   ///< that it is present is durable: it may hold leases
    bool present = false;    ///< so its last record says, durable or not
    bool quarantined = false;
    bool awaited = false;  ///< with gone: present at the last end of the coordinator

    // ---- the rest ----
    std::vector<Parked> parked;
    std::vector<std::unique_ptr<Offer>> offers;  ///< by number; null where one was dropped
    /// By type: the highest version, from which the others hang, and whether its queues know it.
    struct TypeOffers {
        Offer* highest = nullptr;
        bool joined = false;
    };
    boost::unordered_flat_map<TypeIndex, TypeOffers> types;
    boost::unordered_flat_set<std::uint64_t> warm;  ///< install keys of tasks that succeeded here
    wire::Hello hello;
    std::string peer;
    wire::Capabilities capabilities;
    base::TimePoint capabilities_at{};
    base::TimePoint heard{};
    base::TimePoint disconnected{};
    base::Duration patience{};  ///< the lease at that time
    base::WallTime connected_at{};
    std::uint64_t silence_timer = 0;  ///< serial of the timer in force; 0: none
    std::uint64_t requeue_timer = 0;  ///< the same
    std::uint64_t completed = 0;
    std::uint64_t failed = 0;
    std::uint64_t digest = 0;         ///< of its id, see LeaseProofs
    std::uint64_t record_serial = 0;  ///< of its last record
    /// A task that it brought along under a token of an earlier boot.
    struct Adopted {
        TaskId task = 0;
        bool told = false;  ///< it has reported its end
    };
    boost::unordered_flat_map<wire::Token, Adopted, TokenHash> adopted;
    Quarantine quarantine;

    /// May be handed tasks as far as it is up to the host's state.
    [[nodiscard]] bool ready() const noexcept {
        return connected && recorded && !draining && !silent && !quarantined;
    }
    [[nodiscard]] bool has_room() const noexcept {
        return load < host_capacity && ready() && !backed_up;
    }
    /// Lower takes the next task: free slots first, then what fills it least.
    [[nodiscard]] std::uint64_t utilisation() const noexcept {
        return leases.size < slots ? leases.size * slot_share : 2 * host_capacity + load;
    }
    /// The highest version of the type that is on offer, accepted and confined at least as
    /// required; null when there is none.
    [[nodiscard]] Offer* best_offer(TypeIndex type,
                                    const VersionFilter& versions,
                                    const wire::Confinement& required = {}) const;
    /// This version of the type, on offer or not; null when there is none.
    [[nodiscard]] Offer* find_offer(TypeIndex type, const Version& version) const;
    /// The same, made when there is none. Null when the host has as many as can be numbered.
    [[nodiscard]] Offer* claim_offer(TypeIndex type, Version version);
    /// For a task of which nobody says which version runs it: made when there is no such offer.
    [[nodiscard]] Offer* assume_offer(TypeIndex type);
    /// Forgets an offer that is neither made nor in use any more.
    void drop_if_unused(Offer& offer) {
        if (!offer.offered && offer.in_flight == 0)
            drop(offer);
    }
    void set_credit(Offer& offer, std::uint32_t credit);

private:
    [[nodiscard]] Offer* add_offer(TypeIndex type);
    void drop(Offer& offer);
    void link(Offer& offer);
    void unlink(Offer& offer);
};

/// All hosts that are known. A host keeps its number when it is forgotten and comes back, so that
/// a late result of its can still be told from that of another.
class HostTable {
public:
    [[nodiscard]] Host& find_or_add(const std::string& host_id);
    /// The host of this id; one that nobody knew is gone.
    [[nodiscard]] Host& know(const std::string& host_id);
    /// Null when nobody knows it.
    [[nodiscard]] Host* find(const std::string& host_id) const;
    /// Null for numbers that nobody has. A gone host is found.
    [[nodiscard]] Host* get(HostIndex index) const noexcept {
        return index < hosts_.size() ? hosts_[index].get() : nullptr;
    }
    /// Drops everything but name, number and quarantine.
    void forget(Host& host);
    /// Entries may be null.
    [[nodiscard]] const std::vector<std::unique_ptr<Host>>& all() const noexcept { return hosts_; }

private:
    static constexpr std::size_t max_gone = 10'000;

    void keep_as_gone(Host& host);

    std::vector<std::unique_ptr<Host>> hosts_;
    boost::unordered_flat_map<std::string, HostIndex> by_id_;
    std::deque<HostIndex> gone_;  // oldest first; may have come back
};

}  // namespace distributo::coordinator::core
