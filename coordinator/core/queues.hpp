#pragma once

#include "coordinator/core/hosts.hpp"
#include "coordinator/core/task_table.hpp"

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace distributo::coordinator::core {

/// Tasks that exactly the same hosts may run, by priority, oldest first.
struct Queue {
    std::string_view type;
    wire::Labels requires_labels;
    std::set<std::string> excluded;  ///< host ids
    std::map<std::int16_t, TaskList, std::greater<>> buckets;
    std::uint64_t size = 0;

    struct Candidate {
        Host* host = nullptr;
        Offer* offer = nullptr;
    };
    std::vector<Candidate> hosts;  ///< that offer the type and fit, whatever their load
    std::size_t turn = 0;          ///< where the search for a host begins, so that ties rotate
    bool active = false;           ///< waits its turn in the dispatcher
    std::int16_t active_priority = 0;

    [[nodiscard]] std::int16_t top_priority() const { return buckets.begin()->first; }
    [[nodiscard]] bool fits(const Host& host) const;
};

/// All queues, found by what their tasks require.
class QueueTable {
public:
    [[nodiscard]] std::uint32_t find_or_add(std::string_view type,
                                            const wire::Labels& requires_labels,
                                            const std::set<std::string>& excluded,
                                            const HostTable& hosts);
    [[nodiscard]] Queue& operator[](std::uint32_t index) { return *queues_[index]; }
    [[nodiscard]] const Queue& operator[](std::uint32_t index) const { return *queues_[index]; }
    [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(queues_.size()); }
    /// The queues of one type; empty when there are none.
    [[nodiscard]] const std::vector<std::uint32_t>& of_type(std::string_view type) const;

    void push_back(TaskTable& tasks, Slot slot);
    void push_front(TaskTable& tasks, Slot slot);
    void remove(TaskTable& tasks, Slot slot);
    /// Looks anew which hosts may run a type's tasks.
    void update_hosts(std::string_view type, const HostTable& hosts);

private:
    void collect_hosts(Queue& queue, const HostTable& hosts) const;

    std::vector<std::unique_ptr<Queue>> queues_;
    std::map<std::tuple<std::string_view, wire::Labels, std::set<std::string>>, std::uint32_t>
        by_key_;
    std::unordered_map<std::string_view, std::vector<std::uint32_t>> by_type_;
};

}  // namespace distributo::coordinator::core
