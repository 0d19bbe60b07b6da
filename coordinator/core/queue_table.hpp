#pragma once

#include "coordinator/core/host_table.hpp"
#include "coordinator/core/task_table.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <compare>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::coordinator::core {

inline constexpr TypeIndex no_type = ~TypeIndex{0};

/// One task type that a task or a host has named.
struct TypeEntry {
    std::string name;
    std::uint32_t plain = no_queue;      ///< the queue of tasks that require nothing else
    std::vector<std::uint32_t> special;  ///< all its other queues
    std::vector<HostIndex> offering;     ///< ready hosts, the newest offer last
    /// The same by version, the highest first; none without hosts.
    std::map<Version, std::vector<HostIndex>, std::greater<>> versions;
    std::uint64_t pending = 0;
    std::uint64_t running = 0;
    LiveCounts live;
};

/// Tasks that exactly the same hosts may run: by priority, oldest first.
struct Queue {
    struct Seat {
        Host* host = nullptr;
        Offer* offer = nullptr;
    };

    TypeIndex type = no_type;
    VersionFilter versions;
    wire::Confinement confinement;  ///< required
    wire::Labels requires_labels;
    std::vector<HostIndex> excluded;  ///< waived while nobody else is there
    std::uint64_t users = 0;          ///< live tasks that belong to it, running ones included

    /// Hosts that may run its tasks and, when last looked at, had room. The others that may are
    /// `parked`: their room is not asked for until they say that they have some.
    std::vector<Seat> open;
    std::uint32_t turn = 0;  ///< where in `open` the next search begins

    bool active = false;  ///< waits in the dispatcher's heap under the two numbers below
    std::int32_t active_priority = 0;
    std::uint64_t stamp = 0;  ///< rises when it was served; the lowest of a priority is next

    [[nodiscard]] bool excludes(HostIndex host) const noexcept;
    [[nodiscard]] bool labels_fit(const Host& host) const;
    /// What the host would run its tasks with; null when it may not run them. Exclusions aside.
    [[nodiscard]] Offer* offer_of(const Host& host) const;

    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
    /// Of the task that is next. Not for empty queues.
    [[nodiscard]] std::int32_t top_priority() const noexcept;
    /// no_slot when nothing of that priority waits.
    [[nodiscard]] Slot first_of(std::int32_t priority) const;
    void push_back(TaskTable& tasks, Slot slot);
    void push_front(TaskTable& tasks, Slot slot);
    void remove(TaskTable& tasks, Slot slot);

private:
    [[nodiscard]] TaskList& bucket(std::int32_t priority);

    TaskList normal_;  // priority 0, as nearly all tasks have it
    std::map<std::int32_t, TaskList, std::greater<>> others_;
    std::uint64_t size_ = 0;
};

/// All types and queues. A queue's number is valid as long as a task uses it; the plain queue of a
/// type lives for ever.
class QueueTable {
public:
    /// The type of this name, made when it is new.
    [[nodiscard]] TypeIndex type(std::string_view name);
    [[nodiscard]] TypeIndex find_type(std::string_view name) const;
    [[nodiscard]] TypeEntry& type_at(TypeIndex index) noexcept { return types_[index]; }
    [[nodiscard]] const TypeEntry& type_at(TypeIndex index) const noexcept { return types_[index]; }
    [[nodiscard]] std::size_t type_count() const noexcept { return types_.size(); }

    [[nodiscard]] Queue& operator[](std::uint32_t index) noexcept { return queues_[index]; }
    [[nodiscard]] const Queue& operator[](std::uint32_t index) const noexcept {
        return queues_[index];
    }
    /// `added`: nobody has a seat at it yet.
    [[nodiscard]] std::uint32_t find_or_add(TypeIndex type,
                                            std::string_view version_range,
                                            const wire::Confinement& confinement,
                                            const wire::Labels& requires_labels,
                                            const std::vector<HostIndex>& excluded,
                                            bool& added);
    /// Special queues without users, once there are many of them; else nothing.
    [[nodiscard]] std::vector<std::uint32_t> unused() const;
    /// Forgets a special queue that has no users and no seats.
    void remove(std::uint32_t index);
    [[nodiscard]] std::size_t size() const noexcept { return queues_.size(); }

private:
    static constexpr std::size_t fewest_to_sweep = 256;

    struct Key {
        TypeIndex type = no_type;
        std::string version_range;
        wire::Confinement confinement;
        wire::Labels requires_labels;
        std::vector<HostIndex> excluded;
        friend auto operator<=>(const Key&, const Key&) = default;
    };

    std::deque<TypeEntry> types_;  // names are keys below: entries never move
    boost::unordered_flat_map<std::string_view, TypeIndex> types_by_name_;
    std::deque<Queue> queues_;
    std::map<Key, std::uint32_t> special_;
    std::vector<std::uint32_t> free_;
    std::size_t sweep_at_ = fewest_to_sweep;
};

}  // namespace distributo::coordinator::core
